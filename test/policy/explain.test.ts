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

  it("says it in words, one line per rule, one for the decision and one per remark", () => {
    expect(explain(policy, put).text.split("\n")).toEqual([
      "post: no, operations differ",
      "old: no, expired",
      "lake: matches",
      "audit: would match, but an earlier rule decided",
      "last: no, buckets differ",
      'amend (set): the request gets the rule\'s flag. Enforcing writes {"bucketKey":true}. The mode is enforce. Rule lake: l.',
      "aws:kms without a key means the account's key aws/s3, even where the bucket's default names another.",
    ]);
  });

  it("tells an exception from a mismatch, and that audit changes nothing", () => {
    const { trace, text, decision } = explain(policy, { ...put, key: "tmp/x", ownContext: true });
    expect(trace[2]).toEqual({ rule: "lake", result: "no-match", failed: "excepted" });
    expect(decision).toMatchObject({ rule: "audit", mode: "audit", set: { bucketKey: false } });
    expect(text).toContain("lake: no, excepted");
    expect(text).toContain("The mode is audit: nothing is changed or refused.");
  });

  it.each([
    ["enforce", "lake", "amend (set): .* The mode is enforce\\. "],
    ["audit", "lake", "amend (set): .* The mode is audit: nothing is changed or refused\\. "],
    ["off", "lake", "pass (off): .* The mode is off\\. "],
    ["audit", "zoo", "pass (no-rule): .* The mode is audit\\. "],
  ] as const)("names the mode %s for %s", (mode, bucket, line) => {
    const under: Policy = {
      version: 1,
      defaults: { mode },
      rules: [{ id: "r", reason: "r.", match: { buckets: ["lake"] }, bucketKey: "on" }],
    };
    const pattern = new RegExp(`^${line.replace(/[()]/g, "\\$&")}Rule `, "m");
    expect(explain(under, { ...put, bucket }).text).toMatch(pattern);
  });

  it("says of a place that seals that no mode lets anything through, and nothing else of it", () => {
    const vault: Policy = {
      version: 1,
      rules: [
        { id: "vault", reason: "v.", envelope: "seal", bucketKey: "on", match: { buckets: ["vault"] } },
      ],
    };
    for (const facts of [put, { ...put, operation: "GetObject" }, { ...put, presigning: true }]) {
      const { remarks, text } = explain(vault, { ...facts, bucket: "vault" });
      expect(remarks).toEqual([
        expect.stringMatching(/seals this place, whatever the mode: .*option envelope/),
      ]);
      expect(text).not.toContain("nothing is changed or refused");
      expect(text).toContain("The mode is audit. ");
      expect(explain(vault, facts).remarks.join()).not.toContain("seals this place");
    }
    expect(explain(vault, { operation: "CreateSession", bucket: "vault" }).remarks).toEqual([]);
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
    expect(text).toMatch(/refuse \(refused-seal\).*Rule vault: v\.$/m);
  });

  it("explains reads, about which there is nothing to decide", () => {
    expect(explain(policy, { operation: "GetObject", bucket: "lake", key: "a" }).decision.why).toBe(
      "not-applicable",
    );
  });

  const keyless = "aws:kms without a key means";
  const inherits = "A copy inherits nothing from its source";
  const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
  const completing: Policy = {
    version: 1,
    defaults: { mode: "enforce" },
    rules: [{ id: "all", reason: "a.", kmsKey: KEY, bucketKey: "on" }],
  };
  const copy: RequestFacts = {
    operation: "CopyObject",
    bucket: "sea",
    key: "a",
    copySource: { bucket: "lake" },
  };
  const onKms = { sse: "aws:kms", kmsKey: KEY, bucketKey: true };
  it.each<[string, Policy, RequestFacts, string[]]>([
    ["nothing on a put with a key", policy, { ...put, kmsKey: KEY }, []],
    ["nothing on a silent put", policy, { ...put, sse: undefined }, []],
    ["a put that names aws:kms and no key", policy, put, [keyless]],
    ["nothing when the rule completes it", completing, put, []],
    [
      "what audit would have completed",
      { ...completing, defaults: { mode: "audit" }, rules: [{ id: "a", reason: "a.", kmsKey: KEY }] },
      put,
      [keyless],
    ],
    [
      "a silent copy: all from the destination",
      policy,
      copy,
      [
        `${inherits}: without an algorithm of its own it takes algorithm, key and bucket key from the default of the destination bucket.`,
      ],
    ],
    [
      "a copy that says only the flag",
      policy,
      { ...copy, bucketKey: true },
      [`${inherits}: without an algorithm of its own it takes algorithm and key from`],
    ],
    [
      "a copy whose flag the rule takes away",
      policy,
      { ...copy, bucketKey: false },
      [`${inherits}: without an algorithm of its own it takes algorithm, key and bucket key from`],
    ],
    [
      "a default that is known, with a bucket key",
      policy,
      { ...copy, bucketDefault: onKms },
      [`destination bucket (aws:kms under ${KEY}, with a bucket key).`],
    ],
    [
      "one with the account's key, without",
      policy,
      { ...copy, bucketDefault: { sse: "aws:kms", bucketKey: false } },
      ["(aws:kms under the account's key aws/s3, without a bucket key)"],
    ],
    [
      "one that isn't SSE-KMS",
      policy,
      { ...copy, bucketDefault: { sse: "AES256", bucketKey: false } },
      ["bucket (AES256)."],
    ],
    [
      "one that could not be looked up",
      policy,
      { ...copy, bucketDefault: "lookup-failed" },
      ["of the destination bucket."],
    ],
    ["nothing on a copy that is completed", completing, copy, []],
    ["nothing on a copy that names its algorithm", policy, { ...copy, sse: "AES256" }, []],
    [
      "nothing on a copy from a directory bucket",
      policy,
      { ...copy, copySource: { bucket: "a--use1-az4--x-s3" } },
      [],
    ],
    [
      "nothing on what is refused",
      { version: 1, defaults: { mode: "enforce" }, rules: [{ id: "v", reason: "v.", presigned: "refuse" }] },
      { ...copy, presigning: true },
      [],
    ],
    [
      "an update: absent means false, the full ARN, and AWS only",
      policy,
      { operation: "UpdateObjectEncryption", bucket: "lake", key: "a", sse: "aws:kms", kmsKey: KEY },
      ["absent means false", "full ARN of a key", "overwrite the object"],
    ],
    [
      "an update without a key: the same, and nothing of the account's key",
      policy,
      { operation: "UpdateObjectEncryption", bucket: "lake", key: "a", sse: "aws:kms" },
      ["absent means false", "full ARN of a key", "Send it to AWS only: some S3-compatible servers"],
    ],
    [
      "nothing on a bucket's default",
      policy,
      { operation: "PutBucketEncryption", bucket: "lake", sse: "aws:kms" },
      [],
    ],
    ["nothing on a read", policy, { operation: "GetObject", bucket: "lake", key: "a" }, []],
  ])("remarks on %s", (_what, under, facts, expected) => {
    const { remarks, text } = explain(under, facts);
    expect(remarks).toHaveLength(expected.length);
    expected.forEach((part, i) => expect(remarks[i]).toContain(part));
    expect(text.split("\n").slice(text.split("\n").length - remarks.length)).toEqual(remarks);
  });

  it("has a text of its own for every word, which completes a sentence", () => {
    const texts = Object.values(WHY_TEXT);
    expect(new Set(texts).size).toBe(texts.length);
    for (const text of texts) expect(`the request ${text}`).toMatch(/^the request [a-z].{10,}[a-z]$/);
    expect(Object.keys(WHY_TEXT).toSorted()).toEqual(Object.keys(WHY_DECISION).toSorted());
  });
});
