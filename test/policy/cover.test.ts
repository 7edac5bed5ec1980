import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { globCovers, matchCovers, ruleCovers } from "../../src/policy/cover.ts";
import { globMatches } from "../../src/policy/globs.ts";
import { compileMatch, firstMismatch } from "../../src/policy/match.ts";
import type { PolicyRule, RequestFacts, RuleMatch } from "../../src/policy/policy.ts";

const glob = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), minLength: 1, maxLength: 4 });
const name = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 6 });
const some = <T>(items: fc.Arbitrary<T>): fc.Arbitrary<readonly T[] | undefined> =>
  fc.option(fc.array(items, { minLength: 1, maxLength: 2 }), { nil: undefined, freq: 2 });
const shortGlob = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), minLength: 1, maxLength: 3 });
const match = fc
  .record({
    buckets: some(shortGlob),
    keys: some(shortGlob),
    prefixes: some(fc.string({ unit: fc.constantFrom("a", "b", "*"), minLength: 1, maxLength: 2 })),
    sse: some(fc.constantFrom("unset", "aws:kms")),
    operations: some(fc.constantFrom("PutObject", "CopyObject")),
  })
  .map((fields) => Object.fromEntries(Object.entries(fields).filter(([, items]) => items)) as RuleMatch);
const LETTERS = ["a", "b", "*"];
const PAIRS = LETTERS.flatMap((first) => LETTERS.map((second) => first + second));
const NAMES = ["", ...LETTERS, ...PAIRS, ...PAIRS.flatMap((pair) => [`${pair}a`, `${pair}b`])];
/** Every request with short names of these letters. */
const REQUESTS = NAMES.flatMap((bucket) =>
  NAMES.flatMap((key) =>
    ["PutObject", "CopyObject"].map((operation): RequestFacts => ({
      operation,
      bucket,
      key,
      sse: "aws:kms",
    })),
  ),
);

const fits = (part: RuleMatch, request: RequestFacts): boolean =>
  firstMismatch(compileMatch(part), request) === undefined;

const rule = (fields: Partial<PolicyRule>): PolicyRule => ({ id: "r", reason: "x", ...fields });

describe("globCovers", () => {
  it.each([
    ["*", "anything*", true],
    ["acme-*", "acme-lake-*", true],
    ["acme-lake-*", "acme-*", false],
    ["a?", "ab", true],
    ["a?", "a*", false],
    ["a?", "a?", true],
    ["a*", "a?b", true],
    ["ab", "a?", false],
  ])("%s over %s: %s", (wide, narrow, covers) => {
    expect(globCovers(wide, narrow)).toBe(covers);
  });

  it("never claims what one text disproves", () => {
    fc.assert(
      fc.property(
        glob,
        glob,
        name,
        (wide, narrow, text) =>
          !globCovers(wide, narrow) || !globMatches(narrow, text) || globMatches(wide, text),
      ),
      { numRuns: 5_000 },
    );
  });
});

describe("matchCovers", () => {
  it("never claims what one request of all short ones disproves", () => {
    let claims = 0;
    fc.assert(
      fc.property(match, match, (outer, inner) => {
        if (Object.keys(outer).length === 0 || !matchCovers(outer, inner)) return;
        claims++;
        expect(REQUESTS.filter((request) => fits(inner, request) && !fits(outer, request))).toEqual([]);
      }),
      { numRuns: 4_000 },
    );
    expect(claims).toBeGreaterThan(50);
  });

  it.each<[RuleMatch, RuleMatch, boolean]>([
    [{}, { buckets: ["a"] }, true],
    [{ buckets: ["a"] }, {}, false],
    [{ keys: ["logs/*"] }, { prefixes: ["logs/x/"] }, true],
    [{ keys: ["logs/*.gz"] }, { prefixes: ["logs/"] }, false],
    [{ keys: ["a*"] }, { prefixes: ["a*"] }, false],
    [{ prefixes: ["logs/"] }, { keys: ["logs/*.gz", "logs/x?"] }, true],
    [{ prefixes: ["logs/"] }, { keys: ["log*"] }, false],
    [{ prefixes: ["logs/"] }, { prefixes: ["logs/a"] }, true],
    [{ accounts: ["1", "2"] }, { accounts: ["2"] }, true],
    [{ regions: ["a"] }, { regions: ["a", "b"] }, false],
    [{ regions: ["a", "b"] }, { regions: ["a"] }, true],
    [{ sse: ["unset", "aws:kms"] }, { sse: ["aws:kms"] }, true],
    [{ sse: ["aws:kms"] }, { sse: ["unset"] }, false],
    [{ bucketType: ["unknown"] }, { bucketType: ["unknown"], kmsKeys: ["x"] }, true],
    [{ kmsKeys: ["arn:*"] }, { kmsKeys: ["arn:aws:*"] }, true],
    [{ buckets: undefined } as unknown as RuleMatch, {}, true],
  ])("%j over %j: %s", (outer, inner, covers) => {
    expect(matchCovers(outer, inner)).toBe(covers);
  });
});

describe("ruleCovers", () => {
  it.each<[Partial<PolicyRule>, Partial<PolicyRule>, boolean]>([
    [{}, { match: { buckets: ["a"] } }, true],
    // A rule that names no operation speaks of object writes only.
    [{}, { match: { operations: ["PutBucketEncryption"] } }, false],
    [{ match: { operations: ["PutObject"] } }, {}, false],
    [{ onExpiry: "drop", expires: "2030-01-01" }, {}, false],
    [{ except: { buckets: ["a"] } }, {}, false],
    [{ except: { buckets: ["a"] } }, { except: { buckets: ["a*"] } }, true],
    [{ except: { buckets: ["a*"] } }, { except: { buckets: ["a"] } }, false],
  ])("%j over %j: %s", (first, later, covers) => {
    expect(ruleCovers(rule(first), rule(later))).toBe(covers);
  });
});
