/** The shapes that pass between the SDK, the middleware and the plugin. */
import type { BodySealer, EnvelopeEvent } from "./body-sealer.ts";
import type { Courses } from "./courses.ts";
import type { Surroundings } from "./observe/request-facts.ts";
import type { Operation, SealingOperation } from "./operations.ts";
import type { CompiledPolicy } from "./policy/compile.ts";
import type { BucketDefault, Mode } from "./policy/policy.ts";
import type { Outcome } from "./telemetry/telemetry.ts";

/** What the SDK hands down; only the members that the middleware reads. */
export interface Arguments {
  readonly input: Readonly<Record<string, unknown>>;
  readonly request?: unknown;
}

export interface Result {
  readonly response: unknown;
  readonly output: unknown;
}

export type Next = (args: Arguments) => Promise<Result>;

export interface Context {
  readonly clientName?: string;
  readonly commandName?: string;
  readonly logger?: unknown;
  /** What the SDK keeps of one call: the command with its input; `metricsRecorder` only when the caller brought one. */
  readonly __smithy_context?: { readonly commandInstance?: object; readonly metricsRecorder?: unknown };
}

/** The policy in force: compiled, or what to do without one. */
export type ActivePolicy =
  | { readonly compiled: CompiledPolicy }
  | { readonly compiled?: undefined; readonly failure: "fail-open" | "fail-closed"; readonly mode: Mode };

/** What the middleware needs of the plugin. */
export interface Runtime {
  policy(): ActivePolicy;
  /** Whether somebody gave one: without it, the built-in one holds. */
  readonly hasPolicy: boolean;
  /** What requests came to under the policy in force. */
  readonly courses: Courses;
  readonly surroundings: Pick<Surroundings, "region" | "account" | "resolveBucket">;
  /** Carries out calls of places that seal or unseal. */
  readonly sealer: BodySealer | undefined;
  /** Counts and exports what happened while sealing or opening; never throws. */
  readonly observeEnvelope: (event: EnvelopeEvent) => void;
  /** A failure is counted and said; never rejects. */
  lookup(bucket: string, context: Context): Promise<BucketDefault | "lookup-failed">;
  /** Counts and exports; never throws. */
  record(outcome: Outcome, context: Context): void;
  /** Says something to people, of each topic a few at once and then one per minute; never throws. */
  sayLimited(topic: string, message: () => string, context: Context): void;
  /** The same, but only the first time for each topic. */
  sayOnce(topic: string, message: string, context: Context): void;
  /** Counts a fault of our own while observing. */
  observationFailed(): void;
}

/** One stack's middleware, not one request: safe to share. */
export interface Call {
  readonly runtime: Runtime;
  readonly next: Next;
  readonly context: Context;
  readonly operation: Operation;
  /** One object per client, or per command that wears the plugin itself. */
  readonly scope: object;
}

/** The same for an operation that only sealing is concerned with. */
export type SealingCall = Omit<Call, "operation"> & { readonly operation: SealingOperation };

/**
 * Whether the SDK is presigning, a guess: `send` hands the command itself down as the arguments, the
 * presigner only its input. When an answer comes after all, `observeWrite` says so.
 */
export function isPresigning(args: Arguments): boolean {
  return !("middlewareStack" in args);
}

/** The bucket as the caller named it. */
export function bucketOf(args: Arguments): string {
  const bucket = args.input["Bucket"];
  return typeof bucket === "string" ? bucket : "";
}
