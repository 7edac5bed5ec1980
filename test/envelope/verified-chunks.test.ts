import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { MAX_PLAINTEXT_BYTES, v2ContentKey, v3ContentKey } from "../../src/envelope/content-key.ts";
import { EnvelopeIntegrityError } from "../../src/envelope/errors.ts";
import { GcmParts } from "../../src/envelope/gcm-parts.ts";
import { sealBytes } from "../../src/envelope/gcm.ts";
import {
  firstPass,
  secondPass,
  type ChunkIndex,
  type ChunkRange,
} from "../../src/envelope/verified-chunks.ts";
import { broken, claiming, cut, cuts, drain, filled, stream, vectors } from "./chunkings.ts";

const MIB = 2 ** 20;
const key = v3ContentKey(filled(32));
const plaintext = filled(3 * MIB + 5);
const sealed = sealBytes(key, plaintext);
const parts = new GcmParts(key);

let known: Promise<ChunkIndex> | undefined;
/** What the first pass finds out about `sealed`. */
const indexed = (): Promise<ChunkIndex> => (known ??= firstPass(parts, stream([sealed])));

const pass = async (
  body: readonly Uint8Array[],
  range?: ChunkRange,
  from?: ChunkIndex,
): ReturnType<typeof drain> => drain(secondPass(parts, from ?? (await indexed()), stream(body), range));

const altered = (at: number): Uint8Array => {
  const copy = sealed.slice();
  copy[at]! ^= 0x40;
  return copy;
};

describe("the first pass", () => {
  it("finds the length and a digest of 16 bytes per MiB", async () => {
    const index = await indexed();
    expect(index).toMatchObject({ plaintextBytes: 3 * MIB + 5, chunkBytes: MIB, bytes: 64 });
    const digests = [0, 1, 2, 3].map((at) =>
      parts.digest(sealed.subarray(at * MIB, Math.min((at + 1) * MIB, 3 * MIB + 5))),
    );
    expect(index.digests).toEqual(new Uint8Array(Buffer.concat(digests)));
  });

  it.each([
    [0, 16],
    [1, 16],
    [MIB - 1, 16],
    [MIB, 16],
    [MIB + 1, 32],
    [2 * MIB, 32],
  ])("indexes a body of %i bytes in %i", async (length, bytes) => {
    const body = sealBytes(key, plaintext.subarray(0, length));
    expect(await firstPass(parts, stream(cut(body, [100_000])))).toMatchObject({
      plaintextBytes: length,
      bytes,
    });
  });

  it("finds the same whatever the chunks", async () => {
    const body = sealBytes(key, plaintext.subarray(0, MIB + 40_000));
    const expected = await firstPass(parts, stream([body]));
    await fc.assert(
      fc.asyncProperty(cuts, async (sizes) => {
        const found = await firstPass(parts, stream(cut(body, [...sizes, 20_011])));
        expect(found.digests).toEqual(expected.digests);
      }),
      { numRuns: 10 },
    );
  });

  it.each([
    ["a bit flipped at the start", altered(0)],
    ["a bit flipped in the last chunk", altered(3 * MIB + 1)],
    ["a bit flipped in the tag", altered(sealed.length - 1)],
    ["a byte less", sealed.subarray(0, -1)],
    ["a byte more", new Uint8Array([...sealed.subarray(-1000), 0])],
    [
      "chunks swapped",
      new Uint8Array(
        Buffer.concat([sealed.subarray(MIB, 2 * MIB), sealed.subarray(0, MIB), sealed.subarray(2 * MIB)]),
      ),
    ],
    ["15 bytes", sealed.subarray(0, 15)],
    ["nothing", new Uint8Array(0)],
  ])("fails for %s", async (_, body) => {
    await expect(firstPass(parts, stream([body]))).rejects.toThrow(EnvelopeIntegrityError);
  });

  it("fails for another key, and in the source's error", async () => {
    const other = new GcmParts(v3ContentKey(filled(33).subarray(1)));
    await expect(firstPass(other, stream([sealed]))).rejects.toThrow(EnvelopeIntegrityError);
    const error = new Error("connection");
    await expect(firstPass(parts, broken([sealed], error))).rejects.toBe(error);
  });

  it("refuses more than AES-GCM can seal", async () => {
    const over = Object.assign(claiming(MAX_PLAINTEXT_BYTES + 17), {
      subarray: () => claiming(MAX_PLAINTEXT_BYTES + 1),
    });
    await expect(firstPass(parts, stream([over]))).rejects.toMatchObject({ problem: "too-large" });
  });

  it("overwrites the digests that it worked with, whether or not the body is authentic", async () => {
    const tag = vi.spyOn(parts, "tag");
    await firstPass(parts, stream([sealed]));
    await firstPass(parts, stream([altered(0)])).catch(() => undefined);
    const digests = tag.mock.calls.flatMap(([runs]) => runs.map(({ q }) => q));
    tag.mockRestore();
    expect(digests).toEqual(Array.from({ length: 8 }, () => new Uint8Array(16)));
  });

  it("overwrites the index on request", async () => {
    const wiped = await firstPass(parts, stream([sealed]));
    wiped.wipe();
    expect(wiped.digests).toEqual(new Uint8Array(64));
  });
});

describe("both passes", () => {
  it.each(vectors)(
    "open the published key $title",
    async ({ key: published, plaintext: expected, sealed: body }) => {
      for (const sizes of [[100], [1], [7, 0]]) {
        const own = new GcmParts(published);
        const found = await firstPass(own, stream(cut(body, sizes)));
        const result = await drain(secondPass(own, found, stream(cut(body, sizes))));
        expect(result).toMatchObject({ bytes: expected, error: undefined });
      }
    },
  );

  it("open V2 bodies", async () => {
    const v2 = v2ContentKey(filled(32), filled(12));
    const [own, body] = [new GcmParts(v2), sealBytes(v2, plaintext.subarray(0, MIB + 1))];
    const result = await drain(secondPass(own, await firstPass(own, stream([body])), stream([body])));
    expect(Buffer.compare(result.bytes, plaintext.subarray(0, MIB + 1))).toBe(0);
  });
});

describe("the second pass", () => {
  it("gives the plaintext in chunks of 1 MiB, whatever the body's chunks", async () => {
    for (const sizes of [[sealed.length], [65_536], [10_007, 0], [MIB], [MIB - 1]]) {
      const result = await pass(cut(sealed, sizes));
      expect(result.error).toBeUndefined();
      expect(result.chunks.map(({ length }) => length)).toEqual([MIB, MIB, MIB, 5]);
      expect(Buffer.compare(result.bytes, plaintext)).toBe(0);
    }
  });

  it("gives one chunk of nothing for an empty body", async () => {
    const empty = sealBytes(key, new Uint8Array(0));
    const found = await firstPass(parts, stream([empty]));
    expect(await pass([empty], undefined, found)).toMatchObject({ bytes: { length: 0 }, error: undefined });
    expect((await pass([], undefined, found)).error).toBeInstanceOf(EnvelopeIntegrityError);
    expect((await pass([new Uint8Array(17)], undefined, found)).error).toBeInstanceOf(EnvelopeIntegrityError);
  });

  const chunk = (at: number): Uint8Array => sealed.subarray(at * MIB, (at + 1) * MIB);
  it.each<[string, number, Uint8Array[]]>([
    ["a bit flipped in chunk 0", 0, [altered(MIB - 1)]],
    ["a bit flipped in chunk 1", 1, [altered(MIB)]],
    ["a bit flipped in the last chunk", 3, [altered(3 * MIB + 4)]],
    ["chunks 1 and 2 swapped", 1, [chunk(0), chunk(2), chunk(1), chunk(3)]],
    ["chunk 1 left out", 1, [chunk(0), chunk(2), chunk(3)]],
    ["chunk 1 twice", 2, [chunk(0), chunk(1), chunk(1), chunk(2), chunk(3)]],
    ["a byte missing in chunk 1", 1, [chunk(0), chunk(1).subarray(1), chunk(2), chunk(3)]],
    ["a byte put in before chunk 2", 2, [chunk(0), chunk(1), new Uint8Array(1), chunk(2), chunk(3)]],
    ["nothing", 0, []],
    ["an end inside chunk 0", 0, [sealed.subarray(0, 1000)]],
    ["an end after chunk 0", 0, [chunk(0)]],
    ["an end after one byte of chunk 2", 2, [sealed.subarray(0, 2 * MIB + 1)]],
    ["an end inside the last chunk", 3, [sealed.subarray(0, 3 * MIB + 4)]],
    ["no tag", 3, [sealed.subarray(0, 3 * MIB + 5)]],
    ["a cut tag", 3, [sealed.subarray(0, -1)]],
    ["a byte after the tag", 3, [sealed, new Uint8Array(1)]],
    ["a longer last chunk", 3, [chunk(0), chunk(1), chunk(2), new Uint8Array(1), chunk(3)]],
  ])("gives only the authentic chunks before it fails: %s", async (_, good, body) => {
    for (const pieces of [body, body.flatMap((piece) => cut(piece, [99_991]))]) {
      const result = await pass(pieces);
      expect(result.error).toBeInstanceOf(EnvelopeIntegrityError);
      expect(result.chunks).toHaveLength(good);
      expect(Buffer.compare(result.bytes, plaintext.subarray(0, good * MIB))).toBe(0);
    }
  });

  it("tells a last chunk from the same without its zeros, which have one digest", async () => {
    // A plaintext whose ciphertext ends in zeros: sealing twice gives the keystream.
    const ending = sealBytes(key, sealBytes(key, new Uint8Array(20)).subarray(0, 20));
    expect(ending.subarray(0, 20)).toEqual(new Uint8Array(20));
    const found = await firstPass(parts, stream([ending]));
    expect(parts.digest(ending.subarray(0, 19))).toEqual(parts.digest(ending.subarray(0, 20)));
    const range = { firstChunk: 0, endChunk: 1 };
    expect(await pass([ending.subarray(0, 19)], range, found)).toMatchObject({
      chunks: [],
      error: expect.any(EnvelopeIntegrityError),
    });
  });

  it("overwrites the digests that it compares", async () => {
    const digest = vi.spyOn(parts, "digest");
    await pass([sealed]);
    const digests = digest.mock.results.map(({ value }) => value as Uint8Array);
    digest.mockRestore();
    expect(digests).toEqual(Array.from({ length: 4 }, () => new Uint8Array(16)));
  });

  it("reads nothing once the body is longer than it should be", async () => {
    let reads = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield sealed;
      while (true) {
        reads += 1;
        yield new Uint8Array(1);
      }
    }
    const result = await drain(secondPass(parts, await indexed(), endless()));
    expect(result.error).toBeInstanceOf(EnvelopeIntegrityError);
    expect(result.chunks).toHaveLength(3);
    expect(reads).toBe(1);
  });

  it("ends in the source's error after the chunks that were whole", async () => {
    const error = new Error("connection");
    const body = broken([sealed.subarray(0, MIB + 1)], error);
    const result = await drain(secondPass(parts, await indexed(), body));
    expect(result.error).toBe(error);
    expect(Buffer.compare(result.bytes, plaintext.subarray(0, MIB))).toBe(0);
  });
});

describe("the second pass over a range of chunks", () => {
  const span = (first: number, end: number): Uint8Array =>
    sealed.subarray(first * MIB, Math.min(end * MIB, plaintext.length));

  it.each([
    [0, 1],
    [1, 2],
    [1, 3],
    [2, 4],
    [3, 4],
    [0, 4],
  ])("gives chunks %i to before %i", async (firstChunk, endChunk) => {
    const result = await pass(cut(span(firstChunk, endChunk), [99_991]), { firstChunk, endChunk });
    expect(result.error).toBeUndefined();
    expect(Buffer.compare(result.bytes, plaintext.subarray(firstChunk * MIB, endChunk * MIB))).toBe(0);
  });

  it.each<[string, Uint8Array, ChunkRange, number]>([
    ["other chunks", span(0, 1), { firstChunk: 1, endChunk: 2 }, 0],
    ["fewer chunks", span(1, 2), { firstChunk: 1, endChunk: 3 }, 0],
    ["more chunks", span(1, 4), { firstChunk: 1, endChunk: 3 }, 1],
    ["the tag as well", sealed.subarray(3 * MIB), { firstChunk: 3, endChunk: 4 }, 0],
  ])("fails for %s", async (_, body, range, good) => {
    const result = await pass([body], range);
    expect(result.error).toBeInstanceOf(EnvelopeIntegrityError);
    expect(result.chunks).toHaveLength(good);
  });
});
