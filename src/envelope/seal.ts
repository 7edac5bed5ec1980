/** Sealing outside a client. */
import { Readable } from "node:stream";
import { checkOptionNames } from "../option-names.ts";
import { readGivenBody } from "./bodies.ts";
import { wipe } from "./content-key.ts";
import type { EncryptionContext } from "./encryption-context.ts";
import { type Envelope, workingsBehind } from "./envelope.ts";
import { checkUnchanged } from "./exact-length.ts";
import { freshEnvelope } from "./fresh-envelope.ts";
import { sealBytes, sealChunks } from "./gcm.ts";
import type { Place } from "./options.ts";

/**
 * A body that is in memory.
 *
 * @public
 */
export type BytesBody = string | ArrayBuffer | ArrayBufferView;

/**
 * A body that is read as it is sealed or opened: a stream of Node or the web, a Blob, or any iteration of bytes.
 *
 * @public
 */
export type StreamBody = Blob | AsyncIterable<Uint8Array | string>;

/**
 * Options of `seal` and `open`.
 *
 * @public
 */
export interface PlaceOptions {
  /** What the sealer's functions of a place are given, and `bindBucket`. Default `""`. */
  readonly bucket?: string;
  /** What the sealer's functions of a place are given. Default `""`. */
  readonly key?: string;
  /** Takes the place of the sealer's own. */
  readonly encryptionContext?: EncryptionContext;
}

/**
 * A sealed body with its envelope.
 *
 * @public
 */
export interface SealedObject<Body> {
  /** Ciphertext and tag: 16 bytes more than the plaintext. */
  readonly body: Body;
  /** To be stored as the object's user metadata. */
  readonly metadata: Record<string, string>;
}

/** The names of the options. */
const table: { readonly [O in keyof PlaceOptions]-?: true } = {
  bucket: true,
  key: true,
  encryptionContext: true,
};
const OPTIONS = {
  seal: { of: "seal", table, call: "seal(sealer, body, { bucket, key, encryptionContext })" },
  open: { of: "open", table, call: "open(sealer, body, metadata, { bucket, key, encryptionContext })" },
} as const;

/** Where the options of `seal` and `open` say that an object is. */
interface PlaceGiven {
  readonly place: Place;
  /** Takes the place of the sealer's own. */
  readonly callersContext: EncryptionContext | undefined;
}

/**
 * What the options say. A slip in a name would seal without the context that was given, in silence.
 *
 * @throws `BucketKeySetupError` for options that aren't an object, and for a name that isn't one of them.
 */
export function placeGiven(of: "seal" | "open", options: PlaceOptions | undefined): PlaceGiven {
  const operation = of === "seal" ? "PutObject" : "GetObject";
  if (options === undefined) return { place: { operation, bucket: "", key: "" }, callersContext: undefined };
  checkOptionNames(OPTIONS[of], options);
  const { bucket = "", key = "", encryptionContext } = options;
  return { place: { operation, bucket, key }, callersContext: encryptionContext };
}

/** Outside a client nobody counts. */
export function unobserved(): void {
  // Nothing.
}

/**
 * Seals a body outside a client: for another store, a queue, or a client without the plugin.
 *
 * @param sealer - What `envelope()` gave.
 * @param body - In memory, or to be read as the sealed one is read. `""` is the empty one; `undefined` and `null` are
 *   none.
 * @returns Sealed bytes for bytes, a stream for a stream; readers find the way to the key in the metadata.
 * @throws (rejects) `EnvelopeRefusedError`, `KeyringError`, `BucketKeySetupError` for an option that it hasn't; the
 *   stream fails with what its source fails with.
 * @example
 * ```ts
 * const { body, metadata } = await seal(sealer, "dear Ada");
 * await plainS3.send(new PutObjectCommand({ Bucket, Key, Body: body, Metadata: metadata }));
 * ```
 * @public
 */
export function seal(
  sealer: Envelope,
  body: BytesBody,
  options?: PlaceOptions,
): Promise<SealedObject<Uint8Array>>;
/**
 * The same for a stream, which is sealed as it is read.
 *
 * @public
 */
export function seal(
  sealer: Envelope,
  body: StreamBody,
  options?: PlaceOptions,
): Promise<SealedObject<Readable>>;
/**
 * The same where the body's type leaves open which of them it is.
 *
 * @public
 */
export function seal(
  sealer: Envelope,
  body: BytesBody | StreamBody,
  options?: PlaceOptions,
): Promise<SealedObject<Uint8Array | Readable>>;
export async function seal(
  sealer: Envelope,
  body: BytesBody | StreamBody,
  options?: PlaceOptions,
): Promise<SealedObject<Uint8Array | Readable>> {
  const workings = workingsBehind(sealer);
  const { place, callersContext } = placeGiven("seal", options);
  const plain = readGivenBody(body, "sealed");
  const bytes = plain.kind === "bytes" ? plain.bytes.length : plain.bytes;
  const fresh = await freshEnvelope(workings, {
    place,
    context: workings.settings.context(place, callersContext),
    metadata: undefined,
    bytes,
    observe: unobserved,
  });
  const { content, metadata, countBytes } = fresh;
  try {
    if (plain.kind === "bytes") {
      checkUnchanged(plain.bytes, bytes);
      return { body: sealBytes(content, plain.bytes), metadata };
    }
    const count = plain.bytes === undefined ? countBytes : undefined;
    return { body: Readable.from(sealChunks(content, plain.chunks, count)), metadata };
  } finally {
    wipe(content.bytes);
  }
}
