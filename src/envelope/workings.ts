/** What the parts of one sealer share, and small things that several of them say. */
import type { EnvelopeEvent, SealedCall } from "../body-sealer.ts";
import { BucketKeyError } from "../errors.ts";
import type { BucketKeyCache } from "./bucket-key-cache.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { ChunkIndexes } from "./chunk-indexes.ts";
import type { Uploads } from "./multipart.ts";
import type { Place } from "./options.ts";
import type { Settings } from "./settings.ts";

export interface Workings {
  readonly settings: Settings;
  readonly cache: BucketKeyCache;
  readonly uploads: Uploads;
  /** For bodies that are being verified; parts have one of their own, for the reason that `ByteBudget` gives. */
  readonly readBudget: ByteBudget;
  readonly indexes: ChunkIndexes;
}

export type Observe = (event: EnvelopeEvent) => void;

type Input = SealedCall["input"];

/** Where a call goes, as far as keys and contexts are chosen by it. */
export function placeOf({ operation, input }: Pick<SealedCall, "operation" | "input">): Place {
  return { operation, bucket: textOf(input["Bucket"]), key: textOf(input["Key"]) };
}

/** The command's input holds what the caller wrote: nothing of it is certain to be text. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** What the SDK answered, as an object to look into. */
export function outputOf(result: { readonly output: unknown }): Readonly<Record<string, unknown>> {
  return (result.output ?? {}) as Readonly<Record<string, unknown>>;
}

/** The user metadata of an input or an output. */
export function metadataOf(from: Input): Readonly<Record<string, string>> | undefined {
  return from["Metadata"] as Readonly<Record<string, string>> | undefined;
}

/** An `ArrayBuffer` of its own lies outside V8's heap, which would leave copies behind when it moves things. */
export function ownCopy(secret: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new ArrayBuffer(secret.length));
  copy.set(secret);
  return copy;
}

/** Failures that the cache told of already. */
const told = new WeakSet<object>();

/** To be put behind every question to the cache of bucket keys, which counts what KMS answers itself. */
export function rethrowTold(error: unknown): never {
  told.add(error as object);
  throw error;
}

/** Tells of a failure that is ours, or that we caused; errors of S3 are the SDK's to count. */
export function observeFailure(observe: Observe, error: unknown): void {
  if (!(error instanceof BucketKeyError) || told.has(error)) return;
  observe({ kind: "failed", phase: "crypto", errorType: error.name });
}
