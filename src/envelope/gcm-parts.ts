/**
 * AES-256-GCM taken apart: parts encrypted and authenticated in any order, put together into one tag; and bodies
 * authenticated without being decrypted. What comes out is, bit for bit, what one GCM invocation gives.
 */
import { createCipheriv } from "node:crypto";
import { addPlaintext, type ContentKey, wipe } from "./content-key.ts";
import { EnvelopeRefusedError } from "./errors.ts";
import { addTo, BLOCK_BYTES, multiply, newBlock, power } from "./gf128.ts";

/** How much is digested at once. */
const STEP_BYTES = 65_536;

/** A run of ciphertext as the tag needs it: its length in bytes, and its digest. */
export interface GcmRun {
  readonly bytes: number;
  readonly q: Uint8Array;
}

/** A part as it goes out, and what its share of the tag is made of; see `GcmParts.seal`. */
export interface SealedPart {
  /** As long as the plaintext, in memory of its own. */
  readonly ciphertext: Uint8Array;
  /** The first bytes when the part starts inside a block: they belong to a block of the part before. */
  readonly head: Uint8Array;
  /** The whole blocks between. Its digest is secret. */
  readonly run: GcmRun;
  /** The last bytes when the part ends inside a block. */
  readonly tail: Uint8Array;
}

/** Takes a run of ciphertext in pieces of any length. `end` gives the run's digest, a secret of 16 bytes. */
export interface GcmDigest {
  update(ciphertext: Uint8Array): void;
  end(): Uint8Array;
}

/**
 * One content key's GCM in parts. `H`, `E(J0)` and the digests are secrets: `wipe()` zeroes the former two, the
 * caller the digests and the key. After `wipe()` every method throws, so nothing is encrypted under a zeroed key.
 */
export class GcmParts {
  readonly #key: ContentKey;
  /** H = AES(0^128). */
  readonly #h: Uint8Array;
  /** E = AES(J0), J0 = IV || 0^31 || 1: the mask of the tag (SP 800-38D 7.1). */
  readonly #e: Uint8Array;
  #wiped = false;

  constructor(key: ContentKey) {
    this.#key = key;
    this.#h = encryptBlock(key.bytes, new Uint8Array(BLOCK_BYTES));
    this.#e = encryptBlock(key.bytes, counterBlock(key.iv, 1));
  }

  /**
   * Encrypts or decrypts a part: AES-CTR from any offset of the plaintext, inside a block too. The output is fresh.
   *
   * @throws `EnvelopeRefusedError` (`too-large`) when a byte would lie past GCM's 2^36 - 32; `RangeError` for an
   * offset below 0.
   */
  crypt(bytes: Uint8Array, offset: number): Uint8Array {
    return this.#ctr(bytes, offset, () => {});
  }

  /**
   * Encrypts a part and digests it.
   *
   * @throws `EnvelopeRefusedError` (`too-large`) as `crypt` does.
   */
  seal(plaintext: Uint8Array, offset: number): SealedPart {
    const start = Math.min(plaintext.length, (BLOCK_BYTES - (offset % BLOCK_BYTES)) % BLOCK_BYTES);
    const end = start + BLOCK_BYTES * Math.floor((plaintext.length - start) / BLOCK_BYTES);
    const digest = this.newDigest();
    const ciphertext = this.#ctr(plaintext, offset, (piece, at) => {
      digest.update(piece.subarray(Math.max(0, start - at), Math.max(0, end - at)));
    });
    return {
      ciphertext,
      head: ciphertext.slice(0, start),
      run: { bytes: end - start, q: digest.end() },
      tail: ciphertext.slice(end),
    };
  }

  /** The digest of a run of ciphertext that starts at a block; only the last run may end inside one. */
  digest(ciphertext: Uint8Array | readonly Uint8Array[]): Uint8Array {
    const digest = this.newDigest();
    for (const piece of ciphertext instanceof Uint8Array ? [ciphertext] : ciphertext) digest.update(piece);
    return digest.end();
  }

  /**
   * A digest to feed: q = X1 H^(m+1) + ... + Xm H^2 over the run's m blocks. GMAC computes it: the ciphertext as
   * additional data of an empty message, less the mask and the block of lengths (SP 800-38D 6.4, 7.1).
   */
  newDigest(): GcmDigest {
    this.#assertUsable();
    const gmac = createCipheriv("aes-256-gcm", this.#key.bytes, this.#key.iv);
    let length = 0;
    return {
      update: (ciphertext) => {
        for (let at = 0; at < ciphertext.length; at += STEP_BYTES) {
          gmac.setAAD(ciphertext.subarray(at, at + STEP_BYTES));
        }
        length += ciphertext.length;
      },
      end: () => {
        this.#assertUsable();
        gmac.final();
        const tag = gmac.getAuthTag();
        const q = multiply(lengthsBlock(length, 0), this.#h);
        addTo(q, tag);
        addTo(q, this.#e);
        wipe(tag);
        return q;
      },
    };
  }

  /**
   * The GCM tag of runs put together in their order: 16 bytes, which may be published once.
   *
   * @param runs - All but the last of whole blocks. None, or one of 0 bytes: the tag of the empty message.
   */
  tag(runs: readonly GcmRun[]): Uint8Array {
    this.#assertUsable();
    const aad = this.#key.aad ?? new Uint8Array(0);
    const sum = newBlock();
    // Parts are of few lengths, so few powers are taken.
    const powers = new Map<number, Uint8Array>();
    let total = 0;
    // The additional data (00 73 in V3, none in V2), padded to a block, is like a first run before the others, whose
    // sum lacks two factors of H that every q has: A H^(N+2), and GHASH leaves out a block that isn't there.
    if (aad.length > 0) {
      sum.set(aad);
      const square = multiply(this.#h, this.#h);
      multiply(sum, square, sum);
      wipe(square);
    }
    for (const { bytes, q } of runs) {
      const blocks = Math.ceil(bytes / BLOCK_BYTES);
      const factor = powers.get(blocks) ?? power(this.#h, blocks);
      powers.set(blocks, factor);
      multiply(sum, factor, sum);
      addTo(sum, q);
      total += bytes;
    }
    const lengths = multiply(lengthsBlock(aad.length, total), this.#h);
    addTo(sum, lengths);
    addTo(sum, this.#e);
    wipe(lengths, ...powers.values());
    return sum;
  }

  /** Zeroes what was derived from the key. The key itself is its owner's to wipe. */
  wipe(): void {
    wipe(this.#h, this.#e);
    this.#wiped = true;
  }

  /** AES-CTR as GCM counts: the first block of plaintext has counter 2 (SP 800-38D 7.1, GCTR from inc32(J0)). */
  #ctr(bytes: Uint8Array, offset: number, onPiece: (piece: Uint8Array, at: number) => void): Uint8Array {
    this.#assertUsable();
    // Block counters are 2 to 2^32 - 1: 1 is the tag's mask, and it's what both a wrap and an offset of -16 come to.
    if (!(offset >= 0)) throw new RangeError("An offset into a plaintext is a number of bytes, 0 and up.");
    addPlaintext(offset, bytes.length);
    const block = Math.floor(offset / BLOCK_BYTES);
    const cipher = createCipheriv("aes-256-ctr", this.#key.bytes, counterBlock(this.#key.iv, 2 + block));
    // The keystream of a block's first bytes belongs to the bytes before the offset.
    cipher.update(new Uint8Array(offset % BLOCK_BYTES)).fill(0);
    // At once: in pieces, each byte would be written twice, and the pieces are as much garbage as the part is long. Not
    // a Buffer, whose `slice` would keep the whole part alive.
    const made = cipher.update(bytes);
    const out = new Uint8Array(made.buffer, made.byteOffset, made.length);
    for (let at = 0; at < out.length; at += STEP_BYTES) onPiece(out.subarray(at, at + STEP_BYTES), at);
    return out;
  }

  #assertUsable(): void {
    if (this.#wiped) throw new EnvelopeRefusedError("closed", "The key of this object was already wiped.");
  }
}

function encryptBlock(key: Uint8Array, block: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-256-ecb", key, null).setAutoPadding(false);
  const encrypted = cipher.update(block);
  const copy = newBlock();
  copy.set(encrypted);
  wipe(encrypted);
  return copy;
}

/** IV || be32(counter), for the 96-bit IVs of S3 envelopes. */
function counterBlock(iv: Uint8Array, counter: number): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(iv);
  new DataView(block.buffer).setUint32(12, counter);
  return block;
}

/** be64(bits of additional data) || be64(bits of ciphertext). */
function lengthsBlock(aadBytes: number, ciphertextBytes: number): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  const view = new DataView(block.buffer);
  view.setBigUint64(0, BigInt(aadBytes) * 8n);
  view.setBigUint64(8, BigInt(ciphertextBytes) * 8n);
  return block;
}
