import { createCipheriv } from "node:crypto";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { MAX_PLAINTEXT_BYTES, v2ContentKey, v3ContentKey } from "../../src/envelope/content-key.ts";
import { EnvelopeIntegrityError } from "../../src/envelope/errors.ts";
import {
  openBytes,
  openChunks,
  openPieces,
  openVerified,
  sealBytes,
  sealChunks,
} from "../../src/envelope/gcm.ts";
import { broken, claiming, cut, cuts, drain, filled, stream, vectors } from "./chunkings.ts";

const key = v3ContentKey(filled(32));
const v2Key = v2ContentKey(filled(32), filled(12));
const tooLarge = expect.objectContaining({ problem: "too-large" });

afterEach(() => {
  vi.restoreAllMocks();
});

/** Roads a body can take: whole, in one chunk, in chunks that end anywhere, byte by byte. */
const roads: readonly (readonly [string, (bytes: Uint8Array) => Uint8Array[]])[] = [
  ["in one chunk", (bytes) => [bytes]],
  ["byte by byte", (bytes) => cut(bytes, [1])],
  ["in chunks of 7 and of none", (bytes) => cut(bytes, [7, 0])],
];

describe.each(vectors)("the published key $title", ({ key: published, plaintext, sealed }) => {
  it("seals to the known bytes in memory", () => {
    expect(sealBytes(published, plaintext)).toEqual(sealed);
  });

  it.each(roads)("seals to the known bytes %s", async (_, chunked) => {
    expect(await drain(sealChunks(published, stream(chunked(plaintext))))).toMatchObject({
      bytes: sealed,
      error: undefined,
    });
  });

  it.each(roads)("opens %s, in memory and streamed", async (_, chunked) => {
    expect(openBytes(published, chunked(sealed))).toEqual(plaintext);
    expect(Buffer.concat(openPieces(published, chunked(sealed)))).toEqual(Buffer.from(plaintext));
    expect(await drain(openChunks(published, stream(chunked(sealed))))).toMatchObject({
      bytes: plaintext,
      error: undefined,
    });
  });

  it.each(roads)("opens nothing altered %s", async (_, chunked) => {
    const altered = [
      ...Array.from(sealed, (byte, at) => sealed.with(at, byte ^ 1)),
      sealed.subarray(0, -1),
      sealed.subarray(1),
      new Uint8Array([...sealed, 0]),
      sealed.subarray(0, 15),
      new Uint8Array(0),
    ];
    for (const bad of altered) {
      expect(() => openBytes(published, chunked(bad))).toThrow(EnvelopeIntegrityError);
      expect((await drain(openChunks(published, stream(chunked(bad))))).error).toBeInstanceOf(
        EnvelopeIntegrityError,
      );
    }
  });
});

describe("sealing and opening", () => {
  it("are AES-256-GCM, whatever the size and the chunks", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 200_000 }), cuts, fc.boolean(), async (length, sizes, v3) => {
        const used = v3 ? key : v2Key;
        const plaintext = filled(length);
        const cipher = createCipheriv("aes-256-gcm", used.bytes, used.iv);
        if (v3) cipher.setAAD(Uint8Array.of(0x00, 0x73));
        const expected = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
        const chunks = cut(expected, sizes);

        expect(Buffer.compare(sealBytes(used, plaintext), expected)).toBe(0);
        const streamed = await drain(sealChunks(used, stream(cut(plaintext, sizes))));
        expect(Buffer.compare(streamed.bytes, expected)).toBe(0);
        expect(Buffer.compare(openBytes(used, chunks), plaintext)).toBe(0);
        const opened = await drain(openChunks(used, stream(chunks)));
        expect(opened.error).toBeUndefined();
        expect(Buffer.compare(opened.bytes, plaintext)).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ["another key", v3ContentKey(filled(33).subarray(1))],
    ["another IV", { ...key, iv: filled(12) }],
    ["other additional data", { ...key, aad: Uint8Array.of(0x00, 0x74) }],
    ["no additional data", { ...key, aad: undefined }],
  ])("open nothing under %s", async (_, other) => {
    const sealed = sealBytes(key, filled(100));
    expect(() => openBytes(other, [sealed])).toThrow(EnvelopeIntegrityError);
    expect((await drain(openChunks(other, stream([sealed])))).error).toBeInstanceOf(EnvelopeIntegrityError);
  });

  it("take the key when they are called: it may be wiped before the first chunk", async () => {
    const bytes = filled(32);
    const plaintext = filled(100);
    const sealing = sealChunks(v3ContentKey(bytes), stream([plaintext]));
    const opening = openChunks(v3ContentKey(bytes), stream([sealBytes(key, plaintext)]));
    bytes.fill(0);
    expect((await drain(sealing)).bytes).toEqual(sealBytes(key, plaintext));
    expect((await drain(opening)).bytes).toEqual(plaintext);
  });

  it("give memory of their own", () => {
    const sealed = sealBytes(key, filled(100));
    expect(sealed.buffer.byteLength).toBe(116);
    expect(openBytes(key, [sealed]).buffer.byteLength).toBe(100);
  });

  it("open bodies in memory in pieces of 64 KiB", () => {
    const sealed = sealBytes(key, filled(150_000));
    expect(openPieces(key, [sealed]).map(({ length }) => length)).toEqual([65_536, 65_536, 18_928]);
  });

  it("refuse what is over the limit of AES-GCM before they touch it", async () => {
    const [over, sealedOver] = [claiming(MAX_PLAINTEXT_BYTES + 1), claiming(MAX_PLAINTEXT_BYTES + 17)];
    expect(() => sealBytes(key, over)).toThrow(tooLarge);
    expect(await drain(sealChunks(key, stream([over])))).toMatchObject({ chunks: [], error: tooLarge });
    const inTwo = [filled(1), claiming(MAX_PLAINTEXT_BYTES)];
    expect((await drain(sealChunks(key, stream(inTwo)))).error).toEqual(tooLarge);
    expect((await drain(openChunks(key, stream([sealedOver])))).error).toEqual(tooLarge);
    const allowed = claiming(MAX_PLAINTEXT_BYTES + 16);
    expect((await drain(openChunks(key, stream([allowed])))).error).toBeInstanceOf(EnvelopeIntegrityError);
    const huge = Object.assign(claiming(MAX_PLAINTEXT_BYTES + 17), { subarray: () => over });
    expect(() => openPieces(key, [huge])).toThrow(tooLarge);
  });
});

/** One chunk of memory, filled anew for each yield. */
async function* reusing(): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(20_000);
  for (let fill = 1; fill <= 3; fill += 1) yield chunk.fill(fill);
}

describe("a body sealed as it streams", () => {
  it("comes in chunks of 16 to 64 KiB but for the last, which has the tag", async () => {
    const { chunks } = await drain(sealChunks(key, stream(cut(filled(200_000), [1000]))));
    expect(chunks.map(({ length }) => length)).toEqual([
      ...Array.from({ length: 11 }, () => 16_384),
      16_384 + (200_000 - 12 * 16_384) + 16,
    ]);
  });

  it("has a last chunk of 16 bytes when it's empty", async () => {
    const { chunks } = await drain(sealChunks(key, stream([])));
    expect(chunks.map(({ length }) => length)).toEqual([16]);
  });

  it("says how long it was before its last chunk", async () => {
    const seen: (number | string)[] = [];
    const sealing = sealChunks(key, stream(cut(filled(50_000), [20_000])), (bytes) => seen.push(bytes));
    for await (const { length } of sealing) seen.push(`chunk of ${length}`);
    expect(seen).toEqual(["chunk of 20000", 50_000, `chunk of ${30_000 + 16}`]);
  });

  it("may come from a source that uses its chunks again", async () => {
    const expected = Buffer.concat([1, 2, 3].map((fill) => Buffer.alloc(20_000, fill)));
    const { bytes } = await drain(sealChunks(key, reusing()));
    expect(Buffer.compare(bytes, sealBytes(key, expected))).toBe(0);
  });

  it("ends without a tag in the source's error", async () => {
    const error = new Error("source");
    const result = await drain(sealChunks(key, broken(cut(filled(60_000), [20_000]), error)));
    expect(result.error).toBe(error);
    expect(Buffer.compare(result.bytes, sealBytes(key, filled(60_000)).subarray(0, 40_000))).toBe(0);
  });

  it("overwrites the small chunks it gathered, however it ends", async () => {
    const set = vi.spyOn(Object.getPrototypeOf(Uint8Array.prototype) as Pick<Uint8Array, "set">, "set");
    await drain(sealChunks(key, stream([filled(100)])));
    await drain(sealChunks(key, broken([filled(100)], new Error("source"))));
    const targets = set.mock.contexts as Uint8Array[];
    const gathered = targets.filter(({ length }) => length === 16_384);
    expect(gathered).toHaveLength(2);
    expect(gathered.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
  });
});

describe("a body opened as it streams", () => {
  const plaintext = filled(100_000);
  const sealed = sealBytes(key, plaintext);

  it("comes before it ends, but for at least the last byte", async () => {
    const bad = sealed.with(sealed.length - 1, sealed.at(-1)! ^ 1);
    const result = await drain(openChunks(key, stream(cut(bad, [1000]))));
    expect(result.error).toBeInstanceOf(EnvelopeIntegrityError);
    expect(Buffer.compare(result.bytes, plaintext.subarray(0, 99_000))).toBe(0);
  });

  it("keeps a body of one chunk until it's verified", async () => {
    const bad = sealed.with(0, sealed[0]! ^ 1);
    expect(await drain(openChunks(key, stream([bad])))).toMatchObject({ chunks: [] });
  });

  it("comes in chunks of at most 64 KiB, none of them empty", async () => {
    const { chunks } = await drain(
      openChunks(key, stream([sealed.slice(0, 90_000), new Uint8Array(0), sealed.slice(90_000)])),
    );
    expect(chunks.map(({ length }) => length)).toEqual([65_536, 24_464, 10_000]);
  });

  it("ends in the source's error", async () => {
    const error = new Error("connection");
    expect((await drain(openChunks(key, broken([sealed], error)))).error).toBe(error);
  });

  it("closes its source when nobody reads on", async () => {
    let closed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* cut(sealed, [1000]);
      } finally {
        closed = true;
      }
    }
    for await (const _ of openChunks(key, source())) break;
    expect(closed).toBe(true);
  });
});

describe("a body that is verified as it comes", () => {
  const plaintext = filled(150_000);
  const sealed = sealBytes(key, plaintext);

  it.each([[[150_016]], [[1_000, 0]], [[65_536]], [[149_990]]])("opens in chunks of %j", async (sizes) => {
    const pieces = await openVerified(key, stream(cut(sealed, sizes)));
    expect(Buffer.compare(Buffer.concat(pieces), plaintext)).toBe(0);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(65_536);
  });

  const short = sealed.subarray(0, 120_000);
  it.each([
    ["isn't authentic", () => stream(cut(sealed.with(5, sealed[5]! ^ 1), [50_000])), EnvelopeIntegrityError],
    ["is cut short", () => stream(cut(short, [50_000])), EnvelopeIntegrityError],
    ["breaks", () => broken(cut(short, [50_000]), new RangeError("connection")), RangeError],
  ])("gives nothing when it %s, and overwrites what it decrypted", async (_, body, error) => {
    const fill = vi.spyOn(Buffer.prototype, "fill");
    await expect(openVerified(key, body())).rejects.toThrow(error);
    const pieces = fill.mock.contexts as Uint8Array[];
    expect(pieces.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThanOrEqual(100_000);
    expect(pieces.every((piece) => piece.every((byte) => byte === 0))).toBe(true);
  });

  it("fails in the same way in more chunks than a call can have arguments", async () => {
    const body = stream(cut(sealed.with(5, sealed[5]! ^ 1), [1]));
    const error = await openVerified(key, body).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EnvelopeIntegrityError);
  });
});

describe("a body opened in memory", () => {
  it("overwrites what it decrypted when it isn't authentic", () => {
    const sealed = sealBytes(key, filled(100_000));
    const fill = vi.spyOn(Buffer.prototype, "fill");
    expect(() => openPieces(key, [sealed.with(5, sealed[5]! ^ 1)])).toThrow(EnvelopeIntegrityError);
    const pieces = fill.mock.contexts as Uint8Array[];
    expect(pieces.map(({ length }) => length)).toEqual([65_536, 34_464]);
    expect(pieces.every((piece) => piece.every((byte) => byte === 0))).toBe(true);
  });
});
