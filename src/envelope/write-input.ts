/** What of a caller's write can't be kept when its body is sealed. */
import type { SealedCall } from "../body-sealer.ts";
import type { PlainBody } from "./bodies.ts";
import { wrongLength } from "./exact-length.ts";
import { refused } from "./refused.ts";

/** They say how a checksum is made, not what it is: the SDK then makes it of the ciphertext. */
const CHECKSUM_SETTINGS: ReadonlySet<string> = new Set(["ChecksumAlgorithm", "ChecksumType"]);

/**
 * Refuses what describes the plaintext (CVE-2022-2582: a digest of the plaintext stored beside the ciphertext) or
 * adds to an object that is sealed as a whole.
 *
 * @throws `EnvelopeRefusedError` (`append`, `caller-checksum`).
 */
export function checkWriteInput({ operation, input }: Pick<SealedCall, "operation" | "input">): void {
  if (input["WriteOffsetBytes"] !== undefined) {
    throw refused(
      "append",
      "WriteOffsetBytes appends to an object, but a sealed object is sealed as a whole: write it anew, or write what " +
        "is to be appended as an object of its own. Nothing was sent.",
    );
  }
  const checksum = Object.keys(input).find((name) => isChecksum(name) && input[name] !== undefined);
  if (checksum === undefined) return;
  throw refused(
    "caller-checksum",
    `${checksum} of this ${operation} describes the plaintext, but S3 checks and stores it for what is sent, the ` +
      "ciphertext. Leave it out; ChecksumAlgorithm makes the SDK compute one of the ciphertext. Nothing was sent.",
  );
}

function isChecksum(name: string): boolean {
  return name === "ContentMD5" || (name.startsWith("Checksum") && !CHECKSUM_SETTINGS.has(name));
}

/**
 * Length of the plaintext as the caller declared it, or as the body tells it.
 *
 * @throws `EnvelopeRefusedError` (`body`) for a length that can't be, or that isn't that of the bytes.
 */
export function declaredBytes(contentLength: unknown, body: PlainBody): number | undefined {
  const told = body.kind === "bytes" ? body.bytes.length : body.bytes;
  if (contentLength === undefined || contentLength === null) return told;
  if (!Number.isSafeInteger(contentLength) || (contentLength as number) < 0) {
    throw refused("body", "ContentLength must be the number of bytes of Body, 0 or more. Nothing was sent.");
  }
  const declared = contentLength as number;
  if (body.kind === "bytes" && declared !== told) throw wrongLength(declared, String(told));
  return declared;
}
