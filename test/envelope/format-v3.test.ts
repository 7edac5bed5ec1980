import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { classify } from "../../src/envelope/classify.ts";
import { storedContext } from "../../src/envelope/encryption-context.ts";
import { v3Metadata } from "../../src/envelope/format-v3.ts";
import { base64, V2, V3, V3_RAW_KEY, without } from "./envelope-samples.ts";

const bytes = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill);

describe("V3 as written", () => {
  it("has six names and no other", () => {
    const metadata = v3Metadata({
      blob: bytes(184, 3),
      messageId: bytes(28, 1),
      commitment: bytes(28, 4),
      context: storedContext({ tenant: "é" }),
    });
    expect(metadata).toEqual({
      "x-amz-c": "115",
      "x-amz-3": base64(184, 3),
      "x-amz-w": "12",
      "x-amz-i": base64(28, 1),
      "x-amz-d": base64(28, 4),
      "x-amz-t": String.raw`{"tenant":"\u00e9","aws:x-amz-cek-alg":"115"}`,
    });
  });

  it("is read back, also beside the caller's own metadata", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.uint8Array({ minLength: 28, maxLength: 28 }).filter((id) => id.some(Boolean)),
        fc.uint8Array({ minLength: 28, maxLength: 28 }),
        fc.dictionary(fc.string(), fc.string({ unit: "grapheme" }), { maxKeys: 3, noNullPrototype: true }),
        (blob, messageId, commitment, callers) => {
          const context = storedContext(callers);
          const metadata = { owner: "team", ...v3Metadata({ blob, messageId, commitment, context }) };
          expect(classify(metadata)).toEqual({
            format: "v3",
            envelope: { wrap: "kms+context", blob, messageId, commitment, context },
          });
        },
      ),
    );
  });
});

describe("V3 as read", () => {
  const envelope = {
    wrap: "kms+context",
    blob: bytes(184, 3),
    messageId: bytes(28, 1),
    commitment: bytes(28, 4),
    context: { "aws:x-amz-cek-alg": "115", tenant: "blue" },
  };

  it.each<[string, Record<string, string>]>([
    ["complete", V3],
    ["with names in another case", { ...without(V3, "x-amz-3"), "X-Amz-3": V3["x-amz-3"] }],
    ["with an empty description, as Go writes it", { ...V3, "x-amz-m": "" }],
    ["with a description that says nothing", { ...V3, "x-amz-m": "{}" }],
    ["with empty names of V2", { ...V3, "x-amz-unencrypted-content-length": "", "x-amz-key-v2": "" }],
    [
      "with spaces in its JSON, as Python writes it",
      { ...V3, "x-amz-t": '{"aws:x-amz-cek-alg": "115", "tenant": "blue"}' },
    ],
    ["with the plaintext's length noted", { ...V3, "x-amz-unencrypted-content-length": "5" }],
    ["with names of nobody's", { ...V3, "x-amz-something": "else" }],
  ])("is complete: %s", (_, metadata) => {
    expect(classify(metadata)).toEqual({ format: "v3", envelope });
  });

  it.each([
    ["02", "AES/GCM"],
    ["22", "RSA-OAEP-SHA1"],
  ])("goes by the description when x-amz-w is %s", (code, wrap) => {
    const raw = { ...envelope, wrap, blob: bytes(60, 3) };
    const metadata = { ...V3_RAW_KEY, "x-amz-w": code };
    expect(classify(metadata)).toEqual({ format: "v3", envelope: { ...raw, context: { purpose: "test" } } });
    expect(classify(without(metadata, "x-amz-m"))).toEqual({
      format: "v3",
      envelope: { ...raw, context: {} },
    });
    expect(classify({ ...metadata, "x-amz-t": "{}" })).toMatchObject({ format: "v3" });
    expect(classify({ ...metadata, "x-amz-t": '{"aws:x-amz-cek-alg":"115"}' })).toEqual({
      format: "damaged",
    });
  });

  it.each<[string, Record<string, string>]>([
    ["without its suite", without(V3, "x-amz-c")],
    ["without its wrap", without(V3, "x-amz-w")],
    ["without its message id", without(V3, "x-amz-i")],
    ["without its commitment", without(V3, "x-amz-d")],
    ["without its context", without(V3, "x-amz-t")],
    ["with an empty suite", { ...V3, "x-amz-c": "" }],
    ["with an empty context", { ...V3, "x-amz-t": "" }],
    ["with the suite of V2", { ...V3, "x-amz-c": "114" }],
    ["with the suite of CTR", { ...V3, "x-amz-c": "116" }],
    ["with a suite that is only as much as 115", { ...V3, "x-amz-c": "0115" }],
    ["with the wrap relabelled kms", { ...V3, "x-amz-w": "kms" }],
    [
      "with the wrap relabelled kms, its context copied to the description",
      { ...V3, "x-amz-w": "kms", "x-amz-m": V3["x-amz-t"] },
    ],
    [
      "with the wrap relabelled kms, its context moved to the description",
      { ...without(V3, "x-amz-t"), "x-amz-w": "kms", "x-amz-m": V3["x-amz-t"] },
    ],
    ["with the wrap in words", { ...V3, "x-amz-w": "kms+context" }],
    ["with the wrap relabelled AES", { ...V3, "x-amz-w": "02" }],
    ["with the wrap relabelled RSA", { ...V3, "x-amz-w": "22" }],
    ["with a wrap there isn't", { ...V3, "x-amz-w": "11" }],
    ["with a wrap that every object has", { ...V3, "x-amz-w": "toString" }],
    ["with a description beside the context", { ...V3, "x-amz-m": '{"a":"b"}' }],
    ["with a description that isn't JSON", { ...V3, "x-amz-m": "{" }],
    ["with a context that isn't JSON", { ...V3, "x-amz-t": "tenant=blue" }],
    ["with a context that isn't flat", { ...V3, "x-amz-t": '{"aws:x-amz-cek-alg":"115","a":{}}' }],
    ["with a context that holds a number", { ...V3, "x-amz-t": '{"aws:x-amz-cek-alg":115}' }],
    ["with a context that doesn't name the algorithm", { ...V3, "x-amz-t": '{"tenant":"blue"}' }],
    ["with a context of V2", { ...V3, "x-amz-t": V2["x-amz-matdesc"] }],
    ["with a message id of 27 bytes", { ...V3, "x-amz-i": base64(27, 1) }],
    ["with a message id of 29 bytes", { ...V3, "x-amz-i": base64(29, 1) }],
    ["with a message id that nobody drew", { ...V3, "x-amz-i": base64(28, 0) }],
    ["with a commitment of 20 bytes", { ...V3, "x-amz-d": base64(20, 4) }],
    ["with a commitment of 40 bytes", { ...V3, "x-amz-d": base64(40, 4) }],
    ["with a blob that isn't base64", { ...V3, "x-amz-3": "!" }],
    ["with a blob without padding", { ...V3, "x-amz-3": "AQ" }],
    ["with two values in one header", { ...V3, "x-amz-i": `${V3["x-amz-i"]}, ${V3["x-amz-i"]}` }],
    ["with a name twice", { ...V3, "X-AMZ-D": V3["x-amz-d"] }],
  ])("is damaged %s", (_, metadata) => {
    expect(classify(metadata)).toEqual({ format: "damaged" });
  });

  it.each([
    "x-amz-key",
    "x-amz-key-v2",
    "x-amz-iv",
    "x-amz-cek-alg",
    "x-amz-wrap-alg",
    "x-amz-matdesc",
    "x-amz-tag-len",
  ])("is damaged with %s beside it", (name) => {
    expect(classify({ ...V3, [name]: base64(12, 1) })).toEqual({ format: "damaged" });
    expect(classify({ ...without(V3, "x-amz-3", "x-amz-w", "x-amz-t"), [name]: base64(12, 1) })).toEqual({
      format: "damaged",
    });
  });

  it("may have its key in an instruction file, and then has nothing else of the key in itself", () => {
    const bare = without(V3, "x-amz-3", "x-amz-w", "x-amz-t");
    const { messageId, commitment } = envelope;
    expect(classify(bare)).toEqual({ format: "v3-instruction", messageId, commitment });
    expect(classify({ ...bare, "x-amz-3": "", "x-amz-m": "" })).toEqual({
      format: "v3-instruction",
      messageId,
      commitment,
    });
    for (const name of ["x-amz-w", "x-amz-t", "x-amz-m"]) {
      expect(classify({ ...bare, [name]: "{}" })).toEqual({ format: "damaged" });
    }
    for (const name of Object.keys(bare)) {
      expect(classify(without(bare, name))).toEqual({ format: "damaged" });
    }
  });
});
