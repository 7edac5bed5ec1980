/** Held against the clock, and so in a file of their own: mutation runs, which slow everything down, leave it out. */
import { describe, expect, it } from "vitest";
import { lintPolicy } from "../../src/policy/lint.ts";
import type { PolicyRule } from "../../src/policy/policy.ts";
import { checkPolicy } from "../../src/policy/validate.ts";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const fine = { reason: "x", bucketKey: "on", kmsKey: KEY } as const;

describe("10,000 rules", () => {
  it("are checked in well under a second", () => {
    const rules = Array.from({ length: 10_000 }, (_, i): PolicyRule => ({
      ...fine,
      id: `r${i}`,
      match: { buckets: [`b${i}`] },
    }));
    const start = performance.now();
    expect(checkPolicy({ version: 1, rules })).toEqual([]);
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  it("are linted in seconds", () => {
    const rules = Array.from({ length: 10_000 }, (_, i): PolicyRule => {
      const match = i % 3 === 0 ? { buckets: [`b${i}`] } : { buckets: [`acme-${i}-*`], prefixes: [`p${i}/`] };
      return { ...fine, id: `r${i}`, match };
    });
    const now = new Date("2026-11-25T12:00:00Z");
    const start = performance.now();
    expect(lintPolicy({ version: 1, rules }, { now })).toEqual([]);
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});
