/** Bodies that come, but never more of one than was foreseen. */
import type { PlainBody } from "./bodies.ts";

/**
 * The chunks of a body.
 *
 * @param tooLong - Makes the error for a body of more than `maxBytes`, which is read no further.
 */
export async function collect(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
  tooLong: () => Error,
): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLong();
    chunks.push(chunk);
  }
  return chunks;
}

/** A body as a stream, whatever it is. */
export function chunksOf(body: PlainBody): AsyncIterable<Uint8Array> {
  return body.kind === "stream" ? body.chunks : alone(body.bytes);
}

async function* alone(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
