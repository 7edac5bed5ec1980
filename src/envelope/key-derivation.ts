/**
 * From a data key and a message id to the content key of one object, and to the commitment that ties the two.
 *
 * Source: specification s3-encryption/key-derivation (HKDF-SHA-512, labels, lengths, comparison before derivation);
 * RFC 5869 for HKDF. By `createHmac` over our own bytes: `hkdf` is twice as slow, and a `KeyObject` can't be zeroed.
 */
import { createHmac, randomFillSync, timingSafeEqual } from "node:crypto";
import { EnvelopeRefusedError } from "./errors.ts";
import { COMMITMENT_BYTES, MESSAGE_ID_BYTES } from "./format-v3.ts";

/** Data keys and content keys: AES-256. */
const KEY_BYTES = 32;

/** The IV of every V3 body: the content key is used once, so the IV may be constant (twelve times 01). */
export const V3_IV: Uint8Array = new Uint8Array(12).fill(0x01);

/** The additional data of every V3 body: the number of its suite, 0x0073. */
export const V3_AAD: Uint8Array = Uint8Array.of(0x00, 0x73);

// The suite's number, the label without separator, and HKDF's block counter: one block of 64 bytes is enough.
const COMMITMENT_INFO = Buffer.from("\0sCOMMITKEY\u0001", "latin1");
const CONTENT_KEY_INFO = Buffer.from("\0sDERIVEKEY\u0001", "latin1");

/** 28 random bytes for one object; never drawn ahead, lest two clones of a machine use the same. */
export function newMessageId(): Uint8Array {
  return randomFillSync(new Uint8Array(MESSAGE_ID_BYTES));
}

/**
 * Content key and commitment of a new object.
 *
 * @throws `EnvelopeRefusedError` (`key-unusable`) for a data key that is not 32 bytes or all zero: what is sealed
 *   under a zero key, everybody can open.
 */
export function deriveForSeal(
  dataKey: Uint8Array,
  messageId: Uint8Array,
): {
  /** 32 bytes in memory of its own, the caller's to wipe. */
  readonly contentKey: Uint8Array;
  /** 28 bytes. */
  readonly commitment: Uint8Array;
} {
  const secret = extract(dataKey, messageId);
  if (!secret) {
    throw new EnvelopeRefusedError(
      "key-unusable",
      "The data key is not usable: 32 bytes that are not all zero, and a message id of 28, are needed. Nothing was sent.",
    );
  }
  const commitment = expand(secret, COMMITMENT_INFO, COMMITMENT_BYTES);
  const contentKey = expand(secret, CONTENT_KEY_INFO, KEY_BYTES);
  secret.fill(0);
  return { contentKey, commitment };
}

/**
 * Content key of an object that was read.
 *
 * @returns 32 bytes in memory of its own, the caller's to wipe; `undefined` when the commitment is another one, or
 *   when data key, message id or commitment can't be of any V3 object.
 */
export function deriveForOpen(
  dataKey: Uint8Array,
  messageId: Uint8Array,
  commitment: Uint8Array,
): Uint8Array | undefined {
  const secret = extract(dataKey, messageId);
  if (!secret) return undefined;
  const expected = expand(secret, COMMITMENT_INFO, COMMITMENT_BYTES);
  // Lengths first: `timingSafeEqual` throws when they differ. The content key only after the comparison.
  const committed = commitment.length === COMMITMENT_BYTES && timingSafeEqual(expected, commitment);
  const contentKey = committed ? expand(secret, CONTENT_KEY_INFO, KEY_BYTES) : undefined;
  secret.fill(0);
  return contentKey;
}

/** HKDF-Extract with the message id as salt; `undefined` for a key or an id that no V3 object has. */
function extract(dataKey: Uint8Array, messageId: Uint8Array): Uint8Array | undefined {
  if (dataKey.length !== KEY_BYTES || isZero(dataKey)) return undefined;
  if (messageId.length !== MESSAGE_ID_BYTES || isZero(messageId)) return undefined;
  return createHmac("sha512", messageId).update(dataKey).digest();
}

/** The first block of HKDF-Expand, cut. */
function expand(secret: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const block = createHmac("sha512", secret).update(info).digest();
  // Memory outside V8's heap: a collection would leave copies of smaller arrays behind.
  const bytes = new Uint8Array(new ArrayBuffer(length));
  bytes.set(block.subarray(0, length));
  block.fill(0);
  return bytes;
}

/** Whether all bytes are zero; looks at every one, so that time says nothing about a key. */
function isZero(bytes: Uint8Array): boolean {
  return bytes.reduce((seen, byte) => seen | byte, 0) === 0;
}
