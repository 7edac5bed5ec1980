/** GetObject: what is sealed is opened, what is plain passes only where the place lets it. */
import type { SealedCall, SealedResult } from "../body-sealer.ts";
import { destroyBody } from "./bodies.ts";
import { parseRange } from "./byte-range.ts";
import { wipe } from "./content-key.ts";
import { answerWith, openAnswer, orDestroy, pinned } from "./open-answer.ts";
import { secretOf } from "./opening.ts";
import { rangedGet } from "./ranged-get.ts";
import { refused } from "./refused.ts";
import { release } from "./release.ts";
import { outputOf, type Workings } from "./workings.ts";

type Input = SealedCall["input"];

/** @throws `NotSealedError`, `EnvelopeIntegrityError`, `EnvelopeRefusedError`, `KeyringError`. */
export async function get(workings: Workings, call: SealedCall): Promise<SealedResult> {
  if (call.presigning) return presigned(workings, call);
  const { Range: range, ...input } = call.input;
  if (isGiven(call.input["PartNumber"])) {
    return partly(workings, call, () => Promise.reject(partRefused()));
  }
  if (!isGiven(range)) return opened(workings, call, input, await call.next(call.input));
  return partly(workings, call, async () => {
    if (workings.settings.ranges === "refuse") throw rangeRefused();
    const asked = parseRange(range);
    // As S3 does: several ranges, or what it can't read, are the whole object.
    if (asked === undefined) return opened(workings, call, input, await call.next(input));
    return rangedGet(workings, call, { input, asked, text: String(range) });
  });
}

/** A part of a sealed object, by `ofSealed`; of a plain one as it is, where plain objects pass. */
async function partly(
  workings: Workings,
  call: SealedCall,
  ofSealed: () => Promise<SealedResult>,
): Promise<SealedResult> {
  if (call.place === "seal") return ofSealed();
  const result = await call.next(call.input);
  const answer = await openAnswer(workings, call, result, "range");
  if (answer === undefined) return plain(call, result);
  // The key and the bytes of a part are of no use: what was asked for decides how the object is read.
  wipe(secretOf(answer.sealed));
  destroyBody(answer.body);
  return ofSealed();
}

/** The whole body of an object that S3 answered with. */
async function opened(
  workings: Workings,
  call: SealedCall,
  input: Input,
  result: SealedResult,
): Promise<SealedResult> {
  const { Body: body } = outputOf(result);
  // Nothing came that could be released.
  if (body === undefined) return result;
  const answer = await openAnswer(workings, call, result, "whole");
  if (answer === undefined) return plain(call, result);
  const again = async (): Promise<unknown> => outputOf(await call.next(pinned(input, result)))["Body"];
  const released = await orDestroy(body, () => release(workings, answer.sealed, { ...answer, again }));
  return answerWith(result, released, body);
}

/** Presigning answers nothing: a body means that it wasn't presigning after all. */
async function presigned(workings: Workings, call: SealedCall): Promise<SealedResult> {
  const { input } = call;
  const result = await call.next(input);
  const { Body: body } = outputOf(result);
  if (body === undefined) return result;
  return orDestroy(body, () => {
    if (isGiven(input["PartNumber"])) throw partRefused();
    if (isGiven(input["Range"])) throw rangeRefused();
    return opened(workings, call, input, result);
  });
}

function plain(call: SealedCall, result: SealedResult): SealedResult {
  call.observe({ kind: "plain-read" });
  return result;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function partRefused(): Error {
  return refused(
    "part-number",
    "PartNumber reads a part of what is stored, which can't be verified by itself: leave it out, or give Range with " +
      'the option ranges: "verified". Nothing was released.',
  );
}

function rangeRefused(): Error {
  return refused(
    "range",
    'A range of a sealed object is only released verified: give envelope() the option ranges: "verified", or leave ' +
      "Range out. Nothing was released.",
  );
}
