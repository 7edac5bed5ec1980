import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatBase64, parseBase64 } from "../../src/envelope/strict-base64.ts";

describe("base64 as the formats write it", () => {
  it("comes back as the bytes it was made of, in memory of their own", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), (bytes) => {
        const parsed = parseBase64(formatBase64(bytes));
        expect(parsed).toEqual(bytes);
        expect(parsed?.buffer.byteLength).toBe(bytes.length);
      }),
    );
  });

  it("is made of exactly the bytes of a view", () => {
    expect(formatBase64(Uint8Array.of(9, 1, 2, 3, 9).subarray(1, 4))).toBe("AQID");
  });

  it.each([
    ["absent", undefined],
    ["empty", ""],
    ["unpadded", "AQ"],
    ["padded too much", "AQID===="],
    ["with unused bits set", "AR=="],
    ["of the URL alphabet", "-_-_"],
    ["with white space", "AQ ID"],
    ["with a line end", "AQID\n"],
    ["with something after the padding", "AQ==AQ=="],
    ["with foreign characters", "AQ!D"],
    ["two header values joined", "AQID, AQID"],
  ])("is refused when it is %s", (_, text) => {
    expect(parseBase64(text)).toBeUndefined();
  });

  it("is refused when it holds another number of bytes than asked for", () => {
    expect(parseBase64("AQID", 3)).toEqual(Uint8Array.of(1, 2, 3));
    expect(parseBase64("AQID", 2)).toBeUndefined();
    expect(parseBase64("AQID", 4)).toBeUndefined();
  });
});
