/** Where the ciphertext of a sealed body ends and its tag begins, however the body is cut. */
import { TAG_BYTES } from "./content-key.ts";
import { EnvelopeIntegrityError } from "./errors.ts";

/** A body in two: chunks of ciphertext, none of them empty, and the 16 bytes after them. */
export interface SplitBody {
  readonly ciphertext: readonly Uint8Array[];
  readonly tag: Uint8Array;
}

/**
 * A whole body, split. The ciphertext is views, the tag a copy.
 *
 * @throws `EnvelopeIntegrityError` below 16 bytes: not even an empty object is that short.
 */
export function splitTag(body: readonly Uint8Array[]): SplitBody {
  let left = body.reduce((sum, chunk) => sum + chunk.length, -TAG_BYTES);
  if (left < 0) throw new EnvelopeIntegrityError();
  const ciphertext: Uint8Array[] = [];
  const tag = new Uint8Array(TAG_BYTES);
  let tagFilled = 0;
  for (const chunk of body) {
    const own = chunk.subarray(0, left);
    if (own.length > 0) ciphertext.push(own);
    left -= own.length;
    tag.set(chunk.subarray(own.length), tagFilled);
    tagFilled += chunk.length - own.length;
  }
  return { ciphertext, tag };
}

/**
 * Holds back the end of a body that is still coming: the 16 bytes that may be the tag and at least one more, so that
 * something is left to give out once the tag is verified.
 *
 * Keeps whole chunks instead of copying edges; one that is edited meanwhile fails verification.
 */
export class TagHolder {
  readonly #held: Uint8Array[] = [];
  #heldBytes = 0;

  /** Chunks that are ciphertext for certain now that this one has come; empty ones are dropped. */
  push(chunk: Uint8Array): Uint8Array[] {
    if (chunk.length > 0) this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    let sure = 0;
    for (const { length } of this.#held) {
      if (this.#heldBytes - length <= TAG_BYTES) break;
      this.#heldBytes -= length;
      sure += 1;
    }
    return this.#held.splice(0, sure);
  }

  /** The rest, once the body has ended. */
  end(): SplitBody {
    return splitTag(this.#held);
  }
}
