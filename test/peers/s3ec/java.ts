import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installOnce } from "../cache.ts";
import { sourceDigest } from "../clients/source-digest.ts";
import { run } from "../process.ts";
import type { S3ecClient } from "./client.ts";
import { startProgram } from "./program.ts";

const SOURCE = fileURLToPath(new URL("./java/", import.meta.url));
const FILES = ["S3ec.java", "pom.xml"];
const VERSION =
  /client-java<\/artifactId>\s*<version>([^<]+)/.exec(readFileSync(join(SOURCE, "pom.xml"), "utf8"))?.[1] ??
  "";

/** The official client for Java: `amazon-s3-encryption-client-java`. */
export const s3ecJava: S3ecClient = {
  name: "s3ec-java",
  version: VERSION,
  lacks: [],
  async start(target) {
    const name = `s3ec-java-${VERSION}-${sourceDigest(SOURCE, FILES)}`;
    const folder = await installOnce(name, (made) => build(made, name));
    const classPath = `${join(folder, "lib", "*")}:${join(folder, "classes")}`;
    const command = ["java", "-Xmx1g", "-Dfile.encoding=UTF-8", "-cp", classPath, "S3ec"] as const;
    // By default it sends large bodies with a checksum behind them, over which it and moto wait for each other.
    return startProgram(command, target, { AWS_REQUEST_CHECKSUM_CALCULATION: "when_required" });
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
  await run("javac", ["-encoding", "UTF-8", "-cp", "lib/*", "-d", "classes", "S3ec.java"], options);
}
