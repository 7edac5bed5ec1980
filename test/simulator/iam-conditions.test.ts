/** Conditions as AWS documents them, asked about the encryption contexts that S3 sends with and without a bucket key. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { askIdentityPolicies, askKeyPolicy } from "../../src/simulator/iam/evaluate.ts";
import { parsePolicy } from "../../src/simulator/iam/parse-policy.ts";
import { matches, parsePattern } from "../../src/simulator/iam/pattern.ts";
import type { PolicyStatement } from "../../src/simulator/iam/policy-document.ts";
import { principalOf } from "../../src/simulator/iam/principal.ts";
import { requestContext, type AccessRequest } from "../../src/simulator/iam/request-context.ts";

const ACCOUNT = "111122223333";
const KEY = `arn:aws:kms:eu-west-1:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const WHERE = { region: "eu-west-1", accountId: ACCOUNT, nowMs: Date.parse("2026-10-01T12:00:00Z") };
const BUCKET = "arn:aws:s3:::metrics-raw";
const OBJECT = `${BUCKET}/tenant-a/2026/x`;
const S3_ARN = "kms:EncryptionContext:aws:s3:arn";

type Pairs = Readonly<Record<string, string>>;

function request(encryptionContext: Pairs, tags: Pairs = {}, viaS3 = true): AccessRequest {
  const principal = principalOf(`arn:aws:sts::${ACCOUNT}:assumed-role/app/session`, tags);
  const context = requestContext(principal, { encryptionContext, viaS3, cryptographic: true }, WHERE);
  return { principal, action: "kms:Decrypt", resource: KEY, context };
}

const objectRequest = request({ "aws:s3:arn": OBJECT });
const bucketRequest = request({ "aws:s3:arn": BUCKET });
const bareRequest = request({});

type Conditions = NonNullable<PolicyStatement["Condition"]>;

/** Whether a statement with that condition is about the request. */
function holds(condition: Conditions, asked: AccessRequest, Effect = "Allow"): boolean {
  const statement = { Effect, Action: "kms:*", Resource: "*", Condition: condition };
  const policy = parsePolicy({ Version: "2012-10-17", Statement: statement }, "identity");
  return askIdentityPolicies([policy], asked) === (Effect === "Allow" ? "allows" : "denies");
}

describe("an Allow on the ARN that S3 sends, as another evaluator answers it", () => {
  it.each<[string, Conditions, object: boolean, bucket: boolean, none: boolean]>([
    ["StringEquals object ARN", { StringEquals: { [S3_ARN]: OBJECT } }, true, false, false],
    ["StringEquals bucket ARN", { StringEquals: { [S3_ARN]: BUCKET } }, false, true, false],
    ["StringEquals both", { StringEquals: { [S3_ARN]: [BUCKET, OBJECT] } }, true, true, false],
    ["StringEquals with a *", { StringEquals: { [S3_ARN]: `${BUCKET}/*` } }, false, false, false],
    ["StringLike bucket*", { StringLike: { [S3_ARN]: `${BUCKET}*` } }, true, true, false],
    ["StringLike bucket/*", { StringLike: { [S3_ARN]: `${BUCKET}/*` } }, true, false, false],
    ["ArnLike bucket/*", { ArnLike: { [S3_ARN]: `${BUCKET}/*` } }, true, false, false],
    ["StringNotEquals bucket ARN", { StringNotEquals: { [S3_ARN]: BUCKET } }, true, false, true],
  ])("%s", (_says, condition, object, bucket, none) => {
    const answers = [objectRequest, bucketRequest, bareRequest].map((asked) => holds(condition, asked));
    expect(answers).toEqual([object, bucket, none]);
  });
});

describe("what switching bucket keys on does to a statement", () => {
  const TAGGED = { "aws:PrincipalTag/team": "tenant-a" };
  const tags = { team: "tenant-a" };
  it.each<[class_: string, Effect: string, Conditions, before: boolean, after: boolean]>([
    ["allow-stops-matching", "Allow", { StringLike: { [S3_ARN]: `${BUCKET}/*` } }, true, false],
    ["allow-stops-matching", "Allow", { ArnEquals: { [S3_ARN]: `${BUCKET}/*` } }, true, false],
    ["allow-stops-matching", "Allow", { StringEquals: { [S3_ARN]: OBJECT } }, true, false],
    ["allow-stops-matching", "Allow", { "ForAnyValue:StringLike": { [S3_ARN]: `${BUCKET}/*` } }, true, false],
    ["allow-stops-matching", "Allow", { StringLikeIfExists: { [S3_ARN]: `${BUCKET}/*` } }, true, false],
    ["deny-starts-matching", "Deny", { StringNotLike: { [S3_ARN]: `${BUCKET}/*` } }, false, true],
    ["deny-stops-matching", "Deny", { StringLike: { [S3_ARN]: `${BUCKET}/tenant-a/*` } }, true, false],
    ["allow-starts-matching", "Allow", { StringNotLike: { [S3_ARN]: `${BUCKET}/tenant-a/*` } }, false, true],
    ["isolation-lost", "Allow", { StringLike: { [S3_ARN]: `${BUCKET}/tenant-a/*` } }, true, false],
    [
      "isolation-lost",
      "Allow",
      { StringLike: { [S3_ARN]: `${BUCKET}/\${aws:PrincipalTag/team}/*` }, StringEquals: TAGGED },
      true,
      false,
    ],
    ["unaffected", "Allow", { StringLike: { [S3_ARN]: [BUCKET, `${BUCKET}/*`] } }, true, true],
    ["unaffected", "Allow", { StringLike: { [S3_ARN]: `${BUCKET}*` } }, true, true],
    ["unaffected", "Allow", { Null: { [S3_ARN]: "false" } }, true, true],
    ["unaffected", "Deny", { Null: { [S3_ARN]: true } }, false, false],
    [
      "unaffected",
      "Allow",
      { "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": "aws:s3:arn" } },
      true,
      true,
    ],
    ["unaffected", "Allow", { StringEquals: { [S3_ARN]: `${BUCKET}/*` } }, false, false],
    ["repaired Deny", "Deny", { StringNotLike: { [S3_ARN]: [BUCKET, `${BUCKET}/*`] } }, false, false],
  ])("%s: %s %j", (_class, effect, condition, before, after) => {
    expect([
      holds(condition, request({ "aws:s3:arn": OBJECT }, tags), effect),
      holds(condition, request({ "aws:s3:arn": BUCKET }, tags), effect),
    ]).toEqual([before, after]);
  });
});

describe("an operator", () => {
  const own = { Project: "Alpha", Colons: "arn:aws:x:r:1:a:b", "aws:s3:arn": BUCKET };
  const asked = request(own, { team: "a*b" });
  const project = "kms:EncryptionContext:Project";

  it.each<[says: string, Conditions, holds: boolean]>([
    [
      "names of condition keys ignore case",
      { StringEquals: { "KMS:encryptioncontext:PROJECT": "Alpha" } },
      true,
    ],
    ["values do not", { StringEquals: { [project]: "alpha" } }, false],
    ["unless it says so", { StringEqualsIgnoreCase: { [project]: "aLPHA" } }, true],
    ["negated, ignoring case", { StringNotEqualsIgnoreCase: { [project]: "aLPHA" } }, false],
    [
      "names in the list of names are cased",
      { "ForAnyValue:StringEquals": { "kms:EncryptionContextKeys": "project" } },
      false,
    ],
    ["? is one character", { StringLike: { [project]: "Alph?" } }, true],
    ["? is not none", { StringLike: { [project]: "Alpha?" } }, false],
    ["negated: none of the values may fit", { StringNotEquals: { [project]: ["Beta", "Alpha"] } }, false],
    ["two keys: both have to hold", { StringEquals: { [project]: "Alpha", [S3_ARN]: "other" } }, false],
    [
      "two operators: both have to hold",
      { StringEquals: { [project]: "Alpha" }, StringLike: { [S3_ARN]: "*" } },
      true,
    ],
    [
      "IfExists holds without the key",
      { StringEqualsIfExists: { "kms:EncryptionContext:absent": "x" } },
      true,
    ],
    ["IfExists compares with it", { StringEqualsIfExists: { [project]: "x" } }, false],
    [
      "negated IfExists holds without the key",
      { StringNotEqualsIfExists: { "kms:EncryptionContext:absent": "x" } },
      true,
    ],
    [
      "ForAllValues holds without values",
      { "ForAllValues:StringEquals": { "kms:EncryptionContext:absent": "x" } },
      true,
    ],
    ["ForAnyValue does not", { "ForAnyValue:StringEquals": { "kms:EncryptionContext:absent": "x" } }, false],
    [
      "ForAllValues: one stranger is enough",
      { "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": ["Project"] } },
      false,
    ],
    [
      "ForAnyValue: one friend is enough",
      { "ForAnyValue:StringEquals": { "kms:EncryptionContextKeys": ["Project"] } },
      true,
    ],
    ["no values fit nothing", { StringEquals: { [project]: [] } }, false],
    ["Null true: the key is absent", { Null: { "kms:EncryptionContext:absent": "true" } }, true],
    ["ArnLike: part by part", { ArnLike: { [S3_ARN]: "arn:*:s3:::metrics-*" } }, true],
    [
      "ArnLike: a * stays in its part",
      { ArnLike: { "kms:EncryptionContext:Colons": "arn:aws:*:1:a:b" } },
      false,
    ],
    ["ArnNotLike", { ArnNotLike: { [S3_ARN]: "arn:aws:s3:::metrics-*" } }, false],
    ["ArnLike of what is no ARN", { ArnLike: { [project]: "arn:aws:s3:::*" } }, false],
    [
      "kms:ViaService is S3 of the region",
      { StringEquals: { "kms:ViaService": "s3.eu-west-1.amazonaws.com" } },
      true,
    ],
    ["kms:CallerAccount", { StringEquals: { "kms:CallerAccount": ACCOUNT } }, true],
    [
      "aws:PrincipalArn is the role's",
      { ArnEquals: { "aws:PrincipalArn": `arn:aws:iam::${ACCOUNT}:role/app` } },
      true,
    ],
    ["Bool", { Bool: { "aws:ViaAWSService": true } }, true],
    ["Bool of the JSON false", { Bool: { "aws:ViaAWSService": false } }, false],
    ["DateGreaterThan", { DateGreaterThan: { "aws:CurrentTime": "2026-10-01T00:00:00Z" } }, true],
    ["DateLessThan in seconds", { DateLessThan: { "aws:EpochTime": "1" } }, false],
    ["NumericGreaterThan", { NumericGreaterThan: { "aws:EpochTime": 1_000 } }, true],
    ["a policy variable", { StringEquals: { "kms:CallerAccount": "${aws:PrincipalAccount}" } }, true],
    [
      "wildcards in a variable's value are text",
      { StringLike: { "aws:PrincipalTag/team": "${aws:PrincipalTag/team}" } },
      true,
    ],
    ["... so they match nothing else", { StringLike: { [project]: "A${aws:PrincipalTag/team}" } }, false],
    ["${*} is a star", { StringLike: { "aws:PrincipalTag/team": "a${*}b" } }, true],
    [
      "a variable without a value fits nothing",
      { StringLike: { [project]: "${aws:PrincipalTag/none}*" } },
      false,
    ],
    ["... so its negation holds", { StringNotLike: { [project]: "${aws:PrincipalTag/none}*" } }, true],
    [
      "a variable with another value to fall back on",
      { StringLike: { [project]: "${aws:PrincipalTag/none, 'Alpha'}" } },
      true,
    ],
  ])("%s", (_says, condition, expected) => {
    expect(holds(condition, asked)).toBe(expected);
  });

  it("compares with plain text where the policy's version knows no variables", () => {
    const Condition = { StringEquals: { "kms:CallerAccount": "${aws:PrincipalAccount}" } };
    const policy = parsePolicy(
      { Statement: { Effect: "Allow", Action: "*", Resource: "*", Condition } },
      "identity",
    );
    expect(askIdentityPolicies([policy], asked)).toBe("silent");
  });

  it("does not see S3 in what a client asks itself", () => {
    const direct = request(own, {}, false);
    expect(holds({ Null: { "kms:ViaService": "true" } }, direct)).toBe(true);
    expect(holds({ Bool: { "aws:ViaAWSService": "false" } }, direct)).toBe(true);
  });
});

function ask(statement: Partial<PolicyStatement>): string {
  return askIdentityPolicies(
    [parsePolicy({ Version: "2012-10-17", Statement: { Effect: "Allow", ...statement } }, "identity")],
    objectRequest,
  );
}

describe("a statement", () => {
  it.each<[says: string, Partial<PolicyStatement>, string]>([
    ["the action in any case", { Action: "KMS:decrypt", Resource: KEY }, "allows"],
    ["a wildcard in the action", { Action: "kms:De*", Resource: KEY }, "allows"],
    ["another action", { Action: "kms:Encrypt", Resource: KEY }, "silent"],
    ["one of several actions", { Action: ["kms:Encrypt", "kms:Decrypt"], Resource: "*" }, "allows"],
    ["NotAction with it", { NotAction: "kms:Decrypt", Resource: "*" }, "silent"],
    ["NotAction without it", { NotAction: "iam:*", Resource: "*" }, "allows"],
    ["all keys of the account", { Action: "*", Resource: `arn:aws:kms:*:${ACCOUNT}:key/*` }, "allows"],
    ["another key", { Action: "*", Resource: `${KEY}0` }, "silent"],
    ["NotResource with it", { Action: "*", NotResource: KEY }, "silent"],
    ["an alias is no key", { Action: "*", Resource: `arn:aws:kms:eu-west-1:${ACCOUNT}:alias/x` }, "silent"],
    ["another service's Allow", { Action: "s3:*", Resource: "*" }, "silent"],
  ])("is about %s", (_says, statement, expected) => {
    expect(ask(statement)).toBe(expected);
  });
});

describe("the principal of a key policy", () => {
  const user = principalOf(`arn:aws:iam::${ACCOUNT}:user/team/alice`);
  const session = principalOf(`arn:aws:sts::${ACCOUNT}:assumed-role/app/session`);
  const root = principalOf(`arn:aws:iam::${ACCOUNT}:root`);
  it.each([
    ["everybody", "*", user, "allows"],
    ["everybody, as an AWS principal", { AWS: "*" }, user, "allows"],
    ["the account's id", { AWS: ACCOUNT }, user, "delegates"],
    ["the account's root ARN", { AWS: root.arn }, session, "delegates"],
    ["the root itself", { AWS: root.arn }, root, "allows"],
    ["the user", { AWS: user.arn }, user, "allows"],
    ["another user", { AWS: [`arn:aws:iam::${ACCOUNT}:user/bob`] }, user, "silent"],
    ["a session's role", { AWS: `arn:aws:iam::${ACCOUNT}:role/app` }, session, "allows"],
    ["a session's role with a path", { AWS: `arn:aws:iam::${ACCOUNT}:role/svc/app` }, session, "allows"],
    [
      "a session's role's namesake elsewhere",
      { AWS: "arn:aws:iam::999999999999:role/app" },
      session,
      "silent",
    ],
    ["that session", { AWS: session.arn }, session, "allows"],
    ["another session", { AWS: session.arn.replace("session", "other") }, session, "silent"],
    ["another account", { AWS: "999999999999" }, session, "silent"],
    ["a service", { Service: "s3.amazonaws.com" }, session, "silent"],
  ])("%s", (_says, Principal, principal, expected) => {
    const statement = { Effect: "Allow", Principal, Action: "kms:*", Resource: "*" };
    const policy = parsePolicy({ Version: "2012-10-17", Statement: [statement] }, "key");
    expect(askKeyPolicy(policy, { ...objectRequest, principal })).toBe(expected);
  });
});

describe("a pattern", () => {
  it("matches what the same regular expression matches", () => {
    const letters = fc.array(fc.constantFrom("a", "b", "*", "?", "/", "."), { maxLength: 8 });
    fc.assert(
      fc.property(letters, letters, (pattern, text) => {
        const source = pattern
          .map((one) => (one === "*" ? ".*" : one === "?" ? "." : `\\x${hex(one)}`))
          .join("");
        const ours = matches(
          parsePattern(pattern.join(""), { wildcards: true, variables: true }),
          text.join(""),
          new Map(),
        );
        expect(ours).toBe(new RegExp(`^${source}$`, "s").test(text.join("")));
      }),
      { numRuns: 2_000 },
    );
  });

  it("answers a hostile pattern at once", () => {
    const pattern = parsePattern(`${"a*".repeat(200)}b`, { wildcards: true, variables: false });
    const before = performance.now();
    expect(matches(pattern, "a".repeat(2_000), new Map())).toBe(false);
    expect(performance.now() - before).toBeLessThan(500);
  });
});

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(2, "0");
}
