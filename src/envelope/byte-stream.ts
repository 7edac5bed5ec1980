/** Streams, of Node and of the web, out of chunks that are made as they are read. */
import { Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";

/**
 * A Node stream of bytes that pulls from `chunks` as it's read. An error of `chunks` is the stream's.
 *
 * `Readable.from` waits for the chunk under way before it ends a generator, for as long as that takes; here, `stop` is
 * called at once when the stream is destroyed, and can end what the generator waits for. It's called at the
 * stream's ordinary end as well.
 */
export function readableOf(chunks: AsyncIterable<Uint8Array>, stop: () => void): Readable {
  const iterator = chunks[Symbol.asyncIterator]();
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

/** Like `readableOf`, as a web stream: `stop` is called when it's cancelled. */
export function webStreamOf(chunks: AsyncIterable<Uint8Array>, stop: () => void): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
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

/** Ends a generator, now or once its chunk under way is there; how that ends concerns nobody any more. */
function close(iterator: AsyncIterator<Uint8Array>): void {
  iterator.return?.().catch(() => undefined);
}
