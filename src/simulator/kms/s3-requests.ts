import { encryptionContextOf, type KmsAction, type ObjectAccess } from "../ledger/ledger.ts";
import { requireUsable } from "./caller.ts";
import type { KeyStore } from "./key-store.ts";

/**
 * A KMS request that S3 makes for whoever asked S3, as KMS takes it: quota, permission, state of the key.
 *
 * @throws `KmsFault`: `ThrottlingException` (E6), `AccessDeniedException` (E5), or why the key cannot be used.
 */
export function checkS3Request(
  keys: KeyStore,
  action: KmsAction,
  access: ObjectAccess,
  { bucketKeyWritesNeedDecrypt }: Readonly<{ bucketKeyWritesNeedDecrypt: boolean }>,
): void {
  const { requester, kmsKeyArn, bucketKey } = access;
  keys.throttle.take(requester);
  const key = keys.resolve(kmsKeyArn);
  const use = { requester, action, encryptionContext: encryptionContextOf(access), viaS3: true };
  requireUsable(keys, use, key);
  if (bucketKeyWritesNeedDecrypt && bucketKey && action === "GenerateDataKey") {
    requireUsable(keys, { ...use, action: "Decrypt" }, key);
  }
}
