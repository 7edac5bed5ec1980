/**
 * Bodies of the old formats: AES-256-CBC with PKCS #5 padding, read only, by the caller's explicit choice.
 *
 * CBC has no tag. Whoever can tell a bad padding from another failure decrypts such bodies block by block
 * (CVE-2020-8911): so every failure is the same error, after the same work.
 */
import { createDecipheriv } from "node:crypto";
import { EnvelopeIntegrityError } from "./errors.ts";
import { steps } from "./rechunk.ts";

const BLOCK_BYTES = 16;

/**
 * Plaintext of a CBC body. **Not authenticated**: an altered body, or one of another key, may pass as other plaintext.
 *
 * @param dataKey - 32 bytes.
 * @param sealed - The body in order, cut anywhere.
 * @throws `EnvelopeIntegrityError` for a bad padding, a body that is empty or isn't of whole blocks, and an IV that
 *   isn't 16 bytes.
 */
export function openCbc(dataKey: Uint8Array, iv: Uint8Array, sealed: readonly Uint8Array[]): Uint8Array {
  const sealedBytes = sealed.reduce((sum, chunk) => sum + chunk.length, 0);
  const cutOff = sealedBytes % BLOCK_BYTES;
  // An IV of another length is cut or filled up and found at the end, like every other failure.
  const usedIv = new Uint8Array(BLOCK_BYTES);
  usedIv.set(iv.subarray(0, BLOCK_BYTES));
  const decipher = createDecipheriv("aes-256-cbc", dataKey, usedIv).setAutoPadding(false);
  const opened = new Uint8Array(sealedBytes - cutOff);
  let at = 0;
  for (const chunk of sealed) {
    for (const step of steps(chunk)) {
      const piece = decipher.update(step);
      opened.set(piece, at);
      at += piece.length;
    }
  }
  const padding = readPadding(opened);
  if ((padding.wrong | cutOff | (iv.length ^ BLOCK_BYTES)) !== 0) {
    opened.fill(0);
    throw new EnvelopeIntegrityError();
  }
  return opened.subarray(0, opened.length - padding.bytes);
}

/** PKCS #5: n bytes of value n, 1 to 16. Without branches on what was decrypted; `wrong` is 0 when all is well. */
function readPadding(opened: Uint8Array): { readonly bytes: number; readonly wrong: number } {
  const last = new Uint8Array(BLOCK_BYTES);
  last.set(opened.subarray(-BLOCK_BYTES));
  const bytes = last[BLOCK_BYTES - 1]!;
  // A negative number shifted by 31 is all ones: below 1, or above 16.
  let wrong = ((bytes - 1) >> 31) | ((BLOCK_BYTES - bytes) >> 31);
  for (const [index, value] of last.entries()) {
    const isPadding = (BLOCK_BYTES - bytes - 1 - index) >> 31;
    wrong |= isPadding & (value ^ bytes);
  }
  return { bytes, wrong };
}
