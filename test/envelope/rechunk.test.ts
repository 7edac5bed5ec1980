import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { join, joinSpan, Rechunker, steps } from "../../src/envelope/rechunk.ts";
import { cut, cuts, filled } from "./chunkings.ts";

const KIB = 1024;

function rechunk(chunks: readonly Uint8Array[]): { pieces: Uint8Array[]; rest: Uint8Array } {
  const rechunker = new Rechunker();
  const pieces = chunks.flatMap((chunk) => Array.from(rechunker.push(chunk), (piece) => piece.slice()));
  return { pieces, rest: rechunker.rest().slice() };
}

describe("steps", () => {
  it.each([
    [0, [0]],
    [1, [1]],
    [64 * KIB, [64 * KIB]],
    [64 * KIB + 1, [64 * KIB, 1]],
    [128 * KIB, [64 * KIB, 64 * KIB]],
  ])("cut %i bytes into %j", (length, expected) => {
    const bytes = filled(length);
    const views = steps(bytes);
    expect(views.map((view) => view.length)).toEqual(expected);
    expect(Buffer.compare(join(views), bytes)).toBe(0);
    expect(views.every(({ buffer }) => buffer === bytes.buffer)).toBe(true);
  });
});

describe("a rechunker", () => {
  it.each([
    { chunks: [16 * KIB], pieces: [16 * KIB], rest: 0 },
    { chunks: [16 * KIB - 1], pieces: [], rest: 16 * KIB - 1 },
    { chunks: [64 * KIB + 5], pieces: [64 * KIB], rest: 5 },
    { chunks: [80 * KIB], pieces: [64 * KIB, 16 * KIB], rest: 0 },
    { chunks: [100, 16 * KIB], pieces: [16 * KIB], rest: 100 },
    { chunks: [100, 32 * KIB], pieces: [16 * KIB, 16 * KIB + 100], rest: 0 },
    { chunks: [100, 16 * KIB - 101], pieces: [], rest: 16 * KIB - 1 },
    { chunks: [100, 16 * KIB - 100, 7], pieces: [16 * KIB], rest: 7 },
    { chunks: [1, 16 * KIB], pieces: [16 * KIB], rest: 1 },
    { chunks: [0, 5, 0, 6], pieces: [], rest: 11 },
  ])("makes $pieces and a rest of $rest out of $chunks", ({ chunks, pieces, rest }) => {
    const bytes = filled(chunks.reduce((sum, size) => sum + size, 0));
    const found = rechunk(cut(bytes, chunks));
    expect(found.pieces.map(({ length }) => length)).toEqual(pieces);
    expect(found.rest).toHaveLength(rest);
    expect(Buffer.compare(join([...found.pieces, found.rest]), bytes)).toBe(0);
  });

  it("keeps every byte in its place, in pieces of 16 to 64 KiB", () => {
    fc.assert(
      fc.property(fc.nat({ max: 300_000 }), cuts, (length, sizesOf) => {
        const bytes = filled(length);
        const { pieces, rest } = rechunk(cut(bytes, sizesOf));
        expect(Buffer.compare(join([...pieces, rest]), bytes)).toBe(0);
        expect(pieces.every((piece) => piece.length >= 16 * KIB && piece.length <= 64 * KIB)).toBe(true);
        expect(rest.length).toBeLessThan(16 * KIB);
      }),
      { numRuns: 60 },
    );
  });

  it("doesn't copy what is large enough", () => {
    const chunk = filled(20 * KIB);
    expect([...new Rechunker().push(chunk)][0]?.buffer).toBe(chunk.buffer);
  });

  it("forgets what it gathered when wiped", () => {
    const rechunker = new Rechunker();
    for (const _ of rechunker.push(filled(100))) expect.unreachable();
    rechunker.wipe();
    expect(rechunker.rest()).toEqual(new Uint8Array(100));
  });
});

describe("joinSpan", () => {
  const pieces = [Buffer.from("abc"), new Uint8Array(0), Buffer.from("de"), Buffer.from("fghi")];

  it.each([
    [0, 9, "abcdefghi"],
    [0, 3, "abc"],
    [1, 2, "b"],
    [2, 6, "cdef"],
    [3, 5, "de"],
    [8, 9, "i"],
    [4, 4, ""],
  ])("gives bytes %i to before %i, in memory of their own", (start, end, text) => {
    const bytes = joinSpan(pieces, start, end);
    expect(Buffer.from(bytes).toString()).toBe(text);
    expect(bytes.buffer.byteLength).toBe(text.length);
  });
});

describe("join", () => {
  it("gives memory of its own, whose buffer holds nothing else", () => {
    const joined = join([Buffer.from("ab"), new Uint8Array(0), Buffer.from("c")]);
    expect(joined).toEqual(Uint8Array.of(97, 98, 99));
    expect(joined.buffer.byteLength).toBe(3);
  });
});
