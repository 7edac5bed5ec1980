import fc from "fast-check";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { cacheKeys, type Shared } from "../../src/envelope/cache-key.ts";

const shared: Shared = {
  direction: "open",
  keyring: 1,
  keyId: "alias/lake",
  suite: "v3",
  policy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
  partition: "",
  context: { "aws:x-amz-cek-alg": "115" },
  blob: new Uint8Array([1, 2, 3]),
};

/** Any UTF-16, lone surrogates included. */
const text = fc.string({ unit: "binary", maxLength: 4 }).map((whole) => whole.slice(0, 3));
const lone = fc.constantFrom("\ud800", "\udbff", "\ufffd");
const anyText = fc.oneof(text, lone, fc.constantFrom("", "1", "1:", "0:", "1:a", "2:1:"));

const anyShared: fc.Arbitrary<Shared> = fc.record({
  direction: fc.constantFrom("seal", "open"),
  keyring: fc.integer({ min: 1, max: 12 }),
  keyId: anyText,
  suite: fc.constantFrom("v3", "v2", "legacy"),
  policy: fc.constantFrom("REQUIRE_ENCRYPT_REQUIRE_DECRYPT", "REQUIRE_ENCRYPT_ALLOW_DECRYPT"),
  partition: anyText,
  context: fc.dictionary(anyText, anyText, { maxKeys: 3 }),
  blob: fc.option(fc.uint8Array({ minLength: 1, maxLength: 3 }), { nil: undefined }),
});

/** The parts, in a form that tells all of them apart. */
const partsOf = ({ blob, context, ...rest }: Shared): unknown => ({
  ...rest,
  context: Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  blob: blob === undefined ? undefined : [...blob],
});

describe("cacheKeys", () => {
  it("is a SHA-256 in base64 over counted parts", () => {
    const parts = '"open:1:v3:REQUIRE_ENCRYPT_REQUIRE_DECRYPT:10:alias/lake0:17:aws:x-amz-cek-alg3:115"AQID';
    expect(cacheKeys()(shared)).toBe(createHash("sha256").update(parts).digest("base64"));
  });

  it("differs whenever a part does, and only then", () => {
    const keyOf = cacheKeys();
    fc.assert(
      fc.property(anyShared, anyShared, (a, b) => {
        const same = JSON.stringify(partsOf(a)) === JSON.stringify(partsOf(b));
        expect(keyOf(a) === keyOf(b)).toBe(same);
        expect(keyOf({ ...a, context: Object.fromEntries(Object.entries(a.context).toReversed()) })).toBe(
          keyOf(a),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<[string, Partial<Shared>, Partial<Shared>]>([
    ["the border of key id and partition", { keyId: "a", partition: "bc" }, { keyId: "ab", partition: "c" }],
    ["the border of name and value", { context: { a: "bc" } }, { context: { ab: "c" } }],
    ["one pair or two", { context: { a: "b1:c1:d" } }, { context: { a: "b", c: "d" } }],
    ["lone surrogates", { partition: "\ud800" }, { partition: "\udbff" }],
    ["a lone surrogate and its replacement", { partition: "\ud800" }, { partition: "\ufffd" }],
    ["blobs", { blob: new Uint8Array([1]) }, { blob: new Uint8Array([2]) }],
    ["seal and open", { direction: "seal" }, { direction: "open" }],
  ])("tells %s apart", (_name, a, b) => {
    const keyOf = cacheKeys();
    expect(keyOf({ ...shared, ...a })).not.toBe(keyOf({ ...shared, ...b }));
  });

  it("takes the blob alone out of a larger buffer", () => {
    const pool = new Uint8Array([9, 1, 2, 3, 9]);
    expect(cacheKeys()({ ...shared, blob: pool.subarray(1, 4) })).toBe(cacheKeys()(shared));
  });

  it.each<Shared>([
    { ...shared, direction: "seal", blob: undefined },
    { ...shared, direction: "open" },
  ])("remembers what was asked last, and nothing else: to $direction", (ask) => {
    const keyOf = cacheKeys();
    const first = keyOf(ask);
    const other = keyOf({ ...ask, partition: "other" });
    expect(other).not.toBe(first);
    expect(keyOf({ ...ask, partition: "other" })).toBe(other);
    expect(keyOf(ask)).toBe(first);
    expect(cacheKeys()(ask)).toBe(first);
  });

  it("remembers both directions side by side", () => {
    const keyOf = cacheKeys();
    const asks = [
      { ...shared, direction: "seal", blob: undefined },
      { ...shared, blob: new Uint8Array([4]) },
      shared,
    ] as const;
    const keys = asks.map((ask) => cacheKeys()(ask));
    for (let i = 0; i < 2; i++) expect(asks.map((ask) => keyOf(ask))).toEqual(keys);
  });
});
