/**
 * The SDK's own operation schemas, walked: a client that learns a new way to carry the flag fails here until
 * `operations.ts` says what the plugin does about it.
 */
import * as s3 from "@aws-sdk/client-s3";
import { NormalizedSchema } from "@smithy/core/schema";
import type { SchemaRef, StaticOperationSchema } from "@smithy/types";
import { describe, expect, it } from "vitest";
import { IGNORED_OPERATIONS, OPERATIONS } from "../src/operations.ts";

const FLAG_HEADER = "x-amz-server-side-encryption-bucket-key-enabled";
const FLAG_MEMBER = /bucket-?key-?enabled/i;

/** Where an operation carries the flag, such as `in:header` or `out:body`. */
type Place = `${"in" | "out"}:${"header" | "body"}`;

/** A static schema starts with a number for its kind; operations are kind 9, structures kind 3. */
const OPERATION_KIND = 9;

function isOperation(value: unknown): value is StaticOperationSchema {
  return Array.isArray(value) && value[0] === OPERATION_KIND;
}

/** Every operation among the exports that carries the flag anywhere, and where. */
function flagCarriers(exported: Readonly<Record<string, unknown>>): Map<string, Place[]> {
  const carriers = new Map<string, Place[]>();
  for (const schema of Object.values(exported).filter(isOperation)) {
    const [, , name, , input, output] = schema;
    const places: Place[] = [
      ...placesIn(input).map((where) => `in:${where}` as const),
      ...placesIn(output).map((where) => `out:${where}` as const),
    ];
    if (places.length > 0) carriers.set(name, places);
  }
  return carriers;
}

function placesIn(shape: SchemaRef): ("header" | "body")[] {
  const found = new Set<"header" | "body">();
  const seen = new Set<unknown>();
  const visit = (schema: NormalizedSchema): void => {
    if (schema.isListSchema() || schema.isMapSchema()) return visit(schema.getValueSchema());
    if (!schema.isStructSchema() || seen.has(schema.getSchema())) return;
    seen.add(schema.getSchema());
    for (const [member, memberSchema] of schema.structIterator()) {
      const { httpHeader, xmlName } = memberSchema.getMergedTraits();
      if (httpHeader !== undefined) {
        if (httpHeader.toLowerCase() === FLAG_HEADER || FLAG_MEMBER.test(member)) found.add("header");
      } else if (FLAG_MEMBER.test(member) || FLAG_MEMBER.test(xmlName ?? "")) {
        found.add("body");
      }
      visit(memberSchema);
    }
  };
  visit(NormalizedSchema.of(shape));
  return [...found];
}

function unknownTo(known: readonly string[], carriers: ReadonlyMap<string, Place[]>): string[] {
  return [...carriers.keys()].filter((name) => !known.includes(name));
}

const known = [...Object.keys(OPERATIONS), ...Object.keys(IGNORED_OPERATIONS)];

describe("the operation schemas of the newest client", () => {
  const carriers = flagCarriers(s3);

  it("carry the flag in the places that the plugin reads and writes", () => {
    expect(Object.fromEntries([...carriers].toSorted(([a], [b]) => a.localeCompare(b)))).toEqual({
      CompleteMultipartUpload: ["out:header"],
      CopyObject: ["in:header", "out:header"],
      CreateMultipartUpload: ["in:header", "out:header"],
      CreateSession: ["in:header", "out:header"],
      GetBucketEncryption: ["out:body"],
      GetObject: ["out:header"],
      HeadObject: ["out:header"],
      PutBucketEncryption: ["in:body"],
      PutObject: ["in:header", "out:header"],
      UpdateObjectEncryption: ["in:body"],
      UploadPart: ["out:header"],
      UploadPartCopy: ["out:header"],
      WriteGetObjectResponse: ["in:header"],
    });
  });

  it("bring no operation with the flag that operations.ts doesn't know", () => {
    expect(unknownTo(known, carriers), "add these to OPERATIONS or IGNORED_OPERATIONS").toEqual([]);
  });

  it("still carry the flag on every operation that operations.ts names", () => {
    expect(known.filter((name) => !carriers.has(name))).toEqual([]);
  });
});

const BOOLEAN = 2;

function structure(name: string, members: Readonly<Record<string, unknown>>): unknown {
  return [3, "com.amazonaws.s3", name, 0, Object.keys(members), Object.values(members)];
}

/** The exports of a client that has one more operation. */
function planted(name: string, input: unknown, output: unknown): Record<string, unknown> {
  return { [`${name}$`]: [OPERATION_KIND, "com.amazonaws.s3", name, 0, () => input, () => output] };
}

describe("an operation that a later client might bring", () => {
  const empty = structure("Empty", {});
  const asHeader = structure("WithHeader", { Flag: [BOOLEAN, { httpHeader: FLAG_HEADER }] });
  const rules = [1, "com.amazonaws.s3", "Rules", 0, () => structure("Rule", { BucketKeyEnabled: BOOLEAN })];
  const nested = structure("Outer", { Rules: rules });
  const renamed = structure("Renamed", { Flag: [BOOLEAN, { xmlName: "BucketKeyEnabled" }] });

  it.each([
    ["a request header", asHeader, empty, "in:header"],
    ["a response header", empty, asHeader, "out:header"],
    ["a list deep in the request body", nested, empty, "in:body"],
    ["an element of the response body under another member name", empty, renamed, "out:body"],
  ])("is reported as unknown when the flag is %s", (_where, input, output, place) => {
    const carriers = flagCarriers({ ...s3, ...planted("ReencryptObject", input, output) });
    expect(unknownTo(known, carriers)).toEqual(["ReencryptObject"]);
    expect(carriers.get("ReencryptObject")).toEqual([place]);
  });

  it("is not reported when it carries no flag, or when a structure contains itself", () => {
    const loop: unknown = [3, "com.amazonaws.s3", "Loop", 0, ["Self"], [() => loop]];
    expect(unknownTo(known, flagCarriers(planted("RenameBucket", loop, empty)))).toEqual([]);
  });
});
