/**
 * Bodies too large to be held until they're verified, read twice: the first pass authenticates the whole body without
 * decrypting it and remembers a digest per chunk; the second decrypts a chunk only after comparing it with those.
 *
 * What may come between the passes is another body, whatever ETag it claims: out comes an authentic prefix of what
 * the first pass saw, then the error. Digests are GMACs, which only who holds the content key can make.
 */
import { timingSafeEqual } from "node:crypto";
import { addPlaintext, TAG_BYTES, wipe } from "./content-key.ts";
import { EnvelopeIntegrityError } from "./errors.ts";
import type { GcmParts, GcmRun } from "./gcm-parts.ts";
import { TagHolder } from "./tag-holder.ts";

/** 16 bytes of digest per MiB: 1 MiB for the largest object. */
const CHUNK_BYTES = 2 ** 20;

const DIGEST_BYTES = 16;

/** What the first pass found out about one version of an object, under one content key. Secret: `digests`. */
export interface ChunkIndex {
  readonly plaintextBytes: number;
  /** Length of every chunk but the last, in bytes. */
  readonly chunkBytes: number;
  /** 16 bytes per chunk; an empty object has one chunk of 0 bytes. */
  readonly digests: Uint8Array;
  /** Memory used, in bytes. */
  readonly bytes: number;
  /** Zeroes the digests; the index is of no use afterwards. */
  wipe(): void;
}

/** Chunks `firstChunk` to before `endChunk`, counted from 0. */
export interface ChunkRange {
  readonly firstChunk: number;
  readonly endChunk: number;
}

/**
 * Authenticates a sealed body as it streams.
 *
 * @throws `EnvelopeIntegrityError`; `EnvelopeRefusedError` (`too-large`); whatever `chunks` throws.
 */
export async function firstPass(parts: GcmParts, chunks: AsyncIterable<Uint8Array>): Promise<ChunkIndex> {
  const holder = new TagHolder();
  const runs: GcmRun[] = [];
  let digest = parts.newDigest();
  let inRun = 0;
  let total = 0;
  const endRun = (): void => {
    runs.push({ bytes: inRun, q: digest.end() });
    digest = parts.newDigest();
    inRun = 0;
  };
  const take = (ciphertext: Uint8Array): void => {
    total = addPlaintext(total, ciphertext.length);
    for (let at = 0; at < ciphertext.length;) {
      if (inRun === CHUNK_BYTES) endRun();
      const piece = ciphertext.subarray(at, at + CHUNK_BYTES - inRun);
      digest.update(piece);
      inRun += piece.length;
      at += piece.length;
    }
  };
  try {
    for await (const chunk of chunks) holder.push(chunk).forEach(take);
    const { ciphertext, tag } = holder.end();
    ciphertext.forEach(take);
    endRun();
    if (!timingSafeEqual(parts.tag(runs), tag)) throw new EnvelopeIntegrityError();
    return newIndex(total, runs);
  } finally {
    for (const { q } of runs) wipe(q);
  }
}

/**
 * Decrypts a body that the first pass authenticated, chunk by chunk, each one compared with the index before it's
 * decrypted. The last chunk comes out once the body has ended where it should; nothing after that is read.
 *
 * @param chunks - The whole sealed body; with `range`, the ciphertext of just those chunks, so without the tag.
 * @throws While iterating: `EnvelopeIntegrityError`, after an authentic prefix; whatever `chunks` throws.
 */
export async function* secondPass(
  parts: GcmParts,
  index: ChunkIndex,
  chunks: AsyncIterable<Uint8Array>,
  range?: ChunkRange,
): AsyncGenerator<Uint8Array> {
  const { firstChunk, endChunk } = range ?? { firstChunk: 0, endChunk: chunkCount(index) };
  const lastChunk = endChunk - 1;
  const buffer = new Uint8Array(chunkLength(index, firstChunk));
  let chunk = firstChunk;
  let filled = 0;
  let afterLast = range === undefined ? -TAG_BYTES : 0;
  for await (const piece of chunks) {
    for (let at = 0; at < piece.length;) {
      const length = chunkLength(index, chunk);
      if (filled < length) {
        const taken = piece.subarray(at, at + length - filled);
        buffer.set(taken, filled);
        filled += taken.length;
        at += taken.length;
      } else if (chunk < lastChunk) {
        yield openChunk(parts, index, chunk, buffer.subarray(0, filled));
        chunk += 1;
        filled = 0;
      } else {
        afterLast += piece.length - at;
        if (afterLast > 0) throw new EnvelopeIntegrityError();
        break;
      }
    }
  }
  if (chunk !== lastChunk || afterLast !== 0) throw new EnvelopeIntegrityError();
  yield openChunk(parts, index, chunk, buffer.subarray(0, filled));
}

/** One chunk, if it's the one that the first pass saw in this place: compared first, decrypted then. */
function openChunk(parts: GcmParts, index: ChunkIndex, chunk: number, ciphertext: Uint8Array): Uint8Array {
  const expected = index.digests.subarray(chunk * DIGEST_BYTES, (chunk + 1) * DIGEST_BYTES);
  // The length too: a digest doesn't change with zeros up to the end of a block.
  const sameLength = ciphertext.length === chunkLength(index, chunk);
  const digest = parts.digest(ciphertext);
  const sameDigest = timingSafeEqual(digest, expected);
  wipe(digest);
  if (!sameLength || !sameDigest) throw new EnvelopeIntegrityError();
  return parts.crypt(ciphertext, chunk * index.chunkBytes);
}

function newIndex(plaintextBytes: number, runs: readonly GcmRun[]): ChunkIndex {
  const digests = new Uint8Array(runs.length * DIGEST_BYTES);
  for (const [chunk, { q }] of runs.entries()) digests.set(q, chunk * DIGEST_BYTES);
  return {
    plaintextBytes,
    chunkBytes: CHUNK_BYTES,
    digests,
    bytes: digests.length,
    wipe: () => wipe(digests),
  };
}

function chunkCount(index: ChunkIndex): number {
  return index.digests.length / DIGEST_BYTES;
}

/** Length of a chunk, in bytes: a full one, or what the last has. */
function chunkLength(index: ChunkIndex, chunk: number): number {
  return Math.min(index.chunkBytes, index.plaintextBytes - chunk * index.chunkBytes);
}
