import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installOnce } from "../cache.ts";
import { goBuild } from "../go.ts";
import type { Client } from "./client.ts";
import { environmentOf, orderArguments } from "./order.ts";
import { sourceDigest } from "./source-digest.ts";
import { work } from "./work.ts";

const SOURCE = fileURLToPath(new URL("./go/", import.meta.url));
const FILES = ["main.go", "go.mod", "go.sum"];
const VERSION = /service\/s3 v(\S+)/.exec(readFileSync(join(SOURCE, "go.mod"), "utf8"))?.[1] ?? "";

/** The AWS SDK for Go v2, in a small program of ours. */
export const sdkGo: Client = {
  name: "sdk-go",
  version: VERSION,
  async install() {
    const name = `sdk-go-${VERSION}-${sourceDigest(SOURCE, FILES)}`;
    const folder = await installOnce(name, async (made) => {
      for (const file of FILES) copyFileSync(join(SOURCE, file), join(made, file));
      await goBuild(["build", "-buildvcs=false", "-o", "client", "."], { folder: made, name });
    });
    return (order) => work(order, join(folder, "client"), orderArguments(order), environmentOf(order));
  },
};
