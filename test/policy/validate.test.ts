import { describe, expect, it } from "vitest";
import type { PolicyIssue } from "../../src/errors.ts";
import { OPERATIONS } from "../../src/operations.ts";
import { checkPolicyAndTests, checkRequest } from "../../src/policy/in-file-tests.ts";
import { POLICY } from "../../src/policy/fields.ts";
import { WHY_DECISION } from "../../src/policy/policy.ts";
import { checkPolicy, checkShape } from "../../src/policy/validate.ts";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const ok = { id: "r", reason: "because" };
const withRule = (fields: object): object => ({ version: 1, rules: [{ ...ok, ...fields }] });
const withTest = (request: object, expected: object = { rule: "r" }): object => ({
  version: 1,
  kmsKeys: { lake: KEY },
  tests: [{ name: "t", request: { operation: "PutObject", bucket: "b", ...request }, expect: expected }],
});

/** A policy, the code and place of its one mistake, and a piece of the sentence about it. */
const MISTAKES: readonly (readonly [policy: unknown, code: string, path: string, says: string])[] = [
  [undefined, "wrong-type", "", "Expected fields such as version, found nothing"],
  [null, "wrong-type", "", "found nothing"],
  [[], "wrong-type", "", "found a list"],
  ["version: 1", "wrong-type", "", 'found "version: 1"'],
  [{}, "missing-field", "", "version is missing: write version: 1."],
  [{ version: 2 }, "wrong-version", "version", "write 1"],
  [{ version: "1" }, "wrong-version", "version", '"1" isn\'t known here: write 1. Write 1 without quotes.'],
  [{ version: 10n }, "wrong-version", "version", "bigint isn't known here"],
  [{ version: () => 1 }, "wrong-version", "version", "function isn't known here"],
  [{ version: 1, defaults: "audit" }, "wrong-type", "defaults", "Expected fields such as bucketKey"],
  [{ version: 1, ruls: [] }, "unknown-field", "ruls", "Did you mean rules?"],
  [
    { version: 1, zzz: [] },
    "unknown-field",
    "zzz",
    "Write $schema, version, defaults, kmsKeys, rules or tests.",
  ],
  [{ version: 1, mode: "audit" }, "unknown-field", "mode", "Write it under defaults."],
  [JSON.parse('{"version":1,"__proto__":1}'), "unknown-field", "__proto__", "isn't a field"],
  [{ version: 1, constructor: 1 }, "unknown-field", "constructor", "isn't a field"],
  [{ version: 1, rules: {} }, "wrong-type", "rules", "Expected a list, found fields."],
  [{ version: 1, rules: null }, "wrong-type", "rules", "found nothing"],
  [{ version: 1, rules: ["lake"] }, "wrong-type", "rules.0", "Expected fields such as id"],
  [
    { version: 1, rules: [{ reason: "x" }] },
    "missing-field",
    "rules.0",
    "write id: a name no other rule has",
  ],
  [{ version: 1, rules: [{ id: "x" }] }, "missing-field", "rules.0", "write reason: why the rule exists"],
  [withRule({ id: "  " }), "empty-text", "rules.0.id", "found an empty one"],
  [withRule({ id: 7 }), "wrong-type", "rules.0.id", 'Put it in quotes: "7".'],
  [withRule({ reason: true }), "wrong-type", "rules.0.reason", "Expected text, found true."],
  [withRule({ buckets: ["a"] }), "unknown-field", "rules.0.buckets", "Write it under match."],
  [withRule({ bucketKye: "on" }), "unknown-field", "rules.0.bucketKye", "Did you mean bucketKey?"],
  [withRule({ bucketKey: "of" }), "unknown-value", "rules.0.bucketKey", "Did you mean off?"],
  [withRule({ bucketKey: "true" }), "unknown-value", "rules.0.bucketKey", "Write true without quotes."],
  [withRule({ bucketKey: "False" }), "unknown-value", "rules.0.bucketKey", "Write false without quotes."],
  [withRule({ bucketKey: "yes" }), "unknown-value", "rules.0.bucketKey", "Did you mean on?"],
  [withRule({ bucketKey: "No" }), "unknown-value", "rules.0.bucketKey", "Did you mean off?"],
  [
    withRule({ onConflict: "yes" }),
    "unknown-value",
    "rules.0.onConflict",
    "override, keep-caller or refuse.",
  ],
  [withRule({ bucketKey: 1 }), "unknown-value", "rules.0.bucketKey", "write on, off, leave, true or false"],
  [withRule({ bucketKey: { value: "on" } }), "unknown-value", "rules.0.bucketKey", "fields isn't known here"],
  [withRule({ mode: "Enforce" }), "unknown-value", "rules.0.mode", "Did you mean enforce?"],
  [withRule({ match: { buckets: "acme-*" } }), "wrong-type", "rules.0.match.buckets", 'Write ["acme-*"].'],
  [withRule({ match: { buckets: [] } }), "empty-list", "rules.0.match.buckets", "leave the field out"],
  [withRule({ match: { prefixes: [""] } }), "empty-text", "rules.0.match.prefixes.0", "empty"],
  [
    withRule({ match: { operations: ["PutObjct"] } }),
    "unknown-operation",
    "rules.0.match.operations.0",
    "Did you mean PutObject?",
  ],
  [
    withRule({ match: { operations: ["GetObject"] } }),
    "unknown-operation",
    "rules.0.match.operations.0",
    "UpdateObjectEncryption or PutBucketEncryption",
  ],
  [withRule({ match: { sse: ["kms"] } }), "unknown-value", "rules.0.match.sse.0", "aws:kms"],
  [
    withRule({ match: { accounts: [111122223333] } }),
    "wrong-type",
    "rules.0.match.accounts.0",
    '"111122223333"',
  ],
  [withRule({ match: { accounts: ["1111"] } }), "bad-account", "rules.0.match.accounts.0", "write 12 digits"],
  [withRule({ except: {} }), "empty-fields", "rules.0.except", "or leave it out"],
  [withRule({ kmsKey: "alias/lake" }), "bad-key-arn", "rules.0.kmsKey", "no alias"],
  [withRule({ kmsKey: "1234abcd-12ab-34cd-56ef-1234567890ab" }), "bad-key-arn", "rules.0.kmsKey", "@name"],
  [withRule({ kmsKey: "@" }), "bad-key-arn", "rules.0.kmsKey", "@name"],
  [withRule({ expires: "2027-02-30" }), "bad-date", "rules.0.expires", "a day that exists"],
  [withRule({ expires: "30.6.2027" }), "bad-date", "rules.0.expires", "YYYY-MM-DD"],
  [withRule({ expires: new Date(0) }), "wrong-type", "rules.0.expires", "Expected text, found fields."],
  [{ version: 1, kmsKeys: [KEY] }, "wrong-type", "kmsKeys", "Expected names, each with its value"],
  [{ version: 1, kmsKeys: { a: "nope" } }, "bad-key-arn", "kmsKeys.a", "arn:aws:kms:REGION:ACCOUNT:key/ID"],
  [
    { version: 1, kmsKeys: { a: { aliases: ["alias/a"] } } },
    "missing-field",
    "kmsKeys.a",
    "write arn: the key ARN",
  ],
  [
    { version: 1, kmsKeys: { a: { arn: KEY, aliases: ["a"] } } },
    "bad-alias",
    "kmsKeys.a.aliases.0",
    "alias/NAME",
  ],
  [
    { version: 1, defaults: { onConflict: "refuse" } },
    "not-a-default",
    "defaults.onConflict",
    "in each rule",
  ],
  [
    { version: 1, defaults: { bucketKy: "on" } },
    "unknown-field",
    "defaults.bucketKy",
    "Did you mean bucketKey?",
  ],
  // Meaning.
  [withRule({ kmsKey: "@lake" }), "undefined-key", "rules.0.kmsKey", "add it there"],
  [withRule({ kmsKey: "@constructor" }), "undefined-key", "rules.0.kmsKey", "isn't in kmsKeys"],
  [
    { ...withRule({ kmsKey: "@lkae" }), kmsKeys: { lake: KEY } },
    "undefined-key",
    "rules.0.kmsKey",
    "Did you mean @lake?",
  ],
  [{ version: 1, rules: [ok, ok] }, "duplicate-id", "rules.1.id", "write a new one"],
  [withRule({ id: "defaults" }), "reserved-id", "rules.0.id", "write another id"],
  [withRule({ onExpiry: "keep" }), "expiry-without-date", "rules.0.onExpiry", "write expires too"],
  [
    withRule({ envelope: "seal", onExpiry: "drop", expires: "2027-01-01" }),
    "seal-that-expires",
    "rules.0.onExpiry",
    "write onExpiry: keep",
  ],
  [
    withRule({ match: { operations: ["PutBucketEncryption"], keys: ["a"] } }),
    "bucket-operation-with-keys",
    "rules.0.match.keys",
    "leave this out",
  ],
  [
    withRule({ match: { operations: ["PutBucketEncryption"] }, except: { prefixes: ["a"] } }),
    "bucket-operation-with-keys",
    "rules.0.except.prefixes",
    "leave this out",
  ],
  [
    withRule({ envelope: "unseal", match: { buckets: ["a"], operations: ["PutObject"] } }),
    "envelope-match",
    "rules.0.match.operations",
    "buckets, keys and prefixes only",
  ],
  [
    withRule({ envelope: "seal", except: { sse: ["unset"] } }),
    "envelope-match",
    "rules.0.except.sse",
    "buckets, keys and prefixes only",
  ],
  [
    withRule({ match: { buckets: ["a"], keys: ["k"] }, except: { buckets: ["a", "b"] } }),
    "contradiction",
    "rules.0.except",
    "write a narrower one",
  ],
  [
    {
      version: 1,
      kmsKeys: { a: { arn: KEY, aliases: ["alias/x"] }, b: KEY, c: { arn: KEY, aliases: ["alias/x"] } },
    },
    "duplicate-alias",
    "kmsKeys.c.aliases.0",
    "stands for a already",
  ],
];

const TEST_MISTAKES: typeof MISTAKES = [
  [{ version: 1, tests: {} }, "wrong-type", "tests", "Expected a list"],
  [
    { version: 1, tests: [{ name: "t", request: 1, expect: { rule: "r" } }] },
    "wrong-type",
    "tests.0.request",
    "operation",
  ],
  [withTest({}, {}), "empty-fields", "tests.0.expect", "write rule, decision, why"],
  [
    withTest({ operation: "PutObjet" }),
    "unknown-operation",
    "tests.0.request.operation",
    "Did you mean PutObject?",
  ],
  [withTest({ bucketKey: "on" }), "wrong-type", "tests.0.request.bucketKey", "Expected true or false"],
  [
    withTest({ bucketKey: "true" }),
    "wrong-type",
    "tests.0.request.bucketKey",
    'found "true". Write true without quotes.',
  ],
  [
    withTest({ BucketKeyEnabled: true }),
    "unknown-field",
    "tests.0.request.BucketKeyEnabled",
    "isn't a field here. Write bucketKey.",
  ],
  [withTest({ now: "tomorrow" }), "bad-date", "tests.0.request.now", "2027-06-30T12:00:00Z"],
  [withTest({ now: "2027-02-30T12:00:00Z" }), "bad-date", "tests.0.request.now", "ISO 8601"],
  [withTest({ bucketDefault: "failed" }), "unknown-value", "tests.0.request.bucketDefault", "lookup-failed"],
  [
    withTest({ bucketDefault: { sse: "aws:kms" } }),
    "missing-field",
    "tests.0.request.bucketDefault",
    "bucketKey",
  ],
  [withTest({ copySource: {} }), "missing-field", "tests.0.request.copySource", "the bucket's name"],
  [
    withTest({}, { set: { bucketKey: "on" } }),
    "unknown-value",
    "tests.0.expect.set.bucketKey",
    "true, false or null",
  ],
  [withTest({}, { why: "sett" }), "unknown-value", "tests.0.expect.why", "Did you mean set?"],
  [withTest({ kmsKey: "@lke" }), "undefined-key", "tests.0.request.kmsKey", "Did you mean @lake?"],
  [withTest({}, { set: { kmsKey: "@x" } }), "undefined-key", "tests.0.expect.set.kmsKey", "isn't in kmsKeys"],
];

function briefly(issues: readonly PolicyIssue[]): readonly string[] {
  return issues.map(({ code, path }) => `${code} at ${path.join(".")}`);
}

/** A piece of a path as it stands in one: positions in lists are numbers. */
function numbered(piece: string): string | number {
  return /^\d+$/.test(piece) ? Number(piece) : piece;
}

describe("checkPolicy", () => {
  it.each(MISTAKES)("%o: %s at %s", (policy, code, path, says) => {
    const issues = checkPolicy(policy);
    expect(briefly(issues)).toEqual([`${code} at ${path}`]);
    expect(issues[0]?.message).toContain(says);
  });

  it("says what to write in a sentence, whatever the mistake", () => {
    for (const [policy] of [...MISTAKES, ...TEST_MISTAKES]) {
      for (const { message } of checkPolicyAndTests(policy)) expect(message).toMatch(/^.{20,}[.?]$/s);
    }
  });

  it.each([
    [withRule({ reason: true }), "Expected text, found true."],
    [withRule({ reason: 7 }), 'Expected text, found 7. Put it in quotes: "7".'],
    [withRule({ reason: " " }), "Expected text, found an empty one."],
    [{ version: 1, rules: {} }, "Expected a list, found fields."],
    [{ version: 1, rules: "r" }, 'Expected a list, found "r". Write ["r"].'],
    [withRule({ bucketKye: 1 }), '"bucketKye" isn\'t a field here. Did you mean bucketKey?'],
    [withRule({ onConflict: "yes" }), '"yes" isn\'t known here: write override, keep-caller or refuse.'],
    [
      withRule({ bucketKey: "yes" }),
      '"yes" isn\'t known here: write on, off, leave, true or false. Did you mean on?',
    ],
  ])("says of %j: %s", (policy, message) => {
    expect(checkPolicy(policy).map((issue) => issue.message)).toEqual([message]);
  });

  it("shows no more than a piece of a long value", () => {
    const [issue] = checkPolicy({ version: "x".repeat(10_000) });
    expect(issue?.message.length).toBeLessThan(200);
  });

  it("reports all mistakes of shape at once, and those of meaning only when there are none", () => {
    const rule = { ...ok, kmsKey: "@nope", onExpiry: "drop", envelope: "seal" };
    expect(briefly(checkPolicy({ version: 2, rules: [{ ...rule, mode: "x" }, 5] }))).toEqual([
      "wrong-version at version",
      "unknown-value at rules.0.mode",
      "wrong-type at rules.1",
    ]);
    expect(briefly(checkPolicy({ version: 1, rules: [rule, ok] }))).toEqual([
      "undefined-key at rules.0.kmsKey",
      "expiry-without-date at rules.0.onExpiry",
      "seal-that-expires at rules.0.onExpiry",
      "duplicate-id at rules.1.id",
    ]);
  });

  it.each(["on", "off", "leave", true, false])("takes bucketKey: %s", (bucketKey) => {
    expect(checkPolicy({ ...withRule({ bucketKey }), defaults: { bucketKey } })).toEqual([]);
  });

  it.each<[field: string, words: readonly string[]]>([
    ["bucketKey", ["on", "off", "leave"]],
    ["mode", ["enforce", "audit", "off"]],
    ["whenSseUnset", ["leave", "lookup", "send"]],
    ["onLookupFailure", ["leave", "refuse"]],
    ["onUnproven", ["pass", "strip", "refuse"]],
    ["presigned", ["skip", "header", "refuse"]],
    ["onConflict", ["override", "keep-caller", "refuse"]],
    ["onKeyConflict", ["refuse", "keep-caller", "override"]],
    ["envelope", ["leave", "seal", "unseal"]],
  ])("takes as %s each of %j, and no other word", (field, words) => {
    for (const word of words) expect(checkPolicy(withRule({ [field]: word }))).toEqual([]);
    for (const unknown of ["", "zebra"]) {
      const [issue] = checkPolicy(withRule({ [field]: unknown }));
      expect(issue).toMatchObject({ code: "unknown-value", path: ["rules", 0, field] });
      // The sentence offers exactly these words.
      const offered = /write (.*?)\./.exec(issue?.message ?? "")?.[1]?.split(/, | or /) ?? [];
      expect(offered.filter((word) => word !== "true" && word !== "false")).toEqual(words);
    }
  });

  it("takes onExpiry where there is a date: keep or drop", () => {
    for (const onExpiry of ["keep", "drop"]) {
      expect(checkPolicy(withRule({ expires: "2027-01-01", onExpiry }))).toEqual([]);
    }
  });

  it.each<[field: string, words: readonly string[]]>([
    ["sse", ["unset", "aws:kms", "AES256", "aws:kms:dsse", "SSE-C", "aws:fsx", "aws:backup"]],
    ["bucketType", ["general-purpose", "directory", "access-point", "outposts", "object-lambda", "unknown"]],
    [
      "operations",
      [
        "PutObject",
        "CopyObject",
        "CreateMultipartUpload",
        "PostObject",
        "UpdateObjectEncryption",
        "PutBucketEncryption",
      ],
    ],
  ])("takes as a match on %s each of %j, and no other word", (field, words) => {
    expect(checkPolicy(withRule({ match: { [field]: words }, except: { [field]: words.slice(1) } }))).toEqual(
      [],
    );
    const [issue] = checkPolicy(withRule({ match: { [field]: ["zebra"] } }));
    expect(/write (.*)\.$/.exec(issue?.message ?? "")?.[1]?.split(/, | or /)).toEqual(words);
  });

  it.each([
    ["kmsKey", `x${KEY}`, "bad-key-arn"],
    ["kmsKey", `${KEY}/x`, "bad-key-arn"],
    ["kmsKey", KEY.replace("111122223333", "1111222233334"), "bad-key-arn"],
    ["kmsKey", KEY.replace(":kms:", ":s3:"), "bad-key-arn"],
    ["kmsKey", KEY.replace("eu-west-1", ""), "bad-key-arn"],
    ["kmsKey", KEY.replace("arn:aws", "arn:"), "bad-key-arn"],
    ["kmsKey", KEY.replace(/key\/.*/, "key/"), "bad-key-arn"],
    ["kmsKey", "lake@sea", "bad-key-arn"],
    ["expires", "x2027-06-30", "bad-date"],
    ["expires", "2027-06-30T12:00:00Z", "bad-date"],
    ["expires", "2027-6-30", "bad-date"],
    ["expires", "2027-13-01", "bad-date"],
    ["expires", "1969-12-31", "bad-date"],
  ])("takes as %s not %s: %s", (field, written, code) => {
    expect(briefly(checkPolicy(withRule({ [field]: written })))).toEqual([`${code} at rules.0.${field}`]);
    if (field !== "kmsKey") return;
    const named = { version: 1, kmsKeys: { lake: { arn: written } } };
    expect(briefly(checkPolicy(named))).toEqual([`${code} at kmsKeys.lake.arn`]);
  });

  it.each(["xalias/lake", "alias/", "lake/alias/x"])("takes as an alias not %s", (alias) => {
    const policy = { version: 1, kmsKeys: { lake: { arn: KEY, aliases: [alias] } } };
    expect(briefly(checkPolicy(policy))).toEqual(["bad-alias at kmsKeys.lake.aliases.0"]);
  });

  it.each(["1111222233334", "x111122223333", "11112222333", "11112222333x"])(
    "takes as an account not %s",
    (account) => {
      expect(briefly(checkPolicy(withRule({ match: { accounts: [account] } })))).toEqual([
        "bad-account at rules.0.match.accounts.0",
      ]);
    },
  );

  it("takes every field, absent ones written as undefined, and empty parts that say nothing", () => {
    const match = {
      buckets: ["acme-*"],
      keys: ["*.gz"],
      prefixes: ["a/"],
      operations: ["PutObject", "PutBucketEncryption"],
      sse: ["unset"],
      kmsKeys: [KEY],
      bucketType: ["general-purpose"],
      regions: ["eu-west-1"],
      accounts: ["111122223333"],
    };
    const defaults = {
      bucketKey: "on",
      mode: "audit",
      whenSseUnset: "lookup",
      onLookupFailure: "refuse",
      onUnproven: "strip",
      presigned: "header",
    };
    const rule = {
      ...ok,
      ...defaults,
      match,
      except: { keys: ["*.tmp"] },
      kmsKey: "@mrk",
      onConflict: "refuse",
      onKeyConflict: "override",
      envelope: undefined,
      expires: "2028-02-29",
      onExpiry: "drop",
    };
    const kmsKeys = {
      lake: { arn: KEY, aliases: ["alias/lake"] },
      mrk: "arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab",
    };
    expect(
      checkPolicy({ $schema: "x.json", version: 1, defaults, kmsKeys, rules: [rule], tests: [] }),
    ).toEqual([]);
    expect(checkPolicy({ version: 1, defaults: {}, kmsKeys: {}, rules: [{ ...ok, match: {} }] })).toEqual([]);
    const seal = { ...ok, envelope: "seal", match: { buckets: ["a"] }, except: { prefixes: ["b/"] } };
    expect(checkPolicy({ version: 1, rules: [seal] })).toEqual([]);
    // Not all that match takes is taken away again: another item, another field.
    expect(checkPolicy(withRule({ match: { buckets: ["a", "b"] }, except: { buckets: ["a"] } }))).toEqual([]);
    const narrow = { match: { buckets: ["a"], keys: ["k"] }, except: { buckets: ["a"], keys: ["z"] } };
    expect(checkPolicy(withRule(narrow))).toEqual([]);
    const mixed = { operations: ["PutObject", "PutBucketEncryption"], keys: ["a"] };
    expect(checkPolicy(withRule({ match: mixed }))).toEqual([]);
  });

  it("leaves the tests in a policy to those who run them", () => {
    expect(checkPolicy({ version: 1, tests: ["anything"] })).toEqual([]);
  });
});

describe("checkPolicyAndTests", () => {
  it.each(TEST_MISTAKES)("%j: %s at %s", (policy, code, path, says) => {
    const issues = checkPolicyAndTests(policy);
    expect(briefly(issues)).toEqual([`${code} at ${path}`]);
    expect(issues[0]?.message).toContain(says);
  });

  it.each([
    ["Bucket", "bucket"],
    ["Key", "key"],
    ["ServerSideEncryption", "sse"],
    ["SSEKMSKeyId", "kmsKey"],
    ["BucketKeyEnabled", "bucketKey"],
    ["SSEKMSEncryptionContext", "ownContext: true"],
    ["SSECustomerAlgorithm", "sse: SSE-C"],
    ["SSECustomerKey", "sse: SSE-C"],
    ["CopySource", "copySource, with bucket in it"],
  ])("knows the SDK's member %s as %s", (member, fact) => {
    const [issue] = checkPolicyAndTests(withTest({ [member]: "x" }));
    expect(issue?.message).toBe(`"${member}" isn't a field here. Write ${fact}.`);
  });

  it.each<[field: string, words: readonly unknown[]]>([
    ["decision", ["pass", "amend", "refuse"]],
    ["why", Object.keys(WHY_DECISION)],
    ["mode", ["enforce", "audit", "off"]],
    ["seal", ["seal", "unseal", "leave"]],
    ["rule", ["any"]],
    ["notes", [["kept-key", "unknown-key", "expired-rule", "own-context"], []]],
    ["set", [{ sse: "aws:kms", kmsKey: "@lake" }, { bucketKey: true }, { bucketKey: false }]],
  ])("lets a test expect as %s each of %j", (field, words) => {
    for (const word of words) expect(checkPolicyAndTests(withTest({}, { [field]: word }))).toEqual([]);
    expect(checkPolicyAndTests(withTest({}, { [field]: field === "rule" ? 7 : "zebra" }))).toHaveLength(1);
  });

  it("lets a request state every fact", () => {
    const facts = {
      key: "k",
      bucketType: "access-point",
      sse: "aws:kms",
      kmsKey: "@lake",
      bucketKey: false,
      ownContext: true,
      copySource: { bucket: "b", bucketType: "directory" },
      bucketDefault: { sse: "aws:kms", kmsKey: KEY, bucketKey: true },
      presigning: false,
      region: "eu-west-1",
      account: "111122223333",
      now: "2027-06-30T12:00:00Z",
    };
    expect(checkPolicyAndTests(withTest(facts))).toEqual([]);
  });

  it.each(["x2027-06-30", "2027-06-30x", "2027-06-30T", "2027-6-30"])("takes as a time not %s", (now) => {
    expect(briefly(checkPolicyAndTests(withTest({ now })))).toEqual(["bad-date at tests.0.request.now"]);
  });

  it.each([
    [{ operation: undefined }, "", "operation is missing: write operation: an operation such as PutObject."],
    [{ bucket: undefined }, "", "bucket is missing: write bucket: the bucket's name."],
    [{ copySource: {} }, ".copySource", "bucket is missing: write bucket: the bucket's name."],
    [
      { bucketDefault: { bucketKey: true } },
      ".bucketDefault",
      "sse is missing: write sse: the bucket's default algorithm.",
    ],
    [
      { bucketDefault: { sse: "AES256" } },
      ".bucketDefault",
      "bucketKey is missing: write bucketKey: true or false.",
    ],
  ])("says what a request without something needed must name: %j", (request, path, message) => {
    expect(checkPolicyAndTests(withTest(request))).toEqual([
      { code: "missing-field", path: `tests.0.request${path}`.split(".").map(numbered), message },
    ]);
  });

  it("says what a test without something needed must name", () => {
    expect(checkPolicyAndTests({ version: 1, tests: [{}] }).map(({ message }) => message)).toEqual([
      "name is missing: write name: what is tested.",
      "request is missing: write request: the request.",
      "expect is missing: write expect: what must be decided.",
    ]);
  });

  it("reports the meaning of rules and tests together", () => {
    const policy = { ...withTest({ kmsKey: "@no" }), rules: [{ ...ok, kmsKey: "@nay" }] };
    expect(briefly(checkPolicyAndTests(policy))).toEqual([
      "undefined-key at rules.0.kmsKey",
      "undefined-key at tests.0.request.kmsKey",
    ]);
  });

  it("takes every operation that the plugin knows as a request, and no other field than facts", () => {
    for (const operation of [...Object.keys(OPERATIONS), "PostObject"]) {
      expect(checkPolicyAndTests(withTest({ operation }))).toEqual([]);
    }
    expect(briefly(checkPolicyAndTests(withTest({ size: 1 })))).toEqual([
      "unknown-field at tests.0.request.size",
    ]);
    expect(
      checkPolicyAndTests(withTest({ now: "2027-06-30", presigning: true, bucketDefault: "lookup-failed" })),
    ).toEqual([]);
    expect(checkPolicyAndTests(withTest({}, { notes: [], set: { bucketKey: null } }))).toEqual([]);
  });
});

describe("checkRequest", () => {
  it("finds mistakes of shape, then unknown names", () => {
    const policy = { version: 1, kmsKeys: { lake: KEY } } as const;
    expect(briefly(checkRequest(policy, { operation: "PutObject" }))).toEqual(["missing-field at "]);
    const request = { operation: "PutObject", bucket: "b" };
    expect(briefly(checkRequest(policy, { ...request, kmsKey: "@sea" }))).toEqual([
      "undefined-key at kmsKey",
    ]);
    expect(checkRequest(policy, { ...request, kmsKey: "@lake" })).toEqual([]);
  });
});

describe("the table of fields", () => {
  it("can be used for a part of a policy", () => {
    expect(briefly(checkShape({ buckts: ["a"] }, POLICY.of["rules"] as never))).toEqual(["wrong-type at "]);
  });
});
