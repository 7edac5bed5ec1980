/** Opened bodies as the SDK hands bodies out: a stream with three methods that read it whole. */
import { Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";
import { destroyBody, isSpent } from "./bodies.ts";
import { type Pieces, type PiecesStream, readableOf, readableOfPieces, webStreamOf } from "./byte-stream.ts";
import { join } from "./rechunk.ts";

/** What the SDK adds to the stream in `output.Body`. A body can be read so once. */
export interface BodyMethods {
  /** The whole body as text: UTF-8, an encoding of Node's Buffer (`hex`, `base64`), or one of `TextDecoder`'s. */
  transformToString(encoding?: string): Promise<string>;
  /** The whole body. */
  transformToByteArray(): Promise<Uint8Array>;
  /** The body as a web stream. */
  transformToWebStream(): ReadableStream;
}

/** A body as the SDK's Node client hands it out, or its fetch client. */
export type OutputBody = (Readable | ReadableStream<Uint8Array>) & BodyMethods;

/** Opened bytes: whole, in pieces, or as they stream. */
export type OpenedBytes = Uint8Array | Pieces;

/**
 * `output.Body` for opened bytes. An error of the source is the reader's; ending the body early ends the source.
 *
 * @param like - The sealed body that the SDK gave. A web stream makes one, anything else a Node stream; it's ended with
 *   the new body.
 * @param onEnd - Called when the new body is destroyed or cancelled, or has ended: for what else is to be ended.
 */
export function outputBody(source: OpenedBytes, like: unknown, onEnd?: () => void): OutputBody {
  const stop = (): void => {
    onEnd?.();
    destroyBody(like);
  };
  const pieces = source instanceof Uint8Array ? [source] : source;
  if (like instanceof ReadableStream) return withMethods(webStreamOf(pieces, stop), (stream) => stream);
  if (Symbol.asyncIterator in pieces) return withMethods(readableOf(pieces, stop), asWeb);
  const { stream, takeAll } = readableOfPieces(pieces, stop);
  return withMethods(stream, asWeb, takeAll);
}

const TRANSFORMED = "The stream has already been transformed.";
const CONSUMED = "The stream has been consumed by other callbacks.";

/**
 * Adds the methods, with the SDK's messages.
 *
 * @param toWeb - Turns the stream into one of the web.
 * @param takeAll - What is in the stream, where that is there already.
 */
function withMethods<Body extends Readable | ReadableStream<Uint8Array>>(
  stream: Body,
  toWeb: (stream: Body) => ReadableStream,
  takeAll?: PiecesStream["takeAll"],
): Body & BodyMethods {
  let transformed = false;
  const begin = (): void => {
    if (transformed) throw new Error(TRANSFORMED);
    // Otherwise a body that was read before would be handed out as an empty one.
    if (isSpent(stream)) throw new Error(CONSUMED);
    transformed = true;
  };
  const transformToByteArray = async (): Promise<Uint8Array> => {
    begin();
    return join(takeAll?.() ?? (await piecesOf(stream)));
  };
  return Object.assign(stream, {
    transformToByteArray,
    transformToString: async (encoding = "utf8"): Promise<string> => {
      const bytes = await transformToByteArray();
      return Buffer.isEncoding(encoding)
        ? Buffer.from(bytes.buffer).toString(encoding)
        : new TextDecoder(encoding).decode(bytes);
    },
    transformToWebStream: (): ReadableStream => {
      begin();
      return toWeb(stream);
    },
  });
}

async function piecesOf(stream: Readable | ReadableStream<Uint8Array>): Promise<readonly Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream as AsyncIterable<Uint8Array>) pieces.push(piece);
  return pieces;
}

function asWeb(stream: Readable): ReadableStream {
  if (stream.readableFlowing !== null) throw new Error(CONSUMED);
  return Readable.toWeb(stream);
}
