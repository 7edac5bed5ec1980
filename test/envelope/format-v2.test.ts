import { describe, expect, it } from "vitest";
import { classify } from "../../src/envelope/classify.ts";
import { isLegacyWrap } from "../../src/envelope/format-v2.ts";
import { base64, V2, V2_CBC, V2_KMS, without } from "./envelope-samples.ts";

const bytes = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill);
const GCM_WRAPS = ["AES/GCM", "RSA-OAEP-SHA1"];
const LEGACY_WRAPS = ["kms", "AESWrap", "AES", "RSA", "RSA/ECB/OAEPWithSHA-256AndMGF1Padding"];

describe("V2 as read", () => {
  it("is complete with kms+context", () => {
    expect(classify(V2)).toEqual({
      format: "v2",
      envelope: {
        wrap: "kms+context",
        blob: bytes(184, 2),
        iv: bytes(12, 9),
        content: "AES/GCM/NoPadding",
        description: { "aws:x-amz-cek-alg": "AES/GCM/NoPadding", tenant: "blue" },
        unencryptedBytes: undefined,
      },
    });
  });

  it("is complete as Amazon SES stores messages, the description as it stands", () => {
    expect(classify(V2_KMS)).toEqual({
      format: "v2",
      envelope: {
        wrap: "kms",
        blob: bytes(184, 2),
        iv: bytes(12, 9),
        content: "AES/GCM/NoPadding",
        description: { kms_cmk_id: "1234", "aws:ses:message-id": "m1" },
        unencryptedBytes: 1000,
      },
    });
  });

  it("is complete with CBC, which has no tag", () => {
    expect(classify(V2_CBC)).toEqual({
      format: "v2",
      envelope: {
        wrap: "kms",
        blob: bytes(184, 2),
        iv: bytes(16, 9),
        content: "AES/CBC/PKCS5Padding",
        description: { kms_cmk_id: "1234" },
        unencryptedBytes: undefined,
      },
    });
  });

  it.each([...GCM_WRAPS, ...LEGACY_WRAPS])("knows the wrap %s", (wrap) => {
    const metadata = { ...without(V2, "x-amz-matdesc"), "x-amz-wrap-alg": wrap };
    expect(classify(metadata)).toMatchObject({ format: "v2", envelope: { wrap, description: {} } });
    expect(isLegacyWrap(wrap)).toBe(LEGACY_WRAPS.includes(wrap));
  });

  it("lets the description of a raw key say what it likes", () => {
    const metadata = { ...V2, "x-amz-wrap-alg": "AESWrap" };
    const description = { "aws:x-amz-cek-alg": "AES/GCM/NoPadding", tenant: "blue" };
    expect(classify(metadata)).toMatchObject({ format: "v2", envelope: { wrap: "AESWrap", description } });
  });

  it.each(["0", "1000", "68719476704"])("notes the length %s that the writer noted", (text) => {
    const metadata = { ...V2, "x-amz-unencrypted-content-length": text };
    expect(classify(metadata)).toMatchObject({ format: "v2", envelope: { unencryptedBytes: Number(text) } });
  });

  it.each(["", "-1", "1.5", "1e3", "0x10", "1 ", " 1", "one", "9999999999999999"])(
    "makes nothing of the length %j",
    (text) => {
      const metadata = { ...V2, "x-amz-unencrypted-content-length": text };
      expect(classify(metadata)).toMatchObject({ format: "v2", envelope: { unencryptedBytes: undefined } });
    },
  );

  it.each<[string, Record<string, string>]>([
    ["without its IV", without(V2, "x-amz-iv")],
    ["without its wrap", without(V2, "x-amz-wrap-alg")],
    ["without its content algorithm", without(V2, "x-amz-cek-alg")],
    ["without its key", without(V2, "x-amz-key-v2")],
    ["with a key that isn't base64", { ...V2, "x-amz-key-v2": "!" }],
    ["with an IV that isn't base64", { ...V2, "x-amz-iv": "!" }],
    ["with an IV of 16 bytes for GCM", { ...V2, "x-amz-iv": base64(16, 9) }],
    ["with an IV of 12 bytes for CBC", { ...V2_CBC, "x-amz-iv": base64(12, 9) }],
    ["without its tag length", without(V2, "x-amz-tag-len")],
    ["with an empty tag length", { ...V2, "x-amz-tag-len": "" }],
    ["with a tag of 96 bits", { ...V2, "x-amz-tag-len": "96" }],
    ["with the tag's length in bytes", { ...V2, "x-amz-tag-len": "16" }],
    ["with a tag length for CBC", { ...V2_CBC, "x-amz-tag-len": "128" }],
    ["with CTR", { ...V2, "x-amz-cek-alg": "AES/CTR/NoPadding" }],
    [
      "with CTR and without a tag length",
      { ...without(V2, "x-amz-tag-len"), "x-amz-cek-alg": "AES/CTR/NoPadding" },
    ],
    ["with CTR under the old wrap", { ...V2_KMS, "x-amz-cek-alg": "AES/CTR/NoPadding" }],
    ["with an algorithm there isn't", { ...V2, "x-amz-cek-alg": "AES/ECB" }],
    ["with a wrap there isn't", { ...V2, "x-amz-wrap-alg": "none" }],
    ["with a wrap that every object has", { ...V2, "x-amz-wrap-alg": "toString" }],
    ["with the wrap of V3", { ...V2, "x-amz-wrap-alg": "12" }],
    ["with kms+context and no description", without(V2, "x-amz-matdesc")],
    ["with kms+context and an empty description", { ...V2, "x-amz-matdesc": "{}" }],
    ["with kms+context that binds no algorithm", { ...V2, "x-amz-matdesc": '{"tenant":"blue"}' }],
    [
      "with kms+context that binds the suite of V3",
      { ...V2, "x-amz-matdesc": '{"aws:x-amz-cek-alg":"115"}' },
    ],
    [
      "with kms+context that binds CBC",
      { ...V2, "x-amz-matdesc": '{"aws:x-amz-cek-alg":"AES/CBC/PKCS5Padding"}' },
    ],
    ["relabelled from kms+context to kms", { ...V2, "x-amz-wrap-alg": "kms" }],
    ["relabelled to kms, the pair emptied", { ...V2_KMS, "x-amz-matdesc": '{"aws:x-amz-cek-alg":""}' }],
    ["with a description that isn't JSON", { ...V2, "x-amz-matdesc": "x" }],
    ["with a description that isn't JSON, under the old wrap", { ...V2_KMS, "x-amz-matdesc": "x" }],
    ["with a description of numbers", { ...V2_KMS, "x-amz-matdesc": '{"a":1}' }],
    ["with the key of V1 beside its own", { ...V2, "x-amz-key": base64(48, 1) }],
    ["with the suite of V3 put beside", { ...V2, "x-amz-c": "115" }],
    ["with suite and wrap of V3 put beside", { ...V2, "x-amz-c": "115", "x-amz-w": "12" }],
  ])("is damaged %s", (_, metadata) => {
    expect(classify(metadata)).toEqual({ format: "damaged" });
  });

  it.each(["kms+context", ...GCM_WRAPS])(
    "is damaged when %s, which binds GCM, is said to wrap a key for CBC",
    (wrap) => {
      const metadata = { ...V2_CBC, "x-amz-wrap-alg": wrap };
      expect(classify({ ...metadata, "x-amz-matdesc": V2["x-amz-matdesc"] })).toEqual({ format: "damaged" });
      expect(
        classify({ ...metadata, "x-amz-matdesc": '{"aws:x-amz-cek-alg":"AES/CBC/PKCS5Padding"}' }),
      ).toEqual({ format: "damaged" });
    },
  );

  it.each(["x-amz-c", "x-amz-3", "x-amz-m", "x-amz-t", "x-amz-w", "x-amz-d", "x-amz-i"])(
    "is damaged with %s beside it",
    (name) => {
      expect(classify({ ...V2, [name]: "{}" })).toEqual({ format: "damaged" });
    },
  );
});

it("an object without a wrap has no legacy one", () => {
  expect(isLegacyWrap(undefined)).toBe(false);
});
