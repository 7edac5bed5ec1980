import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { installOnce } from "./cache.ts";
import { goBuild } from "./go.ts";
import type { Peer } from "./peer.ts";
import { startServer } from "./server.ts";

/** Its tags are not served as modules; this is a commit, of the day that we call the version. */
const COMMIT = "v0.0.0-20260212201848-7aac2a2c5b7c";
const VERSION = "2026-02-12";
const CREDENTIALS = { accessKeyId: "test", secretAccessKey: "testtest" };
const KEY = "my-key";
/** As a policy wants them. Its own KMS has one key, whose name has no colon: none of these is there. */
const KMS_KEYS = {
  rule: "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
  other: "arn:aws:kms:us-east-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321",
  missing: "arn:aws:kms:us-east-1:111122223333:key/00000000-12ab-34cd-56ef-1234567890ab",
};

/**
 * MinIO: really encrypts with SSE-KMS, under the one key that it is started with, and drops the flag. A program of its
 * own, built and run as it is: its licence is the AGPL.
 */
export const minio: Peer = {
  name: "minio",
  version: VERSION,
  async start() {
    const name = `minio-${COMMIT}`;
    const folder = await installOnce(name, (made) =>
      goBuild(["install", "-ldflags", "-s -w", `github.com/minio/minio@${COMMIT}`], { folder: made, name }),
    );
    return startServer({
      name: `MinIO ${VERSION}`,
      command: join(folder, "bin", "minio"),
      args: (address, data) => ["server", "--address", address, data],
      env: (_, data) => ({
        HOME: data,
        MINIO_ROOT_USER: CREDENTIALS.accessKeyId,
        MINIO_ROOT_PASSWORD: CREDENTIALS.secretAccessKey,
        MINIO_BROWSER: "off",
        MINIO_UPDATE: "off",
        MINIO_KMS_SECRET_KEY: `${KEY}:${randomBytes(32).toString("base64")}`,
      }),
      isUp: "/minio/health/live",
      credentials: CREDENTIALS,
      kmsKeys: KMS_KEYS,
    });
  },
};
