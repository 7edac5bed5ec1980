/** Streams, of Node and of the web, out of pieces that are there, or of chunks that are made as they are read. */
import { Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";

/** Pieces that are there, or chunks to come. */
export type Pieces = readonly Uint8Array[] | AsyncIterable<Uint8Array>;

/**
 * A Node stream of bytes that pulls from `source` as it's read. An error of `source` is the stream's.
 *
 * `Readable.from` waits for the chunk under way before it ends a generator, for as long as that takes; here, `stop` is
 * called at once when the stream is destroyed, and can end what the generator waits for. It's called at the
 * stream's ordinary end as well.
 */
export function readableOf(source: Pieces, stop: () => void): Readable {
  if (!(Symbol.asyncIterator in source)) return readableOfPieces(source, stop).stream;
  const iterator = source[Symbol.asyncIterator]();
  return new Readable({
    read() {
      iterator.next().then(
        ({ done, value }) => this.push(done ? null : value),
        (error: unknown) => this.destroy(error as Error),
      );
    },
    destroy(error, callback) {
      stop();
      close(iterator);
      callback(error);
    },
  });
}

/** A stream of pieces that are all there. */
export interface PiecesStream {
  readonly stream: Readable;
  /** All of them at once, unless somebody began to read the stream or ended it; the stream ends empty soon after. */
  readonly takeAll: () => readonly Uint8Array[] | undefined;
}

/** Streams out of which all was taken. They end a moment later, and must not pass for empty ones until then. */
const taken = new WeakSet<object>();

export function isTaken(stream: object): boolean {
  return taken.has(stream);
}

/** Without a promise per piece, and without reading the stream to have them all: small bodies are many. */
export function readableOfPieces(source: readonly Uint8Array[], stop: () => void): PiecesStream {
  const pieces = source.values();
  const stream = new Readable({
    read() {
      const { done, value } = pieces.next();
      this.push(done ? null : value);
    },
    destroy(error, callback) {
      stop();
      callback(error);
    },
  });
  const takeAll = (): readonly Uint8Array[] | undefined => {
    const { readableDidRead, readableLength, readableFlowing, destroyed } = stream;
    // What lies in the stream's own buffer is no longer among the pieces, though nobody may have read it.
    if (readableDidRead || readableLength > 0 || readableFlowing !== null || destroyed) return undefined;
    taken.add(stream);
    stream.resume();
    return [...pieces];
  };
  return { stream, takeAll };
}

/** Like `readableOf`, as a web stream: `stop` is called when it's cancelled. */
export function webStreamOf(source: Pieces, stop: () => void): ReadableStream<Uint8Array> {
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : inTurn(source);
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel() {
        stop();
        close(iterator);
      },
    },
    // Nothing is made before it's asked for.
    { highWaterMark: 0 },
  );
}

async function* inTurn(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

/** Ends a generator, now or once its chunk under way is there; how that ends concerns nobody any more. */
function close(iterator: AsyncIterator<Uint8Array>): void {
  iterator.return?.().catch(() => undefined);
}
