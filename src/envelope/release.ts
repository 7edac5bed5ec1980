/** When the plaintext of a whole object is released: after it was verified, unless the caller said otherwise. */
import { counted, unlessBroken } from "./awaited-body.ts";
import { destroyBody, readBody } from "./bodies.ts";
import type { Pieces } from "./byte-stream.ts";
import { openCbc } from "./cbc.ts";
import { chunksOf, collect } from "./collect.ts";
import { TAG_BYTES, wipe, type ContentKey } from "./content-key.ts";
import { EnvelopeIntegrityError } from "./errors.ts";
import { GcmParts } from "./gcm-parts.ts";
import { openChunks, openPieces, openVerified } from "./gcm.ts";
import { secretOf, type Sealed } from "./opening.ts";
import { firstPass, secondPass, type ChunkIndex } from "./verified-chunks.ts";
import { refused } from "./refused.ts";
import { observeFailure, ownCopy, type Observe, type Workings } from "./workings.ts";

/** Bodies up to this are not charged to the budget: the connection itself holds as much, read or unread. */
const UNCHARGED_BYTES = 16 * 1024;

/** A sealed body that has come. */
export interface SealedBody {
  readonly body: unknown;
  /** How long it is said to be; never trusted. */
  readonly bytes: number | undefined;
  /** Asks for the same body again; absent where that can't be done. */
  readonly again?: () => Promise<unknown>;
  readonly observe: Observe;
}

/** Plaintext, whole in pieces or as it will stream. */
export interface Released {
  readonly plaintext: Pieces;
  /** Its length, where that is known. */
  readonly bytes: number | undefined;
  /** To be called when nobody will read on; harmless at any time. */
  readonly end: () => void;
}

/**
 * Opens a whole body, and wipes its key.
 *
 * @throws `EnvelopeIntegrityError`, or `EnvelopeRefusedError` (`buffer-limit`) for a body that can't be verified before
 *   it is released. In the streaming modes the plaintext itself throws the first.
 */
export async function release(workings: Workings, opening: Sealed, sealed: SealedBody): Promise<Released> {
  const { release: mode } = workings.settings;
  try {
    if (opening.kind === "gcm" && mode === "delayedAuthentication") return delayed(opening.key, sealed);
    const { again } = sealed;
    if (opening.kind === "gcm" && mode === "twoPass" && again && !fits(workings, sealed)) {
      return await twoPass(opening.key, sealed, again);
    }
    return whole(sealed.observe, await verified(workings, opening, sealed));
  } finally {
    wipe(secretOf(opening));
  }
}

/** Plaintext that is in memory. */
export function whole(observe: Observe, plaintext: readonly Uint8Array[]): Released {
  const bytes = lengthOf(plaintext);
  observe({ kind: "io", direction: "open", bytes });
  return { plaintext, bytes, end: () => undefined };
}

/** Most that is held of a sealed body, in bytes; a padding of CBC is as long as a tag at most. */
function heldBytes({ settings }: Workings): number {
  return settings.verifiedBufferBytes + TAG_BYTES;
}

/** Length of pieces put together. */
export function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** Whether a body is said to be short enough to be held until it's verified. */
export function fits(workings: Workings, { bytes }: Pick<SealedBody, "bytes">): boolean {
  return bytes !== undefined && bytes <= heldBytes(workings);
}

/**
 * A body read whole and verified; nothing of another comes out. Waits until the sealer's budget has room for it.
 *
 * In pieces: to put them together takes longer than to decrypt them, and mostly nobody needs it.
 *
 * @throws `EnvelopeIntegrityError`; `EnvelopeRefusedError` (`buffer-limit`).
 */
export async function verified(
  workings: Workings,
  opening: Sealed,
  sealed: SealedBody,
): Promise<Uint8Array[]> {
  const { body, bytes } = sealed;
  const limit = heldBytes(workings);
  if (bytes !== undefined && bytes > limit) throw tooLarge(workings);
  const atMostBytes = bytes ?? limit;
  // A body longer than it was said to be is no longer what was sealed.
  const tooLong = (): Error => (bytes === undefined ? tooLarge(workings) : new EnvelopeIntegrityError());
  const stored = chunksOf(readBody(body, "opened"));
  if (atMostBytes <= UNCHARGED_BYTES) {
    const chunks = await collect(stored, atMostBytes, tooLong);
    return opening.kind === "gcm"
      ? openPieces(opening.key, chunks)
      : [openCbc(opening.dataKey, opening.iv, chunks)];
  }
  const { readBudget } = workings;
  const giveBack = await unlessBroken(body, (signal) => readBudget.take(atMostBytes, signal));
  try {
    const chunks = counted(stored, readBudget, atMostBytes, giveBack, tooLong);
    if (opening.kind === "gcm") return await openVerified(opening.key, chunks);
    return [openCbc(opening.dataKey, opening.iv, await collect(chunks, atMostBytes, tooLong))];
  } finally {
    giveBack();
  }
}

function delayed(key: ContentKey, { body, bytes, observe }: SealedBody): Released {
  // Not even an empty object is that short, and no body has a negative length.
  if (bytes !== undefined && bytes < TAG_BYTES) throw new EnvelopeIntegrityError();
  return {
    plaintext: watched(openChunks(key, chunksOf(readBody(body, "opened"))), observe),
    bytes: bytes === undefined ? undefined : bytes - TAG_BYTES,
    end: () => undefined,
  };
}

async function twoPass(
  shared: ContentKey,
  sealed: SealedBody,
  again: () => Promise<unknown>,
): Promise<Released> {
  // The key is needed for as long as the body is read.
  const key = { ...shared, bytes: ownCopy(shared.bytes) };
  const parts = new GcmParts(key);
  let index: ChunkIndex | undefined;
  const forget = (): void => {
    wipe(key.bytes);
    parts.wipe();
    index?.wipe();
  };
  try {
    index = await firstPass(parts, chunksOf(readBody(sealed.body, "opened")));
    const second = await again();
    const plaintext = secondPass(parts, index, chunksOf(readBody(second, "opened")));
    const end = (): void => {
      destroyBody(second);
      forget();
    };
    return { plaintext: watched(plaintext, sealed.observe, end), bytes: index.plaintextBytes, end };
  } catch (error) {
    forget();
    throw error;
  }
}

/** Tells what came of a body that streams. */
export async function* watched(
  plaintext: AsyncIterable<Uint8Array>,
  observe: Observe,
  end?: () => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for await (const chunk of plaintext) {
      bytes += chunk.length;
      yield chunk;
    }
    observe({ kind: "io", direction: "open", bytes });
  } catch (error) {
    observeFailure(observe, error);
    throw error;
  } finally {
    end?.();
  }
}

function tooLarge({ settings }: Workings): Error {
  return refused(
    "buffer-limit",
    `The object holds more than ${settings.verifiedBufferBytes} bytes, which is all that is held in memory until it's ` +
      'verified (verifiedBufferBytes). Give envelope() the option release: "twoPass", which reads larger objects twice, ' +
      "or a larger verifiedBufferBytes. Nothing was released.",
  );
}
