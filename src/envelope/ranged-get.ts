/**
 * GET with a Range: the range of the plaintext, of which not a byte is released unverified.
 *
 * What GCM seals is verified as a whole or not at all. An object that fits into the buffer is read whole; of a larger
 * one a first pass makes an index, and then only the chunks around the range are read, each compared with the index.
 * Plain CTR ranges would let whoever can write the object edit known plaintext at will.
 */
import type { SealedCall, SealedResult } from "../body-sealer.ts";
import { destroyBody, readBody } from "./bodies.ts";
import { contentRange, invalidRange, spanOf, type AskedRange, type ByteSpan } from "./byte-range.ts";
import type { IndexLease, ObjectVersion } from "./chunk-indexes.ts";
import { chunksAround, cut } from "./chunk-span.ts";
import { chunksOf } from "./collect.ts";
import { wipe, type ContentKey } from "./content-key.ts";
import { EnvelopeIntegrityError } from "./errors.ts";
import { GcmParts } from "./gcm-parts.ts";
import { answerWith, openAnswer, orDestroy, pinned, type SealedAnswer } from "./open-answer.ts";
import { secretOf, type Sealed } from "./opening.ts";
import { fits, lengthOf, verified, watched, whole } from "./release.ts";
import { joinSpan } from "./rechunk.ts";
import { firstPass, secondPass } from "./verified-chunks.ts";
import { refused } from "./refused.ts";
import { outputOf, type Workings } from "./workings.ts";

/** What is asked of an object. */
export interface RangedAsk {
  /** The call's input without its range. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly asked: AskedRange;
  /** The range as the caller wrote it. */
  readonly text: string;
}

/** @throws Also an error like S3's `InvalidRange` when nothing of the plaintext lies in the range. */
export async function rangedGet(workings: Workings, call: SealedCall, ask: RangedAsk): Promise<SealedResult> {
  const { input } = ask;
  const name = JSON.stringify([input["Bucket"], input["Key"], input["VersionId"]]);
  const lease = workings.indexes.find(name);
  let result: SealedResult | undefined;
  try {
    result = lease && (await fromIndex(workings, call, ask, lease));
  } finally {
    if (result === undefined) lease?.release();
  }
  return result ?? fromObject(workings, call, ask, name);
}

/** Of a version that was read before: one request for its chunks. `undefined` when another version stands there. */
async function fromIndex(
  workings: Workings,
  call: SealedCall,
  { input, asked }: RangedAsk,
  lease: IndexLease,
): Promise<SealedResult | undefined> {
  const span = spanOf(asked, lease.index.plaintextBytes);
  if (span === undefined) return undefined;
  const { range } = chunksAround(lease.index, span);
  const result = await call.next({ ...input, Range: range }).catch(unsatisfiable);
  if (result === undefined) return undefined;
  // The key is derived anew: whoever may not ask KMS any more gets nothing out of the index.
  const answer = await openAnswer(workings, call, result, "range");
  if (answer !== undefined && isOf(lease, versionOf(result), answer.sealed)) {
    return releaseChunks(call, { described: result, chunks: result, lease, span });
  }
  destroyBody(outputOf(result)["Body"]);
  return undefined;
}

/** Whether an object that was answered now is the one of the index; wipes its key. */
function isOf(lease: IndexLease, version: ObjectVersion, sealed: Sealed): boolean {
  const isSame = sealed.kind === "gcm" && lease.isOf(version, sealed.key);
  wipe(secretOf(sealed));
  return isSame;
}

/** A shorter object stands there by now. */
function unsatisfiable(error: unknown): undefined {
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
  if ($metadata?.httpStatusCode !== 416) throw error;
}

async function fromObject(
  workings: Workings,
  call: SealedCall,
  ask: RangedAsk,
  name: string,
): Promise<SealedResult> {
  const result = await call.next(ask.input);
  const answer = await openAnswer(workings, call, result, "whole");
  if (answer === undefined) {
    // Plain by now, where plain objects pass: the range of that very object.
    destroyBody(outputOf(result)["Body"]);
    return call.next({ ...pinned(ask.input, result), Range: ask.text });
  }
  return orDestroy(answer.body, async () => {
    const { sealed } = answer;
    if (sealed.kind === "gcm" && !fits(workings, answer)) {
      return fromChunks(workings, call, ask, { answer, key: sealed.key, name });
    }
    try {
      if (sealed.kind === "gcm") return await fromWhole(workings, call, ask, answer);
      throw refused(
        "range",
        "The object's body is in CBC, of which no range can be verified: read it without Range. Nothing was released.",
      );
    } finally {
      wipe(secretOf(sealed));
    }
  });
}

async function fromWhole(
  workings: Workings,
  call: SealedCall,
  { asked, text }: RangedAsk,
  answer: SealedAnswer,
): Promise<SealedResult> {
  const { sealed, result, body } = answer;
  const plaintext = await verified(workings, sealed, answer);
  const total = lengthOf(plaintext);
  try {
    const span = spanIn(asked, text, total, result);
    const released = whole(call.observe, [joinSpan(plaintext, span.start, span.end)]);
    return answerWith(result, released, body, rangeMembers(result, span, total));
  } finally {
    for (const piece of plaintext) wipe(piece);
  }
}

/** What a large object is opened with. */
interface Large {
  readonly answer: SealedAnswer;
  /** Goes over to the index. */
  readonly key: ContentKey;
  readonly name: string;
}

async function fromChunks(
  workings: Workings,
  call: SealedCall,
  { input, asked, text }: RangedAsk,
  { answer, key, name }: Large,
): Promise<SealedResult> {
  const { result } = answer;
  const parts = new GcmParts(key);
  const index = await firstPass(parts, chunksOf(readBody(answer.body, "opened"))).catch((error: unknown) => {
    parts.wipe();
    wipe(key.bytes);
    throw error;
  });
  const lease = workings.indexes.keep(name, { version: versionOf(result), key, parts, index });
  try {
    const span = spanIn(asked, text, index.plaintextBytes, result);
    const { range } = chunksAround(index, span);
    const chunks = await call.next({ ...pinned(input, result), Range: range });
    return releaseChunks(call, { described: result, chunks, lease, span });
  } catch (error) {
    lease.release();
    throw error;
  }
}

/** Chunks that came, and how they are described to the caller. */
interface Chunks {
  /** The answer that tells the object's metadata. */
  readonly described: SealedResult;
  readonly chunks: SealedResult;
  /** Given back when the body ends. */
  readonly lease: IndexLease;
  readonly span: ByteSpan;
}

/** Each chunk is compared with the index before it is decrypted; the lease goes over to the body. */
function releaseChunks(call: SealedCall, { described, chunks, lease, span }: Chunks): SealedResult {
  const { index, parts } = lease;
  const around = chunksAround(index, span);
  const { Body: body, ContentRange: found } = outputOf(chunks);
  if (found !== around.contentRange) {
    destroyBody(body);
    throw new EnvelopeIntegrityError();
  }
  const bytes = span.end - span.start;
  const opened = secondPass(parts, index, chunksOf(readBody(body, "opened")), around.chunks);
  const end = (): void => lease.release();
  const plaintext = watched(cut(opened, around.skip, bytes), call.observe, end);
  return answerWith(
    described,
    { plaintext, bytes, end },
    body,
    rangeMembers(described, span, index.plaintextBytes),
  );
}

function spanIn(asked: AskedRange, text: string, bytes: number, result: SealedResult): ByteSpan {
  const span = spanOf(asked, bytes);
  if (span === undefined) throw invalidRange(text, bytes, outputOf(result)["$metadata"]);
  return span;
}

/** What S3 would say of the range, were the object plain. */
function rangeMembers(
  result: SealedResult,
  span: ByteSpan,
  bytes: number,
): Readonly<Record<string, unknown>> {
  const $metadata = { ...(outputOf(result)["$metadata"] as object), httpStatusCode: 206 };
  return { ContentRange: contentRange(span, bytes), $metadata };
}

function versionOf(result: SealedResult): ObjectVersion {
  const { ETag: etag, VersionId: versionId } = outputOf(result);
  return { etag, versionId };
}
