import { describe, expect, it } from "vitest";
import type { ResponseFacts } from "../../src/observe/response-facts.ts";
import { judgePart, judgeRead, judgeWrite } from "../../src/observe/verdict.ts";
import { compilePolicy, type CompiledPolicy } from "../../src/policy/compile.ts";
import { decideCompiled } from "../../src/policy/decide.ts";
import type { PolicyDefaults, PolicyRule, RequestFacts } from "../../src/policy/policy.ts";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER = "arn:aws:kms:eu-west-1:111122223333:key/99999999-12ab-34cd-56ef-1234567890ab";

const kms = (state: "enabled" | "disabled" | "unknown", kmsKey?: string): ResponseFacts => ({
  state,
  sse: "aws:kms",
  kmsKey,
});
const other = (sse: string): ResponseFacts => ({ state: "not-applicable", sse, kmsKey: undefined });
const nothing: ResponseFacts = { state: "unknown", sse: "none", kmsKey: undefined };

function policyWith(
  rule: Partial<PolicyRule>,
  defaults: PolicyDefaults = { mode: "enforce" },
): CompiledPolicy {
  return compilePolicy({
    version: 1,
    defaults,
    kmsKeys: { lake: { arn: KEY, aliases: ["alias/lake"] } },
    rules: [{ id: "r", reason: "because", ...rule }],
  });
}

function judgePut(rule: Partial<PolicyRule>, request: Partial<RequestFacts>, answer: ResponseFacts): unknown {
  const policy = policyWith(rule);
  const facts: RequestFacts = { operation: "PutObject", bucket: "b", key: "k", ...request };
  const { verdict, drifts } = judgeWrite(policy, facts, decideCompiled(policy, facts), answer);
  return drifts.length === 0 ? verdict : { [verdict]: drifts };
}

const on = { bucketKey: "on" } as const;
const keyed = { bucketKey: "on", kmsKey: "@lake" } as const;
const asked = { sse: "aws:kms", kmsKey: KEY };

describe("a write that enforcing fixed", () => {
  it.each([
    ["as asked", keyed, {}, kms("enabled", KEY), "honoured"],
    ["as asked, already set", keyed, { ...asked, bucketKey: true }, kms("enabled", KEY), "honoured"],
    ["a replica of the key", keyed, {}, kms("enabled", KEY.replace("eu-west-1", "us-east-1")), "honoured"],
    ["a key the answer leaves out", keyed, {}, kms("enabled"), "honoured"],
    ["no flag", keyed, {}, kms("disabled", KEY), { drift: ["bucket-key"] }],
    ["a garbled flag", keyed, {}, kms("unknown", KEY), { drift: ["bucket-key"] }],
    ["another key", keyed, {}, kms("enabled", OTHER), { drift: ["kms-key"] }],
    ["another key and no flag", keyed, {}, kms("disabled", OTHER), { drift: ["bucket-key", "kms-key"] }],
    ["another algorithm", keyed, {}, other("AES256"), { drift: ["algorithm"] }],
    ["no algorithm", keyed, {}, nothing, { drift: ["algorithm"] }],
    ["off as asked", { bucketKey: "off" }, asked, kms("disabled", KEY), "honoured"],
    ["on though off was asked", { bucketKey: "off" }, asked, kms("enabled", KEY), { drift: ["bucket-key"] }],
    ["the listed alias's key", on, { sse: "aws:kms", kmsKey: "alias/lake" }, kms("enabled", KEY), "honoured"],
    [
      "another key than the listed alias's",
      on,
      { sse: "aws:kms", kmsKey: "alias/lake" },
      kms("enabled", OTHER),
      { drift: ["kms-key"] },
    ],
    [
      "an unlisted alias can't be compared",
      on,
      { sse: "aws:kms", kmsKey: "alias/x" },
      kms("enabled", OTHER),
      "honoured",
    ],
    [
      "a caller's bare key id",
      on,
      { sse: "aws:kms", kmsKey: "99999999-12ab-34cd-56ef-1234567890ab" },
      kms("enabled", OTHER),
      "honoured",
    ],
    [
      "sent without SSE, to a KMS default",
      { ...on, whenSseUnset: "send" },
      {},
      kms("enabled", KEY),
      "honoured",
    ],
    [
      "sent without SSE, where there is no KMS",
      { ...on, whenSseUnset: "send" },
      {},
      other("AES256"),
      "not-applicable",
    ],
    [
      "stripped",
      { ...on, onUnproven: "strip" },
      { sse: "AES256", bucketKey: true },
      other("AES256"),
      "honoured",
    ],
    [
      "a default looked up",
      { ...on, whenSseUnset: "lookup" },
      { bucketDefault: { sse: "aws:kms", bucketKey: true } },
      kms("enabled"),
      "honoured",
    ],
    [
      "a default looked up that has changed",
      { ...on, whenSseUnset: "lookup" },
      { bucketDefault: { sse: "aws:kms", bucketKey: true } },
      other("AES256"),
      { drift: ["algorithm"] },
    ],
  ] as const)("answered with %s", (_what, rule, request, answer, verdict) => {
    expect(judgePut(rule, request, answer)).toEqual(verdict);
  });
});

describe("any other answered write", () => {
  it.each([
    ["in audit, without the flag", { ...on, mode: "audit" }, asked, kms("disabled", KEY), "noncompliant"],
    ["in audit, with it", { ...on, mode: "audit" }, asked, kms("enabled", KEY), "compliant"],
    ["unenforced, with the flag from the bucket", on, {}, kms("enabled", KEY), "compliant"],
    ["unenforced, without", on, {}, kms("disabled", KEY), "noncompliant"],
    ["of another algorithm", on, { sse: "AES256" }, other("AES256"), "not-applicable"],
    [
      "whose caller was kept",
      { ...on, onConflict: "keep-caller" },
      { ...asked, bucketKey: false },
      kms("disabled", KEY),
      "noncompliant",
    ],
    ["under a rule that is off", { ...on, mode: "off" }, asked, kms("disabled", KEY), "not-applicable"],
    [
      "in a directory bucket",
      on,
      { bucket: "d--use1-az4--x-s3", ...asked },
      kms("enabled", KEY),
      "not-applicable",
    ],
    [
      "that no rule meets",
      { match: { buckets: ["elsewhere"] } },
      asked,
      kms("disabled", KEY),
      "not-applicable",
    ],
    [
      "that shows nothing by its nature",
      on,
      { operation: "UpdateObjectEncryption", ...asked },
      kms("disabled"),
      "unverified",
    ],
  ] as const)("%s", (_what, rule, request, answer, verdict) => {
    expect(judgePut(rule, request, answer)).toEqual(verdict);
  });
});

describe("a read", () => {
  it.each([
    ["with a bucket key", on, kms("enabled", OTHER), "compliant"],
    ["without: an old object is no drift", on, kms("disabled", OTHER), "noncompliant"],
    ["with one where it is off", { bucketKey: "off" }, kms("enabled", KEY), "noncompliant"],
    ["under the rule's key", { kmsKey: "@lake" }, kms("disabled", KEY), "compliant"],
    ["under another key", keyed, kms("enabled", OTHER), "noncompliant"],
    ["of SSE-S3", on, other("AES256"), "not-applicable"],
    ["of SSE-S3 where a key is wanted", keyed, other("AES256"), "noncompliant"],
    ["that names no encryption", on, nothing, "not-applicable"],
    ["that names no encryption where a key is wanted", keyed, nothing, "noncompliant"],
    ["with a garbled flag", on, kms("unknown", KEY), "not-applicable"],
    ["where the rule states nothing", {}, kms("enabled", KEY), "not-applicable"],
    ["where the rule is off", { ...on, mode: "off" }, kms("disabled", KEY), "not-applicable"],
  ] as const)("%s", (_what, rule, answer, verdict) => {
    const policy = policyWith(rule);
    expect(judgeRead(policy, policy.ruleById("r"), answer)).toEqual({ verdict, drifts: [] });
  });
});

describe("a part", () => {
  it.each([
    ["is judged like a read", kms("disabled", KEY), "noncompliant"],
    ["says nothing about the object when it names no encryption", nothing, "not-applicable"],
  ] as const)("%s", (_what, answer, verdict) => {
    const policy = policyWith(keyed);
    expect(judgePart(policy, policy.ruleById("r"), answer)).toEqual({ verdict, drifts: [] });
  });
});
