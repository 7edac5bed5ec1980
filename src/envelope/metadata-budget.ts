/**
 * Room for the envelope in an object's user metadata.
 *
 * Source: Amazon S3 User Guide, "Working with object metadata": at most 2 KB, counted as the bytes in UTF-8 of every
 * name and value.
 */
import { type EncryptionContext, formatAsciiJson } from "./encryption-context.ts";
import { EnvelopeRefusedError } from "./errors.ts";
import { COMMITMENT_BYTES, MESSAGE_ID_BYTES, v3Metadata } from "./format-v3.ts";
import type { ObjectMetadata } from "./metadata-names.ts";

/** What S3 allows, in bytes. */
const METADATA_LIMIT_BYTES = 2048;

/** Length of what KMS makes of a 32-byte data key, as seen; an estimate, for KMS promises none. */
const USUAL_BLOB_BYTES = 184;

/**
 * Bytes of names and values, as S3 counts them: without `x-amz-meta-`.
 *
 * @param metadata - Values that aren't text count as the SDK writes them, `undefined` and `null` too: as `String(value)`.
 */
export function metadataBytes(metadata: Readonly<Record<string, unknown>>): number {
  return Object.entries(metadata).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(String(value)),
    0,
  );
}

/** The same for every object, but for the context. Counted once: this stands before every seal. */
const BYTES_BESIDE_CONTEXT =
  metadataBytes(
    v3Metadata({
      blob: new Uint8Array(USUAL_BLOB_BYTES),
      messageId: new Uint8Array(MESSAGE_ID_BYTES),
      commitment: new Uint8Array(COMMITMENT_BYTES),
      context: {},
    }),
  ) - "{}".length;

/**
 * Bytes that the envelope will probably take, for a request that can't fit not to cost a KMS request.
 *
 * @param context - In its stored form.
 */
export function estimateMetadataBytes(context: EncryptionContext): number {
  return BYTES_BESIDE_CONTEXT + formatAsciiJson(context).length;
}

/**
 * Checks that the caller's metadata and the envelope fit together.
 *
 * @throws `EnvelopeRefusedError` (`metadata-budget`) naming both.
 */
export function checkMetadataBudget(callers: ObjectMetadata | undefined, oursBytes: number): void {
  const theirs = metadataBytes(callers ?? {});
  if (theirs + oursBytes <= METADATA_LIMIT_BYTES) return;
  throw new EnvelopeRefusedError(
    "metadata-budget",
    `S3 allows ${METADATA_LIMIT_BYTES} bytes of metadata: yours takes ${theirs}, the envelope ${oursBytes}. ` +
      "Shorten Metadata or the encryption context.",
  );
}
