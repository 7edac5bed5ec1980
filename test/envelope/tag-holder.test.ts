import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EnvelopeIntegrityError } from "../../src/envelope/errors.ts";
import { join } from "../../src/envelope/rechunk.ts";
import { splitTag, TagHolder } from "../../src/envelope/tag-holder.ts";
import { counting, cut, cuts, filled } from "./chunkings.ts";

describe("splitTag", () => {
  it("takes the last 16 bytes as the tag, across chunks", () => {
    const body = counting(20);
    expect(splitTag(cut(body, [3, 0, 5]))).toEqual({
      ciphertext: [body.subarray(0, 3), body.subarray(3, 4)],
      tag: body.subarray(4),
    });
  });

  it("finds no ciphertext in 16 bytes", () => {
    expect(splitTag([counting(16)])).toEqual({ ciphertext: [], tag: counting(16) });
  });

  it.each([0, 1, 15])("refuses %i bytes", (length) => {
    expect(() => splitTag([counting(length)])).toThrow(EnvelopeIntegrityError);
  });
});

describe("a tag holder", () => {
  it("holds 17 bytes back at the least, so that something comes after verification", () => {
    const holder = new TagHolder();
    const chunk = counting(10);
    expect(holder.push(chunk)).toEqual([]);
    expect(holder.push(counting(16))).toEqual([]);
    expect(holder.push(counting(1))).toEqual([chunk]);
    expect(holder.end()).toEqual({
      ciphertext: [Uint8Array.of(0)],
      tag: Uint8Array.of(...counting(16).subarray(1), 0),
    });
  });

  it("drops empty chunks", () => {
    const holder = new TagHolder();
    expect(holder.push(new Uint8Array(0))).toEqual([]);
    expect(holder.push(counting(20))).toEqual([]);
    expect(holder.push(new Uint8Array(0))).toEqual([]);
    expect(holder.push(counting(17))).toEqual([counting(20)]);
  });

  it("lets several small chunks go at once", () => {
    const holder = new TagHolder();
    for (const one of cut(counting(5), [1])) holder.push(one);
    expect(holder.push(counting(17))).toEqual(cut(counting(5), [1]));
  });

  it("gives ciphertext and tag whatever the chunks", () => {
    fc.assert(
      fc.property(fc.integer({ min: 16, max: 100_000 }), cuts, (length, sizes) => {
        const body = filled(length);
        const holder = new TagHolder();
        const sure = cut(body, sizes).flatMap((chunk) => holder.push(chunk));
        const { ciphertext, tag } = holder.end();
        expect(Buffer.compare(join([...sure, ...ciphertext, tag]), body)).toBe(0);
        expect(tag).toHaveLength(16);
        expect(join(ciphertext).length).toBeGreaterThanOrEqual(Math.min(1, length - 16));
      }),
      { numRuns: 60 },
    );
  });
});
