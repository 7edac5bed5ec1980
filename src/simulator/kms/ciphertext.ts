import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { EncryptionContext } from "./encryption-context.ts";
import type { KeyStore, KmsKey } from "./key-store.ts";
import { KmsFault } from "./kms-fault.ts";

const VERSION = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts under a key: version, key id with its length before it, IV, tag, AES-256-GCM ciphertext.
 *
 * Key id and encryption context are authenticated, so that neither can be exchanged.
 */
export function encryptUnder(
  store: KeyStore,
  key: KmsKey,
  plaintext: Uint8Array,
  context: EncryptionContext,
): Uint8Array {
  const id = Buffer.from(key.id);
  const header = Buffer.concat([Buffer.from([VERSION, id.length]), id]);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", store.secretOf(key), iv);
  cipher.setAAD(Buffer.concat([header, contextBytes(context)]));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([header, iv, cipher.getAuthTag(), ciphertext]);
}

/**
 * Name of the key that a ciphertext was made under, unverified.
 *
 * @throws `KmsFault` with `InvalidCiphertextException` for what `encryptUnder` never makes.
 */
export function keyIdOf(blob: Uint8Array): string {
  return parse(blob).id;
}

/** @throws `KmsFault` with `InvalidCiphertextException`: altered, of another key, or another context. */
export function decryptUnder(
  store: KeyStore,
  key: KmsKey,
  blob: Uint8Array,
  context: EncryptionContext,
): Uint8Array {
  const { header, iv, tag, ciphertext } = parse(blob);
  const decipher = createDecipheriv("aes-256-gcm", store.secretOf(key), iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.concat([header, contextBytes(context)]));
  decipher.setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch {
    throw invalidCiphertext();
  }
}

/** AWS sends the code without a message; the simulator says what to look at. */
export function invalidCiphertext(): KmsFault {
  return new KmsFault(
    "InvalidCiphertextException",
    "The ciphertext is not of this account and region, was altered, or the encryption context is not the one " +
      "it was made with (message of the simulator: AWS sends none)",
  );
}

function parse(blob: Uint8Array): {
  id: string;
  header: Buffer;
  iv: Buffer;
  tag: Buffer;
  ciphertext: Buffer;
} {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  const headerBytes = 2 + (bytes[1] ?? 0);
  const dataAt = headerBytes + IV_BYTES + TAG_BYTES;
  if (bytes[0] !== VERSION || bytes.length < dataAt) throw invalidCiphertext();
  return {
    id: bytes.toString("utf8", 2, headerBytes),
    header: bytes.subarray(0, headerBytes),
    iv: bytes.subarray(headerBytes, headerBytes + IV_BYTES),
    tag: bytes.subarray(headerBytes + IV_BYTES, dataAt),
    ciphertext: bytes.subarray(dataAt),
  };
}

/** The same bytes for the same context, in whatever order its entries were sent. */
function contextBytes(context: EncryptionContext): Buffer {
  return Buffer.from(JSON.stringify(Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : 1))));
}
