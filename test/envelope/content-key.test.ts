import { describe, expect, it } from "vitest";
import {
  addPlaintext,
  MAX_PLAINTEXT_BYTES,
  TAG_BYTES,
  v2ContentKey,
  v3ContentKey,
  wipe,
} from "../../src/envelope/content-key.ts";
import { EnvelopeIntegrityError, EnvelopeRefusedError } from "../../src/envelope/errors.ts";
import { fromHex } from "./chunkings.ts";

const bytes = new Uint8Array(32).fill(7);

describe("a content key", () => {
  it("has the constants of the format in V3", () => {
    expect(v3ContentKey(bytes)).toEqual({ bytes, iv: new Uint8Array(12).fill(1), aad: fromHex("0073") });
  });

  it("has the IV of the metadata and no additional data in V2", () => {
    const iv = new Uint8Array(12).fill(9);
    expect(v2ContentKey(bytes, iv)).toEqual({ bytes, iv, aad: undefined });
  });

  it.each([0, 11, 13, 16])("refuses a V2 IV of %i bytes as damaged", (length) => {
    expect(() => v2ContentKey(bytes, new Uint8Array(length))).toThrow(EnvelopeIntegrityError);
  });

  it("is overwritten by wipe, with whatever else is given", () => {
    const [one, other] = [new Uint8Array(3).fill(1), new Uint8Array(2).fill(2)];
    wipe(one, other);
    expect([one, other]).toEqual([new Uint8Array(3), new Uint8Array(2)]);
  });
});

describe("the limit of AES-GCM", () => {
  it("is 2^39 - 256 bits, with a tag of 128 bits after them", () => {
    expect(MAX_PLAINTEXT_BYTES).toBe((2 ** 39 - 256) / 8);
    expect(TAG_BYTES).toBe(128 / 8);
  });

  it("lets the last byte in, and no other", () => {
    expect(addPlaintext(3, 4)).toBe(7);
    expect(addPlaintext(MAX_PLAINTEXT_BYTES - 1, 1)).toBe(MAX_PLAINTEXT_BYTES);
    expect(() => addPlaintext(MAX_PLAINTEXT_BYTES, 1)).toThrow(
      expect.objectContaining({
        constructor: EnvelopeRefusedError,
        problem: "too-large",
        message: expect.stringMatching(/68719476704 bytes.*AES-GCM.*Split the body over several objects\./),
      }),
    );
  });
});
