import { PolicyError } from "../errors.ts";
import type { Policy } from "./policy.ts";
import { checkPolicy } from "./validate.ts";

/**
 * A policy that is known to be valid, as a frozen copy.
 *
 * In-file tests are neither checked nor run; `parsePolicy`, `loadPolicy` and the command line do both.
 *
 * @throws `PolicyError` with every mistake: those of shape, or when there are none, those of meaning.
 * @example
 * ```ts
 * const policy = definePolicy({
 *   version: 1,
 *   rules: [{ id: "lake", reason: "KMS bill", match: { buckets: ["acme-lake-*"] }, bucketKey: "on", mode: "enforce" }],
 * });
 * ```
 * @public
 */
export function definePolicy(policy: Policy): Policy {
  const issues = checkPolicy(policy);
  if (issues.length > 0) throw new PolicyError(issues);
  // Through JSON: fields that are undefined go, and nothing but plain data stays.
  return deepFreeze(JSON.parse(JSON.stringify(policy)) as Policy);
}

/** The same value, and nothing in it can be changed any more. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
