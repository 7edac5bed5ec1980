/** The AWS Encryption SDK for JavaScript, in a folder of its own: nothing else here needs it. */
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { installOnce } from "../peers/cache.ts";
import { run } from "../peers/process.ts";

const VERSION = "5.0.2";
const INSTALL_SECONDS = 240;

/** The part that is used, as its own documentation has it. */
export interface EncryptionSdk {
  readonly AlgorithmSuiteIdentifier: Readonly<Record<string, number>>;
  readonly RawAesWrappingSuiteIdentifier: Readonly<Record<string, number>>;
  readonly CommitmentPolicy: { readonly REQUIRE_ENCRYPT_REQUIRE_DECRYPT: string };
  readonly RawAesKeyringNode: new (options: object) => Materials;
  readonly NodeCachingMaterialsManager: new (options: object) => Materials;
  getLocalCryptographicMaterialsCache(capacity: number): object;
  buildClient(policy: string): EncryptionSdkClient;
}

/** A keyring, or a manager around one. */
export type Materials = object;

export interface EncryptionSdkClient {
  encrypt(materials: Materials, plaintext: Uint8Array, options?: Options): Promise<{ result: Buffer }>;
  decrypt(materials: Materials, sealed: Uint8Array): Promise<{ plaintext: Buffer }>;
  encryptStream(materials: Materials, options?: Options): NodeJS.ReadWriteStream;
  decryptStream(materials: Materials): NodeJS.ReadWriteStream;
}

export interface Options {
  readonly suiteId?: number;
  readonly frameLength?: number;
}

/**
 * Installed the first time.
 *
 * @throws `Error` that says so when the registry of npm can't be reached.
 */
export async function encryptionSdk(): Promise<EncryptionSdk> {
  const name = `encryption-sdk-${VERSION}`;
  const folder = await installOnce(
    name,
    async (made) => {
      const dependencies = { "@aws-crypto/client-node": VERSION };
      // Of its own package.json: npm would otherwise take ours, further up, for the root.
      await writeFile(join(made, "package.json"), JSON.stringify({ private: true, dependencies }));
      await run("npm", ["install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund"], {
        cwd: made,
        logFile: join(made, "install.log"),
        timeoutSeconds: INSTALL_SECONDS,
        failure:
          `The AWS Encryption SDK ${VERSION} could not be installed. The first run of this benchmark needs the ` +
          "registry of npm; others run without: --only",
      });
    },
    "bench",
  );
  return createRequire(join(folder, "package.json"))("@aws-crypto/client-node") as EncryptionSdk;
}
