import { describe, expect, it } from "vitest";
import { factsOfRequest, runPolicyTests, testIssues } from "../../src/policy/in-file-tests.ts";
import type { Policy, PolicyTest } from "../../src/policy/policy.ts";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

const withTests = (...tests: readonly Omit<PolicyTest, "name">[]): Policy => ({
  version: 1,
  defaults: { mode: "enforce" },
  kmsKeys: { lake: KEY, listed: { arn: KEY, aliases: ["alias/lake"] } },
  rules: [
    {
      id: "lake",
      reason: "x",
      match: { buckets: ["lake"] },
      kmsKey: "@lake",
      bucketKey: "on",
      onKeyConflict: "keep-caller",
    },
    {
      id: "old",
      reason: "x",
      match: { buckets: ["old"] },
      bucketKey: "on",
      expires: "2026-01-31",
      onExpiry: "drop",
    },
  ],
  tests: tests.map((test, i) => ({ name: `test ${i}`, ...test })),
});

const put = { operation: "PutObject", bucket: "lake", key: "k" };

describe("runPolicyTests", () => {
  it.each<PolicyTest["expect"]>([
    { rule: "lake" },
    { rule: "lake", why: undefined, set: undefined } as unknown as PolicyTest["expect"],
    { decision: "amend", why: "completed", mode: "enforce", seal: "leave", notes: [] },
    { set: { bucketKey: true, kmsKey: "@lake", sse: "aws:kms" } },
    { set: { kmsKey: KEY, bucketKey: true, sse: "aws:kms" } },
  ])("passes when %j is what is decided", (expected) => {
    const [result] = runPolicyTests(withTests({ request: put, expect: expected }));
    expect(result).toMatchObject({ name: "test 0", failures: [], decision: { rule: "lake" } });
  });

  it("compares notes whatever their order", () => {
    const request = { ...put, sse: "aws:kms", kmsKey: "other", ownContext: true };
    const [result] = runPolicyTests(withTests({ request, expect: { notes: ["own-context", "kept-key"] } }));
    expect(result?.failures).toEqual([]);
  });

  it("lists each field that came out otherwise", () => {
    const expected = { rule: "lakes", why: "completed", set: { bucketKey: false } } as const;
    const [result] = runPolicyTests(withTests({ request: put, expect: expected }));
    expect(result?.failures).toEqual([
      { field: "rule", expected: "lakes", actual: "lake" },
      {
        field: "set",
        expected: { bucketKey: false },
        actual: { sse: "aws:kms", kmsKey: KEY, bucketKey: true },
      },
    ]);
  });

  it("finds nothing to run in a policy without tests", () => {
    expect(runPolicyTests({ version: 1 })).toEqual([]);
  });
});

describe("testIssues", () => {
  it("says what was expected, what came out and what decided", () => {
    const request = { operation: "PutObject", bucket: "zoo" };
    const issues = testIssues(
      withTests(
        { request: put, expect: { rule: "lake" } },
        { request, expect: { why: "set", set: { bucketKey: true } } },
      ),
    );
    expect(issues).toEqual([
      {
        code: "failed-test",
        path: ["tests", 1, "expect", "why"],
        message:
          'Test "test 1" expects why set and gets no-rule (pass, no-rule, rule defaults): change the rule or the test.',
      },
      {
        code: "failed-test",
        path: ["tests", 1, "expect", "set"],
        message:
          'Test "test 1" expects set {"bucketKey":true} and gets nothing (pass, no-rule, rule defaults): change the rule or the test.',
      },
    ]);
  });
});

describe("factsOfRequest", () => {
  const policy = withTests();

  it("looks up @name, and reads now as a point in time", () => {
    expect(factsOfRequest(policy, { ...put, kmsKey: "@listed", now: "2026-02-01" })).toEqual({
      ...put,
      kmsKey: KEY,
      now: new Date("2026-02-01T00:00:00Z"),
    });
    expect(factsOfRequest(policy, { ...put, kmsKey: "alias/lake" })).toEqual({
      ...put,
      kmsKey: "alias/lake",
    });
  });

  it("lets a test tell the time", () => {
    const request = { operation: "PutObject", bucket: "old", sse: "aws:kms" };
    const issues = testIssues(
      withTests(
        { request: { ...request, now: "2026-01-31T23:00:00Z" }, expect: { rule: "old" } },
        { request: { ...request, now: "2026-02-01" }, expect: { rule: "defaults" } },
      ),
    );
    expect(issues).toEqual([]);
  });
});
