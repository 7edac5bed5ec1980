import { createHash } from "node:crypto";
import { bucketOf, type S3State } from "./state.ts";
import type { StoredObject } from "./store.ts";
import { UNENCRYPTED } from "./stored-encryption.ts";

/**
 * Writes an object as S3 did before 2023, when it encrypted only what was told to: no request makes one any more.
 *
 * @throws `S3Error` 404 `NoSuchBucket`.
 */
export function putUnencrypted(
  state: S3State,
  bucket: string,
  key: string,
  body: string | Uint8Array,
): StoredObject {
  const bytes = Buffer.from(body);
  return bucketOf(state, bucket).put({
    key,
    bytes: { pieces: [bytes], length: bytes.length },
    etag: createHash("md5").update(bytes).digest("hex"),
    lastModifiedMs: state.clock.nowMs(),
    headers: { "content-type": "binary/octet-stream" },
    encryption: UNENCRYPTED,
  });
}
