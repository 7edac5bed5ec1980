import { describe, expect, it } from "vitest";
import { PolicyError } from "../../src/errors.ts";
import { definePolicy } from "../../src/policy/define.ts";
import { nearest } from "../../src/policy/nearest.ts";
import type { Policy } from "../../src/policy/policy.ts";

describe("definePolicy", () => {
  it("gives a frozen copy, which later changes of the original don't reach", () => {
    const buckets = ["acme-*"];
    const given = { version: 1, rules: [{ id: "r", reason: "x", match: { buckets } }] } as const;
    const policy = definePolicy(given);
    buckets.push("zoo");
    expect(policy).toEqual({ version: 1, rules: [{ id: "r", reason: "x", match: { buckets: ["acme-*"] } }] });
    for (const part of [policy, policy.rules, policy.rules?.[0], policy.rules?.[0]?.match?.buckets]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it("drops fields that are undefined, so that they inherit", () => {
    const given = {
      version: 1,
      defaults: { mode: "enforce" },
      rules: [{ id: "r", reason: "x", mode: undefined }],
    };
    expect(definePolicy(given as unknown as Policy).rules?.[0]).not.toHaveProperty("mode");
  });

  it("keeps a null, which a test expects of a flag taken away", () => {
    const tests = [
      { name: "t", request: { operation: "PutObject", bucket: "b" }, expect: { set: { bucketKey: null } } },
    ];
    expect(definePolicy({ version: 1, tests }).tests).toEqual(tests);
  });

  it("throws one PolicyError with every mistake, each at its path", () => {
    const given = {
      version: 1,
      rules: [{ id: "r", reason: "", mode: "on" }],
      tests: null,
    } as unknown as Policy;
    const error = catchError(() => definePolicy(given));
    expect(error).toBeInstanceOf(PolicyError);
    const { code, issues, message } = error as PolicyError;
    expect(code).toBe("ERR_BUCKET_KEY_POLICY");
    expect(issues.map((issue) => issue.path)).toEqual([
      ["rules", 0, "reason"],
      ["rules", 0, "mode"],
      ["tests"],
    ]);
    expect(message.split("\n").map((line) => line.split(": ")[0])).toEqual([
      "rules[0].reason",
      "rules[0].mode",
      "tests",
    ]);
  });
});

function catchError(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("nearest", () => {
  const names = ["buckets", "bucketType", "keys", "off", "on"];
  it.each([
    ["bukets", "buckets"],
    ["BUCKETS", "buckets"],
    ["buckettype", "bucketType"],
    ["kyes", "keys"],
    ["of", "off"],
    ["zebra", undefined],
    ["", undefined],
  ])("%s is near %s", (written, meant) => {
    expect(nearest(written, names)).toBe(meant);
  });

  it("looks at no more than a piece of a long text", () => {
    expect(nearest("b".repeat(100_000), names)).toBeUndefined();
    expect(nearest("x".repeat(64) + "b".repeat(100_000), ["x".repeat(64)])).toBe("x".repeat(64));
  });
});
