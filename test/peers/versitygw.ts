import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { installOnce } from "./cache.ts";
import { goBuild } from "./go.ts";
import type { Peer } from "./peer.ts";
import { startServer } from "./server.ts";

const VERSION = "1.8.0";
const CREDENTIALS = { accessKeyId: "test", secretAccessKey: "testtest" };
/** It takes any: it looks at no header of SSE. */
const KMS_KEYS = {
  rule: "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
  other: "arn:aws:kms:us-east-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321",
  missing: "arn:aws:kms:us-east-1:111122223333:key/00000000-12ab-34cd-56ef-1234567890ab",
};

/** Versity S3 Gateway over a folder: strict about signatures, and ignores all that is said of encryption. */
export const versitygw: Peer = {
  name: "versitygw",
  version: VERSION,
  async start() {
    const name = `versitygw-${VERSION}`;
    const module = `github.com/versity/versitygw/cmd/versitygw@v${VERSION}`;
    const folder = await installOnce(name, (made) =>
      goBuild(["install", "-ldflags", "-s -w", module], { folder: made, name }),
    );
    return startServer({
      name: `versitygw ${VERSION}`,
      command: join(folder, "bin", "versitygw"),
      args: (address, data) => {
        const [root, versions, sidecar] = ["root", "versions", "sidecar"].map((one) => join(data, one));
        for (const made of [root, versions, sidecar]) mkdirSync(made as string);
        // The sidecar keeps what else would need extended attributes, which not every temporary folder has.
        const storage = ["--sidecar", sidecar, "--versioning-dir", versions, root] as string[];
        return ["--port", address, "--health", "/health", "--quiet", "--keep-alive", "posix", ...storage];
      },
      env: () => ({ ROOT_ACCESS_KEY: CREDENTIALS.accessKeyId, ROOT_SECRET_KEY: CREDENTIALS.secretAccessKey }),
      isUp: "/health",
      credentials: CREDENTIALS,
      kmsKeys: KMS_KEYS,
    });
  },
};
