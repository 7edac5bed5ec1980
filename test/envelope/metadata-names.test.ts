import { describe, expect, it } from "vitest";
import { envelopeValues, isEnvelopeName } from "../../src/envelope/metadata-names.ts";

const NAMES = [
  "x-amz-c",
  "x-amz-3",
  "x-amz-w",
  "x-amz-i",
  "x-amz-d",
  "x-amz-t",
  "x-amz-m",
  "x-amz-key",
  "x-amz-key-v2",
  "x-amz-iv",
  "x-amz-matdesc",
  "x-amz-wrap-alg",
  "x-amz-cek-alg",
  "x-amz-tag-len",
  "x-amz-unencrypted-content-length",
  "x-amz-unencrypted-content-md5",
  "x-amz-crypto-instr-file",
];

describe("names of envelopes", () => {
  it.each(NAMES)("%s is one, in any case", (name) => {
    expect(isEnvelopeName(name)).toBe(true);
    expect(isEnvelopeName(name.toUpperCase())).toBe(true);
    expect(envelopeValues({ [name.toUpperCase()]: "v" })).toEqual(new Map([[name, "v"]]));
  });

  it.each(["owner", "x-amz-", "x-amz-33", "x-amz-e", "amz-c", "x-amz-meta-x-amz-c", "toString", ""])(
    "%j is none",
    (name) => {
      expect(isEnvelopeName(name)).toBe(false);
      expect(envelopeValues({ [name]: "v" })).toEqual(new Map());
    },
  );

  it("count as absent when empty or without a value", () => {
    expect(envelopeValues(undefined)).toEqual(new Map());
    const values = { "x-amz-m": "", "x-amz-t": undefined, "x-amz-w": null, "x-amz-c": "115" };
    expect(envelopeValues(values as unknown as Record<string, string>)).toEqual(
      new Map([["x-amz-c", "115"]]),
    );
    expect(envelopeValues({ "x-amz-c": "115", "X-Amz-C": "" })).toEqual(new Map([["x-amz-c", "115"]]));
  });

  it("can't be made sense of with two values, be they equal, or with one that isn't text", () => {
    expect(envelopeValues({ "x-amz-c": "115", "X-Amz-C": "115" })).toBeUndefined();
    expect(envelopeValues({ "x-amz-c": 115 } as unknown as Record<string, string>)).toBeUndefined();
  });
});
