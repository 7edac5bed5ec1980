/**
 * What an object that S3 answered with is, held against what its place lets it be.
 *
 * The expectation comes from the place that was asked for, never from the answer: whoever can write the object can
 * strip its metadata.
 */
import type { SealedCall, SealedResult } from "../body-sealer.ts";
import { destroyBody, keepErrors } from "./bodies.ts";
import { outputBody } from "./output-body.ts";
import { EnvelopeIntegrityError, NotSealedError } from "./errors.ts";
import { openEnvelope } from "./open-envelope.ts";
import type { Sealed } from "./opening.ts";
import type { Released, SealedBody } from "./release.ts";
import { metadataOf, outputOf, placeOf, type Workings } from "./workings.ts";

/** A sealed object that S3 answered with. */
export interface SealedAnswer extends SealedBody {
  readonly sealed: Sealed;
  readonly result: SealedResult;
}

/**
 * The body and its key; `undefined` for a plain object, which passes where the place unseals.
 *
 * Whatever is thrown, the body is destroyed before.
 *
 * @param asked - Whether the request had a range, so that a part of the object is no surprise.
 * @throws `NotSealedError`, `EnvelopeIntegrityError`, `EnvelopeRefusedError`, `KeyringError`.
 */
export async function openAnswer(
  workings: Workings,
  call: SealedCall,
  result: SealedResult,
  asked: "whole" | "range",
): Promise<SealedAnswer | undefined> {
  const output = outputOf(result);
  const { Body: body, ContentLength: length } = output;
  keepErrors(body);
  return orDestroy(body, async () => {
    // Metadata that S3 holds back may be what is missing of an envelope; a part can't be told from a truncated whole.
    if (Number(output["MissingMeta"] ?? 0) > 0) throw new EnvelopeIntegrityError();
    if (asked === "whole" && isPart(output)) throw new EnvelopeIntegrityError();
    const place = placeOf(call);
    const context = workings.settings.context(place);
    const { observe } = call;
    const sealed = await openEnvelope(workings, { place, context, metadata: metadataOf(output), observe });
    if (sealed !== undefined) {
      return { sealed, result, body, bytes: typeof length === "number" ? length : undefined, observe };
    }
    if (call.place === "seal") throw new NotSealedError();
    return undefined;
  });
}

/** Lets nobody read on from a body when `work` fails. */
export async function orDestroy<T>(body: unknown, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    destroyBody(body);
    throw error;
  }
}

/**
 * The answer with its plaintext in place of the body. Checksums and ETag stay: they describe what S3 stores.
 *
 * @param like - The sealed body that ends with this one.
 */
export function answerWith(
  result: SealedResult,
  { plaintext, bytes, end }: Released,
  like: unknown,
  members?: Readonly<Record<string, unknown>>,
): SealedResult {
  const Body = outputBody(plaintext, like, end);
  return { ...result, output: { ...outputOf(result), ContentLength: bytes, ...members, Body } };
}

/** The input for the same version of an object again. In a versioned bucket that needs `s3:GetObjectVersion`. */
export function pinned(input: SealedCall["input"], result: SealedResult): Record<string, unknown> {
  const { ETag: etag, VersionId: versionId } = outputOf(result);
  return { ...input, IfMatch: etag ?? input["IfMatch"], VersionId: versionId ?? input["VersionId"] };
}

function isPart(output: Readonly<Record<string, unknown>>): boolean {
  const { $metadata } = output as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return output["ContentRange"] !== undefined || $metadata?.httpStatusCode === 206;
}
