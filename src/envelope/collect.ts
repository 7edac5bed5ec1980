/** A body into memory, but never more of it than was foreseen. */
import type { PlainBody } from "./bodies.ts";

/**
 * The chunks of a body.
 *
 * @param tooLong - Makes the error for a body of more than `maxBytes`, which is read no further.
 */
export async function collect(
  body: PlainBody,
  maxBytes: number,
  tooLong: () => Error,
): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(body)) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLong();
    chunks.push(chunk);
  }
  return chunks;
}

/** A body as a stream, whatever it is. */
export async function* chunksOf(body: PlainBody): AsyncGenerator<Uint8Array> {
  if (body.kind === "bytes") yield body.bytes;
  else yield* body.chunks;
}
