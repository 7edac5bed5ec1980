/** Bodies cut up in every way, for tests that nothing depends on where a chunk ends. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { v3ContentKey, type ContentKey } from "../../src/envelope/content-key.ts";

/** The published keys with bodies sealed under them. */
export const vectors: readonly {
  readonly title: string;
  readonly key: ContentKey;
  readonly plaintext: Uint8Array;
  readonly sealed: Uint8Array;
}[] = (
  JSON.parse(readFileSync(new URL("../vectors/key-derivation.json", import.meta.url), "utf8")) as {
    derivation: { name: string; contentKey: string; sealed: { bytes: number; value: string }[] }[];
  }
).derivation.flatMap(({ name, contentKey, sealed }) =>
  sealed.map(({ bytes, value }) => ({
    title: `${name}, ${bytes} bytes`,
    key: v3ContentKey(fromHex(contentKey)),
    plaintext: counting(bytes),
    sealed: fromHex(value),
  })),
);

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

/** Bytes 00, 01, 02 and so on. */
export function counting(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => at);
}

/** Bytes that don't repeat within any length a test uses: a chunk in a wrong place can't go unseen. */
export function filled(length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let at = 0; at < words.length; at += 1) words[at] = Math.imul(at + 1, 0x9e3779b1);
  return new Uint8Array(words.buffer, 0, length);
}

/** The bytes in pieces of the sizes given, over and over; a size of 0 is an empty piece. */
export function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    pieces.push(bytes.slice(at, at + size));
    at += size;
  }
  return pieces;
}

/** Ways to cut a body: at least one size isn't 0. */
export const cuts: fc.Arbitrary<number[]> = fc
  .array(fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 70_000 })), { maxLength: 6 })
  .map((sizes) => [...sizes, 17]);

/** The same chunks as a stream. */
export async function* stream<T>(chunks: Iterable<T>): AsyncGenerator<T> {
  yield* chunks;
}

/** Chunks, then an error. */
export async function* broken(chunks: Iterable<Uint8Array>, error: Error): AsyncGenerator<Uint8Array> {
  yield* chunks;
  throw error;
}

/** All chunks until the end or the error; they are copied as they come. */
export async function drain(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ chunks: Uint8Array[]; bytes: Uint8Array; error: unknown }> {
  const seen: Uint8Array[] = [];
  let error: unknown;
  try {
    for await (const chunk of chunks) seen.push(new Uint8Array(chunk));
  } catch (caught) {
    error = caught;
  }
  return { chunks: seen, bytes: new Uint8Array(Buffer.concat(seen)), error };
}

/** A chunk of one byte that claims to be as long as told, to reach limits that no test has the time for. */
export function claiming(length: number): Uint8Array {
  return Object.defineProperty(new Uint8Array(1), "length", { value: length });
}
