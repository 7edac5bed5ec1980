/** What is refused when a policy is given: a policy is never half understood. */
import { describe, expect, it } from "vitest";
import { parsePolicy } from "../../src/simulator/iam/parse-policy.ts";
import { PolicyDocumentError, type PolicyDocument } from "../../src/simulator/iam/policy-document.ts";

const allow = { Effect: "Allow", Action: "kms:Decrypt", Resource: "*" };
const identity = (statement: object): PolicyDocument => ({
  Version: "2012-10-17",
  Statement: statement as never,
});
const key = (statement: object): PolicyDocument =>
  identity({ Principal: { AWS: "*" }, ...allow, ...statement });

function refusalOf(document: PolicyDocument, kind: "key" | "identity"): PolicyDocumentError | undefined {
  try {
    parsePolicy(document, kind);
    return undefined;
  } catch (error) {
    if (error instanceof PolicyDocumentError) return error;
    throw error;
  }
}

const issuesOf = (document: PolicyDocument, kind: "key" | "identity"): readonly string[] =>
  refusalOf(document, kind)?.issues ?? [];

it("the error of a policy has a code, and says what it is about", () => {
  const error = refusalOf("{", "key");
  expect(error?.code).toBe("ERR_POLICY_DOCUMENT");
  expect(error?.message).toContain(error?.issues[0]);
});

const condition = (operator: string, name: string, value: unknown = "x"): PolicyDocument =>
  identity({ ...allow, Condition: { [operator]: { [name]: value } } });

describe("an identity policy is refused for", () => {
  it.each<[says: string, PolicyDocument, issue: string]>([
    ["no JSON", "{", "the policy is not JSON"],
    ["no object", "[]", "the policy is not a JSON object"],
    [
      "another version",
      { Version: "2020-01-01", Statement: allow },
      "Version: one of 2012-10-17, 2008-10-17",
    ],
    ["no statement", { Version: "2012-10-17", Statement: [] }, "Statement: at least one statement"],
    ["an unknown element", { ...(identity(allow) as object), Extra: 1 } as never, "Extra: this element"],
    [
      "an unknown element of a statement",
      identity([{ ...allow, Sig: "x" }]),
      "Statement[0].Sig: this element",
    ],
    ["NotPrincipal", identity({ ...allow, NotPrincipal: "*" }), "Statement.NotPrincipal: this element"],
    ["another effect", identity({ ...allow, Effect: "allow" }), "Statement.Effect: Allow or Deny"],
    ["a principal", identity({ ...allow, Principal: "*" }), "Statement.Principal: not in a policy"],
    [
      "no action",
      identity({ Effect: "Allow", Resource: "*" }),
      "Statement.Action: either Action or NotAction",
    ],
    [
      "both actions",
      identity({ ...allow, NotAction: "kms:*" }),
      "Statement.Action: either Action or NotAction",
    ],
    ["an action without a service", identity({ ...allow, Action: "Decrypt" }), "'Decrypt' is no action"],
    [
      "no resource",
      identity({ Effect: "Allow", Action: "*" }),
      "Statement.Resource: either Resource or NotResource",
    ],
    [
      "a resource that is no ARN",
      identity({ ...allow, Resource: "key/x" }),
      "'key/x' is neither an ARN nor *",
    ],
    [
      "a Deny that would be lost",
      identity({ ...allow, Effect: "Deny", Action: ["kms:*", "s3:PutObject"] }),
      "'s3:PutObject' is not decided here",
    ],
    [
      "an unknown operator",
      condition("StringLikes", "kms:ViaService"),
      "the operator StringLikes is not simulated",
    ],
    [
      "an operator nobody simulates",
      condition("IpAddress", "aws:SourceIp"),
      "the operator IpAddress is not simulated",
    ],
    ["NullIfExists", condition("NullIfExists", "kms:ViaService"), "Null takes neither"],
    [
      "an unknown condition key",
      condition("StringEquals", "aws:SourceVpce"),
      "the condition key aws:SourceVpce is not simulated",
    ],
    [
      "a key of another service",
      condition("StringEquals", "s3:prefix"),
      "the condition key s3:prefix is not simulated",
    ],
    [
      "a context key without a name",
      condition("StringEquals", "kms:EncryptionContext:"),
      "the condition key kms:EncryptionContext: is",
    ],
    [
      "many values without a quantifier",
      condition("StringEquals", "kms:EncryptionContextKeys"),
      "it needs ForAllValues or ForAnyValue",
    ],
    [
      "a variable nobody knows",
      condition("StringEquals", "kms:ViaService", "${aws:userid}"),
      "the policy variable ${aws:userid} is not simulated",
    ],
    [
      "a variable in a resource",
      identity({ ...allow, Resource: "arn:aws:kms:*:*:key/${aws:userid}" }),
      "the policy variable ${aws:userid}",
    ],
    [
      "a malformed variable",
      condition("StringEquals", "kms:ViaService", "${aws:username"),
      "a malformed policy variable",
    ],
    [
      "a variable where AWS takes none",
      condition("Bool", "aws:ViaAWSService", "${aws:username}"),
      "policy variables are for String and Arn",
    ],
    ["no boolean", condition("Bool", "aws:ViaAWSService", "yes"), "'yes' is not true or false"],
    ["no number", condition("NumericEquals", "aws:EpochTime", "soon"), "'soon' is no number"],
    ["no date", condition("DateLessThan", "aws:CurrentTime", "soon"), "'soon' is no date"],
    ["no ARN", condition("ArnLike", "aws:PrincipalArn", "*"), "'*' is no ARN of six parts"],
    [
      "a value that is no text",
      condition("StringEquals", "kms:ViaService", { a: 1 }),
      "a text, or a list of texts",
    ],
    [
      "a condition that is no object",
      identity({ ...allow, Condition: "x" }),
      "Statement.Condition: an object",
    ],
  ])("%s", (_says, document, issue) => {
    expect(issuesOf(document, "identity").join("\n")).toContain(issue);
  });

  it("every mistake at once, each with its place", () => {
    const issues = issuesOf(
      identity([
        { ...allow, Effect: "Permit" },
        { ...allow, Condition: { StringLikes: { a: "b" }, StringEquals: { "x:y": "z" } } },
      ]),
      "identity",
    );
    expect(issues).toEqual([
      "Statement[0].Effect: Allow or Deny",
      "Statement[1].Condition.StringLikes.a: the operator StringLikes is not simulated",
      "Statement[1].Condition.StringEquals.x:y: the condition key x:y is not simulated",
    ]);
  });
});

describe("a key policy is refused for", () => {
  it.each<[says: string, PolicyDocument, issue: string]>([
    ["no principal", identity(allow), "Statement.Principal: a key policy needs one"],
    ["an action of another service", key({ Action: "s3:GetObject" }), "'s3:GetObject' is no action of KMS"],
    [
      "a kind of principal nobody simulates",
      key({ Principal: { Federated: "x" } }),
      "Principal.Federated: this kind",
    ],
    [
      "a wildcard in a principal",
      key({ Principal: { AWS: "arn:aws:iam::111122223333:role/*" } }),
      "'arn:aws:iam::111122223333:role/*' is neither",
    ],
    ["a principal that is none", key({ Principal: { AWS: "alice" } }), "'alice' is neither *, an account"],
    ["an empty principal", key({ Principal: {} }), "Statement.Principal: a key policy needs one"],
    ["a list that is empty", key({ Principal: { AWS: [] } }), "Principal.AWS: a text, or a list of texts"],
  ])("%s", (_says, document, issue) => {
    expect(issuesOf(document, "key").join("\n")).toContain(issue);
  });
});

describe("a policy is taken", () => {
  it.each<[says: string, PolicyDocument, "key" | "identity"]>([
    ["as JSON text", JSON.stringify(identity(allow)), "identity"],
    ["with one statement or a list", identity([allow]), "identity"],
    [
      "with another service's Allow, whatever its conditions",
      identity({ ...allow, Action: "s3:*", Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } } }),
      "identity",
    ],
    [
      "with a service's statement, whatever its conditions",
      key({
        Principal: { Service: "logs.amazonaws.com" },
        Condition: { ArnLike: { "aws:SourceArn": "arn:aws:logs:*" } },
      }),
      "key",
    ],
  ])("%s", (_says, document, kind) => {
    expect(issuesOf(document, kind)).toEqual([]);
  });
});
