import { describe, expect, it } from "vitest";
import { compilePolicy } from "../../src/policy/compile.ts";
import { compiledOnce, decide, decideCompiled } from "../../src/policy/decide.ts";
import { policyDigest } from "../../src/policy/digest.ts";
import type { Policy, PolicyRule, RequestFacts, RuleMatch } from "../../src/policy/policy.ts";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER = "arn:aws:kms:eu-west-1:111122223333:key/99999999-12ab-34cd-56ef-1234567890ab";
const withRule = (fields: Partial<PolicyRule>): Policy => ({
  version: 1,
  defaults: { mode: "enforce", whenSseUnset: "lookup" },
  rules: [{ id: "r", reason: "x", ...fields }],
});
const put: RequestFacts = { operation: "PutObject", bucket: "b", key: "k" };

describe("needsLookup", () => {
  it.each<[Partial<PolicyRule>, Partial<RequestFacts>, boolean]>([
    [{ bucketKey: "on" }, {}, true],
    [{ bucketKey: "on" }, { sse: "aws:kms" }, false],
    [{ bucketKey: "on" }, { operation: "GetObject" }, false],
    [{ bucketKey: "on" }, { bucket: "d--use1-az4--x-s3" }, false],
    [{ bucketKey: "on" }, { presigning: true }, false],
    [{ bucketKey: "on", presigned: "header" }, { presigning: true }, true],
    [{ bucketKey: "on", mode: "off" }, {}, false],
    [{ bucketKey: "on", mode: "audit" }, {}, true],
    [{ bucketKey: "on", kmsKey: KEY }, {}, false],
    [{ bucketKey: "on", whenSseUnset: "leave" }, {}, false],
    [{}, {}, false],
    [{ match: { buckets: ["other"] }, bucketKey: "on" }, {}, false],
  ])("%j, %j: %s", (rule, request, needed) => {
    expect(compilePolicy(withRule(rule)).needsLookup({ ...put, ...request })).toBe(needed);
  });

  it("is no where no rule looks up", () => {
    expect(compilePolicy({ version: 1, defaults: { bucketKey: "on" } }).needsLookup(put)).toBe(false);
  });

  it("is asked for where only the rule looks up, and only where it holds", () => {
    const policy: Policy = {
      version: 1,
      rules: [{ id: "r", reason: "x", match: { buckets: ["b"] }, bucketKey: "on", whenSseUnset: "lookup" }],
    };
    expect(compilePolicy(policy).needsLookup(put)).toBe(true);
    expect(compilePolicy(policy).needsLookup({ ...put, bucket: "c" })).toBe(false);
  });

  it("is asked for before presigning with header, whose decision then goes on as usual (D6, D15)", () => {
    const policy = withRule({ bucketKey: "on", presigned: "header", onLookupFailure: "refuse" });
    const bucketDefault = { sse: "aws:kms", bucketKey: false };
    expect(decide(policy, { ...put, presigning: true, bucketDefault }).why).toBe("set");
  });
});

describe("a looked-up default that is as wanted", () => {
  it("is already set, with a note about the caller's own context", () => {
    const bucketDefault = { sse: "aws:kms", bucketKey: true };
    const decision = decide(withRule({ bucketKey: "on" }), { ...put, bucketDefault, ownContext: true });
    expect(decision).toMatchObject({ why: "already-set", notes: ["own-context"] });
    expect(decision.set).toBeUndefined();
  });
});

describe("compilePolicy", () => {
  it("finds rules by id, and the defaults for any other", () => {
    const compiled = compilePolicy(withRule({}));
    expect(compiled.ruleById("r").id).toBe("r");
    expect(compiled.ruleById("gone").id).toBe("defaults");
  });

  it("knows whether anything seals or expires", () => {
    expect(compilePolicy({ version: 1 })).toMatchObject({ hasEnvelope: false, hasExpiry: false });
    expect(compilePolicy(withRule({}))).toMatchObject({ hasEnvelope: false, hasExpiry: false });
    const compiled = compilePolicy(withRule({ envelope: "leave", expires: "2026-01-01" }));
    expect(compiled).toMatchObject({ hasEnvelope: true, hasExpiry: true });
  });

  it("takes the mildest setting where nobody states one", () => {
    expect(compilePolicy({ version: 1 }).defaults).toMatchObject({
      bucketKey: undefined,
      mode: "audit",
      whenSseUnset: "leave",
      onLookupFailure: "leave",
      onUnproven: "pass",
      presigned: "skip",
      onConflict: "override",
      onKeyConflict: "refuse",
      dropWhenExpired: false,
    });
  });

  it("is done once per policy", () => {
    const policy = withRule({});
    expect(compiledOnce(policy)).toBe(compiledOnce(policy));
  });

  it("lets a field that is undefined inherit", () => {
    const policy = withRule({
      bucketKey: "on",
      mode: undefined,
      whenSseUnset: undefined,
    } as unknown as Partial<PolicyRule>);
    expect(compilePolicy(policy).rules[0]).toMatchObject({ mode: "enforce", whenSseUnset: "lookup" });
  });

  it("holds reads against rules whatever their operations", () => {
    const compiled = compilePolicy(withRule({ match: { operations: ["CopyObject"] } }));
    expect(compiled.firstMatch({ ...put, operation: "GetObject" })).toBeUndefined();
    expect(compiled.firstMatch({ ...put, operation: "GetObject" }, true)?.id).toBe("r");
  });
});

describe("keys", () => {
  const policy = (kmsKey: string): Policy => ({
    version: 1,
    kmsKeys: { lake: { arn: KEY, aliases: ["alias/lake"] }, bare: { arn: OTHER } },
    rules: [{ id: "r", reason: "x", kmsKey }],
  });
  const compare = (callers: string): string => {
    const compiled = compilePolicy(policy("@lake"));
    const wanted = compiled.rules[0]?.kmsKey;
    return wanted === undefined ? "none" : compiled.compareKeys(callers, wanted);
  };

  it.each([
    [KEY, "same"],
    ["1234abcd-12ab-34cd-56ef-1234567890ab", "same"],
    ["arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", "same"],
    ["alias/lake", "same"],
    ["arn:aws:kms:eu-west-1:111122223333:alias/lake", "same"],
    ["arn:aws:kms:us-east-1:111122223333:alias/lake", "unknown"],
    ["arn:aws:kms:eu-west-1:444455556666:alias/lake", "unknown"],
    ["alias/other", "unknown"],
    [OTHER, "other"],
    ["", "other"],
  ])("the caller's %s is %s", (callers, comparison) => {
    expect(compare(callers)).toBe(comparison);
  });

  it("a listed alias of another key is another key", () => {
    const compiled = compilePolicy(policy("@bare"));
    expect(compiled.compareKeys("alias/lake", compiled.rules[0]?.kmsKey as never)).toBe("other");
  });

  it.each([
    [KEY, OTHER, true],
    [KEY, KEY, false],
    ["alias/lake", OTHER, true],
    ["alias/lake", "1234abcd-12ab-34cd-56ef-1234567890ab", false],
    ["alias/nobody", OTHER, false],
    [OTHER, "alias/nobody", false],
  ])("%s and %s are known to differ: %s", (a, b, differ) => {
    expect(compilePolicy(policy(KEY)).keysDiffer(a, b)).toBe(differ);
  });

  it("what isn't an ARN, in a policy that nobody checked, still compares by its text", () => {
    const compiled = compilePolicy(policy("@gone"));
    expect(compiled.compareKeys("@gone", compiled.rules[0]?.kmsKey as never)).toBe("same");
    expect(
      compilePolicy({ version: 1, rules: [{ id: "r", reason: "x", kmsKey: "@a" }] }).rules[0]?.kmsKey?.arn,
    ).toBe("@a");
  });
});

describe("match", () => {
  const request: RequestFacts = {
    ...put,
    sse: "aws:kms",
    kmsKey: KEY,
    region: "eu-west-1",
    account: "111122223333",
  };
  it.each<[RuleMatch, Partial<RequestFacts>, boolean]>([
    [{ buckets: ["a", "?"] }, {}, true],
    [{ buckets: ["a"] }, {}, false],
    [{ keys: ["k*"] }, {}, true],
    [{ keys: ["k*"] }, { key: undefined }, false],
    [{ prefixes: ["k"] }, {}, true],
    [{ prefixes: ["*"] }, {}, false],
    [{ prefixes: ["k"] }, { key: undefined }, false],
    [{ operations: ["CopyObject"] }, {}, false],
    [{ operations: ["PutObject"] }, {}, true],
    [{ sse: ["aws:kms"] }, {}, true],
    [{ sse: ["unset"] }, { sse: undefined }, true],
    [{ sse: ["unset"] }, {}, false],
    [{ kmsKeys: ["arn:aws:kms:eu-*"] }, {}, true],
    [{ kmsKeys: ["alias/*", "arn:*"] }, {}, true],
    [{ kmsKeys: ["*"] }, { kmsKey: undefined }, false],
    [{ bucketType: ["general-purpose"] }, {}, true],
    [{ bucketType: ["access-point"] }, { bucketType: "access-point" }, true],
    [{ regions: ["eu-west-1"] }, {}, true],
    [{ regions: ["eu-west-1"] }, { region: undefined }, false],
    [{ accounts: ["111122223333"] }, {}, true],
    [{ accounts: ["111122223333"] }, { account: undefined }, false],
    [{ buckets: ["b"], keys: ["x"] }, {}, false],
  ])("%j on %j: %s", (match, facts, fits) => {
    const compiled = compilePolicy(withRule({ match }));
    expect(compiled.firstMatch({ ...request, ...facts })?.id).toBe(fits ? "r" : undefined);
    // The same shape under `except` takes the rule away.
    const excepted = compilePolicy(withRule({ except: match }));
    expect(excepted.firstMatch({ ...request, ...facts })?.id).toBe(fits ? undefined : "r");
  });
});

describe("testsKey", () => {
  it("says whether the key can make a difference in a bucket", () => {
    const compiled = compilePolicy(
      withRule({ match: { buckets: ["acme-*"] }, except: { prefixes: ["tmp/"] }, bucketKey: "on" }),
    );
    expect(compiled.testsKey("acme-lake")).toBe(true);
    expect(compiled.testsKey("elsewhere")).toBe(false);
  });
});

describe("policyDigest", () => {
  const digest = policyDigest({ version: 1, defaults: { mode: "audit", bucketKey: "on" } });

  it("is 16 hexadecimal digits, whatever the order of fields and the tests", () => {
    expect(digest).toMatch(/^[0-9a-f]{16}$/);
    const tests = [{ name: "t", request: { operation: "PutObject", bucket: "b" }, expect: { rule: "r" } }];
    expect(policyDigest({ tests, defaults: { bucketKey: "on", mode: "audit" }, version: 1 })).toBe(digest);
  });

  it("changes with every word, and with the order of rules", () => {
    expect(policyDigest({ version: 1, defaults: { mode: "audit", bucketKey: "off" } })).not.toBe(digest);
    const [a, b] = [
      { id: "a", reason: "x" },
      { id: "b", reason: "x" },
    ] as const;
    expect(policyDigest({ version: 1, rules: [a, b] })).not.toBe(policyDigest({ version: 1, rules: [b, a] }));
  });
});

describe("the mode's ceiling", () => {
  it("never weakens sealing", () => {
    const compiled = compilePolicy(withRule({ envelope: "seal" }), { ceiling: "off", canSeal: true });
    expect(decideCompiled(compiled, put)).toMatchObject({ seal: "seal", why: "off" });
    expect(decideCompiled(compiled, { ...put, presigning: true }).why).toBe("refused-seal");
  });
});
