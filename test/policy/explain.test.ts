import { describe, expect, it } from "vitest";
import { explain, WHY_TEXT } from "../../src/policy/explain.ts";
import { WHY_DECISION, type Policy, type RequestFacts } from "../../src/policy/policy.ts";

const policy: Policy = {
  version: 1,
  defaults: { mode: "enforce" },
  rules: [
    { id: "post", reason: "p.", match: { operations: ["PostObject"] }, bucketKey: "on" },
    { id: "old", reason: "o.", expires: "2026-01-31", onExpiry: "drop", bucketKey: "on" },
    {
      id: "lake",
      reason: "l.",
      match: { buckets: ["lake"] },
      except: { prefixes: ["tmp/"] },
      bucketKey: "on",
    },
    { id: "audit", reason: "a.", match: { buckets: ["lake", "sea"] }, bucketKey: "off", mode: "audit" },
    { id: "last", reason: "e.", match: { buckets: ["sea"], keys: ["*.gz"] }, bucketKey: "on" },
  ],
};
const put: RequestFacts = {
  operation: "PutObject",
  bucket: "lake",
  key: "a",
  sse: "aws:kms",
  now: new Date("2026-11-25"),
};

describe("explain", () => {
  it("says of every rule whether it decided, failed on what, or stood behind", () => {
    expect(explain(policy, put).trace).toEqual([
      { rule: "post", result: "no-match", failed: "operations" },
      { rule: "old", result: "no-match", failed: "expired" },
      { rule: "lake", result: "decided" },
      { rule: "audit", result: "not-reached" },
      { rule: "last", result: "no-match", failed: "buckets" },
    ]);
  });

  it("says it in words, one line per rule and one for the decision", () => {
    expect(explain(policy, put).text.split("\n")).toEqual([
      "post: no, operations differ",
      "old: no, expired",
      "lake: matches",
      "audit: would match, but an earlier rule decided",
      "last: no, buckets differ",
      'amend (set): the request gets the rule\'s flag. Enforcing writes {"bucketKey":true}. Rule lake: l.',
    ]);
  });

  it("tells an exception from a mismatch, and that audit changes nothing", () => {
    const { trace, text, decision } = explain(policy, { ...put, key: "tmp/x", ownContext: true });
    expect(trace[2]).toEqual({ rule: "lake", result: "no-match", failed: "excepted" });
    expect(decision).toMatchObject({ rule: "audit", mode: "audit", set: { bucketKey: false } });
    expect(text).toContain("lake: no, excepted");
    expect(text).toContain("The mode is audit: nothing is changed or refused.");
  });

  it("lists notes", () => {
    expect(explain(policy, { ...put, ownContext: true }).text).toContain("Notes: own-context.");
  });

  it("ends with the defaults where no rule matches, and where there are none", () => {
    const { trace, text } = explain(policy, { ...put, bucket: "zoo" });
    expect(trace.at(-1)).toEqual({ rule: "defaults", result: "decided" });
    expect(text).toMatch(/pass \(no-rule\).*Rule defaults: No rule matched/);
    expect(explain({ version: 1 }, put).trace).toEqual([{ rule: "defaults", result: "decided" }]);
  });

  it("names the rule that seals where that refuses", () => {
    const sealed: Policy = {
      version: 1,
      rules: [...(policy.rules ?? []), { id: "vault", reason: "v.", envelope: "seal" }],
    };
    const { text } = explain(sealed, { ...put, presigning: true });
    expect(text).toMatch(/refuse \(refused-seal\).*Rule vault: v\.$/);
  });

  it("explains reads, about which there is nothing to decide", () => {
    expect(explain(policy, { operation: "GetObject", bucket: "lake", key: "a" }).decision.why).toBe(
      "not-applicable",
    );
  });

  it("has a text for every word", () => {
    expect(Object.keys(WHY_TEXT).toSorted()).toEqual(Object.keys(WHY_DECISION).toSorted());
  });
});
