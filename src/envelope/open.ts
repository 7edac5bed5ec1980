/** Opening outside a client. */
import type { Readable } from "node:stream";
import { destroyBody, readGivenBody } from "./bodies.ts";
import { readableOf } from "./byte-stream.ts";
import { openCbc } from "./cbc.ts";
import { wipe } from "./content-key.ts";
import { type Envelope, workingsBehind } from "./envelope.ts";
import { NotSealedError } from "./errors.ts";
import { openBytes } from "./gcm.ts";
import { orDestroy } from "./open-answer.ts";
import { openEnvelope } from "./open-envelope.ts";
import { secretOf, type Sealed } from "./opening.ts";
import { release } from "./release.ts";
import { placeGiven, unobserved, type BytesBody, type PlaceOptions, type StreamBody } from "./seal.ts";

/**
 * Opens a sealed body outside a client, with the sealer's options for reading.
 *
 * A stream is read once, so it is held in memory until it's verified, up to `verifiedBufferBytes`; with
 * `release: "delayedAuthentication"` it streams out before that. Bytes are verified whatever their length.
 *
 * @param sealer - What `envelope()` gave.
 * @param body - As stored.
 * @param metadata - The object's user metadata, names without `x-amz-meta-`.
 * @returns The plaintext: bytes for bytes, a stream for a stream.
 * @throws (rejects) `NotSealedError`, `EnvelopeIntegrityError`, `EnvelopeRefusedError`, `KeyringError`,
 *   `BucketKeySetupError` for an option that it hasn't.
 * @example
 * ```ts
 * const { Body, Metadata } = await plainS3.send(new GetObjectCommand({ Bucket, Key }));
 * const letter = await open(sealer, await Body.transformToByteArray(), Metadata);
 * ```
 * @public
 */
export function open(
  sealer: Envelope,
  body: BytesBody,
  metadata: Readonly<Record<string, string>> | undefined,
  options?: PlaceOptions,
): Promise<Uint8Array>;
/**
 * The same for a stream.
 *
 * @public
 */
export function open(
  sealer: Envelope,
  body: StreamBody,
  metadata: Readonly<Record<string, string>> | undefined,
  options?: PlaceOptions,
): Promise<Readable>;
/**
 * The same where the body's type leaves open which of them it is.
 *
 * @public
 */
export function open(
  sealer: Envelope,
  body: BytesBody | StreamBody,
  metadata: Readonly<Record<string, string>> | undefined,
  options?: PlaceOptions,
): Promise<Uint8Array | Readable>;
export async function open(
  sealer: Envelope,
  body: BytesBody | StreamBody,
  metadata: Readonly<Record<string, string>> | undefined,
  options?: PlaceOptions,
): Promise<Uint8Array | Readable> {
  const workings = workingsBehind(sealer);
  return orDestroy(body, async () => {
    const { place, callersContext } = placeGiven("open", options);
    const stored = readGivenBody(body, "opened");
    const context = workings.settings.context(place, callersContext);
    const sealed = await openEnvelope(workings, { place, context, metadata, observe: unobserved });
    if (sealed === undefined) throw notSealed(metadata);
    if (stored.kind === "bytes") return openWhole(sealed, stored.bytes);
    // The chunks, not the body: its reading has begun.
    const { plaintext, end } = await release(workings, sealed, {
      body: stored.chunks,
      bytes: stored.bytes,
      observe: unobserved,
    });
    return readableOf(plaintext, () => {
      end();
      destroyBody(body);
    });
  });
}

/** No policy was asked: what was given in place of the metadata is the likelier slip. */
function notSealed(metadata: Readonly<Record<string, string>> | undefined): NotSealedError {
  const names = Object.keys(metadata ?? {});
  const why = names.some((name) => /^x-amz-meta-/i.test(name))
    ? "names in it begin with x-amz-meta-. Take that off: names are to be as seal() and the SDK's Metadata have them."
    : names.length > 0
      ? "no name in it is one of an envelope's. Either it isn't this object's user metadata, or the object was " +
        "written without its envelope or has lost it."
      : "it is empty. Give what seal() gave as metadata, or the object's user metadata: the Metadata of GetObject.";
  return new NotSealedError(`The metadata given to open() has no envelope, so nothing was released: ${why}`);
}

function openWhole(sealed: Sealed, bytes: Uint8Array): Uint8Array {
  try {
    return sealed.kind === "gcm"
      ? openBytes(sealed.key, [bytes])
      : openCbc(sealed.dataKey, sealed.iv, [bytes]);
  } finally {
    wipe(secretOf(sealed));
  }
}
