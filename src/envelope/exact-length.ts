/** Holds a body to the length that was said of it. */
import { refused } from "./refused.ts";

/**
 * The chunks of a body that was declared to be `bytes` long. Throws before more than that is given out, or at the end
 * of a shorter one: either way the sealed body stays without its tag, and S3 stores nothing.
 *
 * @throws While iterating: `EnvelopeRefusedError` (`body`).
 */
export async function* exactly(chunks: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let seen = 0;
  for await (const chunk of chunks) {
    seen += chunk.length;
    if (seen > bytes) throw wrongLength(bytes, `more than ${bytes}`);
    yield chunk;
  }
  if (seen < bytes) throw wrongLength(bytes, String(seen));
}

/**
 * Holds bytes in the caller's memory to the length they had before KMS was asked.
 *
 * @throws `EnvelopeRefusedError` (`body`).
 */
export function checkUnchanged(bytes: Uint8Array, length: number | undefined): void {
  if (bytes.length === length) return;
  throw refused(
    "body",
    `The body had ${length} bytes when it was given, and ${bytes.length} when it was to be sealed: don't transfer or ` +
      "resize its buffer before the call has ended. No object was made.",
  );
}

/** @param found - How many bytes there were. */
export function wrongLength(declared: number, found: string): Error {
  return refused(
    "body",
    `The body was declared to have ${declared} bytes, but has ${found}. Correct ContentLength, or leave it out where ` +
      "the SDK can do without. No object was made.",
  );
}
