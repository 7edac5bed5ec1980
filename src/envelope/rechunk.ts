/** Chunks as bodies bring them, cut to sizes that ciphers and S3 do well with. */

/** Updates of this size run near the cipher's best and leave the event loop alone for some 25 us only. */
const STEP_BYTES = 64 * 1024;

/** Twice what S3 demands of each chunk but the last of an aws-chunked body. */
const MIN_BYTES = 16 * 1024;

/** The same bytes in steps of at most 64 KiB; views, not copies. */
export function steps(bytes: Uint8Array): readonly Uint8Array[] {
  // Small bodies are many: they pay for nothing else.
  if (bytes.length <= STEP_BYTES) return [bytes];
  const views: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += STEP_BYTES) views.push(bytes.subarray(at, at + STEP_BYTES));
  return views;
}

/** One array in memory of its own: never a view of Node's pool, whose neighbours `.buffer` would show. */
export function join(pieces: readonly Uint8Array[]): Uint8Array {
  let total = 0;
  for (const piece of pieces) total += piece.length;
  const joined = new Uint8Array(total);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

/** Bytes `start` to before `end` of pieces put together, in memory of their own. */
export function joinSpan(pieces: readonly Uint8Array[], start: number, end: number): Uint8Array {
  let at = 0;
  const views = pieces.map((piece) => {
    const view = piece.subarray(Math.max(0, start - at), Math.max(0, end - at));
    at += piece.length;
    return view;
  });
  return join(views);
}

/** Gathers small chunks until there are 16 KiB, and cuts large ones: only what `rest` gives is smaller. */
export class Rechunker {
  readonly #small: Uint8Array = new Uint8Array(MIN_BYTES);
  #filled = 0;

  /** What is ready with this chunk, each piece to be used before the next one is asked for. */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    let at = 0;
    if (this.#filled > 0) {
      at = this.#gather(chunk.subarray(0, MIN_BYTES - this.#filled));
      if (this.#filled < MIN_BYTES) return;
      yield this.#small;
      this.#filled = 0;
    }
    while (chunk.length - at >= MIN_BYTES) {
      const piece = chunk.subarray(at, at + STEP_BYTES);
      yield piece;
      at += piece.length;
    }
    this.#gather(chunk.subarray(at));
  }

  /** What is left at the end: fewer than 16 KiB. */
  rest(): Uint8Array {
    return this.#small.subarray(0, this.#filled);
  }

  /** Overwrites the bytes gathered. */
  wipe(): void {
    this.#small.fill(0);
  }

  #gather(bytes: Uint8Array): number {
    this.#small.set(bytes, this.#filled);
    this.#filled += bytes.length;
    return bytes.length;
  }
}
