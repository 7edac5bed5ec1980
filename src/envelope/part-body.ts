/** The body of one part, gathered: a part is encrypted in one go, so that its content is compared before it's sent. */
import type { PlainBody } from "./bodies.ts";
import { EnvelopeRefusedError } from "./errors.ts";

/**
 * Most bytes of a part: a part is encrypted, and hashed by the SDK, at once, and Node's crypto takes no more. S3 alone
 * would take 5 GiB.
 */
export const MAX_PART_BYTES: number = 2 ** 31 - 1;

/** What is known of a part before it's read. */
interface Expected {
  /** Its length, as the caller says, or the body. */
  readonly declared: number | undefined;
  /** The size of the upload's parts. */
  readonly atMost: number | undefined;
  /** Ends the reading. */
  readonly signal: AbortSignal;
}

/**
 * To be asked before a part is read, as far as its length is known.
 *
 * @throws `EnvelopeRefusedError` (`part-size`).
 */
export function checkPartBytes(bytes: number | undefined): void {
  if (bytes === undefined || bytes <= MAX_PART_BYTES) return;
  throw new EnvelopeRefusedError(
    "part-size",
    `A part has at most ${MAX_PART_BYTES} bytes where it is sealed: it is sent as one array, and Node's crypto takes no ` +
      "longer ones. Send more and smaller parts.",
  );
}

/**
 * The bytes of a body: the caller's own memory where it gave bytes, else gathered into memory of ours.
 *
 * @throws `EnvelopeRefusedError`: `body` when its length isn't the declared one, `part-size` when it's longer than parts
 *   of this upload may be; the signal's reason; the stream's own error. The rest of the stream isn't read then.
 */
export async function readPart(body: PlainBody, expected: Expected): Promise<Uint8Array> {
  const bytes = body.kind === "bytes" ? body.bytes : await gather(body.chunks, expected);
  const { declared = bytes.length } = expected;
  if (bytes.length !== declared) throw otherLength(declared, `${bytes.length}`);
  return bytes;
}

async function gather(chunks: AsyncIterable<Uint8Array>, expected: Expected): Promise<Uint8Array> {
  const { declared, atMost = Infinity, signal } = expected;
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    length += chunk.length;
    checkPartBytes(length);
    if (declared !== undefined && length > declared) throw otherLength(declared, `more than ${declared}`);
    if (length > atMost) {
      throw new EnvelopeRefusedError(
        "part-size",
        `A part has more than ${atMost} bytes, the size of this upload's parts: send parts of one size, all but the ` +
          "last, or set the option partBytes to it.",
      );
    }
    pieces.push(chunk);
  }
  const gathered = new Uint8Array(new ArrayBuffer(length));
  let at = 0;
  for (const piece of pieces) {
    gathered.set(piece, at);
    at += piece.length;
  }
  return gathered;
}

function otherLength(declared: number, found: string): EnvelopeRefusedError {
  return new EnvelopeRefusedError(
    "body",
    `The part was declared to have ${declared} bytes, but has ${found}: correct ContentLength, or leave it out.`,
  );
}
