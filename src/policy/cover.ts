/** Whether one `match` takes all that another takes; only what can be proved counts. */
import { globMatches, literalPrefix } from "./globs.ts";
import { OBJECT_WRITES } from "./match.ts";
import type { PolicyRule, RuleMatch } from "./policy.ts";

/** Whether `rule` decides about every request that `later` could decide about, at any time. */
export function ruleCovers(rule: PolicyRule, later: PolicyRule): boolean {
  if (rule.onExpiry === "drop") return false;
  if (!matchCovers(withOperations(rule.match), withOperations(later.match))) return false;
  // What `rule` sends on must be sent on by `later` too.
  return rule.except === undefined || (later.except !== undefined && matchCovers(later.except, rule.except));
}

/** Whether every request that fits `inner` is known to fit `outer`. */
export function matchCovers(outer: RuleMatch, inner: RuleMatch): boolean {
  return (Object.keys(outer) as (keyof RuleMatch)[]).every((field) => {
    const wanted: readonly string[] | undefined = outer[field];
    if (wanted === undefined) return true;
    const covers = (items: readonly string[] | undefined, one: (wide: string, narrow: string) => boolean) =>
      items?.every((narrow) => wanted.some((wide) => one(wide, narrow))) ?? false;
    switch (field) {
      case "buckets":
      case "kmsKeys":
        return covers(inner[field], globCovers);
      case "keys":
        return covers(inner.keys, globCovers) || covers(inner.prefixes, globCoversPrefix);
      case "prefixes":
        return (
          covers(inner.prefixes, (wide, narrow) => narrow.startsWith(wide)) ||
          covers(inner.keys, (wide, narrow) => literalPrefix(narrow).startsWith(wide))
        );
      case "operations":
      case "sse":
      case "bucketType":
      case "regions":
      case "accounts":
        return covers(inner[field], (wide, narrow) => wide === narrow);
    }
  });
}

/**
 * Whether every text that fits `narrow` fits `wide`.
 *
 * A `*` of `wide` that takes a piece of the pattern `narrow` takes whatever that piece stands for. A `?` takes
 * one character and no `*`, so with both in play nothing is claimed.
 */
export function globCovers(wide: string, narrow: string): boolean {
  if (wide.includes("?") && narrow.includes("*")) return false;
  return globMatches(wide, narrow);
}

function globCoversPrefix(wide: string, prefix: string): boolean {
  // A prefix is literal; one with a wildcard in it can't be written as a pattern.
  return !/[*?]/.test(prefix) && globCovers(wide, `${prefix}*`);
}

function withOperations(match: RuleMatch = {}): RuleMatch {
  return match.operations === undefined ? { ...match, operations: [...OBJECT_WRITES] } : match;
}
