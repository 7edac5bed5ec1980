/** The key that one object's content is sealed under, with the parameters of AES-GCM that go with it. */
import { EnvelopeIntegrityError, EnvelopeRefusedError } from "./errors.ts";
import { V3_AAD, V3_IV } from "./key-derivation.ts";

/** What AES-256-GCM is given for one object. Secret: `bytes`. */
export interface ContentKey {
  /** 32 bytes. */
  readonly bytes: Uint8Array;
  /** 12 bytes. */
  readonly iv: Uint8Array;
  /** Authenticated with the content; `undefined` where the format has none. */
  readonly aad: Uint8Array | undefined;
}

/** Length of the tag that ends a sealed body, in bytes (specification: s3-encryption, algorithm suites: 128 bits). */
export const TAG_BYTES = 16;

/** The most that one key and IV may seal, in bytes: 2^39 - 256 bits (SP 800-38D 5.2.1.1). */
export const MAX_PLAINTEXT_BYTES: number = 2 ** 36 - 32;

/** Length of a V2 IV, in bytes (specification: s3-encryption, algorithm suites: 96 bits). */
const IV_BYTES = 12;

/** V3: a key derived for this object alone, so IV and AAD are constants (specification: s3-encryption, key derivation). */
export function v3ContentKey(bytes: Uint8Array): ContentKey {
  return { bytes, iv: V3_IV, aad: V3_AAD };
}

/**
 * V2: the data key itself, an IV out of the metadata, no AAD (specification: s3-encryption, content metadata).
 *
 * @throws `EnvelopeIntegrityError` when the IV isn't 12 bytes.
 */
export function v2ContentKey(bytes: Uint8Array, iv: Uint8Array): ContentKey {
  if (iv.length !== IV_BYTES) throw new EnvelopeIntegrityError();
  return { bytes, iv, aad: undefined };
}

/** Overwrites secrets with zeros. Best effort: copies that the runtime made are out of reach. */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0);
}

/**
 * Length of the plaintext so far with `more` bytes added.
 *
 * @throws `EnvelopeRefusedError` (`too-large`) above `MAX_PLAINTEXT_BYTES`.
 */
export function addPlaintext(soFar: number, more: number): number {
  const total = soFar + more;
  if (total <= MAX_PLAINTEXT_BYTES) return total;
  throw new EnvelopeRefusedError(
    "too-large",
    `A sealed object holds at most ${MAX_PLAINTEXT_BYTES} bytes (64 GiB - 32, the limit of AES-GCM). ` +
      "Split the body over several objects.",
  );
}
