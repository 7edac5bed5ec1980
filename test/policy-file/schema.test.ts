import { Ajv } from "ajv";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { POLICY_SCHEMA, policySchema } from "../../src/policy-file/schema.ts";
import { POLICY_WITH_TESTS } from "../../src/policy/test-fields.ts";
import { checkShape } from "../../src/policy/validate.ts";
import { MISTAKEN_POLICIES, VALID_POLICIES } from "./policies.ts";

const validates = new Ajv({ strict: true, allErrors: true }).compile(POLICY_SCHEMA);

describe("the JSON Schema", () => {
  it("is valid, and small enough for any store of configurations", () => {
    expect(JSON.stringify(POLICY_SCHEMA).length).toBeLessThan(8_000);
    expect(new Ajv().validateSchema(policySchema())).toBe(true);
  });

  it("is given out as a fresh copy", () => {
    const schema = policySchema();
    schema["title"] = "mine";
    expect(POLICY_SCHEMA["title"]).toBe("Policy of s3-bucket-keys");
  });

  it.each(VALID_POLICIES)("takes what the validator takes: %j", (policy) => {
    expect(checkShape(policy, POLICY_WITH_TESTS)).toEqual([]);
    expect(validates(policy)).toBe(true);
  });

  it.each(MISTAKEN_POLICIES)("turns down what the validator turns down: %j", (policy) => {
    expect(checkShape(policy, POLICY_WITH_TESTS)).not.toEqual([]);
    expect(validates(policy)).toBe(false);
  });

  it("can't say that a month has an end", () => {
    const policy = { version: 1, rules: [{ id: "r", reason: "x", expires: "2027-02-30" }] };
    expect(checkShape(policy, POLICY_WITH_TESTS).map(({ code }) => code)).toEqual(["bad-date"]);
    expect(validates(policy)).toBe(true);
  });

  it("takes the example that the README shows", () => {
    const example: unknown = parse(readFileSync("examples/bucket-keys.yaml", "utf8"));
    expect(validates(example)).toBe(true);
  });

  it("describes every field of rules, defaults and matches", () => {
    const { properties, definitions } = POLICY_SCHEMA as unknown as {
      properties: { rules: { items: Part }; defaults: Part };
      definitions: { match: Part };
    };
    const undescribed = [properties.rules.items, properties.defaults, definitions.match].flatMap((part) =>
      Object.entries(part.properties).flatMap(([name, field]) =>
        field.description === undefined ? [name] : [],
      ),
    );
    expect(undescribed).toEqual([]);
  });
});

interface Part {
  readonly properties: Readonly<Record<string, { readonly description?: string }>>;
}
