import { describe, expect, it } from "vitest";
import { verdictOf } from "./bench.ts";
import { interleave } from "./interleave.ts";
import { bucketsFor, mixedPolicy } from "./policies.ts";
import { median, medianRatio, seededRandom } from "./statistics.ts";

const estimate = (value: number, spread = 0) => ({ value, low: value - spread, high: value + spread });

/** Skewed like real calls: a floor and a tail, on a machine that gets slower and slower. */
function noisyBlocks(factor: number, seed: number): Float64Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: 40 }, (_, block) =>
    Float64Array.from({ length: 200 }, () => factor * (1 + block / 10) * (250 - 40 * Math.log(random()))),
  );
}

describe("statistics of the benchmarks", () => {
  it("takes the middle of an odd number of values and the mean of the two middle ones of an even number", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it("holds the true ratio in its interval, and tells a difference of 2 % from none", () => {
    const slower = medianRatio(noisyBlocks(1.02, 1), noisyBlocks(1, 2));
    expect(slower.low).toBeLessThan(1.02);
    expect(slower.high).toBeGreaterThan(1.02);
    expect(slower.low).toBeGreaterThan(1);
  });

  it("gives the same interval for the same samples", () => {
    const [arm, floor] = [noisyBlocks(1, 3), noisyBlocks(1, 4)];
    expect(medianRatio(arm, floor)).toEqual(medianRatio(arm, floor));
  });

  it.each([
    ["met", { measured: estimate(1.01, 0.004), bar: { atMost: 1.015 } }],
    ["not met", { measured: estimate(1.01, 0.006), bar: { atMost: 1.015 } }],
    ["met", { measured: estimate(0.8, 0.05), bar: { atLeast: 0.7 } }],
    ["not met", { measured: estimate(0.8, 0.15), bar: { atLeast: 0.7 } }],
    ["unresolved", { measured: estimate(1), bar: { atMost: 1.01 }, control: estimate(1.006) }],
    ["met", { measured: estimate(2), bar: { atMost: 3 }, control: estimate(1.006) }],
    ["", { measured: estimate(1) }],
  ] as const)("says %s when the unfavourable end of the interval decides", (verdict, row) => {
    expect(verdictOf({ what: "", unit: "ratio", ...row })).toBe(verdict);
  });
});

describe("interleaving", () => {
  it("times every arm once per iteration, after the warm-up, with fresh arms in every block", async () => {
    let calls = 0;
    let made = 0;
    const arm = () => {
      made++;
      return () => () => Promise.resolve(calls++);
    };
    const times = await interleave({
      blocks: 3,
      iterations: 5,
      warmUp: 2,
      arms: () => ({ one: arm(), two: arm() }),
    });
    expect({ calls, made }).toEqual({ calls: 3 * 7 * 2, made: 6 });
    expect(times.one.map((block) => block.length)).toEqual([5, 5, 5]);
    expect(times.two.flatMap((block) => [...block]).every((time) => time > 0)).toBe(true);
  });
});

describe("the policies that are measured", () => {
  it.each([20, 10_000])(
    "has at most ten leading stars among %i rules, and hits the rules it says",
    (size) => {
      const rules = mixedPolicy(size).rules ?? [];
      const globs = rules.map((rule) => rule.match?.buckets?.[0] ?? "");
      expect(globs.filter((glob) => glob.startsWith("*")).length).toBeLessThanOrEqual(10);
      expect(globs).toHaveLength(size);
      const matching = (bucket: string) =>
        globs.findIndex((glob) => new RegExp(`^${glob.replaceAll("*", ".*")}$`).test(bucket));
      expect(new Set(bucketsFor("first", size, 9).map(matching))).toEqual(new Set([0, 1, 2]));
      expect(new Set(bucketsFor("last", size, 9).map(matching))).toEqual(
        new Set([1, 2, 3].map((n) => size - n)),
      );
      expect(new Set(bucketsFor("none", size, 9).map(matching))).toEqual(new Set([-1]));
    },
  );
});
