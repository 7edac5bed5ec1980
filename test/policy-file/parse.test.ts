import { describe, expect, it } from "vitest";
import { parsePolicy } from "../../src/policy-file/parse.ts";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
/** Five lines, so that a rule's own fields begin in line 6, column 5. */
const HEAD = `version: 1
kmsKeys:
  lake: ${KEY}
rules:
  - id: lake
    reason: because
`;
const bomb = [
  "version: 1",
  "a: &a [x,x,x,x,x,x,x,x,x,x]",
  ..."bcdefghi".split("").map((c, i) => {
    const before = "abcdefgh"[i] ?? "";
    return `${c}: &${c} [${Array.from({ length: 10 }, () => `*${before}`).join(",")}]`;
  }),
].join("\n");

/** A text, and all that is said about it: `line:column code`, and a piece of each sentence. */
const MISTAKES: readonly (readonly [what: string, text: string, ...issues: (readonly [string, string])[]])[] =
  [
    // Syntax.
    ["a colon too many", "version: 1\nrules: a: b\n", ["2:8 syntax", "Look at the indentation"]],
    ["a bracket left open", "version: 1\nrules: [\n", ["3:1 syntax", "This isn't YAML"]],
    ["a tab as indentation", "version: 1\nrules:\n\t- id: a\n", ["3:1 tab", "write spaces"]],
    ["a field that stands twice", "version: 1\nrules: []\nversion: 1\n", ["3:1 duplicate-field", "keep one"]],
    [
      "JSON with a field that stands twice",
      '{\n  "version": 1,\n  "version": 1\n}',
      ["3:3 duplicate-field", "keep one"],
    ],
    ["an alias bomb", bomb, ["3:8 alias-bomb", "write the values out"]],
    ["an alias of nothing", "version: 1\nrules: *rules\n", ["2:8 unknown-alias", "put &rules before"]],
    [
      "a pattern that begins with a star, unquoted",
      "version: 1\nrules:\n  - { id: a, reason: b, match: { buckets: [*-logs] } }\n",
      ["3:44 unknown-alias", "quote a pattern that starts with *"],
    ],
    ["a tag", "version: 1\nrules: !Ref []\n", ["2:8 unknown-tag", "write the plain value"]],
    ["a file of 10 MB", `version: 1\n#${" ".repeat(10_000_000)}`, ["1:1 too-large", "10 MB"]],
    ["a file of 10 MB in fewer characters", `#${"é".repeat(5_000_000)}`, ["1:1 too-large", "10 MB"]],
    ["nesting without end", "[".repeat(100_000), ["1:1 too-deep", "nested too deeply"]],
    ["an empty file", "", ["1:1 empty-file", "write at least version: 1"]],
    ["only a comment", "# nothing yet\n", ["1:1 empty-file", "version: 1"]],
    ["null", "~\n", ["1:1 empty-file", "version: 1"]],
    ["two documents", "version: 1\n---\nversion: 1\n", ["2:1 several-documents", "one policy per file"]],
    [
      "several mistakes of syntax at once",
      "version: 1\nversion: 1\nrules: !x []\n",
      ["2:1 duplicate-field", "twice"],
      ["3:8 unknown-tag", "plain value"],
    ],
    // Shape.
    ["a list", "- version: 1\n", ["1:1 wrong-type", "Expected fields such as version, found a list."]],
    ["prose", "hello\n", ["1:1 wrong-type", 'found "hello"']],
    ["no version", "rules: []\n", ["1:1 missing-field", "write version: 1."]],
    ["another version", "version: 2\n", ["1:10 wrong-version", "write 1"]],
    ["an unknown field", `${HEAD}    bucketKye: on\n`, ["7:5 unknown-field", "Did you mean bucketKey?"]],
    [
      "a field in the wrong place",
      `${HEAD}    buckets: [a]\n`,
      ["7:5 unknown-field", "Write it under match."],
    ],
    ["a wrong type", `${HEAD}    match: { buckets: acme-* }\n`, ["7:23 wrong-type", 'Write ["acme-*"].']],
    [
      "a number for an account",
      `${HEAD}    match: { accounts: [111122223333] }\n`,
      ["7:25 wrong-type", "Put it in quotes"],
    ],
    ["an empty list", `${HEAD}    match: { buckets: [] }\n`, ["7:23 empty-list", "leave the field out"]],
    ["an empty field", `${HEAD}    match:\n`, ["7:11 wrong-type", "found nothing"]],
    [
      "an unknown operation",
      `${HEAD}    match:\n      operations:\n        - PutObjct\n`,
      ["9:11 unknown-operation", "Did you mean PutObject?"],
    ],
    ["an unknown value", `${HEAD}    mode: enforced\n`, ["7:11 unknown-value", "Did you mean enforce?"]],
    ["a YAML 1.1 word for on", `${HEAD}    bucketKey: yes\n`, ["7:16 unknown-value", "write on, off, leave"]],
    ["an alias for a key ARN", `${HEAD}    kmsKey: alias/lake\n`, ["7:13 bad-key-arn", "no alias"]],
    [
      "a malformed key ARN",
      `${HEAD}    kmsKey: arn:aws:kms:eu-west-1:1:key/x\n`,
      ["7:13 bad-key-arn", "arn:aws:kms:REGION:ACCOUNT:key/ID"],
    ],
    ["a day that doesn't exist", `${HEAD}    expires: 2027-02-29\n`, ["7:14 bad-date", "a day that exists"]],
    [
      "a rule without reason",
      "version: 1\nrules:\n  - id: lake\n",
      ["3:5 missing-field", "why the rule exists"],
    ],
    [
      "a field that defaults don't take",
      "version: 1\ndefaults: { kmsKey: x }\n",
      ["2:13 not-a-default", "in each rule"],
    ],
    [
      "an alias that is none",
      `version: 1\nkmsKeys: { a: { arn: "${KEY}", aliases: [a] } }\n`,
      ["2:111 bad-alias", "alias/NAME"],
    ],
    [
      "several mistakes of shape at once, and none of meaning yet",
      `${HEAD}    kmsKey: "@sea"\n    mod: audit\n    expires: soon\n`,
      ["8:5 unknown-field", "Did you mean mode?"],
      ["9:14 bad-date", "YYYY-MM-DD"],
    ],
    // Meaning.
    ["an undefined @name", `${HEAD}    kmsKey: "@lkae"\n`, ["7:13 undefined-key", "Did you mean @lake?"]],
    ["an id twice", `${HEAD}  - id: lake\n    reason: x\n`, ["7:9 duplicate-id", "write a new one"]],
    [
      "the reserved id",
      "version: 1\nrules: [{ id: defaults, reason: x }]\n",
      ["2:15 reserved-id", "another id"],
    ],
    [
      "onExpiry without expires",
      `${HEAD}    onExpiry: drop\n`,
      ["7:15 expiry-without-date", "write expires too"],
    ],
    [
      "a seal that expires",
      `${HEAD}    envelope: seal\n    expires: 2027-01-01\n    onExpiry: drop\n`,
      ["9:15 seal-that-expires", "envelope: unseal when the day comes"],
    ],
    [
      "keys of a bucket operation",
      `${HEAD}    match: { operations: [PutBucketEncryption], keys: [a] }\n`,
      ["7:55 bucket-operation-with-keys", "list operations on objects"],
    ],
    [
      "an envelope matched by operation",
      `${HEAD}    envelope: seal\n    match: { operations: [PutObject] }\n`,
      ["8:14 envelope-match", "buckets, keys and prefixes only"],
    ],
    [
      "a contradiction",
      `${HEAD}    match: { buckets: [a] }\n    except: { buckets: [a, b] }\n`,
      ["8:13 contradiction", "a narrower one"],
    ],
    [
      "an alias of two keys",
      `version: 1\nkmsKeys:\n  a: { arn: "${KEY}", aliases: [alias/x] }\n  b: { arn: "${KEY}", aliases: [alias/x] }\n`,
      ["4:102 duplicate-alias", "an alias has one key"],
    ],
    [
      "several mistakes of meaning at once, found in a merged rule too",
      `version: 1\nrules:\n  - &r { id: a, reason: x, onExpiry: keep }\n  - *r\n`,
      ["3:38 expiry-without-date", "leave it out"],
      ["3:14 duplicate-id", "a new one"],
      ["3:38 expiry-without-date", "leave it out"],
    ],
    // The policy's own tests.
    [
      "tests that fail",
      `${HEAD}    mode: off
tests:
  - name: is enforced
    request: { operation: PutObject, bucket: b, now: 2027-01-01 }
    expect: { rule: lake, mode: enforce, why: set }
  - name: has a key
    request: { operation: PutObject, bucket: b }
    expect:
      set: { kmsKey: "@lake" }
`,
      ["11:33 failed-test", 'Test "is enforced" expects mode enforce and gets off'],
      ["11:47 failed-test", "expects why set and gets off (pass, off, rule lake)"],
      ["15:12 failed-test", `expects set {"kmsKey":"${KEY}"} and gets nothing`],
    ],
  ];

describe("parsePolicy", () => {
  it.each(MISTAKES.map((mistake) => [mistake[0], mistake] as const))("%s", (_what, [, text, ...expected]) => {
    const { policy, issues = [] } = parsePolicy(text, { file: "p.yaml" });
    expect(policy).toBeUndefined();
    expect(issues.map(({ line, column, code }) => `${line}:${column} ${code}`)).toEqual(
      expected.map(([place]) => place),
    );
    for (const [i, issue] of issues.entries()) {
      expect(issue.message).toContain(expected[i]?.[1]);
      expect(issue.message).toMatch(/^.{20,}[.?]$/s);
      expect(issue.at).toBe(`p.yaml:${issue.line}:${issue.column}`);
    }
  });

  it("knows at least thirty kinds of mistakes", () => {
    const codes = MISTAKES.flatMap(([, , ...issues]) => issues.map(([place]) => place.split(" ")[1]));
    expect(new Set(codes).size).toBeGreaterThanOrEqual(30);
  });

  it.each([
    ["version: 1\ndefaults: { bucketKey: on }\n", "on"],
    ["version: 1\ndefaults: { bucketKey: off }\n", "off"],
    ["version: 1\ndefaults: { bucketKey: true }\n", true],
    ["%YAML 1.1\n---\nversion: 1\ndefaults: { bucketKey: off }\n", false],
  ])("reads bucketKey as YAML 1.2 and 1.1 tools write it: %j is %s", (text, bucketKey) => {
    expect(parsePolicy(text).policy?.defaults).toEqual({ bucketKey });
  });

  it("reads JSON alike, indented with tabs, with a byte order mark and $schema", () => {
    const json = `\uFEFF{\n\t"$schema": "bucket-keys.schema.json",\n\t"version": 1,\n\t"defaults": {\n\t\t"mode": "audit"\n\t}\n}\n`;
    expect(parsePolicy(json)).toEqual({ policy: { version: 1, defaults: { mode: "audit" } } });
    const { issues } = parsePolicy(
      '{\n  "version": 1,\n  "rules": [{ "id": "a", "reason": "x", "mode": "on" }]\n}',
    );
    expect(issues?.[0]).toMatchObject({
      at: "policy:3:49",
      code: "unknown-value",
      path: ["rules", 0, "mode"],
    });
  });

  it("reads CRLF, comments, anchors and dates", () => {
    const { policy } = parsePolicy(
      `# top\r\nversion: 1 # always\r\nrules:\r\n  - id: a\r\n    reason: &why x\r\n    expires: 2027-06-30\r\n  - id: b\r\n    reason: *why\r\n`,
    );
    expect(policy?.rules).toEqual([
      { id: "a", reason: "x", expires: "2027-06-30" },
      { id: "b", reason: "x" },
    ]);
  });

  it("runs the tests of a policy, and gives it when they pass", () => {
    const { policy } = parsePolicy(
      `${HEAD}    kmsKey: "@lake"\ntests:\n  - name: t\n    request: { operation: PutObject, bucket: b }\n    expect: { why: completed, set: { kmsKey: "@lake", sse: "aws:kms" } }\n`,
    );
    expect(policy?.tests).toHaveLength(1);
  });
});
