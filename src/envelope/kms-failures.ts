/** What a failure of the keyring means for keys in memory. */
import { BucketKeySetupError, type BucketKeyError } from "../errors.ts";
import { EnvelopeIntegrityError, EnvelopeRefusedError, KeyringError } from "./errors.ts";

export interface KmsFailure {
  /** For metrics: the name of KMS's error, or of ours. */
  readonly errorType: string;
  /** KMS says that this principal may not use this key, or that nobody may. */
  readonly denied: boolean;
  /** Nobody may: KMS speaks of the keyring's key itself, whatever was asked of it, and by whom. */
  readonly keyGone: boolean;
  /** One of the few failures that say nothing about the key: no answer in time, 5xx, throttling. */
  readonly passing: boolean;
  /**
   * An error of its own for every caller: whoever catches it may edit it.
   *
   * @param note - Stands behind the message. An integrity error is always the same.
   */
  error(note?: string): BucketKeyError;
}

/** What KMS says of a key that nobody can use, for now or for good. */
const KEY_GONE: ReadonlySet<string> = new Set([
  "DisabledException",
  "KMSInvalidStateException",
  "NotFoundException",
]);

/** Errors that speak of another key than the keyring's `keyId`. */
const ofFormerKeys = new WeakSet<KeyringError>();

/** Marks the error of a key that only unwraps what is old: it says nothing about the key that seals. */
export function ofFormerKey(error: KeyringError): KeyringError {
  ofFormerKeys.add(error);
  return error;
}

/** Names that mean "later" without a status of 5xx; ours, KMS's, the SDK's and Node's. */
const PASSING: ReadonlySet<string> = new Set([
  "TimeoutError",
  "RequestTimeout",
  "RequestTimeoutException",
  "ETIMEDOUT",
  "Throttling",
  "ThrottlingException",
  "ThrottledException",
  "RequestThrottled",
  "RequestThrottledException",
  "RequestLimitExceeded",
  "TooManyRequestsException",
]);

const UNREACHED =
  " KMS could not be reached: check the network, and the endpoint and Region of the KMS client.";
const NO_CREDENTIALS =
  " The KMS client has no usable credentials: give it some, or check where it takes them from.";

/**
 * What to do about failures that KMS had no say in, by name. Their own messages stay out of ours: they belong to the SDK
 * and can hold anything.
 */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", UNREACHED],
  ["ECONNRESET", UNREACHED],
  ["EAI_AGAIN", UNREACHED],
  ["EHOSTUNREACH", UNREACHED],
  ["ENETUNREACH", UNREACHED],
  ["ENOTFOUND", UNREACHED],
  ["ETIMEDOUT", UNREACHED],
  ["CredentialsProviderError", NO_CREDENTIALS],
  ["ExpiredTokenException", NO_CREDENTIALS],
  ["UnrecognizedClientException", NO_CREDENTIALS],
  // As the SDK says that a Region is missing, and much else.
  ["Error", " See error.cause: most often the KMS client has no Region or no credentials."],
]);

export function kmsFailure(error: unknown): KmsFailure {
  if (error instanceof EnvelopeIntegrityError) {
    return {
      errorType: error.name,
      denied: false,
      keyGone: false,
      passing: false,
      error: () => new EnvelopeIntegrityError(),
    };
  }
  if (error instanceof EnvelopeRefusedError) {
    const { problem, message } = error;
    return {
      errorType: error.name,
      denied: false,
      keyGone: false,
      passing: false,
      error: (note = "") => new EnvelopeRefusedError(problem, message + note),
    };
  }
  if (error instanceof BucketKeySetupError) {
    const { message, cause } = error;
    return {
      errorType: error.name,
      denied: false,
      keyGone: false,
      passing: false,
      error: (note = "") => new BucketKeySetupError(message + note, { cause }),
    };
  }
  const failed = error instanceof KeyringError ? error : wrapped(error);
  const { kmsError, message, cause } = failed;
  // A keyring that isn't ours may have nothing to do with KMS.
  const advice = failed === error ? (ADVICE.get(kmsError) ?? "") : "";
  return {
    errorType: kmsError,
    denied: kmsError === "AccessDeniedException" || KEY_GONE.has(kmsError),
    keyGone: KEY_GONE.has(kmsError) && !ofFormerKeys.has(failed),
    passing: PASSING.has(kmsError) || isServerFault(cause),
    error: (note = "") => new KeyringError(kmsError, message + advice + note, { cause }),
  };
}

/** A short name for an error: `ECONNREFUSED` says more than `Error`. */
export function errorTypeOf(error: unknown): string {
  if (!(error instanceof Error)) return "UnknownError";
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : error.name;
}

/** Whatever a keyring that isn't ours rejects with. */
function wrapped(cause: unknown): KeyringError {
  const name = errorTypeOf(cause);
  return new KeyringError(name, `The keyring has no data key: ${name}. Its own error is the cause.`, {
    cause,
  });
}

function isServerFault(cause: unknown): boolean {
  const status = (cause as { $metadata?: { httpStatusCode?: unknown } } | undefined | null)?.$metadata
    ?.httpStatusCode;
  return typeof status === "number" && (status >= 500 || status === 429);
}
