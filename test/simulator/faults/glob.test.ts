import { describe, expect, it } from "vitest";
import { globMatches } from "../../../src/simulator/faults/glob.ts";

describe("a glob of a fault", () => {
  it.each([
    ["", "", true],
    ["", "a", false],
    ["*", "", true],
    ["*", "a/b", true],
    ["**", "a", true],
    ["a*", "a/b/c", true],
    ["a*", "b", false],
    ["*.gz", "logs/1.gz", true],
    ["*.gz", "logs/1.gz.tmp", false],
    ["a*b*c", "aXbYbZc", true],
    ["a*b*c", "aXbYcZ", false],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["?", "", false],
    ["*?", "", false],
    ["a.c", "abc", false],
    ["[ab]", "a", false],
    ["*aab", "aaaab", true],
  ])("%j on %j: %s", (pattern, text, expected) => {
    expect(globMatches(pattern, text)).toBe(expected);
  });

  it("of many stars takes no more than pattern times text", () => {
    const start = performance.now();
    expect(globMatches("*a".repeat(200), `${"a".repeat(1_023)}b`)).toBe(false);
    expect(performance.now() - start).toBeLessThan(200);
  });
});
