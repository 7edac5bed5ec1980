import { describe, expect, it } from "vitest";
import { classify } from "../../src/envelope/classify.ts";
import { base64, V1, without } from "./envelope-samples.ts";

describe("V1 as read", () => {
  const envelope = {
    wrap: undefined,
    blob: new Uint8Array(48).fill(1),
    iv: new Uint8Array(16).fill(9),
    description: {},
    unencryptedBytes: undefined,
  };

  it.each<[string, Record<string, string>, object]>([
    ["as old clients wrote it", V1, {}],
    ["without a description", without(V1, "x-amz-matdesc"), {}],
    ["with a description", { ...V1, "x-amz-matdesc": '{"key":"7"}' }, { description: { key: "7" } }],
    [
      "with the plaintext's length",
      { ...V1, "x-amz-unencrypted-content-length": "5" },
      { unencryptedBytes: 5 },
    ],
    ["with the plaintext's digest", { ...V1, "x-amz-unencrypted-content-md5": "x" }, {}],
    ["that names its only algorithm", { ...V1, "x-amz-cek-alg": "AES/CBC/PKCS5Padding" }, {}],
    ...["kms", "AESWrap", "AES", "RSA", "RSA/ECB/OAEPWithSHA-256AndMGF1Padding"].map(
      (wrap): [string, Record<string, string>, object] => [
        `wrapped by ${wrap}`,
        { ...V1, "x-amz-wrap-alg": wrap },
        { wrap },
      ],
    ),
  ])("is complete %s", (_, metadata, difference) => {
    expect(classify(metadata)).toEqual({ format: "v1", envelope: { ...envelope, ...difference } });
  });

  it.each<[string, Record<string, string>]>([
    ["without its IV", without(V1, "x-amz-iv")],
    ["without its key", without(V1, "x-amz-key")],
    ["with a key that isn't base64", { ...V1, "x-amz-key": "!" }],
    ["with an IV of 12 bytes", { ...V1, "x-amz-iv": base64(12, 9) }],
    ["with a description that isn't JSON", { ...V1, "x-amz-matdesc": "x" }],
    ["with GCM", { ...V1, "x-amz-cek-alg": "AES/GCM/NoPadding" }],
    ["with CTR", { ...V1, "x-amz-cek-alg": "AES/CTR/NoPadding" }],
    ["with a tag length", { ...V1, "x-amz-tag-len": "128" }],
    ["with a wrap that binds GCM", { ...V1, "x-amz-wrap-alg": "AES/GCM" }],
    [
      "with kms+context",
      {
        ...V1,
        "x-amz-wrap-alg": "kms+context",
        "x-amz-matdesc": '{"aws:x-amz-cek-alg":"AES/GCM/NoPadding"}',
      },
    ],
    [
      "relabelled from kms+context to kms",
      { ...V1, "x-amz-wrap-alg": "kms", "x-amz-matdesc": '{"aws:x-amz-cek-alg":"AES/GCM/NoPadding"}' },
    ],
  ])("is damaged %s", (_, metadata) => {
    expect(classify(metadata)).toEqual({ format: "damaged" });
  });
});
