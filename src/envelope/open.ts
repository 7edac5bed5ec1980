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
    if (sealed === undefined) throw new NotSealedError();
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

function openWhole(sealed: Sealed, bytes: Uint8Array): Uint8Array {
  try {
    return sealed.kind === "gcm"
      ? openBytes(sealed.key, [bytes])
      : openCbc(sealed.dataKey, sealed.iv, [bytes]);
  } finally {
    wipe(secretOf(sealed));
  }
}
