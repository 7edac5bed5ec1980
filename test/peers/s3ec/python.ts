import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installPython } from "../python.ts";
import type { S3ecClient } from "./client.ts";
import { startProgram } from "./program.ts";

const VERSION = "4.0.0";
const PROGRAM = fileURLToPath(new URL("./python/s3ec_client.py", import.meta.url));

/** The official client for Python: `amazon-s3-encryption-client-python`. */
export const s3ecPython: S3ecClient = {
  name: "s3ec-python",
  version: VERSION,
  lacks: ["instruction"],
  async start(target) {
    const bin = await installPython({
      name: `s3ec-python-${VERSION}`,
      // With the SDK it was seen to work with: the newest of tomorrow is another subject.
      packages: [
        `amazon-s3-encryption-client-python==${VERSION}`,
        "boto3>=1.44.8,<1.45",
        "cryptography>=48.0.1,<49",
      ],
      atLeast: 10,
    });
    return startProgram([join(bin, "python"), PROGRAM], target);
  },
};
