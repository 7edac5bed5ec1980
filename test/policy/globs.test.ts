import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { globMatches, isLiteral, literalPrefix } from "../../src/policy/globs.ts";

/** The textbook table: fits[p][t] says whether the first p characters of the pattern fit the first t of the text. */
function referenceMatches(pattern: string, text: string): boolean {
  let fits = [true, ...Array.from({ length: text.length }, () => false)];
  for (const wanted of pattern.split("")) {
    const next = [wanted === "*" && fits[0] === true];
    for (let t = 1; t <= text.length; t++) {
      next[t] =
        wanted === "*"
          ? next[t - 1] === true || fits[t] === true
          : fits[t - 1] === true && (wanted === "?" || wanted === text[t - 1]);
    }
    fits = next;
  }
  return fits[text.length] === true;
}

/** Few letters, so that near misses are common. */
const pattern = fc.string({ unit: fc.constantFrom("a", "b", "/", "*", "?", "["), maxLength: 12 });
const text = fc.string({ unit: fc.constantFrom("a", "b", "/", "*", "?", "["), maxLength: 16 });

const stepsOf = (p: string, t: string): number => {
  let count = 0;
  globMatches(p, t, (steps) => (count += steps));
  return count;
};

describe("globMatches", () => {
  it.each([
    ["acme-*", "acme-lake", true],
    ["acme-*", "acme-", true],
    ["acme-?", "acme-", false],
    ["*", "", true],
    ["", "", true],
    ["", "a", false],
    ["a*", "a/b/c", true],
    ["*.gz", "a/.hidden.gz", true],
    ["a[1]", "a1", false],
    ["a[1]", "a[1]", true],
    ["a**b", "ab", true],
    ["**", "x", true],
    ["a*b", "abc", false],
    ["*ab*", "aab", true],
    ["a?c", "a/c", true],
    ["logs/**", "logs/.x", true],
    ["\\*", "*", false],
    ["é*", "é1", true],
    // No character serves two parts, nor a part and the end.
    ["*a*a*", "a", false],
    ["*ab*ba*", "aba", false],
    ["*b*b", "aab", false],
    ["*b*b", "abab", true],
  ])("%s on %s is %s", (glob, name, fits) => {
    expect(globMatches(glob, name)).toBe(fits);
  });

  it("agrees with the textbook table", () => {
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        expect(globMatches(p, t)).toBe(referenceMatches(p, t));
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ["abc", "abc", [3]],
    ["abc", "abd", [3]],
    ["abc", "ab", []],
    ["?b", "ax", [2]],
    ["??", "ab", [2]],
    ["a?", "bx", [1]],
    ["*xy*", "xyaaa", [0, 0, 2]],
    ["*xy*", "aaxya", [0, 0, 6]],
    ["*xy*", "aaaaa", [0, 0, 8]],
    ["*x?*", "aaxya", [0, 0, 1, 1, 2]],
  ])("%s on %s tells of its comparisons: %j", (glob, name, expected) => {
    const steps: number[] = [];
    globMatches(glob, name, (more) => void steps.push(more));
    expect(steps).toEqual(expected);
  });

  it("takes no more steps than pattern times text", () => {
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        expect(stepsOf(p, t)).toBeLessThanOrEqual(Math.max(p.length, 1) * Math.max(t.length, 1));
      }),
      { numRuns: 5_000 },
    );
    const worst = fc.tuple(
      fc.string({ unit: fc.constantFrom("a", "*", "?"), minLength: 1, maxLength: 1_024 }),
      fc.constantFrom("b", ""),
    );
    fc.assert(
      fc.property(worst, ([head, tail]) => {
        expect(stepsOf(head + tail, "a".repeat(1_024))).toBeLessThanOrEqual(
          (head.length + tail.length) * 1_024,
        );
      }),
      { numRuns: 50 },
    );
  });

  it("isn't held up by 200 stars on 1,024 characters", () => {
    let steps = 0;
    expect(globMatches(`${"a*".repeat(200)}b`, "a".repeat(1_024), (more) => (steps += more))).toBe(false);
    expect(steps).toBeLessThan(5_000);
    expect(globMatches("a*".repeat(200), "a".repeat(1_024))).toBe(true);
  });
});

describe("literal parts", () => {
  it.each([
    ["acme-*", "acme-", false],
    ["a?b", "a", false],
    ["plain", "plain", true],
    ["*x", "", false],
  ])("%s starts with %s; literal: %s", (glob, prefix, literal) => {
    expect(literalPrefix(glob)).toBe(prefix);
    expect(isLiteral(glob)).toBe(literal);
  });
});
