/** Headers of a write that are kept with the object and given back to its readers. */
import type { S3Call } from "./call.ts";
import { notImplemented, S3Error } from "./s3-error.ts";

/** Bytes of names and values of user metadata together. */
const MAX_METADATA_BYTES = 2_048;
const USER_METADATA = "x-amz-meta-";

const KEPT = new Set([
  "content-type",
  "content-language",
  "content-disposition",
  "content-encoding",
  "cache-control",
  "expires",
  "x-amz-website-redirect-location",
  "x-amz-storage-class",
]);

/** @throws `S3Error` when user metadata is too large, or a header asks for what is not simulated. */
export function keptHeaders(call: S3Call): Readonly<Record<string, string>> {
  const kept: Record<string, string> = { "content-type": "binary/octet-stream" };
  let metadataBytes = 0;
  for (const name in call.headers) {
    if (name.startsWith(USER_METADATA)) {
      const value = String(call.headers[name]);
      metadataBytes += name.length - USER_METADATA.length + value.length;
      kept[name] = value;
    } else if (name.startsWith("x-amz-object-lock-")) {
      throw notImplemented(`Object Lock (${name}) is not simulated.`);
    } else if (KEPT.has(name)) {
      kept[name] = String(call.headers[name]);
    }
  }
  if (metadataBytes > MAX_METADATA_BYTES) throw metadataTooLarge(metadataBytes);
  if (kept["x-amz-storage-class"] === "STANDARD") delete kept["x-amz-storage-class"];
  if (kept["content-encoding"] !== undefined) dropTransferCoding(kept);
  return kept;
}

/** `aws-chunked` codes the transfer, not the object. */
function dropTransferCoding(kept: Record<string, string>): void {
  const codings = (kept["content-encoding"] as string)
    .split(",")
    .map((coding) => coding.trim())
    .filter((coding) => coding !== "aws-chunked" && coding !== "");
  if (codings.length === 0) delete kept["content-encoding"];
  else kept["content-encoding"] = codings.join(",");
}

function metadataTooLarge(size: number): S3Error {
  return new S3Error(
    400,
    "MetadataTooLarge",
    "Your metadata headers exceed the maximum allowed metadata size",
    { Size: String(size), MaxSizeAllowed: String(MAX_METADATA_BYTES) },
  );
}
