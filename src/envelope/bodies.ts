/** The bodies that callers give, as bytes or as a stream of bytes; and the end of bodies that nobody will read. */
import { Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";
import { isAnyArrayBuffer } from "node:util/types";
import { fileStreamBytes } from "./body-length.ts";
import { isTaken } from "./byte-stream.ts";
import { EnvelopeRefusedError } from "./errors.ts";

/** A body before it is sealed. */
export type PlainBody =
  /** The caller's own memory: to be sealed in the same tick, before anybody edits it. */
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | {
      readonly kind: "stream";
      /** To be read once. */
      readonly chunks: AsyncIterable<Uint8Array>;
      /** Length in bytes, where it can be told without reading: of a Blob, of a file's stream. A hint. */
      readonly bytes: number | undefined;
    };

const ACCEPTED =
  "Give a string, Buffer, typed array, ArrayBuffer, Blob, or an unread Node Readable, web ReadableStream or async " +
  "iterable of Uint8Arrays or strings.";

/** What is to become of a body; messages say it. */
export type Fate = "sealed" | "opened";

/** The same as `readBody`, but nothing is no body: what was left out, by a slip, would be sealed as 0 bytes. */
export function readGivenBody(body: unknown, fate: Fate): PlainBody {
  if (body !== undefined && body !== null) return readBody(body, fate);
  throw refused(`There is no body to be ${fate}: it is ${String(body)}. Give "" for an empty one.`);
}

/**
 * What is to be sealed, or was.
 *
 * @param body - Nothing is a body of 0 bytes. Strings are sealed as UTF-8, chunks that are strings too.
 * @throws `EnvelopeRefusedError` (`body`) for anything else, and for a stream that was already read: sealing what is
 *   left of it, nothing, would overwrite an object without a word. A generator, or an iterable of your own, doesn't
 *   tell whether it was read: one that was is sealed as what it still gives, 0 bytes. Iterating throws the same for a
 *   chunk of another type, and whatever the body throws.
 */
export function readBody(body: unknown, fate: Fate = "sealed"): PlainBody {
  const bytes = asBytes(body ?? "");
  if (bytes !== undefined) return { kind: "bytes", bytes };
  if (body instanceof Blob) return { kind: "stream", chunks: read(body.stream(), fate), bytes: body.size };
  if (!isAsyncIterable(body))
    throw refused(`A body of type ${typeName(body)} can't be ${fate}.${hintFor(body)}`);
  if (isSpent(body)) throw refused("The body was already read or is being read.");
  keepErrors(body);
  return { kind: "stream", chunks: read(body, fate), bytes: fileStreamBytes(body) };
}

/**
 * Lets a stream fail before it's read, as a body may while KMS is asked: the error comes with the reading then. One
 * that nobody listens for would end the process.
 */
export function keepErrors(body: unknown): void {
  (Object(body) as Endable).on?.("error", ignore);
}

/** Ends a body that nobody will read, so that its connection is free. Errors are swallowed. */
export function destroyBody(body: unknown): void {
  end(Object(body)).catch(ignore);
}

/** What streams of Node, of the web and generators have to be ended with. */
interface Endable {
  on?(event: "error", listener: () => void): unknown;
  destroy?(): unknown;
  cancel?(): unknown;
  return?(): unknown;
}

async function end(body: Endable): Promise<void> {
  body.on?.("error", ignore);
  await (body.destroy?.() ?? body.cancel?.() ?? body.return?.());
}

function ignore(): void {}

async function* read(chunks: AsyncIterable<unknown>, fate: Fate): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    const bytes = asBytes(chunk);
    if (bytes === undefined) throw refused(`A chunk of type ${typeName(chunk)} can't be ${fate}.`);
    yield bytes;
  }
}

function asBytes(value: unknown): Uint8Array | undefined {
  if (typeof value === "string") return Buffer.from(value);
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (isAnyArrayBuffer(value)) return new Uint8Array(value);
  return undefined;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof Object(value)[Symbol.asyncIterator] === "function";
}

/** Streams that would end at once, as if the body were empty; a web stream that is locked can't be read at all. */
export function isSpent(body: object): boolean {
  if (body instanceof ReadableStream) return body.locked || Readable.isDisturbed(body as never);
  return (body as Partial<Readable>).readableEnded === true || isTaken(body);
}

function typeName(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** What `seal()` gave, whole, is the slip that is near when it's opened. */
function hintFor(body: unknown): string {
  const given = Object(body) as object;
  if (!("body" in given && "metadata" in given)) return "";
  return " Of what seal() gave, give the parts: open(sealer, sealed.body, sealed.metadata).";
}

function refused(what: string): EnvelopeRefusedError {
  return new EnvelopeRefusedError("body", `${what} ${ACCEPTED}`);
}
