/**
 * Operations that move bytes inside S3, past the client: a sealed object stays sealed in a copy, a plain one stays
 * plain, and a part of either is neither. So the source is looked at first, through a client that the caller gives.
 */
import type { SealedCall, SealedResult } from "../body-sealer.ts";
import { classify, type Classified } from "./classify.ts";
import { sourceOf } from "./copy-source.ts";
import { matchesCallers } from "./encryption-context.ts";
import { EnvelopeIntegrityError } from "./errors.ts";
import { checkCallersMetadata } from "./fresh-envelope.ts";
import { checkMetadataBudget, metadataBytes } from "./metadata-budget.ts";
import { isEnvelopeName, type ObjectMetadata } from "./metadata-names.ts";
import type { ObjectHead } from "./options.ts";
import { refused } from "./refused.ts";
import { metadataOf, placeOf, type Workings } from "./workings.ts";

/** The condition that pins what is moved to what was looked at. */
const PINS: Readonly<Record<string, string>> = {
  CopyObject: "CopySourceIfMatch",
  RenameObject: "SourceIfMatch",
  UploadPartCopy: "CopySourceIfMatch",
};

/** What to do about a source that can't be read. */
const HOW_TO_NAME = {
  CopyObject:
    "Write CopySource as bucket/key, or as an access point's ARN with /object/key, URL-encoded either way.",
  RenameObject: "Write RenameSource as the key of an object in the same bucket, URL-encoded.",
} as const;

/**
 * CopyObject and RenameObject. `MetadataDirective: REPLACE` gets the source's envelope beside the new metadata, for
 * without it nobody could open the copy.
 *
 * @throws `EnvelopeRefusedError` (`copy-source`, `instruction-file`, `caller-metadata`, `metadata-budget`);
 *   `EnvelopeIntegrityError`; what the caller's `headObject` throws.
 */
export async function copy(workings: Workings, call: SealedCall): Promise<SealedResult> {
  const { input, operation, place } = call;
  const replaces = operation === "CopyObject" && input["MetadataDirective"] === "REPLACE";
  // With its metadata an object of either kind may go where either kind may be.
  if (place === "unseal" && !replaces) return call.next(input);
  const source = await lookAtSource(workings, call);
  if (source === undefined) throw sourceUnknown(call);
  const found = classify(source.Metadata);
  const pinned = pinnedTo(call, source);
  if (found.format === "plain") {
    if (place === "unseal") return call.next(pinned);
    throw refused(
      "copy-source",
      `The source of this ${operation} is a plain object, and would be plain in a place that seals: read it and write ` +
        "it with PutObject or an upload, which seal. Nothing was sent.",
    );
  }
  checkSealedSource(workings, call, found);
  if (!replaces) return call.next(pinned);

  const callers = metadataOf(input);
  checkCallersMetadata(callers);
  const carried = envelopeOf(source.Metadata as ObjectMetadata);
  checkMetadataBudget(callers, metadataBytes(carried));
  return call.next({ ...pinned, Metadata: { ...callers, ...carried } });
}

/**
 * UploadPartCopy, SelectObjectContent and WriteGetObjectResponse: only of plain objects, where such may be. A part of
 * a sealed object can't be opened, a query would search ciphertext, and what answers in an object's name is unknown.
 *
 * @throws `EnvelopeRefusedError` (`unsupported-operation`); what the caller's `headObject` throws.
 */
export async function moveBytes(workings: Workings, call: SealedCall): Promise<SealedResult> {
  const { operation, input, scope } = call;
  const at = { bucket: input["Bucket"], key: input["Key"], uploadId: input["UploadId"] };
  if (call.place === "seal" || workings.uploads.owns(scope, at)) {
    throw refused(
      "unsupported-operation",
      `${operation} moves bytes past the client, which has to seal or open them: read the object with GetObject and ` +
        "write it with PutObject or an upload. Nothing was sent.",
    );
  }
  const source = await lookAtSource(workings, call);
  if (source !== undefined && classify(source.Metadata).format === "plain") {
    return call.next(pinnedTo(call, source));
  }
  throw refused(
    "unsupported-operation",
    `${operation} works on what is stored, which ${source === undefined ? "may be" : "is"} sealed here. For plain ` +
      "objects, give envelope() the option headObject: (input) => s3.send(new HeadObjectCommand(input)). Nothing was sent.",
  );
}

/**
 * `undefined` where nobody can look, or the source can't be told.
 *
 * @throws `EnvelopeRefusedError` (`copy-source`) where S3 holds metadata back, which may be what is missing of an
 *   envelope.
 */
async function lookAtSource({ settings }: Workings, call: SealedCall): Promise<ObjectHead | undefined> {
  const source = sourceOf(call);
  const found = source && (await settings.headObject?.(source));
  if ((found?.MissingMeta ?? 0) !== 0) {
    throw refused(
      "copy-source",
      `S3 holds back metadata of the source of this ${call.operation} (x-amz-missing-meta), so whether it's sealed can't ` +
        "be told: read the object and write it anew. Nothing was sent.",
    );
  }
  return found;
}

function sourceUnknown(call: SealedCall): Error {
  const { operation } = call;
  const whatToDo =
    sourceOf(call) === undefined
      ? HOW_TO_NAME[operation as "CopyObject" | "RenameObject"]
      : "Give envelope() the option headObject, which looks at it: (input) => s3.send(new HeadObjectCommand(input)).";
  return refused(
    "copy-source",
    `Whether the source of this ${operation} is sealed can't be told. ${whatToDo} Nothing was sent.`,
  );
}

/**
 * S3 is to move what was looked at, or nothing: the caller's own condition may stay only where it says the same.
 *
 * @throws `EnvelopeRefusedError` (`copy-source`) for a condition that another object could meet, such as `*`.
 */
function pinnedTo(
  { operation, input }: SealedCall,
  { ETag: etag }: ObjectHead,
): Readonly<Record<string, unknown>> {
  const pin = PINS[operation];
  if (pin === undefined) return input;
  const callers = input[pin] ?? undefined;
  if (callers === undefined) return etag === undefined ? input : { ...input, [pin]: etag };
  if (typeof callers === "string" && unquoted(callers) === unquoted(etag)) return input;
  throw refused(
    "copy-source",
    `${pin} of this ${operation} doesn't name the source as it was found (ETag ${etag ?? "unknown"}), so that another ` +
      "object could be moved than the one that was looked at: leave it out, or give that ETag. Nothing was sent.",
  );
}

/** S3 takes ETags with their quotes and without. */
function unquoted(etag: string | undefined): string | undefined {
  return etag?.replace(/^"(.*)"$/, "$1");
}

function checkSealedSource(
  { settings }: Workings,
  call: SealedCall,
  found: Exclude<Classified, { format: "plain" }>,
): void {
  if (found.format === "damaged") throw new EnvelopeIntegrityError();
  if (found.format === "v3-instruction") {
    throw refused(
      "instruction-file",
      "The source's wrapped key lies in an instruction file, which a copy leaves behind: read the object and write it " +
        "anew. Nothing was sent.",
    );
  }
  const { envelope } = found;
  const stored = "context" in envelope ? envelope.context : envelope.description;
  if (envelope.wrap !== "kms+context" || matchesCallers(stored, settings.context(placeOf(call)))) return;
  throw refused(
    "copy-source",
    "The source was sealed under another encryption context than your options give for the destination (bindBucket: " +
      "one per bucket), so that the copy couldn't be opened there: read it and write it anew. Nothing was sent.",
  );
}

/** The envelope's own names; empty values are none. */
function envelopeOf(metadata: ObjectMetadata): ObjectMetadata {
  return Object.fromEntries(
    Object.entries(metadata).filter(([name, value]) => isEnvelopeName(name) && value !== ""),
  );
}
