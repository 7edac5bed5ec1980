/** The options of one sealer with every default in its place, and what they say of a place. */
import { BucketKeySetupError } from "../errors.ts";
import type { CommitmentPolicy } from "./cache-key.ts";
import { checkCallersContext, type EncryptionContext } from "./encryption-context.ts";
import type { Keyring } from "./keyring.ts";
import { isKeyring, type EnvelopeOptions, type Place } from "./options.ts";
import { refused } from "./refused.ts";

export interface Settings {
  /** @throws `BucketKeySetupError` when the user's function gives none. */
  keyring(place: Place): Keyring;
  /**
   * The caller's context, checked, with the bucket's pair when that is asked for.
   *
   * @param given - Takes the place of the one in the options.
   */
  context(place: Place, given?: EncryptionContext): EncryptionContext;
  /** @throws `BucketKeySetupError` when the user's function gives anything but text. */
  partition(place: Place): string;
  readonly commitmentPolicy: CommitmentPolicy;
  readonly legacyWrappingAlgorithms: boolean;
  readonly legacyUnauthenticatedModes: boolean;
  readonly unwrapLegacyKey: EnvelopeOptions["unwrapLegacyKey"];
  /** Where envelopes lie beside their objects, and who reads them there. */
  readonly instructionFiles:
    | { readonly suffix?: string; readonly getObject: NonNullable<EnvelopeOptions["getObject"]> }
    | undefined;
  readonly headObject: EnvelopeOptions["headObject"];
  readonly verifiedBufferBytes: number;
  readonly bufferBudgetBytes: number;
  readonly release: NonNullable<EnvelopeOptions["release"]>;
  readonly ranges: NonNullable<EnvelopeOptions["ranges"]>;
}

/** Name of the pair that `bindBucket` adds. */
const BUCKET_PAIR = "s3-bucket";

/** @param options - Checked ones. */
export function settingsOf(options: EnvelopeOptions): Settings {
  const { keyring, encryptionContext = {}, bindBucket = false, partition } = options;
  // An object is checked at once: a slip shows when the sealer is made, not with the first object.
  const fixed = typeof encryptionContext === "function" ? undefined : checkCallersContext(encryptionContext);
  const contextOf = (place: Place, given: EncryptionContext | undefined): EncryptionContext => {
    if (given !== undefined) return checkCallersContext(given);
    return fixed ?? checkCallersContext((encryptionContext as (place: Place) => EncryptionContext)(place));
  };
  const keyringOf = (place: Place): Keyring =>
    typeof keyring === "function" ? checkedKeyring(keyring(place)) : keyring;
  return {
    keyring: keyringOf,
    context: (place, given) => ({
      ...contextOf(place, given),
      ...(bindBucket && bucketPair(place, keyringOf(place))),
    }),
    partition: (place) => (partition === undefined ? "" : checkedPartition(partition(place))),
    commitmentPolicy: options.commitmentPolicy ?? "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
    legacyWrappingAlgorithms: options.legacyWrappingAlgorithms ?? false,
    legacyUnauthenticatedModes: options.legacyUnauthenticatedModes ?? false,
    unwrapLegacyKey: options.unwrapLegacyKey,
    instructionFiles: options.instructionFiles &&
      options.getObject && { ...options.instructionFiles, getObject: options.getObject },
    headObject: options.headObject,
    verifiedBufferBytes: options.verifiedBufferBytes ?? 64 * 2 ** 20,
    bufferBudgetBytes: options.bufferBudgetBytes ?? 256 * 2 ** 20,
    release: options.release ?? "verified",
    ranges: options.ranges ?? "refuse",
  };
}

function checkedKeyring(keyring: unknown): Keyring {
  if (isKeyring(keyring)) return keyring;
  throw new BucketKeySetupError(
    "envelope's option keyring gave no keyring for a place: return one, such as a kmsKeyring that you keep.",
  );
}

/** A promise, or a tenant that nobody knows, would stand for all tenants alike. */
function checkedPartition(partition: unknown): string {
  if (typeof partition === "string") return partition;
  throw new BucketKeySetupError(
    `envelope's option partition gave ${partition === null ? "null" : typeof partition} for a place: return text, at ` +
      "once; places that get the same text share bucket keys.",
  );
}

/**
 * As S3's own bucket keys bind it; what already is an ARN, such as that of an access point, stays as it is. A bucket
 * lies in the partition of its KMS key (`aws`, `aws-cn`, `aws-us-gov`), which only an ARN tells.
 */
function bucketPair({ bucket }: Place, { keyId }: Keyring): EncryptionContext {
  if (bucket === "") {
    throw refused(
      "encryption-context",
      "envelope's option bindBucket needs a bucket: give seal() or open() its name.",
    );
  }
  return { [BUCKET_PAIR]: bucket.startsWith("arn:") ? bucket : `arn:${partitionOf(keyId)}:s3:::${bucket}` };
}

/** @param keyId - An id and an alias say nothing of their partition: those of `aws` are by far the most. */
function partitionOf(keyId: string): string {
  return /^arn:([^:]+):/.exec(keyId)?.[1] ?? "aws";
}
