/** The JSON Schema of a policy, made from the same table as the validator. */
import { bucketType, MATCH, type Shape, type TextShape } from "../policy/fields.ts";
import { POLICY_WITH_TESTS } from "../policy/test-fields.ts";

/** What editors show beside a field; `parent.field` goes before `field`. */
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  version: "Always 1.",
  defaults: "What rules inherit (but bucketKey), and what holds where none matches.",
  kmsKeys: "Names for key ARNs; rules say @name.",
  rules: "Ordered: the FIRST match decides; none: defaults.",
  tests: "Requests, and what must be decided about them.",
  id: "Unique; stands in refusals and metrics.",
  reason: "Why the rule exists; stands in every refusal.",
  match: "Fields are AND, items OR; an absent field matches all.",
  except: "As match; what matches here goes on to the next rule.",
  buckets: "Names; * and ? are wildcards.",
  keys: "Object keys; * and ? are wildcards, * crosses /.",
  prefixes: "What object keys start with, literally.",
  operations: "Default: the object writes. PutBucketEncryption only when listed.",
  sse: "unset: none named.",
  "match.kmsKeys": "As the caller wrote it; * and ? are wildcards.",
  bucketType: "As name or ARN tell it.",
  regions: "Needs the plugin option region.",
  accounts: "Needs the plugin option account. In quotes.",
  kmsKey: "SSE-KMS under exactly this key: an ARN, or @name of kmsKeys.",
  bucketKey: "The flag SSE-KMS writes shall have. Default leave.",
  mode: "enforce changes and refuses, audit only reports, off does neither. Default audit.",
  whenSseUnset:
    "No SSE named, no kmsKey here. leave (default): the bucket decides; lookup: ask it; send: the flag alone.",
  onLookupFailure: "When lookup fails. Default leave.",
  onUnproven: "The caller's flag on an algorithm without bucket keys. Default pass.",
  presigned: "When the SDK presigns a write. Default skip.",
  onConflict: "The caller wrote the opposite flag. Default override.",
  onKeyConflict: "The caller named another key or algorithm than kmsKey. Default refuse.",
  envelope: "Client-side encryption of this place. Default leave.",
  expires: "Last day, YYYY-MM-DD, to its end in UTC.",
  onExpiry: "keep: still decides, and is reported (default). drop: skipped.",
  "request.kmsKey": "As the caller wrote it, or @name.",
  "request.sse": "As the caller wrote it; SSE-C for customer keys.",
  "request.now": "Date or time to hold expires against.",
};

/**
 * The JSON Schema (draft-07) of a policy file, for editors and other tools.
 *
 * It knows the shape; what fields mean together is known to `parsePolicy` only.
 *
 * @public
 */
export const POLICY_SCHEMA: Readonly<Record<string, unknown>> = policySchema();

/**
 * A fresh copy of `POLICY_SCHEMA`, free to be changed.
 *
 * @example
 * ```ts
 * writeFileSync("bucket-keys.schema.json", JSON.stringify(policySchema()));
 * ```
 * @public
 */
export function policySchema(): Record<string, unknown> {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Policy of s3-bucket-keys",
    ...schemaOf(POLICY_WITH_TESTS, ""),
    definitions: {
      match: schemaOf({ ...MATCH, mayBeEmpty: true }, "match"),
      bucketType: { enum: bucketType.of },
    },
  };
}

function schemaOf(shape: Shape, name: string): Record<string, unknown> {
  switch (shape.is) {
    case "any":
      return {};
    case "text":
      return textSchema(shape);
    case "flag":
      return { type: "boolean" };
    case "one":
      return shape === bucketType ? { $ref: "#/definitions/bucketType" } : { enum: [...shape.of] };
    case "list":
      return { type: "array", items: schemaOf(shape.of, name), ...(!shape.mayBeEmpty && { minItems: 1 }) };
    case "map":
      return { type: "object", additionalProperties: schemaOf(shape.of, name) };
    case "either":
      return { anyOf: shape.of.map((one) => schemaOf(one, name)) };
    case "fields":
      return {
        type: "object",
        additionalProperties: false,
        ...(shape.need && { required: Object.keys(shape.need) }),
        ...(!shape.need && !shape.mayBeEmpty && { minProperties: 1 }),
        properties: Object.fromEntries(
          Object.entries(shape.of).map(([field, inner]) => [field, fieldSchema(inner, name, field)]),
        ),
      };
  }
}

function fieldSchema(shape: Shape, parent: string, field: string): Record<string, unknown> {
  const description = descriptionOf(parent, field);
  const described = description === undefined ? {} : { description };
  if (shape.is !== "fields" || shape.of !== MATCH.of) return { ...described, ...schemaOf(shape, field) };
  // What stands beside a $ref is ignored, hence allOf.
  const notEmpty = shape.mayBeEmpty ? {} : { type: "object", minProperties: 1 };
  return { ...described, allOf: [{ $ref: "#/definitions/match" }], ...notEmpty };
}

function textSchema({ like }: TextShape): Record<string, unknown> {
  return { type: "string", pattern: like?.source ?? "\\S" };
}

/** Fields of tests are described only where they mean something else than in a rule. */
function descriptionOf(parent: string, field: string): string | undefined {
  const inTest = ["request", "expect", "set", "copySource", "bucketDefault"].includes(parent);
  return DESCRIPTIONS[`${parent}.${field}`] ?? (inTest ? undefined : DESCRIPTIONS[field]);
}
