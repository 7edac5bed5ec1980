import type { BucketDefault } from "./policy/policy.ts";

/**
 * Looks up the default encryption of buckets, for rules with `whenSseUnset: lookup`.
 *
 * @public
 */
export interface BucketDefaults {
  /**
   * The bucket's default encryption. Answer `lookup-failed` rather than throw; what is thrown counts as that.
   *
   * @param bucket - As the caller named it.
   */
  lookup(bucket: string): BucketDefault | "lookup-failed" | Promise<BucketDefault | "lookup-failed">;
}
