/**
 * The field of GCM, GF(2^128), without a branch or a table index that depends on a value: multiply and power.
 *
 * Elements are blocks of 16 bytes. The first bit of the first byte is the coefficient of x^0 (SP 800-38D 6.3).
 */

/** Length of an element, and of an AES block, in bytes. */
export const BLOCK_BYTES = 16;

/** The polynomial that reduces, x^128 + x^7 + x^2 + x + 1, as GCM writes it: 11100001 and zeros (SP 800-38D 6.3). */
const REDUCTION = 0xe1000000;

/** A zero element in memory of its own, which V8 doesn't move: elements are secrets that get wiped. */
export function newBlock(): Uint8Array {
  return new Uint8Array(new ArrayBuffer(BLOCK_BYTES));
}

/**
 * The product of two elements.
 *
 * @param into - Where it's written; may be `x` or `y`. A new block when absent.
 */
export function multiply(x: Uint8Array, y: Uint8Array, into: Uint8Array = newBlock()): Uint8Array {
  const xs = new DataView(x.buffer, x.byteOffset, BLOCK_BYTES);
  const ys = new DataView(y.buffer, y.byteOffset, BLOCK_BYTES);
  let [z0, z1, z2, z3] = [0, 0, 0, 0];
  let [v0, v1, v2, v3] = [ys.getInt32(0), ys.getInt32(4), ys.getInt32(8), ys.getInt32(12)];
  for (let word = 0; word < BLOCK_BYTES; word += 4) {
    const bits = xs.getInt32(word);
    // Algorithm 1 of SP 800-38D 6.3, the conditions as masks of 32 equal bits.
    for (let bit = 0; bit < 32; bit++) {
      const take = (bits << bit) >> 31;
      z0 ^= v0 & take;
      z1 ^= v1 & take;
      z2 ^= v2 & take;
      z3 ^= v3 & take;
      const reduce = (v3 << 31) >> 31;
      v3 = (v3 >>> 1) | (v2 << 31);
      v2 = (v2 >>> 1) | (v1 << 31);
      v1 = (v1 >>> 1) | (v0 << 31);
      v0 = (v0 >>> 1) ^ (REDUCTION & reduce);
    }
  }
  const zs = new DataView(into.buffer, into.byteOffset, BLOCK_BYTES);
  zs.setInt32(0, z0);
  zs.setInt32(4, z1);
  zs.setInt32(8, z2);
  zs.setInt32(12, z3);
  return into;
}

/**
 * An element multiplied by itself so many times: a new block.
 *
 * @param exponent - Public (a count of blocks): the time taken shows it. An integer of 0 and up.
 */
export function power(x: Uint8Array, exponent: number): Uint8Array {
  const result = newBlock();
  result[0] = 0x80;
  const square = newBlock();
  square.set(x);
  // No bitwise operators: a count of blocks can pass 2^31.
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) multiply(result, square, result);
    multiply(square, square, square);
  }
  square.fill(0);
  return result;
}

/** Adds an element to another, in place: in this field, XOR. */
export function addTo(target: Uint8Array, summand: Uint8Array): void {
  for (let i = 0; i < BLOCK_BYTES; i++) target[i]! ^= summand[i]!;
}
