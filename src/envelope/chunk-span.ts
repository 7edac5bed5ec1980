/** Which chunks of an indexed object a range lies in, and the range cut out of them. */
import { contentRange, type ByteSpan } from "./byte-range.ts";
import { TAG_BYTES } from "./content-key.ts";
import type { ChunkIndex, ChunkRange } from "./verified-chunks.ts";

/** Whole chunks that a range lies in. Offsets of plaintext and ciphertext are the same; the tag is never among them. */
export interface ChunkSpan {
  readonly chunks: ChunkRange;
  /** `Range` of the request. */
  readonly range: string;
  /** `Content-Range` of the only answer that counts. */
  readonly contentRange: string;
  /** Bytes before the range in the first chunk. */
  readonly skip: number;
}

export function chunksAround(
  { chunkBytes, plaintextBytes }: ChunkIndex,
  { start, end }: ByteSpan,
): ChunkSpan {
  const firstChunk = Math.floor(start / chunkBytes);
  const endChunk = Math.ceil(end / chunkBytes);
  const around = { start: firstChunk * chunkBytes, end: Math.min(endChunk * chunkBytes, plaintextBytes) };
  return {
    chunks: { firstChunk, endChunk },
    range: `bytes=${around.start}-${around.end - 1}`,
    contentRange: contentRange(around, plaintextBytes + TAG_BYTES),
    skip: start - around.start,
  };
}

/** `bytes` of a stream from `skip` on. It is read to its end all the same: only that verifies its last chunk. */
export async function* cut(
  chunks: AsyncIterable<Uint8Array>,
  skip: number,
  bytes: number,
): AsyncGenerator<Uint8Array> {
  let at = -skip;
  for await (const chunk of chunks) {
    const piece = chunk.subarray(Math.max(0, -at), Math.min(chunk.length, bytes - at));
    at += chunk.length;
    yield piece;
  }
}
