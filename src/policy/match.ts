import { bucketTypeOf } from "../arn.ts";
import { globMatches } from "./globs.ts";
import type { RequestFacts, RuleMatch } from "./policy.ts";

/** The writes of objects: what a rule without `operations` speaks of. */
export const OBJECT_WRITES: ReadonlySet<string> = new Set([
  "PutObject",
  "CopyObject",
  "CreateMultipartUpload",
  "PostObject",
  "UpdateObjectEncryption",
]);

export type MatchField = keyof RuleMatch;

/**
 * How each field of `match` is tested, in the order in which `explain` names the first that failed. A field
 * that the policy doesn't name isn't tested.
 */
const TESTS: {
  readonly [F in MatchField]: (wanted: NonNullable<RuleMatch[F]>, facts: RequestFacts) => boolean;
} = {
  operations: (wanted, facts) => wanted.includes(facts.operation),
  buckets: (wanted, facts) => wanted.some((glob) => globMatches(glob, facts.bucket)),
  prefixes: (wanted, { key }) => key !== undefined && wanted.some((prefix) => key.startsWith(prefix)),
  keys: (wanted, { key }) => key !== undefined && wanted.some((glob) => globMatches(glob, key)),
  bucketType: (wanted, facts) => wanted.includes(facts.bucketType ?? bucketTypeOf(facts.bucket)),
  sse: (wanted, facts) => wanted.includes(facts.sse ?? "unset"),
  kmsKeys: (wanted, { kmsKey }) => kmsKey !== undefined && wanted.some((glob) => globMatches(glob, kmsKey)),
  regions: (wanted, { region }) => region !== undefined && wanted.includes(region),
  accounts: (wanted, { account }) => account !== undefined && wanted.includes(account),
};

const FIELDS = Object.keys(TESTS) as readonly MatchField[];

/** The tests of one `match` or `except`, with absent fields left out. */
export type CompiledMatch = readonly {
  readonly field: MatchField;
  readonly test: (facts: RequestFacts) => boolean;
}[];

/** Compiles a `match`, without the fields that are tested elsewhere. */
export function compileMatch(match: RuleMatch, skip: readonly MatchField[] = []): CompiledMatch {
  return FIELDS.filter((field) => match[field] !== undefined && !skip.includes(field)).map((field) => {
    const wanted = match[field] as never;
    const test = TESTS[field] as (wanted: never, facts: RequestFacts) => boolean;
    return { field, test: (facts) => test(wanted, facts) };
  });
}

/** The first field that doesn't fit, or undefined when all do. */
export function firstMismatch(match: CompiledMatch, facts: RequestFacts): MatchField | undefined {
  for (let i = 0; i < match.length; i++) {
    const { field, test } = match[i] as CompiledMatch[number];
    if (!test(facts)) return field;
  }
  return undefined;
}
