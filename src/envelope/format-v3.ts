/**
 * Format V3 of the S3 Encryption Client: written, and read strictly.
 *
 * Source of the names and values: specification s3-encryption/data-format/content-metadata, V3.
 */
import { ALGORITHM_KEY, formatAsciiJson, parseStoredJson, V3_SUITE } from "./encryption-context.ts";
import type { EncryptionContext } from "./encryption-context.ts";
import { V3_NAMES } from "./metadata-names.ts";
import { formatBase64, parseBase64 } from "./strict-base64.ts";

/** Message id and key commitment, in bytes (algorithm suite 0x0073: both 28). */
export const MESSAGE_ID_BYTES = 28;
export const COMMITMENT_BYTES = 28;

/** How a V3 data key is wrapped: `x-amz-w` is 12, 02 or 22. */
export type V3Wrap = "kms+context" | "AES/GCM" | "RSA-OAEP-SHA1";

/** What a V3 object carries beside its body. */
export interface V3Envelope {
  readonly wrap: V3Wrap;
  /** The wrapped data key; with `kms+context` KMS's ciphertext blob. */
  readonly blob: Uint8Array;
  /** 28 bytes, not all zero. */
  readonly messageId: Uint8Array;
  /** 28 bytes. */
  readonly commitment: Uint8Array;
  /** As stored: with `kms+context` the encryption context, its algorithm pair checked; else the description. */
  readonly context: EncryptionContext;
}

/** The two parts of a V3 envelope that always stand in the object, also with an instruction file. */
export type V3Commitment = Pick<V3Envelope, "messageId" | "commitment">;

const KMS_CONTEXT = "12";
const WRAPS: ReadonlyMap<string | undefined, V3Wrap> = new Map([
  [KMS_CONTEXT, "kms+context"],
  ["02", "AES/GCM"],
  ["22", "RSA-OAEP-SHA1"],
]);

/**
 * The metadata of a V3 object whose data key KMS wrapped.
 *
 * No name of V1 or V2 may stand beside these, not even the plaintext's length: the .NET client rejects such an object.
 */
export function v3Metadata(
  parts: V3Commitment & {
    readonly blob: Uint8Array;
    /** In its stored form. */
    readonly context: EncryptionContext;
  },
): Record<string, string> {
  return {
    [V3_NAMES.suite]: V3_SUITE,
    [V3_NAMES.blob]: formatBase64(parts.blob),
    [V3_NAMES.wrap]: KMS_CONTEXT,
    [V3_NAMES.messageId]: formatBase64(parts.messageId),
    [V3_NAMES.commitment]: formatBase64(parts.commitment),
    [V3_NAMES.context]: formatAsciiJson(parts.context),
  };
}

/** A complete V3 envelope; `undefined` when anything is missing, malformed or contradictory. */
export function readV3(values: ReadonlyMap<string, string>): V3Envelope | undefined {
  const common = readV3Commitment(values);
  const blob = parseBase64(values.get(V3_NAMES.blob));
  // Only these three: `kms` here is a downgrade to a wrap that binds nothing (a case of the Python client's tests).
  const wrap = WRAPS.get(values.get(V3_NAMES.wrap));
  const context = parseStoredJson(values.get(V3_NAMES.context) ?? "{}");
  const description = parseStoredJson(values.get(V3_NAMES.description) ?? "{}");
  if (!common || !blob || !wrap || !context || !description) return undefined;

  // KMS goes by the encryption context, raw keys by the description; the other one must say nothing.
  const [used, unused] = wrap === "kms+context" ? [context, description] : [description, context];
  if (Object.keys(unused).length > 0) return undefined;
  // What KMS binds must be the algorithm that is used (CVE-2020-8912: an algorithm relabelled in the metadata).
  if (wrap === "kms+context" && used[ALGORITHM_KEY] !== V3_SUITE) return undefined;
  return { wrap, blob, ...common, context: used };
}

/** Suite, message id and commitment; `undefined` when one is missing or malformed. */
export function readV3Commitment(values: ReadonlyMap<string, string>): V3Commitment | undefined {
  // 115 is the only suite with a commitment; V3 has no other.
  if (values.get(V3_NAMES.suite) !== V3_SUITE) return undefined;
  const messageId = parseBase64(values.get(V3_NAMES.messageId), MESSAGE_ID_BYTES);
  const commitment = parseBase64(values.get(V3_NAMES.commitment), COMMITMENT_BYTES);
  if (!messageId || !commitment) return undefined;
  // All zero means that nobody drew one; the official Java and Go clients refuse it too.
  return messageId.some((byte) => byte !== 0) ? { messageId, commitment } : undefined;
}
