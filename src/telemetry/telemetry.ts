/**
 * The telemetry room counts outcomes in plain cells; exporters read them.
 *
 * The hot path only increments numbers. An exporter (such as `s3-bucket-keys/otel`) is given a `CountSource`
 * once and reads its totals whenever it collects; it may also ask for each outcome.
 */
import type { EnvelopeEvent } from "../body-sealer.ts";
import type {
  Decision,
  DriftKind,
  Mode,
  Note,
  ResponseState,
  Verdict,
  Why,
  DecisionKind,
} from "../policy/policy.ts";

/**
 * Where a failure was seen: `amended` means S3 or KMS denied a request that the plugin had changed.
 *
 * @public
 */
export type ErrorPhase = "policy" | "request" | "response" | "amended" | "kms" | "crypto" | "telemetry";

/**
 * All that is known about one finished call. Holds no object key, no body and no credential.
 *
 * @public
 */
export interface Outcome {
  /** The S3 operation, such as `PutObject`. */
  readonly operation: string;
  /** As the caller named it. */
  readonly bucket: string;
  /** Absent for reads and parts. */
  readonly decision?: Decision;
  /** Absent when no answer was seen: refused, presigned or never answered. */
  readonly response?: {
    readonly state: ResponseState;
    /** Algorithm of the answer: `aws:kms`, `AES256`, `SSE-C`, ...; `none` when the answer names none. */
    readonly sse: string;
    readonly kmsKey?: string;
    readonly verdict: Verdict;
    readonly drifts: readonly DriftKind[];
    /** Id of the rule the answer was held against; `defaults` when none matched. */
    readonly rule: string;
  };
  /** What went wrong and where; `type` is the error code of S3 or KMS, or `_OTHER`. */
  readonly error?: { readonly type: string; readonly phase: ErrorPhase };
}

/**
 * The counts so far of one plugin, as JSON. All numbers are totals since `since`.
 *
 * @public
 */
export interface Stats {
  /** When counting began, ISO 8601. */
  readonly since: string;
  /** Digest of the policy in force; `none` without one. */
  readonly policyDigest: string;
  /** The strongest mode in force. */
  readonly mode: Mode;
  /** Writes, by what was decided. */
  readonly requests: readonly {
    operation: string;
    decision: DecisionKind;
    why: Why;
    mode: Mode;
    count: number;
  }[];
  /** Answers to writes, reads and parts, by what they say. */
  readonly responses: readonly {
    operation: string;
    state: ResponseState;
    sse: string;
    verdict: Verdict;
    count: number;
  }[];
  /** Answers by the rule they were held against. */
  readonly rules: readonly { rule: string; state: ResponseState; count: number }[];
  /** Enforced writes that S3 answered differently, by what differed. */
  readonly drifts: readonly { operation: string; kind: DriftKind; count: number }[];
  /** Things to know that changed nothing. */
  readonly notes: readonly { note: Note; count: number }[];
  /** What went wrong, by error code and where it was seen. */
  readonly errors: readonly { type: string; phase: ErrorPhase; count: number }[];
  /** Changes of the policy while the program runs. */
  readonly policyReloads: { readonly accepted: number; readonly rejected: number };
  /** A model, not a measurement: see the README. */
  readonly estimatedKmsRequestsAvoided: { readonly GenerateDataKey: number; readonly Decrypt: number };
  /** Client-side encryption; absent where nothing is sealed or opened. */
  readonly envelope?: EnvelopeStats;
}

/**
 * What client-side encryption did. Words outside their list, and names past a cap, are `_OTHER`. Failures stand
 * in `errors`, with the phases `kms` and `crypto`.
 *
 * @public
 */
export interface EnvelopeStats {
  /** Requests to KMS, by how they ended; `seconds` is the sum of their durations. */
  readonly kmsRequests: readonly {
    operation: string;
    /** Absent where they succeeded. */
    errorType?: string;
    count: number;
    seconds: number;
  }[];
  /** Look-ups of bucket keys: `hit`, `miss`, `expired`, `bypass`. */
  readonly cacheRequests: readonly { result: string; count: number }[];
  /** Bucket keys in the cache now. */
  readonly cacheEntries: number;
  /** Bucket keys that were retired, by why: `ttl`, `uses`, `bytes`, `lru`, `error`, `stale`. */
  readonly retiredDataKeys: readonly { reason: string; count: number }[];
  /** Bytes of plaintext sealed. */
  readonly sealedBytes: number;
  /** Bytes of plaintext opened. */
  readonly openedBytes: number;
  /** Plain objects that were read in places that unseal: what is left to migrate. */
  readonly plainReads: number;
}

/**
 * What a client wears: the attributes of `s3_bucket_key.client.count`.
 *
 * @public
 */
export interface ClientInfo {
  /** The mode in force. */
  readonly mode: Mode;
  /** What fixed the mode. */
  readonly modeSource: "policy" | "option" | "environment";
  /** Digest of the policy in force; `none` without one. */
  readonly policyDigest: string;
}

/**
 * Totals of one plugin that an exporter may read at any time; reading is cheap and has no effect.
 *
 * @public
 */
export interface CountSource {
  /** The totals so far. */
  stats(): Stats;
  /** How many clients wear the plugin, and what they wear now. */
  clients(): { readonly info: ClientInfo; readonly count: number };
  /** Called by an exporter that failed: counts `errors{phase=telemetry}`. */
  telemetryFailed(): void;
}

/**
 * An exporter of what the plugin counts. Whatever it throws is swallowed and counted; it never touches a
 * request.
 *
 * @public
 */
export interface Telemetry {
  /** Called once per plugin that uses this telemetry; the returned function ends it. */
  attach(source: CountSource): () => void;
  /**
   * Called with every outcome just BEFORE it is counted, only when defined: an exporter that learns here of a
   * new meter provider can still tell the counts of the old one apart. Must be fast; must not keep the object.
   */
  record?(outcome: Outcome): void;
  /**
   * Called with every event of client-side encryption just BEFORE it is counted, only when defined, for what
   * totals can't show: how long, how old, how often. Must be fast; must not keep the object.
   */
  measure?(event: EnvelopeEvent): void;
  /** Makes counts that are still pending visible to the exporter, as far as it can. */
  flush?(): Promise<void>;
}
