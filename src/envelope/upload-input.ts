/** What the calls of a multipart upload say, read out of inputs and outputs that nothing is certain about. */
import type { PlainBody } from "./bodies.ts";
import { EnvelopeRefusedError } from "./errors.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What S3 allows. */
export interface PartLimits {
  readonly maxParts: number;
  /** Of a part that isn't the last. */
  readonly minPartBytes: number;
}

/** Amazon S3 User Guide, Amazon S3 multipart upload limits. */
export const S3_LIMITS: PartLimits = { maxParts: 10_000, minPartBytes: 5 * 2 ** 20 };

/** One part as a CompleteMultipartUpload lists it. */
export interface ListedPart {
  /** `NaN` when it isn't a number. */
  readonly number: number;
  /** Without its quotes, which S3 doesn't ask for; `""` when there is none. */
  readonly etag: string;
  /** As the caller wrote it. */
  readonly entry: Fields;
}

/** One text for the upload that a call names; `undefined` when it names none. */
export function uploadName(at: {
  readonly bucket: unknown;
  readonly key: unknown;
  readonly uploadId: unknown;
}): string | undefined {
  const names = [at.bucket, at.key, at.uploadId];
  return names.every((name) => typeof name === "string") ? JSON.stringify(names) : undefined;
}

/** @throws `EnvelopeRefusedError` (`part-number`). */
export function partNumberOf(input: Fields, { maxParts }: PartLimits): number {
  const number = input["PartNumber"] as number;
  if (Number.isInteger(number) && number >= 1 && number <= maxParts) return number;
  throw new EnvelopeRefusedError(
    "part-number",
    `PartNumber must be a whole number from 1 to ${maxParts}: a part's number says where in the object it lies.`,
  );
}

/**
 * Refuses checksums that the caller computed: they are of the plaintext, S3 sees ciphertext, and a digest of the
 * plaintext stored beside it would tell about it (CVE-2022-2582). Likewise a length of the whole object.
 *
 * @throws `EnvelopeRefusedError` (`caller-checksum`).
 */
export function refuseCallerChecksums(input: Fields): void {
  const name = Object.keys(input).find((field) => describesPlaintext(field) && input[field] !== undefined);
  if (name === undefined) return;
  throw new EnvelopeRefusedError(
    "caller-checksum",
    `${name} describes the plaintext, but S3 gets the ciphertext: leave it out. The SDK computes checksums of what ` +
      "is sent by itself; ChecksumAlgorithm chooses which.",
  );
}

function describesPlaintext(field: string): boolean {
  if (field === "ChecksumAlgorithm" || field === "ChecksumType") return false;
  return field.startsWith("Checksum") || field === "ContentMD5" || field === "MpuObjectSize";
}

/**
 * The length of a part's body, as the caller declares it, or as the body tells it.
 *
 * @throws `EnvelopeRefusedError` (`body`) for what can't be a length, or isn't that of the bytes given.
 */
export function declaredLength(input: Fields, body: PlainBody): number | undefined {
  const told = body.kind === "bytes" ? body.bytes.length : body.bytes;
  const declared = input["ContentLength"] ?? told;
  if (declared === told) return told;
  if (body.kind === "stream" && Number.isSafeInteger(declared) && (declared as number) >= 0)
    return declared as number;
  throw new EnvelopeRefusedError(
    "body",
    "ContentLength must be the number of bytes of Body: correct it, or leave it out.",
  );
}

/** The parts that a CompleteMultipartUpload lists; none when it lists them in no way S3 knows. */
export function listedParts(input: Fields): ListedPart[] {
  const parts = (input["MultipartUpload"] as Fields | undefined)?.["Parts"];
  if (!Array.isArray(parts)) return [];
  return parts.map((entry: Fields | undefined) => ({
    number: typeof entry?.["PartNumber"] === "number" ? entry["PartNumber"] : Number.NaN,
    etag: etagOf(entry),
    entry: entry ?? {},
  }));
}

/** The ETag of an output or a listed part without its quotes; `""` when there is none. */
export function etagOf(fields: unknown): string {
  const etag = (fields as Fields | undefined)?.["ETag"];
  return typeof etag === "string" ? etag.replaceAll('"', "") : "";
}

/**
 * The list with the part that holds the tag in its place: after the last part, or instead of it.
 *
 * @param list - Not empty.
 * @param number - Of that part.
 * @param output - S3's answer to it. The list names checksums of the algorithms that the caller's list names.
 */
export function withTagPart(list: readonly ListedPart[], number: number, output: Fields): Fields[] {
  const checksums = Object.keys((list.at(-1) as ListedPart).entry)
    .filter((field) => field.startsWith("Checksum") && output[field] !== undefined)
    .map((field) => [field, output[field]]);
  const tagPart = { PartNumber: number, ETag: output["ETag"], ...Object.fromEntries(checksums) };
  return [...list.slice(0, number - 1).map(({ entry }) => entry), tagPart];
}
