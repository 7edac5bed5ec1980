import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Classified } from "../../src/envelope/classify.ts";
import { classify } from "../../src/envelope/classify.ts";
import type { ObjectMetadata } from "../../src/envelope/metadata-names.ts";
import { isEnvelopeName } from "../../src/envelope/metadata-names.ts";
import { base64, only, V1, V2, V2_CBC, V2_KMS, V3, V3_RAW_KEY } from "./envelope-samples.ts";

const SAMPLES = { V3, V3_RAW_KEY, V2, V2_KMS, V2_CBC, V1 };

const NAMES = [
  ...new Set(Object.values(SAMPLES).flatMap((sample) => Object.keys(sample))),
  "x-amz-unencrypted-content-md5",
  "x-amz-crypto-instr-file",
];

/** Names of envelopes in any case, names close by, and names of nobody's. */
const names = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 1, arbitrary: fc.constantFrom(...NAMES).map((name) => name.toUpperCase()) },
  { weight: 1, arbitrary: fc.oneof(fc.string(), fc.constantFrom("__proto__", "toString", "x-amz-x")) },
);

/** Values that are right somewhere, values that almost are, and noise. */
const values = fc.oneof(
  fc.constantFrom(...Object.values(SAMPLES).flatMap((sample) => Object.values(sample))),
  fc.constantFrom(
    "",
    "{}",
    "{",
    "115",
    "12",
    "kms",
    "AES/CTR/NoPadding",
    "128",
    "=?UTF-8?Q?{}?=",
    base64(28, 0),
  ),
  fc.base64String(),
  fc.json(),
  fc.string({ unit: "binary" }),
);

const metadataSets: fc.Arbitrary<ObjectMetadata> = fc
  .tuple(
    fc.constantFrom<ObjectMetadata>({}, only(V3, "x-amz-c", "x-amz-d", "x-amz-i"), ...Object.values(SAMPLES)),
    fc.subarray(NAMES, { maxLength: 2 }),
    fc.dictionary(names, values, { maxKeys: 4, noNullPrototype: true }),
  )
  .map(([sample, dropped, added]) => ({
    ...Object.fromEntries(Object.entries(sample).filter(([name]) => !dropped.includes(name))),
    ...added,
  }));

describe("an object's metadata", () => {
  it.each<[string, ObjectMetadata | undefined]>([
    ["absent", undefined],
    ["empty", {}],
    ["the caller's own", { owner: "team", "x-amz-meta": "x" }],
    ["that of an instruction file", { "x-amz-crypto-instr-file": "" }],
    [
      "an envelope whose every value was emptied",
      Object.fromEntries(Object.keys(V3).map((name) => [name, ""])),
    ],
  ])("makes it plain when it is %s", (_, metadata) => {
    expect(classify(metadata)).toEqual({ format: "plain" });
  });

  it.each(NAMES)("makes it damaged when all that is left of an envelope is %s", (name) => {
    expect(classify({ [name]: "1" })).toEqual({ format: "damaged" });
    const left = Object.values(SAMPLES).map((sample) => only(sample, name));
    for (const metadata of left.filter((each) => Object.keys(each).length > 0)) {
      expect(classify(metadata)).toEqual({ format: "damaged" });
    }
  });

  it("makes it damaged when formats are mixed, complete or not", () => {
    expect(classify({ ...V3, ...V2 })).toEqual({ format: "damaged" });
    expect(classify({ ...V3, ...V1 })).toEqual({ format: "damaged" });
    expect(classify({ ...V2, ...V1 })).toEqual({ format: "damaged" });
    // Both keys with everything that CBC needs in either format.
    expect(classify({ ...V2_CBC, "x-amz-key": V1["x-amz-key"] })).toEqual({ format: "damaged" });
  });

  it("that is no text where an envelope's should be makes it damaged", () => {
    expect(classify({ ...V3, "x-amz-c": 115 } as unknown as ObjectMetadata)).toEqual({ format: "damaged" });
  });

  it("is never handed back: what is read from it is a copy", () => {
    const metadata = { ...V3 };
    const classified = classify(metadata);
    metadata["x-amz-w"] = "02";
    expect(classified).toMatchObject({ format: "v3", envelope: { wrap: "kms+context" } });
  });
});

/** What has to be there for the answer that was given. */
function isEarned(classified: Classified, present: ReadonlySet<string>): boolean {
  const has = (...wanted: readonly string[]): boolean => wanted.every((name) => present.has(name));
  switch (classified.format) {
    case "v3":
      return (
        has("x-amz-c", "x-amz-3", "x-amz-w", "x-amz-i", "x-amz-d") &&
        !has("x-amz-key-v2") &&
        !has("x-amz-key") &&
        classified.envelope.messageId.length === 28 &&
        classified.envelope.commitment.length === 28 &&
        classified.envelope.blob.length > 0
      );
    case "v3-instruction":
      return has("x-amz-c", "x-amz-i", "x-amz-d") && !has("x-amz-3");
    case "v2":
      return (
        has("x-amz-key-v2", "x-amz-iv", "x-amz-wrap-alg", "x-amz-cek-alg") &&
        classified.envelope.iv.length === (classified.envelope.content === "AES/GCM/NoPadding" ? 12 : 16)
      );
    case "v1":
      return has("x-amz-key", "x-amz-iv") && classified.envelope.iv.length === 16;
    case "plain":
      return present.size === 0;
    case "damaged":
      return present.size > 0;
  }
}

describe("10,000 sets of metadata", () => {
  it("are told apart without an error, and are plain only without a value of any envelope", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(metadataSets, (metadata) => {
        const classified = classify(metadata);
        seen.add(classified.format);
        const present = Object.entries(metadata)
          .filter(([name, value]) => value !== "" && isEnvelopeName(name))
          .map(([name]) => name.toLowerCase());
        expect(isEarned(classified, new Set(present))).toBe(true);
      }),
      { numRuns: 10_000 },
    );
    // The sets are worth something only if they reach every answer.
    expect([...seen].toSorted()).toEqual(["damaged", "plain", "v1", "v2", "v3", "v3-instruction"]);
  });
});
