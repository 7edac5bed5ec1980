/**
 * Format V2 of the S3 Encryption Client: only read, and only by opt-in, for its content key is not committed to.
 *
 * Source of the names and values: specification s3-encryption/data-format/content-metadata, V2.
 */
import { ALGORITHM_KEY, parseStoredJson } from "./encryption-context.ts";
import type { EncryptionContext } from "./encryption-context.ts";
import { HINT_NAMES, V1_V2_NAMES } from "./metadata-names.ts";
import { parseBase64 } from "./strict-base64.ts";

/** Content algorithms that metadata may name. CTR is none of them, whoever asks (CVE-2020-8912). */
export type V2Content = "AES/GCM/NoPadding" | "AES/CBC/PKCS5Padding";

/** What a V2 object carries beside its body. */
export interface V2Envelope {
  /** How the data key is wrapped: one of the names of V2, or of the legacy ones. */
  readonly wrap: string;
  /** The wrapped data key. */
  readonly blob: Uint8Array;
  /** 12 bytes for GCM, 16 for CBC. */
  readonly iv: Uint8Array;
  readonly content: V2Content;
  /** As stored: the encryption context with `kms+context` and `kms`, else the material description. */
  readonly description: EncryptionContext;
  /** Length of the plaintext as the writer noted it; authenticated by nothing. */
  readonly unencryptedBytes: number | undefined;
}

const GCM = "AES/GCM/NoPadding";
const CBC = "AES/CBC/PKCS5Padding";

/** Wraps that bind the content's algorithm, so that they can't be had with another than GCM. */
const BINDING_WRAPS: ReadonlySet<string | undefined> = new Set(["kms+context", "AES/GCM", "RSA-OAEP-SHA1"]);

/** Wraps of old, which bind nothing. */
const LEGACY_WRAPS: ReadonlySet<string | undefined> = new Set([
  "kms",
  "AESWrap",
  "AES",
  "RSA",
  "RSA/ECB/OAEPWithSHA-256AndMGF1Padding",
]);

/** Whether a wrap binds nothing, so that reading it needs its own switch. */
export function isLegacyWrap(wrap: string | undefined): boolean {
  return LEGACY_WRAPS.has(wrap);
}

/** A complete V2 envelope; `undefined` when anything is missing, malformed or contradictory. */
export function readV2(values: ReadonlyMap<string, string>): V2Envelope | undefined {
  const content = values.get(V1_V2_NAMES.content);
  if (content !== GCM && content !== CBC) return undefined;
  // 128 bits with GCM, nothing with CBC.
  if (values.get(V1_V2_NAMES.tagBits) !== (content === GCM ? "128" : undefined)) return undefined;

  const wrap = values.get(V1_V2_NAMES.wrap);
  const blob = parseBase64(values.get(V1_V2_NAMES.blobV2));
  const iv = parseBase64(values.get(V1_V2_NAMES.iv), content === GCM ? 12 : 16);
  const description = readDescription(values);
  if (wrap === undefined || !blob || !iv || !description) return undefined;

  if (BINDING_WRAPS.has(wrap) ? content !== GCM : !isLegacyWrap(wrap)) return undefined;
  // Go demands this pair, Java and Python don't; without it KMS doesn't bind the content's algorithm.
  if (wrap === "kms+context" && description[ALGORITHM_KEY] !== GCM) return undefined;
  return { wrap, blob, iv, content, description, unencryptedBytes: readLengthHint(values) };
}

/**
 * The description that V1 and V2 share; absent is `{}`, as copies without it are read by the official Java client.
 *
 * @returns `undefined` also for the wrap `kms` with the pair that only `kms+context` writes: an object relabelled, so
 *   that the caller's encryption context would not be compared.
 */
export function readDescription(values: ReadonlyMap<string, string>): EncryptionContext | undefined {
  const description = parseStoredJson(values.get(V1_V2_NAMES.description) ?? "{}");
  const relabelled =
    values.get(V1_V2_NAMES.wrap) === "kms" &&
    description !== undefined &&
    Object.hasOwn(description, ALGORITHM_KEY);
  return relabelled ? undefined : description;
}

/** The plaintext's length as noted by the writer; `undefined` when that is not a number of bytes. */
export function readLengthHint(values: ReadonlyMap<string, string>): number | undefined {
  const text = values.get(HINT_NAMES.plaintextLength) ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
