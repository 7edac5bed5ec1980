/**
 * Memory of data keys. Best effort, and no more: what is filled with zeros here are the bytes we own; text and
 * buffers that JSON, base64 and HTTP made of them on their way are beyond reach.
 */
import { EnvelopeRefusedError } from "./errors.ts";

/** V3 data keys, and those of the older formats that KMS wraps, are AES-256 keys. */
const DATA_KEY_BYTES = 32;

/**
 * One data key, and how many hold it: the last one to let go fills it with zeros.
 *
 * A class, because there may be a hundred thousand of them.
 */
export class KeyCell {
  /** An `ArrayBuffer` of its own lies outside V8's heap, which would leave copies behind when it moves things. */
  readonly #bytes = new Uint8Array(new ArrayBuffer(DATA_KEY_BYTES));
  /** Whoever made the cell holds it. */
  #holders = 1;
  /** Derivations that run right now: more than one when a derivation begins another. */
  #readers = 0;
  #destroyed = false;

  private constructor(key: Uint8Array) {
    this.#bytes.set(key);
  }

  /**
   * A cell with the key, which is filled with zeros where it was.
   *
   * @returns Nothing for a key nobody may use: one that isn't 32 bytes long, or is all zeros.
   */
  static takeOver(key: Uint8Array): KeyCell | undefined {
    const usable = key.byteLength === DATA_KEY_BYTES && key.some((byte) => byte !== 0);
    const cell = usable ? new KeyCell(key) : undefined;
    key.fill(0);
    return cell;
  }

  hold(): void {
    this.#holders++;
  }

  /**
   * To be called once per holder.
   *
   * @returns Whether that was the last one: then the key is gone.
   */
  release(): boolean {
    this.#holders--;
    if (this.#holders > 0) return false;
    this.destroy();
    return true;
  }

  /** Fills the key with zeros although others hold it; a derivation that runs right now is the last one. */
  destroy(): void {
    this.#destroyed = true;
    if (this.#readers === 0) this.#bytes.fill(0);
  }

  /** Hands the key to `derive`, which must be done with it when it returns. */
  use<T>(derive: (key: Uint8Array) => T): T {
    if (this.#destroyed) throw closed();
    this.#readers++;
    try {
      return derive(this.#bytes);
    } finally {
      this.#readers--;
      if (this.#destroyed && this.#readers === 0) this.#bytes.fill(0);
    }
  }
}

/** What whoever comes for a key too late gets to hear. */
export function closed(): EnvelopeRefusedError {
  return new EnvelopeRefusedError(
    "closed",
    "The bucket key was given back, or the sealer was closed: its keys are gone from memory. Make a new sealer, and " +
      "close() it only when its calls and uploads have ended.",
  );
}
