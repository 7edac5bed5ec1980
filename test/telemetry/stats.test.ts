import { describe, expect, it } from "vitest";
import { Counts } from "../../src/telemetry/stats.ts";
import type { ClientInfo } from "../../src/telemetry/telemetry.ts";
import { INFO, read, refused, write } from "./outcomes.ts";

const counts = (): Counts => new Counts(() => INFO);

describe("stats", () => {
  it("starts empty, with the policy and mode of now", () => {
    const before = Date.now();
    const { since, ...rest } = counts().stats();
    expect(Date.parse(since)).toBeGreaterThanOrEqual(before - 1);
    expect(Date.parse(since)).toBeLessThanOrEqual(Date.now());
    expect(rest).toEqual({
      policyDigest: "d1",
      mode: "enforce",
      requests: [],
      responses: [],
      rules: [],
      drifts: [],
      notes: [],
      errors: [],
      policyReloads: { accepted: 0, rejected: 0 },
      estimatedKmsRequestsAvoided: { GenerateDataKey: 0, Decrypt: 0 },
    });
  });

  it("is JSON: nothing is lost on the way through text", () => {
    const some = counts();
    some.record(write({ notes: ["own-context"] }, { verdict: "drift", drifts: ["kms-key"] }), 0);
    some.record(refused(), 0);
    some.failed("AccessDenied", "amended");
    expect(JSON.parse(JSON.stringify(some.stats()))).toEqual(some.stats());
  });

  it("counts an answered write as request, answer and rule", () => {
    const some = counts();
    some.record(write(), 0);
    some.record(write(), 1);
    expect(some.stats()).toMatchObject({
      requests: [{ operation: "PutObject", decision: "amend", why: "set", mode: "enforce", count: 2 }],
      responses: [
        { operation: "PutObject", state: "enabled", sse: "aws:kms", verdict: "honoured", count: 2 },
      ],
      rules: [{ rule: "r", state: "enabled", count: 2 }],
      estimatedKmsRequestsAvoided: { GenerateDataKey: 1, Decrypt: 0 },
    });
  });

  it.each([1, 31, 32, 33, 100])("counts all of %s outcomes, and the next one once", (outcomes) => {
    const some = counts();
    for (let i = 0; i < outcomes; i++) some.record(write(), i);
    expect(some.stats()).toMatchObject({ requests: [{ count: outcomes }], responses: [{ count: outcomes }] });
    some.record(write(), outcomes);
    expect(some.stats().requests).toMatchObject([{ count: outcomes + 1 }]);
  });

  it("counts a refusal once, as a request and nothing else", () => {
    const some = counts();
    some.record(refused(), 0);
    expect(some.stats()).toMatchObject({
      requests: [{ decision: "refuse", why: "refused-key", mode: "enforce", count: 1 }],
      responses: [],
      rules: [],
      errors: [],
    });
  });

  it("counts a read as an answer only", () => {
    const some = counts();
    some.record(read("GetObject", { verdict: "noncompliant", state: "disabled" }), 0);
    expect(some.stats()).toMatchObject({
      requests: [],
      responses: [{ operation: "GetObject", state: "disabled", verdict: "noncompliant", count: 1 }],
      drifts: [],
    });
  });

  it("counts each kind of drift of one answer", () => {
    const some = counts();
    some.record(write({}, { verdict: "drift", drifts: ["bucket-key", "kms-key"] }), 0);
    expect(some.stats().drifts).toEqual([
      { operation: "PutObject", kind: "bucket-key", count: 1 },
      { operation: "PutObject", kind: "kms-key", count: 1 },
    ]);
  });

  it("counts notes, reloads and errors by phase", () => {
    const some = counts();
    some.record(write({ notes: ["expired-rule", "own-context"] }), 0);
    some.reloaded("rejected");
    some.failed("AccessDenied", "amended");
    some.failed("AccessDenied", "amended");
    some.telemetryFailed();
    expect(some.stats()).toMatchObject({
      notes: [
        { note: "expired-rule", count: 1 },
        { note: "own-context", count: 1 },
      ],
      policyReloads: { accepted: 0, rejected: 1 },
      errors: [
        { type: "AccessDenied", phase: "amended", count: 2 },
        { type: "_OTHER", phase: "telemetry", count: 1 },
      ],
    });
  });

  it("models nothing as avoided for a call that may have failed", () => {
    const some = counts();
    for (let i = 0; i < 3; i++) some.record(write({}, { verdict: "unverified" }), i);
    expect(some.stats().estimatedKmsRequestsAvoided).toEqual({ GenerateDataKey: 0, Decrypt: 0 });
  });

  it("keeps an algorithm that nobody knows as _OTHER", () => {
    const some = counts();
    some.record(read("HeadObject", { sse: "aws:fsx" }), 0);
    expect(some.stats().responses).toMatchObject([{ sse: "_OTHER", count: 1 }]);
  });

  it("hands out copies: a caller can't reach the counts", () => {
    const some = counts();
    some.failed("AccessDenied", "amended");
    const stats = some.stats() as unknown as {
      errors: { count: number }[];
      policyReloads: { accepted: number };
      estimatedKmsRequestsAvoided: { Decrypt: number };
    };
    for (const error of stats.errors) error.count = 99;
    stats.policyReloads.accepted = 99;
    stats.estimatedKmsRequestsAvoided.Decrypt = 99;
    expect(some.stats()).toMatchObject({
      errors: [{ count: 1 }],
      policyReloads: { accepted: 0 },
      estimatedKmsRequestsAvoided: { Decrypt: 0 },
    });
  });
});

describe("what counts remember is bounded", () => {
  it("1,000 rules by name over all policies, then _OTHER; a known rule keeps its name", () => {
    const some = counts();
    for (let i = 0; i < 12_000; i++) some.record(read("GetObject", { rule: `rule-${i}` }), i);
    some.record(read("GetObject", { rule: "rule-3" }), 0);
    const { rules } = some.stats();
    expect(rules).toHaveLength(1_001);
    expect(rules.find(({ rule }) => rule === "rule-3")?.count).toBe(2);
    expect(rules.find(({ rule }) => rule === "_OTHER")?.count).toBe(11_000);
  });

  it("50 kinds of error by name, then _OTHER of each phase", () => {
    const some = counts();
    for (let i = 0; i < 5_000; i++) some.failed(`Error${i}`, i % 2 === 0 ? "amended" : "response");
    some.failed("Error7", "response");
    const { errors } = some.stats();
    expect(errors).toHaveLength(52);
    expect(errors.find(({ type }) => type === "Error7")?.count).toBe(2);
    expect(errors.filter(({ type }) => type === "_OTHER")).toEqual([
      { type: "_OTHER", phase: "amended", count: 2_475 },
      { type: "_OTHER", phase: "response", count: 2_475 },
    ]);
  });
});

describe("clients", () => {
  it("says how many wear the plugin, and what they wear now", () => {
    let info: ClientInfo = INFO;
    const some = new Counts(() => info);
    some.clientAdded();
    some.clientAdded();
    expect(some.clients()).toEqual({ info: INFO, count: 2 });
    info = { ...INFO, policyDigest: "d2" };
    expect(some.clients()).toEqual({ info, count: 2 });
  });
});
