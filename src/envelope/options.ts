/** What `envelope()` takes, and what is wrong with what it was given. */
import { BucketKeySetupError } from "../errors.ts";
import { checkOptionNames } from "../option-names.ts";
import type { CommitmentPolicy } from "./cache-key.ts";
import type { CacheOptions } from "./cache-options.ts";
import type { EncryptionContext } from "./encryption-context.ts";
import type { Keyring } from "./keyring.ts";
import { MAX_PART_BYTES } from "./part-body.ts";

/**
 * What a key or an encryption context may be chosen by.
 *
 * @public
 */
export interface Place {
  /** The S3 operation, such as `PutObject`. */
  readonly operation: string;
  /** The bucket as the caller named it: a name, an alias or the ARN of an access point. */
  readonly bucket: string;
  /** The object's key. */
  readonly key: string;
}

/**
 * Which object a client of yours is asked for.
 *
 * @public
 */
export interface ObjectAddress {
  /** As in the call that asks. */
  Bucket: string;
  /** The object's key. */
  Key: string;
  /** Only when the call names one. */
  VersionId?: string;
}

/**
 * The part of a HeadObject answer that is looked at.
 *
 * @public
 */
export interface ObjectHead {
  /** User metadata, as the SDK gives it. */
  readonly Metadata?: Readonly<Record<string, string>> | undefined;
  /** Pins what is copied to what was looked at. */
  readonly ETag?: string | undefined;
  /** Number of metadata entries that S3 holds back, since they are no headers: parts of an envelope may be missing. */
  readonly MissingMeta?: number | undefined;
}

/**
 * The part of a GetObject answer that is looked at.
 *
 * @public
 */
export interface ObjectContent {
  /** The body, as the SDK gives it. */
  readonly Body?: unknown;
}

/**
 * The wrapped data key of an object in an old format.
 *
 * @public
 */
export interface WrappedLegacyKey {
  /** The wrapping algorithm as stored, such as `AESWrap`; V1 mostly says none. */
  readonly wrap: string | undefined;
  /** The wrapped data key. */
  readonly blob: Uint8Array;
  /** The material description. */
  readonly description: EncryptionContext;
}

/**
 * Options of `envelope`.
 *
 * @public
 */
export interface EnvelopeOptions extends CacheOptions {
  /**
   * Where data keys come from, such as `kmsKeyring({ client, keyId })`. A function gives each place its own, such as
   * one key per tenant; it must give the same instance again, for bucket keys are cached per instance.
   */
  readonly keyring: Keyring | ((place: Place) => Keyring);
  /**
   * Pairs of text that KMS binds to the bucket key; readers must give the same. Not secret: they stand in the object's
   * metadata and in CloudTrail. One that differs per object makes one KMS request per object. Default `{}`.
   */
  readonly encryptionContext?: EncryptionContext | ((place: Place) => EncryptionContext);
  /**
   * Adds the pair `s3-bucket` with the bucket's ARN, as S3's own bucket keys have it: in the partition of the keyring's
   * `keyId` where that is an ARN (`arn:aws-cn:...`), else `arn:aws:s3:::<bucket>`. A copy or replica in another bucket
   * can't be opened then, and other readers have to give the pair. Default false.
   */
  readonly bindBucket?: boolean;
  /**
   * Keeps bucket keys apart, beside keyring and context: those of another partition are never used. Gives text, at
   * once; anything else, a promise or `undefined`, fails the call (`BucketKeySetupError`).
   */
  readonly partition?: (place: Place) => string;
  /**
   * What is written and read, in the words of the official clients. `REQUIRE_ENCRYPT_ALLOW_DECRYPT` reads the formats
   * without key commitment, V2 and V1, too. V3 is written always. Default `REQUIRE_ENCRYPT_REQUIRE_DECRYPT`.
   */
  readonly commitmentPolicy?: CommitmentPolicy;
  /** Reads data keys wrapped with `kms`, which binds neither context nor algorithm. Default false. */
  readonly legacyWrappingAlgorithms?: boolean;
  /** Reads bodies in CBC, which nothing authenticates. Default false. */
  readonly legacyUnauthenticatedModes?: boolean;
  /** Unwraps data keys of V1 and V2 that KMS didn't wrap. Gives a copy: it is filled with zeros. */
  readonly unwrapLegacyKey?: (wrapped: WrappedLegacyKey) => Promise<Uint8Array>;
  /** Looks for the envelope in an instruction file (default suffix `.instruction`) too; needs `getObject`. */
  readonly instructionFiles?: { readonly suffix?: string };
  /**
   * GetObject of a client without the plugin, for instruction files:
   * `(input) => s3.send(new GetObjectCommand(input))`. With a request handler of its own: it's asked while the object's
   * answer holds a socket.
   */
  readonly getObject?: (input: ObjectAddress) => Promise<ObjectContent>;
  /**
   * HeadObject, for the sources of copies: `(input) => s3.send(new HeadObjectCommand(input))`. What is moved is pinned
   * to the `ETag` it gives.
   */
  readonly headObject?: (input: ObjectAddress) => Promise<ObjectHead>;
  /**
   * Largest plaintext that is held until its tag is verified, in bytes: 16 to 2^31. Default 64 MiB. Goes with
   * `release: "verified"` and `"twoPass"`.
   */
  readonly verifiedBufferBytes?: number;
  /**
   * Bytes that all bodies being verified hold in memory together, and as many again all parts of uploads being sent;
   * further calls wait. Bodies of up to 16 KiB aren't counted, nor is what was handed out. Default 256 MiB.
   */
  readonly bufferBudgetBytes?: number;
  /**
   * When plaintext is released. `verified`: after all of it was verified in memory; larger bodies are refused.
   * `twoPass`: larger bodies are read twice, verified first and released chunk by chunk then. `delayedAuthentication`:
   * bodies stream out **before** their tag was checked, and end in an error when it is wrong: throw away what you read
   * then. Default `verified`.
   */
  readonly release?: "verified" | "twoPass" | "delayedAuthentication";
  /**
   * What a GET with `Range` does: `refuse`, or `verified`: the whole object is verified first, once per version of a
   * large one, and the range of the plaintext is released then. Default `refuse`.
   */
  readonly ranges?: "refuse" | "verified";
  /** Size of the parts of multipart uploads, in bytes. Default: the size of part 1, for which other parts wait. */
  readonly partBytes?: number;
  /** After how long without a call an upload is given up and its key zeroed, in seconds: up to a week. Default 3,600. */
  readonly uploadIdleSeconds?: number;
}

type Check = readonly [fits: (value: unknown) => boolean, write: string];

const isA =
  (type: string) =>
  (value: unknown): boolean =>
    typeof value === type;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

function number(min: number, max: number, unit: string): Check {
  return [
    (value) => typeof value === "number" && value >= min && value <= max,
    `a number of ${unit}, ${min} to ${max}`,
  ];
}

function count(min: number, max: number, unit: string): Check {
  return [
    (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max,
    `a whole number of ${unit}, ${min} to ${max}`,
  ];
}

function oneOf(...words: readonly string[]): Check {
  return [(value) => words.includes(value as string), words.map((word) => JSON.stringify(word)).join(" or ")];
}

const FLAG: Check = [isA("boolean"), "true or false"];
const FUNCTION: Check = [isA("function"), "a function"];
/** The cache checks its own. */
const BY_THE_CACHE: Check = [() => true, ""];
const SEND = "a function that sends it, as (input) => s3.send(new";

/** Whether a value can stand for a keyring. */
export function isKeyring(value: unknown): value is Keyring {
  return isObject(value) && typeof value["generate"] === "function" && typeof value["unwrap"] === "function";
}

/** What each option must be, and what to write when it isn't. */
const OPTIONS: { readonly [O in keyof EnvelopeOptions]-?: Check } = {
  keyring: [
    (value) => isKeyring(value) || typeof value === "function",
    "a keyring such as kmsKeyring({ client, keyId }), or a function from a place to one",
  ],
  encryptionContext: [
    (value) => isObject(value) || typeof value === "function",
    "an object of strings, or a function from a place to one",
  ],
  bindBucket: FLAG,
  partition: FUNCTION,
  maxAgeSeconds: BY_THE_CACHE,
  maxUses: BY_THE_CACHE,
  maxBytes: BY_THE_CACHE,
  maxCachedBytes: BY_THE_CACHE,
  staleIfErrorSeconds: BY_THE_CACHE,
  kmsTimeoutSeconds: BY_THE_CACHE,
  commitmentPolicy: oneOf("REQUIRE_ENCRYPT_REQUIRE_DECRYPT", "REQUIRE_ENCRYPT_ALLOW_DECRYPT"),
  legacyWrappingAlgorithms: FLAG,
  legacyUnauthenticatedModes: FLAG,
  unwrapLegacyKey: FUNCTION,
  instructionFiles: [
    (value) =>
      isObject(value) &&
      (value["suffix"] === undefined || (value["suffix"] !== "" && isA("string")(value["suffix"]))),
    "{} or { suffix }, with a suffix that is not empty",
  ],
  getObject: [isA("function"), `${SEND} GetObjectCommand(input))`],
  headObject: [isA("function"), `${SEND} HeadObjectCommand(input))`],
  verifiedBufferBytes: count(16, 2 ** 31, "bytes"),
  bufferBudgetBytes: count(1, Number.MAX_SAFE_INTEGER, "bytes"),
  release: oneOf("verified", "twoPass", "delayedAuthentication"),
  ranges: oneOf("refuse", "verified"),
  partBytes: count(16, MAX_PART_BYTES, "bytes"),
  uploadIdleSeconds: number(0.001, 604_800, "seconds"),
};

/**
 * Holds the options against what they must be: a slip could seal under the wrong key in silence.
 *
 * @throws `BucketKeySetupError` that names the option and what to write.
 */
export function checkOptions(options: EnvelopeOptions): void {
  checkOptionNames({ of: "envelope", table: OPTIONS, call: "envelope({ keyring })" }, options);
  const { keyring, ...others } = options;
  for (const [name, value] of [["keyring", keyring] as const, ...Object.entries(others)]) {
    if (value === undefined && name !== "keyring") continue;
    const [fits, write] = OPTIONS[name as keyof EnvelopeOptions];
    if (!fits(value)) {
      throw new BucketKeySetupError(`envelope's option ${name} is ${describe(value)}: give ${write}.`);
    }
  }
  checkTogether(options);
}

function checkTogether({ instructionFiles, getObject, release, verifiedBufferBytes }: EnvelopeOptions): void {
  if (instructionFiles !== undefined && getObject === undefined) {
    throw new BucketKeySetupError(
      `envelope's option instructionFiles needs getObject: ${OPTIONS.getObject[1]}.`,
    );
  }
  if (release === "delayedAuthentication" && verifiedBufferBytes !== undefined) {
    throw new BucketKeySetupError(
      "envelope's option verifiedBufferBytes means nothing with release: delayedAuthentication, which verifies " +
        "nothing before it releases. Leave one of the two out.",
    );
  }
}

/** Numbers and words as they are, so that a slip shows; of the rest only what kind of thing it is. */
function describe(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string") return JSON.stringify(value.slice(0, 80));
  if (typeof value !== "object") return typeof value === "function" ? "a function" : typeof value;
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : value instanceof Promise ? "a Promise" : "an object";
}
