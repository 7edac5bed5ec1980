/**
 * Bodies sealed and opened with AES-256-GCM: in memory or as they stream.
 *
 * All in the calling thread, in updates of up to 64 KiB: faster than WebCrypto or workers. Large bodies in memory cost
 * more in fresh memory for what comes out than in the cipher; what is opened can come out in pieces for that reason.
 */
import { createCipheriv, createDecipheriv, type CipherGCM, type DecipherGCM } from "node:crypto";
import { addPlaintext, TAG_BYTES, type ContentKey, wipe } from "./content-key.ts";
import { EnvelopeIntegrityError } from "./errors.ts";
import { join, Rechunker, steps } from "./rechunk.ts";
import { splitTag, TagHolder } from "./tag-holder.ts";

/**
 * Ciphertext and tag of a body in memory, as one array of its own. Later edits of `plaintext` don't matter.
 *
 * @throws `EnvelopeRefusedError` (`too-large`).
 */
export function sealBytes(key: ContentKey, plaintext: Uint8Array): Uint8Array {
  addPlaintext(0, plaintext.length);
  const cipher = newCipher(key);
  const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
  let at = 0;
  // Each piece goes to its place while it's in the processor's cache, and none is kept beside the whole.
  for (const step of steps(plaintext)) {
    sealed.set(cipher.update(step), at);
    at += step.length;
  }
  cipher.final();
  sealed.set(cipher.getAuthTag(), at);
  return sealed;
}

/**
 * Ciphertext and tag of a body as it streams, in chunks of 16 to 64 KiB; the last one may have any size.
 *
 * S3 refuses an aws-chunked body with a chunk under 8 KiB before the last: hence small chunks are put together, and
 * the tag never stands alone after a short one. The key is taken at once: it may be wiped when this returns.
 *
 * @param onDone - Told the length of the plaintext, in bytes, before the last chunk is given out.
 * @throws While iterating: `EnvelopeRefusedError` (`too-large`), and whatever `chunks` throws.
 */
export function sealChunks(
  key: ContentKey,
  chunks: AsyncIterable<Uint8Array>,
  onDone?: (plaintextBytes: number) => void,
): AsyncGenerator<Uint8Array> {
  return sealing(newCipher(key), chunks, onDone);
}

/**
 * Plaintext of a sealed body in memory, in pieces of up to 64 KiB, once its tag is verified. Of a body that isn't
 * authentic nothing comes out, and what was decrypted is overwritten.
 *
 * @param sealed - The body in order, cut anywhere.
 * @throws `EnvelopeIntegrityError`; `EnvelopeRefusedError` (`too-large`).
 */
export function openPieces(key: ContentKey, sealed: readonly Uint8Array[]): Uint8Array[] {
  const { ciphertext, tag } = splitTag(sealed);
  ciphertext.reduce((sum, chunk) => addPlaintext(sum, chunk.length), 0);
  return decryptEnd(newDecipher(key), ciphertext, tag);
}

/** Like `openPieces`, as one array: up to 64 KiB nearly as quick, large bodies take more than twice as long. */
export function openBytes(key: ContentKey, sealed: readonly Uint8Array[]): Uint8Array {
  return join(openPieces(key, sealed));
}

/**
 * Plaintext of a sealed body that is still coming, in pieces of up to 64 KiB, once its tag is verified. It's decrypted
 * as it comes, so that little is left to do at its end; of a body that isn't authentic, or that breaks, nothing comes
 * out, and what was decrypted is overwritten.
 *
 * @throws `EnvelopeIntegrityError`; `EnvelopeRefusedError` (`too-large`); whatever `chunks` throws.
 */
export async function openVerified(
  key: ContentKey,
  chunks: AsyncIterable<Uint8Array>,
): Promise<Uint8Array[]> {
  const decipher = newDecipher(key);
  const holder = new TagHolder();
  const pieces: Uint8Array[] = [];
  let total = -TAG_BYTES;
  try {
    for await (const chunk of chunks) {
      total = addPlaintext(total, chunk.length);
      for (const ready of holder.push(chunk)) decryptInto(pieces, decipher, ready);
    }
    const { ciphertext, tag } = holder.end();
    pieces.push(...decryptEnd(decipher, ciphertext, tag));
    return pieces;
  } catch (error) {
    // One by one: there may be more of them than a call can have arguments.
    for (const piece of pieces) wipe(piece);
    throw error;
  }
}

/**
 * Plaintext of a sealed body as it streams: **delayed authentication**. All chunks but the last come out before the
 * tag could be checked, so whoever reads them throws them away when the iteration throws.
 *
 * The last 16 bytes and at least one more are held back, however the body is cut, so that the last chunk is given out
 * after the tag was verified. The key is taken at once: it may be wiped when this returns.
 *
 * @throws While iterating: `EnvelopeIntegrityError` at the end, `EnvelopeRefusedError` (`too-large`), and whatever
 *   `chunks` throws.
 */
export function openChunks(key: ContentKey, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  return opening(newDecipher(key), chunks);
}

async function* sealing(
  cipher: CipherGCM,
  chunks: AsyncIterable<Uint8Array>,
  onDone?: (plaintextBytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const rechunker = new Rechunker();
  let total = 0;
  // One piece behind, so that the tag can go out with the last.
  let held: Uint8Array = new Uint8Array(0);
  try {
    for await (const chunk of chunks) {
      total = addPlaintext(total, chunk.length);
      for (const piece of rechunker.push(chunk)) {
        const sealed = cipher.update(piece);
        if (held.length > 0) yield held;
        held = sealed;
      }
    }
    const rest = cipher.update(rechunker.rest());
    cipher.final();
    onDone?.(total);
    yield join([held, rest, cipher.getAuthTag()]);
  } finally {
    rechunker.wipe();
  }
}

async function* opening(
  decipher: DecipherGCM,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const holder = new TagHolder();
  let total = -TAG_BYTES;
  for await (const chunk of chunks) {
    total = addPlaintext(total, chunk.length);
    for (const ready of holder.push(chunk)) {
      for (const step of steps(ready)) yield decipher.update(step);
    }
  }
  const { ciphertext, tag } = holder.end();
  yield* decryptEnd(decipher, ciphertext, tag);
}

function decryptEnd(decipher: DecipherGCM, ciphertext: readonly Uint8Array[], tag: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (const chunk of ciphertext) decryptInto(pieces, decipher, chunk);
  decipher.setAuthTag(tag);
  try {
    decipher.final();
  } catch {
    for (const piece of pieces) piece.fill(0);
    throw new EnvelopeIntegrityError();
  }
  return pieces;
}

function decryptInto(pieces: Uint8Array[], decipher: DecipherGCM, ciphertext: Uint8Array): void {
  for (const step of steps(ciphertext)) pieces.push(decipher.update(step));
}

function newCipher({ bytes, iv, aad }: ContentKey): CipherGCM {
  const cipher = createCipheriv("aes-256-gcm", bytes, iv, { authTagLength: TAG_BYTES });
  if (aad !== undefined) cipher.setAAD(aad);
  return cipher;
}

function newDecipher({ bytes, iv, aad }: ContentKey): DecipherGCM {
  const decipher = createDecipheriv("aes-256-gcm", bytes, iv, { authTagLength: TAG_BYTES });
  if (aad !== undefined) decipher.setAAD(aad);
  return decipher;
}
