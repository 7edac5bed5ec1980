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
   * Every write that the answer decides about waits for it, so it must come in bounded time.
   *
   * @param bucket - As the caller named it, or what `resolveBucket` made of it.
   */
  lookup(bucket: string): BucketDefault | "lookup-failed" | Promise<BucketDefault | "lookup-failed">;
  /**
   * Why the last lookup of this bucket failed: a code such as `AccessDenied`, for the log and for
   * `stats().errors`.
   */
  lastFailure?(bucket: string): string | undefined;
}
