/** Which operation is carried out by what, for calls that concern a place that seals or unseals. */
import type { SealedCall, SealedResult } from "../body-sealer.ts";
import { copy, moveBytes } from "./copy.ts";
import { createUpload } from "./create-upload.ts";
import { get } from "./get.ts";
import { head } from "./head.ts";
import { put } from "./put.ts";
import { refused } from "./refused.ts";
import { observeFailure, type Workings } from "./workings.ts";

type Handler = (workings: Workings, call: SealedCall) => Promise<SealedResult>;

const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ["PutObject", whereSealed(put)],
  ["CreateMultipartUpload", whereSealed(createUpload)],
  ["UploadPart", ({ uploads }, call) => uploads.part(call)],
  ["CompleteMultipartUpload", ({ uploads }, call) => uploads.complete(call)],
  ["AbortMultipartUpload", ({ uploads }, call) => uploads.abort(call)],
  ["GetObject", get],
  ["HeadObject", (_, call) => head(call)],
  ["CopyObject", copy],
  ["RenameObject", copy],
  ["UploadPartCopy", moveBytes],
  ["SelectObjectContent", moveBytes],
  ["WriteGetObjectResponse", moveBytes],
  ["PutObjectAnnotation", whereSealed(annotate)],
]);

/** They need no key, and clean up. */
const AFTER_CLOSE: ReadonlySet<string> = new Set(["AbortMultipartUpload", "HeadObject"]);

/** Carries out one call, and tells of its failure if that is ours. */
export async function sendSealed(
  workings: Workings,
  call: SealedCall,
  isClosed: boolean,
): Promise<SealedResult> {
  try {
    if (isClosed && !AFTER_CLOSE.has(call.operation)) throw closed();
    const handler = HANDLERS.get(call.operation) ?? unknown;
    return await handler(workings, call);
  } catch (error) {
    observeFailure(call.observe, error);
    throw error;
  }
}

/** Places that unseal are written plain. */
function whereSealed(handler: Handler): Handler {
  return (workings, call) => {
    if (call.place === "unseal") return call.next(call.input);
    if (!call.presigning) return handler(workings, call);
    throw refused(
      "unsupported-operation",
      `${call.operation} can't be presigned where bodies are sealed: whoever uses the URL would store them plain.`,
    );
  };
}

async function annotate(): Promise<SealedResult> {
  throw refused(
    "unsupported-operation",
    "PutObjectAnnotation was not sent: annotations have no sealed form, so its payload would be stored plain. Keep it in " +
      "an object of its own, or annotate objects of a place that isn't sealed.",
  );
}

async function unknown(_: Workings, { operation }: SealedCall): Promise<SealedResult> {
  throw refused(
    "unsupported-operation",
    `What ${operation} does to a sealed object isn't known here, so it wasn't sent.`,
  );
}

/** A plain part could end in an upload that was begun sealed, and whose key is gone. */
function closed(): Error {
  return refused("closed", "The sealer was closed: nothing was sent. Make a new one with envelope().");
}
