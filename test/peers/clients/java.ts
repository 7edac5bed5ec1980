import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installOnce } from "../cache.ts";
import { run } from "../process.ts";
import type { Client } from "./client.ts";
import { environmentOf, orderArguments } from "./order.ts";
import { sourceDigest } from "./source-digest.ts";
import { work } from "./work.ts";

const SOURCE = fileURLToPath(new URL("./java/", import.meta.url));
const FILES = ["Client.java", "pom.xml"];
const VERSION =
  /<artifactId>bom<\/artifactId>\s*<version>([^<]+)/.exec(
    readFileSync(join(SOURCE, "pom.xml"), "utf8"),
  )?.[1] ?? "";

/** The AWS SDK for Java v2, in a small program of ours; it sends `Expect: 100-continue` before each body. */
export const sdkJava: Client = {
  name: "sdk-java",
  version: VERSION,
  async install() {
    const name = `sdk-java-${VERSION}-${sourceDigest(SOURCE, FILES)}`;
    const folder = await installOnce(name, (made) => build(made, name));
    const classPath = `${join(folder, "lib", "*")}:${join(folder, "classes")}`;
    return (order) => {
      const args = ["-Dsun.jnu.encoding=UTF-8", "-Dfile.encoding=UTF-8", "-cp", classPath, "Client"];
      return work(order, "java", [...args, ...orderArguments(order)], environmentOf(order));
    };
  },
};

async function build(folder: string, name: string): Promise<void> {
  for (const file of FILES) copyFileSync(join(SOURCE, file), join(folder, file));
  mkdirSync(join(folder, "classes"));
  const options = {
    logFile: join(folder, "install.log"),
    cwd: folder,
    timeoutSeconds: 500,
    failure: `${name} could not be built (it needs a JDK >= 17 and Maven on the PATH, and Maven's central repository)`,
  };
  const libraries = ["-DoutputDirectory=lib", "-DincludeScope=runtime"];
  await run("mvn", ["-q", "-B", "dependency:copy-dependencies", ...libraries], options);
  await run("javac", ["-encoding", "UTF-8", "-cp", "lib/*", "-d", "classes", "Client.java"], options);
}
