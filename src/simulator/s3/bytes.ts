/** Bytes in the pieces in which they arrived: never joined, so a large body is held once. */
export interface Bytes {
  readonly pieces: readonly Buffer[];
  readonly length: number;
}

/** The bytes from `start` to just before `end`, without a copy. */
export function sliceBytes(bytes: Bytes, start: number, end: number): Bytes {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const piece of bytes.pieces) {
    const from = Math.max(start - at, 0);
    const to = Math.min(end - at, piece.length);
    if (from < to) pieces.push(piece.subarray(from, to));
    at += piece.length;
    if (at >= end) break;
  }
  return { pieces, length: end - start };
}

export function joinBytes(all: readonly Bytes[]): Bytes {
  return {
    pieces: all.flatMap((bytes) => bytes.pieces),
    length: all.reduce((sum, bytes) => sum + bytes.length, 0),
  };
}
