import { bucketTypeOf } from "../arn.ts";
import { OBJECT_WRITES } from "./match.ts";
import type { BucketType, RequestFacts } from "./policy.ts";

/** Kinds of bucket where the setting has no meaning (D2). */
const NOT_APPLICABLE: ReadonlySet<BucketType> = new Set<BucketType>([
  "directory",
  "outposts",
  "object-lambda",
]);

/** The operations about which there is something to decide. */
export function isDecided(operation: string): boolean {
  return OBJECT_WRITES.has(operation) || operation === "PutBucketEncryption";
}

/** D2: bucket keys can be asked for here at all. */
export function isApplicable(facts: RequestFacts): boolean {
  if (!isDecided(facts.operation)) return false;
  if (NOT_APPLICABLE.has(facts.bucketType ?? bucketTypeOf(facts.bucket))) return false;
  const source = facts.copySource;
  return source === undefined || (source.bucketType ?? bucketTypeOf(source.bucket)) !== "directory";
}
