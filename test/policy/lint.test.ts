import { describe, expect, it } from "vitest";
import { lintPolicy } from "../../src/policy/lint.ts";
import type { Policy, PolicyRule } from "../../src/policy/policy.ts";
import { checkPolicyAndTests } from "../../src/policy/in-file-tests.ts";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const now = new Date("2026-11-25T12:00:00Z");

/** A rule that is fine by itself. */
const fine = { id: "r", reason: "x", bucketKey: "on", kmsKey: KEY } as const;
const rules = (...given: readonly Partial<PolicyRule>[]): Policy => ({
  version: 1,
  rules: given.map((rule, i) => ({ id: `r${i}`, reason: "x", ...rule })),
});
const keyed = (fields: Partial<PolicyRule> = {}): Partial<PolicyRule> => ({
  bucketKey: "on",
  kmsKey: KEY,
  ...fields,
});

const FINDINGS: readonly (readonly [what: string, policy: Policy, findings: readonly string[]])[] = [
  ["a policy that says nothing", { version: 1 }, []],
  ["a good rule", rules(keyed()), []],
  [
    "a rule behind one that takes all",
    rules(keyed(), keyed({ match: { buckets: ["a"] } })),
    ["unreachable rules.1"],
  ],
  [
    "a rule that repeats another",
    rules(keyed({ match: { buckets: ["a"] } }), keyed({ match: { buckets: ["a"] }, mode: "off" })),
    ["duplicate rules.1"],
  ],
  [
    "a rule behind one that will be dropped",
    rules(keyed({ expires: "2030-01-01", onExpiry: "drop" }), keyed()),
    [],
  ],
  [
    "a rule that seals, behind one that doesn't",
    rules(keyed(), { envelope: "seal", match: { buckets: ["vault"] } }),
    [],
  ],
  [
    "a rule that seals, behind one that seals more",
    rules({ envelope: "seal" }, { envelope: "unseal", match: { buckets: ["vault"] } }),
    ["unreachable rules.1"],
  ],
  [
    "rules that seal nothing",
    rules({ envelope: "unseal", match: { buckets: ["a"] } }, { envelope: "leave" }),
    [],
  ],
  [
    "a rule that repeats another's ?",
    rules(keyed({ match: { buckets: ["b?"] } }), keyed({ match: { buckets: ["b?"] } })),
    ["duplicate rules.1"],
  ],
  ["an expired rule", rules(keyed({ expires: "2026-11-24" })), ["expired rules.0.expires"]],
  ["a rule on its last day", rules(keyed({ expires: "2026-11-25" })), []],
  [
    "an expired rule that is dropped",
    rules(keyed({ expires: "2026-11-24", onExpiry: "drop" })),
    ["expired rules.0.expires"],
  ],
  [
    "onConflict with leave",
    rules({ kmsKey: KEY, bucketKey: "leave", onConflict: "refuse" }),
    ["no-effect rules.0.onConflict"],
  ],
  [
    "onKeyConflict without kmsKey",
    rules({ bucketKey: "on", whenSseUnset: "send", onKeyConflict: "refuse" }),
    ["no-effect rules.0.onKeyConflict"],
  ],
  [
    "both conflicts, with a flag and a key",
    rules(keyed({ onConflict: "refuse", onKeyConflict: "override" })),
    [],
  ],
  ["whenSseUnset with kmsKey", rules(keyed({ whenSseUnset: "send" })), ["no-effect rules.0.whenSseUnset"]],
  [
    "whenSseUnset without a flag",
    rules({ bucketKey: "leave", whenSseUnset: "send" }),
    ["no-effect rules.0.whenSseUnset"],
  ],
  [
    "onLookupFailure without lookup",
    rules({ bucketKey: "on", whenSseUnset: "send", onLookupFailure: "refuse" }),
    ["no-effect rules.0.onLookupFailure"],
  ],
  [
    "onLookupFailure with kmsKey",
    { ...rules(keyed({ onLookupFailure: "leave" })), defaults: { whenSseUnset: "lookup" } },
    ["no-effect rules.0.onLookupFailure"],
  ],
  [
    "onLookupFailure without a flag",
    rules({ bucketKey: "leave", whenSseUnset: "lookup", onLookupFailure: "leave" }),
    ["no-effect rules.0.whenSseUnset", "no-effect rules.0.onLookupFailure"],
  ],
  [
    "onLookupFailure with lookup",
    rules({ bucketKey: "on", whenSseUnset: "lookup", onLookupFailure: "refuse" }),
    [],
  ],
  [
    "onLookupFailure by default, looked up by nobody",
    { version: 1, defaults: { onLookupFailure: "refuse" } },
    ["no-effect defaults.onLookupFailure"],
  ],
  [
    "onLookupFailure by default, looked up by a rule",
    { ...rules({ bucketKey: "on", whenSseUnset: "lookup" }), defaults: { onLookupFailure: "refuse" } },
    [],
  ],
  [
    "directory buckets only",
    rules(keyed({ match: { bucketType: ["directory"] } })),
    ["no-effect rules.0.match.bucketType"],
  ],
  [
    "Outposts and Object Lambda only",
    rules(
      keyed({ match: { buckets: ["a"], bucketType: ["outposts"] } }),
      keyed({ match: { buckets: ["b"], bucketType: ["object-lambda"] } }),
    ),
    ["no-effect rules.0.match.bucketType", "no-effect rules.1.match.bucketType"],
  ],
  [
    "directory buckets among others",
    rules(keyed({ match: { bucketType: ["directory", "general-purpose"] } })),
    [],
  ],
  ["sealing in directory buckets", rules({ envelope: "seal", match: { buckets: ["*--x-s3"] } }), []],
  [
    "a name among the callers' keys",
    rules(keyed({ match: { kmsKeys: ["@lake"] } })),
    ["no-effect rules.0.match.kmsKeys"],
  ],
  [
    "a name and a pattern among the callers' keys",
    rules(keyed({ match: { kmsKeys: ["arn:*", "@lake"] } })),
    ["no-effect rules.0.match.kmsKeys"],
  ],
  ["a pattern for the callers' keys", rules(keyed({ match: { kmsKeys: ["arn:*"] } })), []],
  [
    "a rule that states nothing",
    { ...rules({ mode: "enforce" }), defaults: { bucketKey: "on" } },
    ["states-nothing rules.0"],
  ],
  ["an exemption", rules({ bucketKey: "leave" }, { mode: "off" }), ["duplicate rules.1"]],
  ["an exemption by mode", rules({ mode: "off" }), []],
  ["a rule about presigning only", rules({ presigned: "refuse" }), []],
  ["a rule about unproven flags only", rules({ onUnproven: "strip" }), []],
  ["a flag that silent requests never get", rules({ bucketKey: "on" }), ["unenforceable rules.0.bucketKey"]],
  [
    "the same, inherited",
    { ...rules({ bucketKey: "off" }), defaults: { whenSseUnset: "leave" } },
    ["unenforceable rules.0.bucketKey"],
  ],
  ["the same, off", rules({ bucketKey: "on", mode: "off" }), []],
  ["a flag with send inherited", { ...rules({ bucketKey: "off" }), defaults: { whenSseUnset: "send" } }, []],
  ["a flag for requests that name SSE-KMS", rules({ bucketKey: "on", match: { sse: ["aws:kms"] } }), []],
  [
    "a flag for silent requests",
    rules({ bucketKey: "on", match: { sse: ["unset"] } }),
    ["unenforceable rules.0.bucketKey"],
  ],
  [
    "a flag for operations that always name it",
    rules({ bucketKey: "on", match: { operations: ["UpdateObjectEncryption", "PutBucketEncryption"] } }),
    [],
  ],
  [
    "a flag for such an operation and another",
    rules({ bucketKey: "on", match: { operations: ["UpdateObjectEncryption", "PutObject"] } }),
    ["unenforceable rules.0.bucketKey"],
  ],
  [
    "a pattern among prefixes",
    rules(keyed({ match: { prefixes: ["a/", "logs/*"] } })),
    ["literal-wildcard rules.0.match.prefixes.1"],
  ],
  [
    "a pattern among excepted prefixes",
    rules(keyed({ except: { prefixes: ["?"] } })),
    ["literal-wildcard rules.0.except.prefixes.0"],
  ],
  [
    "slashes before prefixes and keys",
    rules(
      keyed({
        match: { prefixes: ["a/", "/logs/"], keys: ["/*.gz"] },
        except: { prefixes: ["//"], keys: ["a"] },
      }),
    ),
    [
      "leading-slash rules.0.match.prefixes.1",
      "leading-slash rules.0.match.keys.0",
      "leading-slash rules.0.except.prefixes.0",
    ],
  ],
  ["an unused key", { version: 1, kmsKeys: { lake: KEY } }, ["unused-key kmsKeys.lake"]],
  [
    "an unused key beside a rule's own",
    { ...rules(keyed()), kmsKeys: { lake: KEY } },
    ["unused-key kmsKeys.lake"],
  ],
  [
    "an unused key without aliases beside a rule's own",
    { ...rules(keyed()), kmsKeys: { lake: { arn: KEY } } },
    ["unused-key kmsKeys.lake"],
  ],
  [
    "a key with aliases where rules have no key",
    {
      ...rules({ bucketKey: "on", whenSseUnset: "send" }),
      kmsKeys: { lake: { arn: KEY, aliases: ["alias/lake"] } },
    },
    ["unused-key kmsKeys.lake"],
  ],
  ["a used key", { ...rules(keyed({ kmsKey: "@lake" })), kmsKeys: { lake: KEY } }, []],
  [
    "a key with aliases where no rule has a key",
    { version: 1, kmsKeys: { lake: { arn: KEY, aliases: ["alias/lake"] } } },
    ["unused-key kmsKeys.lake"],
  ],
  [
    "a key whose aliases tell it from the rule's",
    { ...rules(keyed()), kmsKeys: { lake: { arn: KEY, aliases: ["alias/lake"] } } },
    [],
  ],
  [
    "a key that only a test uses",
    {
      version: 1,
      kmsKeys: { lake: KEY },
      tests: [
        {
          name: "t",
          request: { operation: "PutObject", bucket: "b", kmsKey: "@lake" },
          expect: { rule: "defaults" },
        },
      ],
    },
    [],
  ],
  [
    "one key under two names",
    {
      ...rules(keyed({ kmsKey: "@a" }), keyed({ kmsKey: "@b", match: { buckets: ["b"] } })),
      kmsKeys: { a: KEY, b: KEY },
    },
    ["duplicate-key kmsKeys.b", "unreachable rules.1"],
  ],
];

describe("lintPolicy", () => {
  it.each(FINDINGS)("%s", (_what, policy, findings) => {
    expect(checkPolicyAndTests(policy)).toEqual([]);
    const found = lintPolicy(policy, { now });
    expect(found.map(({ code, path }) => `${code} ${path.join(".")}`)).toEqual(findings);
  });

  it.each([
    ["logs/*/x?", "logs/"],
    ["a?b", "a"],
  ])("says what to write instead of the pattern %s among prefixes", (prefix, instead) => {
    const [finding] = lintPolicy(rules(keyed({ match: { prefixes: [prefix] } })), { now });
    expect(finding?.message).toBe(
      `In prefixes, * and ? stand for themselves: write ${instead} here, or the pattern under keys.`,
    );
  });

  it("says what to write instead of a slash", () => {
    const policy = rules(keyed({ match: { prefixes: ["/", "//logs/"] } }));
    expect(lintPolicy(policy, { now }).map(({ message }) => message)).toEqual([
      "Object keys don't begin with a slash by themselves: leave it out, unless the callers' keys do.",
      "Object keys don't begin with a slash by themselves: write logs/, unless the callers' keys do.",
    ]);
  });

  it("calls what never applies or stops all work an error, and says what to do in every sentence", () => {
    for (const [, policy] of FINDINGS) {
      for (const { code, severity, message } of lintPolicy(policy, { now })) {
        const isError = ["unreachable", "duplicate"].includes(code);
        expect(severity).toBe(isError ? "error" : "warning");
        expect(message).toMatch(/^.{15,}[.:] .{8,}\.$/);
      }
    }
  });

  it.each([0, 40])(
    "finds the rule that takes all by either field of keys, and the first of several: behind %i others",
    (others) => {
      const wide = { ...fine, bucketKey: "off" } as const;
      const given: readonly PolicyRule[] = [
        { ...wide, id: "by-prefix", match: { buckets: ["a*"], prefixes: ["logs/"] } },
        { ...wide, id: "by-key", match: { buckets: ["b?"], keys: ["*.gz"] } },
        { ...wide, id: "later", match: { buckets: ["a*", "b?"], keys: ["*"] } },
        { ...fine, id: "1", match: { buckets: ["ab"], prefixes: ["logs/x/"], keys: ["y*"] } },
        { ...fine, id: "2", match: { buckets: ["bb", "bc"], prefixes: ["x/"], keys: ["a*.gz"] } },
        { ...fine, id: "3", match: { buckets: ["bb"], prefixes: ["x/"] } },
      ];
      // Among many rules an index finds the few that can take all.
      const before = Array.from({ length: others }, (_, i): PolicyRule => ({
        ...fine,
        id: `other-${i}`,
        match: { buckets: ["a*", "b?"], prefixes: [`other-${i}/`] },
      }));
      const found = lintPolicy({ version: 1, rules: [...before, ...given] }, { now }).map(
        ({ message }) => message,
      );
      expect(found.map((message) => /^Rule (\S+) never decides: (\S+) /.exec(message)?.slice(1))).toEqual([
        ["1", "by-prefix"],
        ["2", "by-key"],
        ["3", "later"],
      ]);
    },
  );

  it("names both rules of an unreachable one", () => {
    const policy = {
      version: 1,
      rules: [fine, { ...fine, id: "later", match: { buckets: ["a"] } }],
    } as const;
    expect(lintPolicy(policy, { now })[0]?.message).toMatch(/^Rule later never decides: r stands before it/);
  });
});
