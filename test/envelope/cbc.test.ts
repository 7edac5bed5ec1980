import { createCipheriv } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { openCbc } from "../../src/envelope/cbc.ts";
import { EnvelopeIntegrityError } from "../../src/envelope/errors.ts";
import { counting, cut, cuts, filled, fromHex } from "./chunkings.ts";

const key = filled(32);
const iv = counting(16);

/** A body of whole blocks, padded or not. */
function encrypt(plaintext: Uint8Array, padded = true): Uint8Array {
  const cipher = createCipheriv("aes-256-cbc", key, iv).setAutoPadding(padded);
  return new Uint8Array(Buffer.concat([cipher.update(plaintext), cipher.final()]));
}

describe("a CBC body", () => {
  it("opens to what was encrypted, whatever its size and chunks", () => {
    fc.assert(
      fc.property(fc.nat({ max: 70_000 }), cuts, (length, sizes) => {
        const plaintext = filled(length);
        expect(Buffer.compare(openCbc(key, iv, cut(encrypt(plaintext), sizes)), plaintext)).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  it.each(Array.from({ length: 17 }, (_, at) => at))("opens with %i bytes before the padding", (length) => {
    const plaintext = filled(length);
    expect(openCbc(key, iv, [encrypt(plaintext)])).toEqual(plaintext);
    expect(openCbc(key, iv, cut(encrypt(plaintext), [1]))).toEqual(plaintext);
  });

  // The four-block CBC-AES256 example of SP 800-38A, F.2.5, without padding: a block of padding stands after it here.
  it("is AES-256-CBC as NIST has it", () => {
    const opened = openCbc(fromHex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"), iv, [
      fromHex("f58c4c04d6e5f1ba779eabfb5f7bfbd6"),
      (() => {
        const cipher = createCipheriv(
          "aes-256-cbc",
          fromHex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),
          fromHex("f58c4c04d6e5f1ba779eabfb5f7bfbd6"),
        );
        return cipher.final();
      })(),
    ]);
    expect(opened).toEqual(fromHex("6bc1bee22e409f96e93d7e117393172a"));
  });
});

/** So many bytes of that value. */
const fill = (count: number, value = count): number[] => Array.from({ length: count }, () => value);

describe("a CBC body that can't be opened", () => {
  const block = (end: readonly number[]): Uint8Array => {
    const plaintext = filled(32);
    plaintext.set(end, 32 - end.length);
    return encrypt(plaintext, false);
  };
  const good = encrypt(filled(40));

  it.each([
    ["a padding of 0", block([0]), iv],
    ["a padding of 0 in a block of zeros", block(fill(16, 0)), iv],
    ["a padding of 17", block(fill(16, 17)), iv],
    ["a padding of 255", block(fill(16, 255)), iv],
    ["a padding of 2 with another byte before", block([3, 2]), iv],
    ["a padding of 16 with another first byte", block([15, ...fill(15, 16)]), iv],
    ["a padding of 5 with one wrong bit", block([5, 5, 4, 5, 5]), iv],
    ["nothing", new Uint8Array(0), iv],
    ["fewer bytes than a block", good.subarray(0, 15), iv],
    ["a cut last block", good.subarray(0, -1), iv],
    ["a byte more", new Uint8Array([...good, 0]), iv],
    ["a short IV", good, iv.subarray(0, 15)],
    ["a long IV", good, counting(17)],
    ["no IV", good, new Uint8Array(0)],
  ])("gives the one error for %s", (_, sealed, used) => {
    const message = new EnvelopeIntegrityError().message;
    for (const chunks of [[sealed], cut(sealed, [1])]) {
      expect(() => openCbc(key, used, chunks)).toThrow(
        expect.objectContaining({ constructor: EnvelopeIntegrityError, message }),
      );
    }
  });

  it("is overwritten where it was decrypted", () => {
    const spy = vi.spyOn(Object.getPrototypeOf(Uint8Array.prototype) as Pick<Uint8Array, "fill">, "fill");
    expect(() => openCbc(key, iv, [block([0])])).toThrow(EnvelopeIntegrityError);
    const wiped = spy.mock.contexts as Uint8Array[];
    spy.mockRestore();
    expect(wiped).toEqual([new Uint8Array(32)]);
  });

  it("gives it for another key", () => {
    expect(() => openCbc(counting(32), iv, [good])).toThrow(EnvelopeIntegrityError);
  });
});

describe("a padding", () => {
  it.each(Array.from({ length: 16 }, (_, at) => at + 1))("of %i bytes is taken off", (count) => {
    const plaintext = filled(32);
    plaintext.fill(count, 32 - count);
    expect(openCbc(key, iv, [encrypt(plaintext, false)])).toEqual(plaintext.subarray(0, 32 - count));
  });
});
