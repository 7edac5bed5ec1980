/** Errors of client-side encryption. None holds key bytes, plaintext or credentials. */
import { BucketKeyError } from "../errors.ts";

/**
 * A sealed object that failed verification. One error, one message, for every cause: a flipped bit, a truncated
 * body, an altered or missing part of the envelope, a wrapped key that KMS rejects.
 *
 * @public
 */
export class EnvelopeIntegrityError extends BucketKeyError {
  /** The name of the class, whatever a minifier makes of it. */
  override readonly name = "EnvelopeIntegrityError";
  /** Narrows `BucketKeyError` to this class. */
  readonly code = "ERR_BUCKET_KEY_INTEGRITY";

  constructor() {
    super(
      "The sealed object failed verification: its body or its envelope is not what was sealed, or it was sealed " +
        "under another key or encryption context. Nothing unverified was released. First hold keyId, decryptKeyIds and " +
        "encryptionContext against the writer's; if they agree, restore the object from a version or copy you trust.",
    );
  }
}

/**
 * A plain object where only sealed ones may be: it was written without the envelope, or lost it.
 *
 * @public
 */
export class NotSealedError extends BucketKeyError {
  /** The name of the class, whatever a minifier makes of it. */
  override readonly name = "NotSealedError";
  /** Narrows `BucketKeyError` to this class. */
  readonly code = "ERR_BUCKET_KEY_NOT_SEALED";

  /** @param message - Default: for a place whose policy says `envelope: seal`. */
  constructor(message: string = PLACE_SEALS) {
    super(message);
  }
}

const PLACE_SEALS =
  "The object is not sealed, but its place says envelope: seal, so nothing of it was released. If plain objects are to " +
  "be read here while you migrate, write envelope: unseal for this place.";

/**
 * What a sealer can refuse, in one word each.
 *
 * @public
 */
export type EnvelopeProblem =
  | "append"
  | "body"
  | "buffer-limit"
  | "caller-checksum"
  | "caller-metadata"
  | "closed"
  | "commitment-policy"
  | "copy-source"
  | "encryption-context"
  | "instruction-file"
  | "key-unusable"
  | "legacy"
  | "metadata-budget"
  | "part-number"
  | "part-size"
  | "range"
  | "too-large"
  | "unknown-upload"
  | "unsupported-operation"
  | "unsupported-wrap"
  | "upload-state";

/**
 * A call that sealing can't carry out as asked. Nothing was sent, or nothing was released; the message says what to
 * do.
 *
 * @public
 */
export class EnvelopeRefusedError extends BucketKeyError {
  /** The name of the class, whatever a minifier makes of it. */
  override readonly name = "EnvelopeRefusedError";
  /** Narrows `BucketKeyError` to this class. */
  readonly code = "ERR_BUCKET_KEY_ENVELOPE_REFUSED";
  /** What was refused, in one word. */
  readonly problem: EnvelopeProblem;

  constructor(problem: EnvelopeProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
  }
}

/**
 * KMS could not be asked for a data key, or said no. The SDK's error is the `cause`.
 *
 * @public
 */
export class KeyringError extends BucketKeyError {
  /** The name of the class, whatever a minifier makes of it. */
  override readonly name = "KeyringError";
  /** Narrows `BucketKeyError` to this class. */
  readonly code = "ERR_BUCKET_KEY_KMS";
  /** Name of the SDK's error, such as `AccessDeniedException`; `TimeoutError` for our own deadline. */
  readonly kmsError: string;

  constructor(kmsError: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kmsError = kmsError;
  }
}
