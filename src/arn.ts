/** Reading of ARNs and bucket names: what kind of bucket, which KMS key. Never parses a host name. */
import type { BucketType } from "./policy/policy.ts";

const ARN_PREFIX = /^arn:[a-z0-9-]+:([a-z0-9-]+):([a-z0-9-]*):([0-9]*):(.+)$/;

/** The parts of an ARN that tell resources apart, or undefined when `text` is no ARN. */
export function parseArn(
  text: string,
): { service: string; region: string; account: string; resource: string } | undefined {
  if (!text.startsWith("arn:")) return undefined;
  const [, service, region, account, resource] = ARN_PREFIX.exec(text) ?? [];
  if (service === undefined || resource === undefined) return undefined;
  return { service, region: region ?? "", account: account ?? "", resource };
}

/**
 * The kind of bucket that a name, ARN or alias stands for, as far as the text alone tells.
 *
 * Directory buckets and their access points end in `--x-s3` and `--xa-s3`; other suffixes mark the aliases
 * of access points, Object Lambda and Outposts. A URL (client option `bucketEndpoint`) is `unknown`.
 */
export function bucketTypeOf(bucket: string): BucketType {
  if (bucket.endsWith("--x-s3") || bucket.endsWith("--xa-s3")) return "directory";
  if (bucket.endsWith("-s3alias")) return "access-point";
  if (bucket.endsWith("--ol-s3")) return "object-lambda";
  if (bucket.endsWith("--op-s3")) return "outposts";
  if (!bucket.includes(":")) return "general-purpose";
  switch (parseArn(bucket)?.service) {
    case "s3":
      return "access-point";
    case "s3express":
      return "directory";
    case "s3-outposts":
      return "outposts";
    case "s3-object-lambda":
      return "object-lambda";
    default:
      return "unknown";
  }
}

/** A KMS key as a request may name it. */
export type KmsKeyName =
  | { readonly kind: "key"; readonly id: string }
  | { readonly kind: "alias"; readonly alias: string; readonly region: string; readonly account: string };

/** Reads a key id, key ARN, alias or alias ARN; any other text counts as a key id. */
export function parseKmsKeyName(text: string): KmsKeyName {
  const arn = parseArn(text);
  const resource = arn?.resource ?? text;
  if (resource.startsWith("alias/")) {
    return { kind: "alias", alias: resource, region: arn?.region ?? "", account: arn?.account ?? "" };
  }
  return { kind: "key", id: resource.startsWith("key/") ? resource.slice(4) : resource };
}
