import { describe, expect, it } from "vitest";
import { checkedLimits, type CacheOptions } from "../../src/envelope/cache-options.ts";

describe("checkedLimits", () => {
  it("fills in what is usual", () => {
    expect(checkedLimits({})).toEqual({
      maxAgeMs: 300_000,
      maxUses: 2 ** 20,
      maxBytes: 2 ** 44,
      maxCachedBytes: 2 ** 27,
      staleIfErrorMs: 0,
      kmsTimeoutMs: 10_000,
    });
  });

  it("has room for more than 100,000 keys of 1,024 bytes", () => {
    expect(checkedLimits({}).maxCachedBytes / 1_024).toBeGreaterThan(100_000);
  });

  it.each<[keyof CacheOptions, number, number]>([
    ["maxAgeSeconds", 1, 86_400],
    ["maxUses", 1, 2 ** 32],
    ["maxBytes", 1, Number.MAX_SAFE_INTEGER],
    ["maxCachedBytes", 65_536, Number.MAX_SAFE_INTEGER],
    ["staleIfErrorSeconds", 0, 3_600],
    ["kmsTimeoutSeconds", 0.001, 600],
  ])("takes %s from %s to %s, and says so", (name, least, most) => {
    const unit = name.endsWith("Seconds") ? 1_000 : 1;
    const limit = name.replace("Seconds", "Ms") as "maxAgeMs";
    expect(checkedLimits({ [name]: least })[limit]).toBe(least * unit);
    expect(checkedLimits({ [name]: most })[limit]).toBe(most * unit);
    for (const bad of [least - 0.0001, most * 1.001, Number.NaN, "300"]) {
      const told = typeof bad === "string" ? `"${bad}", text` : bad;
      const message = `${name} is ${told}; it must be ${unit === 1 ? "a whole number" : "a number"} from ${least} to ${most}.`;
      expect(() => checkedLimits({ [name]: bad })).toThrow(new RangeError(message));
    }
  });

  it("repeats of a long text only how it begins", () => {
    const bad = { maxUses: "9".repeat(81) as unknown as number };
    expect(() => checkedLimits(bad)).toThrow(
      new RangeError(`maxUses is "${"9".repeat(80)}", text; it must be a whole number from 1 to ${2 ** 32}.`),
    );
  });

  it.each<keyof CacheOptions>(["maxUses", "maxBytes", "maxCachedBytes"])(
    "counts %s in whole numbers",
    (name) => {
      expect(() => checkedLimits({ [name]: 70_000.5 })).toThrow(RangeError);
    },
  );

  it.each<keyof CacheOptions>(["maxAgeSeconds", "staleIfErrorSeconds", "kmsTimeoutSeconds"])(
    "takes parts of a second for %s",
    (name) => {
      expect(() => checkedLimits({ [name]: 1.5 })).not.toThrow();
    },
  );
});
