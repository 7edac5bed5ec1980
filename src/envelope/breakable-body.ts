/** A body to send that can be broken off, so that its request ends and no server takes what it got for an object. */
import { Readable } from "node:stream";
import { readableOf } from "./byte-stream.ts";

export interface BreakableBody {
  readonly body: Readable;
  /** Ends the request that reads the body, now. Whoever reads gets neither an end nor an error. */
  readonly breakOff: () => void;
}

/**
 * A Node stream of bytes, by whose class the SDK tells that it can't send this twice.
 *
 * The SDK doesn't listen for errors of bodies: one would end the process. An end would complete the object, and a body
 * that just stops holds its connection until the server gives up. So whatever the body was piped to is destroyed: the
 * request itself. Where the SDK puts the body into aws-chunked on the way, it's out of reach; then a last chunk is sent
 * whose length can't be written, and the message never comes to an end.
 */
export function breakableBody(chunks: AsyncIterable<Uint8Array>): BreakableBody {
  const body = readableOf(chunks, () => undefined);
  const readers: NodeJS.WritableStream[] = [];
  body.pipe = (reader, options) => {
    readers.push(reader);
    return Readable.prototype.pipe.call(body, reader, options) as typeof reader;
  };
  const breakOff = (): void => {
    for (const reader of readers) {
      body.unpipe(reader);
      (reader as { destroy?(): unknown }).destroy?.();
    }
    try {
      // Past the buffer: nobody may be asking for chunks just now. The empty one, of another type, makes the SDK's
      // requestStreamBufferSize hand on what it holds, so that it won't put the last one together with that.
      body.emit("data", new Uint8Array(0));
      body.emit("data", Object.defineProperty(Buffer.alloc(1), "byteLength", { value: Infinity }));
    } catch {
      // Whoever reads can't take it: then the request stays as it is, unfinished.
    }
  };
  return { body, breakOff };
}
