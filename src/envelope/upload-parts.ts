/**
 * The parts of one sealed upload: which plaintext was encrypted where, and the one tag over all of them.
 *
 * Everything here is synchronous, so that no other call comes between a comparison and what follows from it. No byte
 * of the keystream ever meets two plaintexts: a part has one place, and its first content is its only one.
 */
import { timingSafeEqual } from "node:crypto";
import { addPlaintext, type ContentKey, wipe } from "./content-key.ts";
import { EnvelopeRefusedError, type EnvelopeProblem } from "./errors.ts";
import { GcmParts, type GcmRun, type SealedPart } from "./gcm-parts.ts";
import { BLOCK_BYTES } from "./gf128.ts";
import type { ListedPart, PartLimits } from "./upload-input.ts";

/** A part that was encrypted, whether or not S3 has it. */
interface PartRecord extends Pick<SealedPart, "head" | "run" | "tail"> {
  readonly bytes: number;
  /** That S3 answered with. */
  readonly etags: Set<string>;
}

/** The part that brings the tag: one more, or the last one again with the tag behind it. */
export interface TagPart {
  readonly number: number;
  readonly body: Uint8Array;
}

/** @see the first comment of this file. */
export class UploadParts {
  readonly #key: ContentKey;
  readonly #gcm: GcmParts;
  readonly #records = new Map<number, PartRecord>();
  readonly #limits: PartLimits;
  #partBytes: number | undefined;
  /** Highest number of a part that was encrypted. */
  #highest = 0;
  /** Whether that part is shorter than the others, hence the last. */
  #endsShort = false;
  /** Ciphertext of that part, where the tag would have to go out with it. */
  #lastCiphertext: Uint8Array | undefined;

  /** @param key - Its bytes are wiped at the end. */
  constructor(key: ContentKey, partBytes: number | undefined, limits: PartLimits) {
    this.#key = key;
    this.#limits = limits;
    this.#gcm = new GcmParts(key);
    this.#partBytes = partBytes;
  }

  /** The size of every part but the last, once it's known; then it never changes. */
  get partBytes(): number | undefined {
    return this.#partBytes;
  }

  /** Length of the ciphertext that waits for the tag, in bytes. */
  get keptBytes(): number {
    return this.#lastCiphertext?.length ?? 0;
  }

  /** Takes the size of part 1 for that of all parts. An empty part 1 is the last, whatever the size. */
  fixPartBytes(bytesOfPartOne: number): number {
    this.#partBytes ??= Math.max(1, bytesOfPartOne);
    return this.#partBytes;
  }

  /**
   * Whether a part of this length may be there; to be asked before it's read as well, as far as its length is known.
   *
   * @throws `EnvelopeRefusedError`: `too-large`, `part-size`, `upload-state` (it's there with another length).
   */
  check(number: number, bytes: number, partBytes: number): void {
    addPlaintext((number - 1) * partBytes, bytes);
    const known = this.#records.get(number);
    if (known !== undefined && known.bytes !== bytes) throw otherContent(number);
    if (bytes > partBytes) {
      throw refused(
        "part-size",
        `Part ${number} has ${bytes} bytes, but the parts of this upload have ${partBytes}. Only the last one may ` +
          "differ, and only be shorter: send parts of one size, or set the option partBytes to it.",
      );
    }
    const shortBeforeOthers = bytes < partBytes && number < this.#highest;
    if (shortBeforeOthers || (this.#endsShort && number > this.#highest)) {
      throw refused(
        "part-size",
        `Part ${shortBeforeOthers ? number : this.#highest} is shorter than ${partBytes} bytes, so it's the last, but ` +
          "there is one with a higher number: send parts of one size, all but the last, or set partBytes to that size.",
      );
    }
  }

  /**
   * Encrypts a part into memory of its own; the same ciphertext when it is sent again.
   *
   * @throws `EnvelopeRefusedError` as `check` does, and `upload-state` when the part had another content before.
   */
  seal(number: number, plaintext: Uint8Array, partBytes: number): { ciphertext: Uint8Array; isNew: boolean } {
    this.check(number, plaintext.length, partBytes);
    const { ciphertext, head, run, tail } = this.#gcm.seal(plaintext, (number - 1) * partBytes);
    const known = this.#records.get(number);
    if (known === undefined) {
      this.#records.set(number, { bytes: plaintext.length, head, run, tail, etags: new Set() });
      if (number > this.#highest) this.#setHighest(number, ciphertext, partBytes);
      return { ciphertext, isNew: true };
    }
    // The digests are equal only for equal blocks; what is not whole blocks is compared as it is.
    const same = [
      timingSafeEqual(known.run.q, run.q),
      timingSafeEqual(known.head, head),
      timingSafeEqual(known.tail, tail),
    ].every(Boolean);
    wipe(run.q);
    if (!same) throw otherContent(number);
    return { ciphertext, isNew: false };
  }

  /** Remembers that S3 has a part. */
  stored(number: number, etag: string): void {
    (this.#records.get(number) as PartRecord).etags.add(etag);
  }

  /** Whether a list is exactly the parts 1 to the last, each as S3 answered. Their sizes were checked before. */
  isWhole(list: readonly ListedPart[]): boolean {
    return (
      list.length > 0 &&
      list.length === this.#records.size &&
      list.every(
        ({ number, etag }, i) => number === i + 1 && this.#records.get(number)?.etags.has(etag) === true,
      )
    );
  }

  /** Ends the sealing: takes the tag and wipes every secret. To be called once, with all parts there. */
  finish(): TagPart {
    const runs = this.#runs();
    const tag = this.#gcm.tag(runs);
    wipe(...runs.map(({ q }) => q));
    this.wipe();
    this.#records.clear();
    const ciphertext = this.#lastCiphertext;
    this.#lastCiphertext = undefined;
    if (ciphertext === undefined) return { number: this.#highest + 1, body: tag };
    const body = new Uint8Array(ciphertext.length + tag.length);
    body.set(ciphertext);
    body.set(tag, ciphertext.length);
    return { number: this.#highest, body };
  }

  /** Zeroes the key and all that was derived from it; nothing can be encrypted any more. */
  wipe(): void {
    this.#gcm.wipe();
    wipe(this.#key.bytes, ...[...this.#records.values()].map(({ run }) => run.q));
  }

  /** Where S3 takes no part after this one, the tag has to go out with it: after 10,000, and after a short one. */
  #setHighest(number: number, ciphertext: Uint8Array, partBytes: number): void {
    const { maxParts, minPartBytes } = this.#limits;
    this.#highest = number;
    this.#endsShort = ciphertext.length < partBytes;
    this.#lastCiphertext = ciphertext.length < minPartBytes || number === maxParts ? ciphertext : undefined;
  }

  /** The whole object as runs of whole blocks: blocks that lie in two parts, or more, are joined from their edges. */
  #runs(): GcmRun[] {
    const runs: GcmRun[] = [];
    let edge = new Uint8Array(0);
    for (let number = 1; number <= this.#highest; number++) {
      const { head, run, tail } = this.#records.get(number) as PartRecord;
      edge = joined(edge, head);
      if (edge.length === BLOCK_BYTES) {
        runs.push(this.#runOf(edge));
        edge = new Uint8Array(0);
      }
      runs.push(run);
      edge = joined(edge, tail);
    }
    runs.push(this.#runOf(edge));
    return runs;
  }

  #runOf(bytes: Uint8Array): GcmRun {
    return { bytes: bytes.length, q: this.#gcm.digest(bytes) };
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function otherContent(number: number): EnvelopeRefusedError {
  return refused(
    "upload-state",
    `Part ${number} was sealed before with other bytes, and a part has one content: to change it, abort the upload and ` +
      "begin a new one.",
  );
}

function refused(problem: EnvelopeProblem, message: string): EnvelopeRefusedError {
  return new EnvelopeRefusedError(problem, message);
}
