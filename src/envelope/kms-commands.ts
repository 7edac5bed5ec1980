/** The commands of the KMS client, loaded when they're needed: with a keyring of your own, nobody has to install it. */
import type * as KmsPackage from "@aws-sdk/client-kms";
import { BucketKeySetupError } from "../errors.ts";

/** What is used of the package. */
export type KmsCommands = Pick<typeof KmsPackage, "DecryptCommand" | "GenerateDataKeyCommand">;

/** As `import()` says it, and `require` in bundles that are CommonJS. */
const MISSING: ReadonlySet<unknown> = new Set(["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"]);

/**
 * A way to the commands that loads them once. What failed is tried again.
 *
 * @returns Rejects with `BucketKeySetupError` where the package isn't installed.
 */
export function kmsLoader(
  load: () => Promise<KmsCommands> = () => import("@aws-sdk/client-kms"),
): () => Promise<KmsCommands> {
  let loaded: Promise<KmsCommands> | undefined;
  return () =>
    (loaded ??= load().catch((error: unknown) => {
      loaded = undefined;
      throw MISSING.has((error as { code?: unknown } | null)?.code) ? notInstalled(error) : error;
    }));
}

function notInstalled(cause: unknown): BucketKeySetupError {
  return new BucketKeySetupError(
    "kmsKeyring needs the package @aws-sdk/client-kms, which isn't there: npm install @aws-sdk/client-kms",
    { cause },
  );
}
