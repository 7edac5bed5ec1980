import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installOnce } from "../cache.ts";
import { sourceDigest } from "../clients/source-digest.ts";
import { goBuild } from "../go.ts";
import type { S3ecClient } from "./client.ts";
import { startProgram } from "./program.ts";

const SOURCE = fileURLToPath(new URL("./go/", import.meta.url));
const FILES = ["main.go", "go.mod", "go.sum"];
const VERSION =
  /encryption-client-go\/v4 v(\S+)/.exec(readFileSync(join(SOURCE, "go.mod"), "utf8"))?.[1] ?? "";

/** The official client for Go: `amazon-s3-encryption-client-go`. */
export const s3ecGo: S3ecClient = {
  name: "s3ec-go",
  version: VERSION,
  lacks: ["multipart", "instruction"],
  async start(target) {
    const name = `s3ec-go-${VERSION}-${sourceDigest(SOURCE, FILES)}`;
    const folder = await installOnce(name, async (made) => {
      for (const file of FILES) copyFileSync(join(SOURCE, file), join(made, file));
      // What go.sum says is what is built: the checksum database does not know this version.
      await goBuild(["build", "-buildvcs=false", "-mod=readonly", "-o", "s3ec", "."], { folder: made, name });
    });
    return startProgram([join(folder, "s3ec")], target);
  },
};
