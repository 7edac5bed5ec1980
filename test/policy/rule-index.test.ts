import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { globMatches } from "../../src/policy/globs.ts";
import type { RuleMatch } from "../../src/policy/policy.ts";
import { PrefixIndex } from "../../src/policy/prefix-index.ts";
import { RuleIndex } from "../../src/policy/rule-index.ts";

const word = (letters: readonly string[], maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...letters), maxLength });

describe("PrefixIndex", () => {
  const prefixes = fc.array(word(["a", "b", "/"], 5), { maxLength: 30 });

  it("finds every stored prefix of a text, longest first, as trying them all does", () => {
    fc.assert(
      fc.property(prefixes, word(["a", "b", "/", "c"], 8), (stored, text) => {
        const index = new PrefixIndex(stored.map((prefix, rule) => [prefix, rule]));
        const found: (readonly number[])[] = [];
        index.visit(text, (rules) => void found.push(rules));
        const expected = [...new Set(stored)]
          .filter((prefix) => text.startsWith(prefix))
          .toSorted((a, b) => b.length - a.length)
          .map((prefix) => stored.flatMap((other, rule) => (other === prefix ? [rule] : [])));
        expect(found).toEqual(expected);
      }),
      { numRuns: 2_000 },
    );
  });
});

/** Whether bucket and key fit, tried the plain way. */
function fits(match: RuleMatch | undefined, bucket: string, key: string | undefined): boolean {
  const { buckets, keys, prefixes } = match ?? {};
  if (buckets !== undefined && !buckets.some((glob) => globMatches(glob, bucket))) return false;
  if (prefixes !== undefined && !prefixes.some((prefix) => key?.startsWith(prefix) === true)) return false;
  return keys === undefined || keys.some((glob) => key !== undefined && globMatches(glob, key));
}

const some = (items: fc.Arbitrary<string>): fc.Arbitrary<readonly string[] | undefined> =>
  fc.option(fc.array(items, { minLength: 1, maxLength: 3 }), { nil: undefined, freq: 2 });

const match = fc
  .record({
    buckets: some(fc.oneof(word(["a", "b"], 3), word(["a", "b", "*", "?"], 4))),
    keys: some(word(["x", "y", "*", "?"], 4)),
    prefixes: some(word(["x", "y"], 3)),
  })
  .map((fields) => Object.fromEntries(Object.entries(fields).filter(([, items]) => items)) as RuleMatch);

/** Enough rules for their keys to be indexed, and few enough for them not to be. */
const matches = fc.oneof(
  fc.array(fc.option(match, { nil: undefined }), { maxLength: 8 }),
  fc.array(match, { minLength: 30, maxLength: 60 }),
);
const request = fc.tuple(word(["a", "b"], 4), fc.option(word(["x", "y", "z"], 5), { nil: undefined }));

describe("RuleIndex", () => {
  it("gives the same rule as a walk over all of them, cold and warm", () => {
    fc.assert(
      fc.property(matches, fc.array(request, { minLength: 1, maxLength: 10 }), (rules, requests) => {
        const index = new RuleIndex(rules);
        for (const [bucket, key] of [...requests, ...requests]) {
          const accepts = (rule: number): boolean => fits({ ...rules[rule], buckets: ["*"] }, bucket, key);
          expect(index.first(bucket, key, accepts)).toBe(rules.findIndex((rule) => fits(rule, bucket, key)));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("asks about few rules, however many there are", () => {
    const rules = Array.from({ length: 10_000 }, (_, i): RuleMatch => {
      const kind = i % 4;
      if (kind === 0) return { buckets: [`exact-${i}`] };
      if (kind === 1) return { buckets: [`glob-${i}-*`] };
      return kind === 2 ? { prefixes: [`team-${i}/`] } : { buckets: ["shared"], keys: [`part-${i}/*`] };
    });
    const index = new RuleIndex(rules);
    const asked = (bucket: string, key: string): number => {
      let count = 0;
      index.first(bucket, key, () => {
        count++;
        return false;
      });
      return count;
    };
    expect(asked("exact-4000", "k")).toBe(1);
    expect(asked("glob-4001-x", "k")).toBe(1);
    expect(asked("other", "team-4002/x")).toBe(1);
    expect(asked("shared", "part-4003/x")).toBe(1);
    expect(asked("shared", "none")).toBe(0);
  });

  it("forgets buckets rather than grow without bound", () => {
    const index = new RuleIndex([{ buckets: ["*-7"] }, { buckets: ["b-*"] }]);
    for (let i = 0; i < 3_000; i++) index.first(`b-${i}`, "k", () => true);
    expect(index.first("x-7", "k", () => true)).toBe(0);
    expect(index.first("b-1", "k", () => true)).toBe(1);
  });
});

describe("whether the key can make a difference in a bucket", () => {
  const index = new RuleIndex(
    [
      { buckets: ["by-prefix"], prefixes: ["a/"] },
      { buckets: ["by-glob*"], keys: ["*.gz"] },
      { buckets: ["excepted"] },
      { buckets: ["plain"], sse: ["aws:kms"] },
    ],
    [undefined, undefined, { prefixes: ["tmp/"] }],
  );

  it.each([
    ["by-prefix", true],
    ["by-glob-1", true],
    ["excepted", true],
    ["plain", false],
    ["elsewhere", false],
  ])("%s: %s", (bucket, isTested) => {
    expect(index.testsKey(bucket)).toBe(isTested);
  });

  it("can in every bucket, once a rule for any bucket looks at it", () => {
    expect(new RuleIndex([{ prefixes: ["a/"] }]).testsKey("elsewhere")).toBe(true);
  });
});
