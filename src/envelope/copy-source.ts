/** Which object a copy is made of. */
import type { SealedCall } from "../body-sealer.ts";
import type { ObjectAddress } from "./options.ts";
import { textOf } from "./workings.ts";

/** Stands before the version of a source, never encoded. */
const VERSION = "?versionId=";

/**
 * The source of a copy or a rename; for other operations the object itself.
 *
 * @returns `undefined` when the source isn't written as S3 reads it.
 */
export function sourceOf({
  operation,
  input,
}: Pick<SealedCall, "operation" | "input">): ObjectAddress | undefined {
  const Bucket = textOf(input["Bucket"]);
  switch (operation) {
    case "CopyObject":
    case "UploadPartCopy":
      return parseCopySource(textOf(input["CopySource"]));
    case "RenameObject":
      // Inside one bucket: a key, with or without the slash before it.
      return addressOf(Bucket, decoded(textOf(input["RenameSource"]).replace(/^\//, "")));
    default:
      return addressOf(Bucket, textOf(input["Key"]));
  }
}

/**
 * `bucket/key` or `/bucket/key`, or the ARN of an access point with `/object/key`; URL-encoded, and `?versionId=`
 * after it.
 */
function parseCopySource(text: string): ObjectAddress | undefined {
  const versionAt = text.indexOf(VERSION);
  const source = decoded(versionAt < 0 ? text : text.slice(0, versionAt));
  const [, bucket, key] =
    (source.startsWith("arn:") ? /^(.*?)\/object\/(.*)/s : /^\/?([^/]*)\/(.*)/s).exec(source) ?? [];
  const address = addressOf(bucket, key);
  return address && versionAt >= 0
    ? { ...address, VersionId: text.slice(versionAt + VERSION.length) }
    : address;
}

function addressOf(Bucket: string | undefined, Key: string | undefined): ObjectAddress | undefined {
  return Bucket && Key ? { Bucket, Key } : undefined;
}

/** Text that is no valid encoding stays as it is: S3 will say so, not we. */
function decoded(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
