import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addTo, BLOCK_BYTES, multiply, newBlock, power } from "../../src/envelope/gf128.ts";

/** The field by the book, bit by bit over BigInt: another reading to hold the masks against (SP 800-38D 6.3). */
function multiplyByTheBook(x: Uint8Array, y: Uint8Array): Uint8Array {
  const [a, b] = [toBigInt(x), toBigInt(y)];
  let z = 0n;
  let v = b;
  for (let i = 127n; i >= 0n; i--) {
    if ((a >> i) & 1n) z ^= v;
    v = v & 1n ? (v >> 1n) ^ (0xe1n << 120n) : v >> 1n;
  }
  return fromHex(z.toString(16).padStart(32, "0"));
}

const toBigInt = (block: Uint8Array): bigint => BigInt(`0x${Buffer.from(block).toString("hex")}`);
const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
const hex = (block: Uint8Array): string => Buffer.from(block).toString("hex");
const element = fc.uint8Array({ minLength: BLOCK_BYTES, maxLength: BLOCK_BYTES });
const one = fromHex("80000000000000000000000000000000");

describe("the field of GCM", () => {
  // Test case 2 of the GCM specification (McGrew and Viega, 2005): GHASH of one block of ciphertext.
  it("gives the published products", () => {
    const h = fromHex("66e94bd4ef8a2c3b884cfa59ca342b2e");
    const x1 = multiply(fromHex("0388dace60b6a392f328c2b971b2fe78"), h);
    expect(hex(x1)).toBe("5e2ec746917062882c85b0685353deb7");
    addTo(x1, fromHex("00000000000000000000000000000080"));
    expect(hex(multiply(x1, h))).toBe("f38cbb1ad69223dcc3457ae5b6b0f885");
  });

  it.each([
    [
      "01000000000000000000000000000000",
      "40000000000000000000000000000000",
      "00800000000000000000000000000000",
    ],
    [
      "00000000000000000000000000000001",
      "40000000000000000000000000000000",
      "e1000000000000000000000000000000",
    ],
    [
      "00000001000000000000000000000000",
      "40000000000000000000000000000000",
      "00000000800000000000000000000000",
    ],
    [
      "00000000000000010000000000000000",
      "40000000000000000000000000000000",
      "00000000000000008000000000000000",
    ],
    [
      "00000000000000000000000100000000",
      "40000000000000000000000000000000",
      "00000000000000000000000080000000",
    ],
  ])("carries from word to word, and reduces: %s by x", (x, byX, product) => {
    expect(hex(multiply(fromHex(x), fromHex(byX)))).toBe(product);
    expect(hex(multiply(fromHex(byX), fromHex(x)))).toBe(product);
  });

  it("multiplies as the book does", () => {
    fc.assert(
      fc.property(element, element, (x, y) => {
        expect(multiply(x, y)).toEqual(multiplyByTheBook(x, y));
      }),
    );
  });

  it("writes the product over either factor when told to, and otherwise leaves both alone", () => {
    fc.assert(
      fc.property(element, element, (x, y) => {
        const [left, right] = [x.slice(), y.slice()];
        const product = multiply(left, right);
        expect([left, right]).toEqual([x, y]);
        expect(multiply(left, y, left)).toBe(left);
        expect(multiply(x, right, right)).toBe(right);
        expect([left, right]).toEqual([product, product]);
      }),
    );
  });

  it("works on views that lie inside a larger buffer", () => {
    const buffer = new Uint8Array(64);
    const [x, y, into] = [buffer.subarray(3, 19), buffer.subarray(20, 36), buffer.subarray(41, 57)];
    x.set(fromHex("0388dace60b6a392f328c2b971b2fe78"));
    y.set(fromHex("66e94bd4ef8a2c3b884cfa59ca342b2e"));
    multiply(x, y, into);
    expect(hex(into)).toBe("5e2ec746917062882c85b0685353deb7");
    expect(hex(power(y, 1))).toBe(hex(y));
    expect([
      ...buffer.subarray(0, 3),
      buffer[19],
      ...buffer.subarray(36, 41),
      ...buffer.subarray(57),
    ]).toEqual(Array(16).fill(0));
  });

  it.each([0, 1, 2, 3, 7, 8, 100])("takes the power %i as so many products", (exponent) => {
    const x = fromHex("66e94bd4ef8a2c3b884cfa59ca342b2e");
    let product = one;
    for (let i = 0; i < exponent; i++) product = multiplyByTheBook(product, x);
    expect(power(x, exponent)).toEqual(product);
    expect(hex(x)).toBe("66e94bd4ef8a2c3b884cfa59ca342b2e");
  });

  it("adds exponents of powers up to the 2^32 blocks of the largest object", () => {
    const exponent = fc.integer({ min: 0, max: 2 ** 32 });
    fc.assert(
      fc.property(element, exponent, exponent, (x, m, n) => {
        expect(multiply(power(x, m), power(x, n))).toEqual(power(x, m + n));
      }),
      { numRuns: 50 },
    );
  });

  it("keeps elements in memory of their own, outside any pool", () => {
    const [x, y] = [fromHex("66e94bd4ef8a2c3b884cfa59ca342b2e"), one];
    for (const block of [newBlock(), multiply(x, y), power(x, 3)]) {
      expect(block.constructor).toBe(Uint8Array);
      expect([block.byteOffset, block.length, block.buffer.byteLength]).toEqual([0, 16, 16]);
    }
  });
});
