import type { Policy, PolicyRule } from "../../src/index.ts";

export const KMS_KEY: string = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/** How a rule names its bucket; at most ten rules of a policy start with a star. */
type Kind = "exact" | "glob" | "star";
const KINDS: readonly Kind[] = ["exact", "glob", "star"];
const MAX_STARS = 10;

const BUCKETS: Readonly<Record<Kind, (i: number) => string>> = {
  exact: (i) => `acme-service-${i}`,
  glob: (i) => `acme-lake-${i}-*`,
  star: (i) => `*-scratch-${i}`,
};

/**
 * A policy of `size` rules as a platform team would grow it: exact names, globs with a literal prefix, up to
 * ten globs that start with a star; some with key prefixes. One rule of each kind stands first, and last.
 */
export function mixedPolicy(size: number): Policy {
  return {
    version: 1,
    defaults: { mode: "enforce" },
    rules: Array.from({ length: size }, (_, i) => ruleAt(i, size)),
  };
}

function kindOf(i: number, size: number): Kind {
  const fromTheEdge = Math.min(i, size - 1 - i);
  if (fromTheEdge < KINDS.length) return KINDS[fromTheEdge] as Kind;
  if (i < MAX_STARS) return "star";
  return i % 2 === 0 ? "exact" : "glob";
}

function ruleAt(i: number, size: number): PolicyRule {
  const isAtTheEdge = Math.min(i, size - 1 - i) < KINDS.length;
  return {
    id: `rule-${i}`,
    reason: `What team ${i} agreed on.`,
    match: {
      buckets: [BUCKETS[kindOf(i, size)](i)],
      ...(!isAtTheEdge && i % 3 === 0 && { prefixes: ["raw/", "curated/"] }),
    },
    kmsKey: KMS_KEY,
    bucketKey: "on",
  };
}

export type Hit = "first" | "last" | "none";

/**
 * Buckets that hit one of the first or last three rules of a `mixedPolicy`, or none.
 *
 * @param count - How many different ones; the exact name is among them only once.
 */
export function bucketsFor(hit: Hit, size: number, count: number): string[] {
  const names: Readonly<Record<Kind, (rule: number, i: number) => string>> = {
    exact: (rule) => `acme-service-${rule}`,
    glob: (rule, i) => `acme-lake-${rule}-${i}`,
    star: (rule, i) => `acme-${i}-scratch-${rule}`,
  };
  return Array.from({ length: count }, (_, i) => {
    if (hit === "none") return `elsewhere-${i}`;
    const position = i === 0 ? 0 : 1 + (i % 2);
    const rule = hit === "first" ? position : size - 1 - position;
    return names[KINDS[position] as Kind](rule, i);
  });
}
