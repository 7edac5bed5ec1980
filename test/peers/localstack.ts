import { join } from "node:path";
import type { Peer } from "./peer.ts";
import { installPython } from "./python.ts";
import { startServer } from "./server.ts";

const VERSION = "2026.3.0";

/** LocalStack's free core, without Docker and without an account: nearest to AWS for the flag. */
export const localstack: Peer = {
  name: "localstack",
  version: VERSION,
  async start() {
    const bin = await installPython({
      name: `localstack-${VERSION}`,
      packages: [
        `localstack-core[base-runtime]==${VERSION}`,
        // Newer ones of these are not what it was made with.
        "cbor2<6",
        "pyopenssl<26",
        "cryptography<47",
        "service-identity",
      ],
      // With 3.11 it does not import.
      atLeast: 12,
    });
    return startServer({
      name: `LocalStack ${VERSION}`,
      command: join(bin, "python"),
      args: () => ["-m", "localstack.runtime.main"],
      env: (address, folder) => ({
        SERVICES: "s3,kms",
        EAGER_SERVICE_LOADING: "1",
        STRICT_SERVICE_LOADING: "1",
        DISABLE_EVENTS: "1",
        SKIP_SSL_CERT_DOWNLOAD: "1",
        DNS_ADDRESS: "0",
        OVERRIDE_IN_DOCKER: "0",
        // Its default server listens on all interfaces, whatever the next line says.
        GATEWAY_SERVER: "hypercorn",
        GATEWAY_LISTEN: address,
        LOCALSTACK_HOST: address,
        FILESYSTEM_ROOT: folder,
        S3_SKIP_KMS_KEY_VALIDATION: "0",
        S3_SKIP_SIGNATURE_VALIDATION: "0",
      }),
      isUp: "/_localstack/health",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
  },
};
