/**
 * Format V1 of the S3 Encryption Client: only read, and only by opt-in. Its content is CBC without any
 * authentication.
 *
 * Source of the names and values: specification s3-encryption/data-format/content-metadata, V1.
 */
import type { EncryptionContext } from "./encryption-context.ts";
import { isLegacyWrap, readDescription, readLengthHint } from "./format-v2.ts";
import { V1_V2_NAMES } from "./metadata-names.ts";
import { parseBase64 } from "./strict-base64.ts";

/** What a V1 object carries beside its body. */
export interface V1Envelope {
  /** How the data key is wrapped; mostly not said, and then a matter of the raw key: AES or RSA. */
  readonly wrap: string | undefined;
  /** The wrapped data key. */
  readonly blob: Uint8Array;
  /** 16 bytes. */
  readonly iv: Uint8Array;
  /** As stored: with `kms` the encryption context, else the material description. */
  readonly description: EncryptionContext;
  /** Length of the plaintext as the writer noted it; authenticated by nothing. */
  readonly unencryptedBytes: number | undefined;
}

/** A complete V1 envelope; `undefined` when anything is missing, malformed or contradictory. */
export function readV1(values: ReadonlyMap<string, string>): V1Envelope | undefined {
  // V1 is CBC and nothing else: a tag length or another algorithm is a V2 object with its key renamed.
  const content = values.get(V1_V2_NAMES.content) ?? "AES/CBC/PKCS5Padding";
  if (content !== "AES/CBC/PKCS5Padding" || values.has(V1_V2_NAMES.tagBits)) return undefined;
  const wrap = values.get(V1_V2_NAMES.wrap);
  const blob = parseBase64(values.get(V1_V2_NAMES.blobV1));
  const iv = parseBase64(values.get(V1_V2_NAMES.iv), 16);
  const description = readDescription(values);
  if (!blob || !iv || !description) return undefined;
  if (wrap !== undefined && !isLegacyWrap(wrap)) return undefined;
  return { wrap, blob, iv, description, unencryptedBytes: readLengthHint(values) };
}
