import type { EnvelopeEvent } from "../body-sealer.ts";
import { OPERATIONS } from "../operations.ts";
import type { DecisionKind } from "../policy/policy.ts";
import type { ClientInfo, ErrorPhase, Stats } from "../telemetry/telemetry.ts";
import {
  ALGORITHMS,
  CACHE_RESULTS,
  DRIFT_KINDS,
  KMS_OPERATIONS,
  MODES,
  NOTES,
  OPERATION_NAMES,
  OTHER as OTHER_WORD,
  RETIRE_REASONS,
  STATES,
  VERDICTS,
  WHYS,
  wordsOf,
} from "../telemetry/words.ts";
import { ERROR_TYPES, KMS_ERROR_TYPES } from "./error-types.ts";

/** Name of the meter: the package's own. */
export const METER_NAME = "s3-bucket-keys";

/** Version of the meter: the package's own; a test holds it against `package.json`. */
export const METER_VERSION = "0.1.0";

/**
 * Stands for every value outside an attribute's closed list, and for names past its cap.
 *
 * @public
 */
export const OTHER: "_OTHER" = OTHER_WORD;

/**
 * Attribute names, by what they say.
 *
 * `rpc.method` carries the bare operation name (`PutObject`), as every AWS SDK writes it.
 *
 * @public
 */
export const ATTRIBUTES = {
  operation: "rpc.method",
  decision: "s3_bucket_key.decision",
  why: "s3_bucket_key.why",
  mode: "s3_bucket_key.mode",
  modeSource: "s3_bucket_key.mode.source",
  policyDigest: "s3_bucket_key.policy.digest",
  state: "s3_bucket_key.state",
  verdict: "s3_bucket_key.verdict",
  sse: "s3_bucket_key.sse.algorithm",
  driftKind: "s3_bucket_key.drift.kind",
  errorType: "error.type",
  phase: "s3_bucket_key.phase",
  kmsOperation: "s3_bucket_key.kms.operation",
  rule: "s3_bucket_key.rule.id",
  note: "s3_bucket_key.note",
  reload: "s3_bucket_key.reload.result",
  cacheResult: "s3_bucket_key.envelope.cache.result",
  retireReason: "s3_bucket_key.envelope.data_key.retire_reason",
  ioDirection: "s3_bucket_key.envelope.io.direction",
  bucket: "aws.s3.bucket",
} as const;

/**
 * Any of the attribute names.
 *
 * @public
 */
export type AttributeName = (typeof ATTRIBUTES)[keyof typeof ATTRIBUTES];

/**
 * Attributes that `otel({ spanAttributes: true })` writes on spans of the AWS SDK, by what they say. They have the
 * values of the metrics' attributes; `driftKinds` is a list, and algorithm and rule are written as they are.
 *
 * @public
 */
export const SPAN_ATTRIBUTES = {
  decision: "s3_bucket_key.decision",
  why: "s3_bucket_key.why",
  mode: "s3_bucket_key.mode",
  rule: "s3_bucket_key.rule.id",
  state: "s3_bucket_key.state",
  sse: "s3_bucket_key.sse.algorithm",
  verdict: "s3_bucket_key.verdict",
  driftKinds: "s3_bucket_key.drift.kinds",
  phase: "s3_bucket_key.phase",
} as const;

/**
 * Values an attribute may take: a closed list, or the first `firstNames` names seen. Anything else becomes
 * `_OTHER`.
 *
 * @public
 */
export type AttributeValues = readonly string[] | { readonly firstNames: number };

/**
 * What one metric is: everything a dashboard may rely on.
 *
 * @public
 */
export interface MetricDefinition {
  /** Name of the metric. */
  readonly name: string;
  /** Kind of the instrument. */
  readonly instrument: "counter" | "up-down-counter" | "histogram";
  /** UCUM; annotations such as `{request}` are not part of Prometheus names, real units are for a Collector. */
  readonly unit: string;
  /** `int`: whole numbers only. */
  readonly valueType: "int" | "double";
  /** What one unit of it is. */
  readonly description: string;
  /** All of them stand on every point, but for `onlyOnFailure`. */
  readonly attributes: Readonly<Partial<Record<AttributeName, AttributeValues>>>;
  /** The attribute that stands only on points of failures. */
  readonly onlyOnFailure?: AttributeName;
  /**
   * The most series it ever has, whatever the traffic. Points beyond go into one whose attributes are all `_OTHER`,
   * so sums stay right. `responses` may have 1,999 with `bucketAttribute`.
   */
  readonly maxSeries: number;
  /** Upper bounds of a histogram's buckets, in its unit; the last bucket is open. A View may set others. */
  readonly buckets?: readonly number[];
  /** Every combination of values is present at 0 from the first collection on, so that alerts see the first. */
  readonly startsAtZero?: true;
  /** Made with the first sealer: a program that never seals exports nothing of it. */
  readonly onlyWhenSealing?: true;
  /** Only with this option of `otel()`. */
  readonly optIn?: "avoidedCost";
}

/**
 * The metrics, by what they count.
 *
 * @public
 */
export type MetricKey =
  | "requests"
  | "responses"
  | "drifts"
  | "errors"
  | "avoidedRequests"
  | "avoidedCost"
  | "ruleResponses"
  | "notes"
  | "policyReloads"
  | "clientCount"
  | "kmsRequestDuration"
  | "cacheRequests"
  | "cacheEntryCount"
  | "dataKeyAge"
  | "dataKeyUses"
  | "envelopeIo";

const WRITES = OPERATION_NAMES.filter((name) => OPERATIONS[name as keyof typeof OPERATIONS] === "write");
/** The writes whose answer shows what was stored: no other can be found drifting. */
const VERIFIED_WRITES = ["PutObject", "CopyObject", "CreateMultipartUpload"];
const DECISIONS = wordsOf<DecisionKind>({ pass: 1, amend: 1, refuse: 1 });
const MODE_SOURCES = wordsOf<ClientInfo["modeSource"]>({ policy: 1, option: 1, environment: 1 });
const PHASES = wordsOf<ErrorPhase>({
  policy: 1,
  request: 1,
  response: 1,
  amended: 1,
  kms: 1,
  crypto: 1,
  telemetry: 1,
});
const RELOADS = wordsOf<keyof Stats["policyReloads"]>({ accepted: 1, rejected: 1 });
const IO_DIRECTIONS = wordsOf<Extract<EnvelopeEvent, { readonly kind: "io" }>["direction"]>({
  seal: 1,
  open: 1,
});
const FIRST_20: AttributeValues = { firstNames: 20 };

/**
 * Every metric of this package: names, instruments, units and attributes are covered by semver.
 *
 * @public
 */
export const METRICS: Readonly<Record<MetricKey, MetricDefinition>> = {
  requests: {
    name: "s3_bucket_key.requests",
    instrument: "counter",
    unit: "{request}",
    valueType: "int",
    description: "Write requests the policy decided, or in audit mode would have decided",
    attributes: {
      [ATTRIBUTES.operation]: WRITES,
      [ATTRIBUTES.decision]: DECISIONS,
      [ATTRIBUTES.why]: WHYS,
      [ATTRIBUTES.mode]: MODES,
    },
    maxSeries: 100,
  },
  responses: {
    name: "s3_bucket_key.responses",
    instrument: "counter",
    unit: "{response}",
    valueType: "int",
    description: "Answers of S3, by what they say about the bucket key",
    attributes: {
      [ATTRIBUTES.operation]: OPERATION_NAMES,
      [ATTRIBUTES.state]: STATES,
      [ATTRIBUTES.sse]: ALGORITHMS,
      [ATTRIBUTES.verdict]: VERDICTS,
    },
    maxSeries: 110,
  },
  drifts: {
    name: "s3_bucket_key.drifts",
    instrument: "counter",
    unit: "{drift}",
    valueType: "int",
    description: "Writes that S3 answered with something else than the policy had enforced",
    attributes: { [ATTRIBUTES.operation]: VERIFIED_WRITES, [ATTRIBUTES.driftKind]: DRIFT_KINDS },
    maxSeries: 10,
    startsAtZero: true,
  },
  errors: {
    name: "s3_bucket_key.errors",
    instrument: "counter",
    unit: "{error}",
    valueType: "int",
    description: "Failures the plugin caused or saw",
    attributes: { [ATTRIBUTES.errorType]: ERROR_TYPES, [ATTRIBUTES.phase]: PHASES },
    maxSeries: 40,
  },
  avoidedRequests: {
    name: "s3_bucket_key.estimate.kms.avoided_requests",
    instrument: "counter",
    unit: "{request}",
    valueType: "int",
    description: "Model, not a measurement: KMS requests that S3 did not make because of bucket keys",
    attributes: { [ATTRIBUTES.kmsOperation]: KMS_OPERATIONS },
    maxSeries: 3,
  },
  avoidedCost: {
    name: "s3_bucket_key.estimate.kms.avoided_cost",
    instrument: "counter",
    unit: "{USD}",
    valueType: "double",
    description: "Model, not a measurement: the price of the KMS requests estimated as avoided",
    attributes: {},
    maxSeries: 1,
    optIn: "avoidedCost",
  },
  ruleResponses: {
    name: "s3_bucket_key.rule.responses",
    instrument: "counter",
    unit: "{response}",
    valueType: "int",
    description: "Answers of S3 by the rule they were held against",
    attributes: { [ATTRIBUTES.rule]: FIRST_20, [ATTRIBUTES.state]: STATES },
    maxSeries: 85,
  },
  notes: {
    name: "s3_bucket_key.notes",
    instrument: "counter",
    unit: "{note}",
    valueType: "int",
    description: "Things to know about decided requests that changed nothing",
    attributes: { [ATTRIBUTES.note]: NOTES },
    maxSeries: 5,
  },
  policyReloads: {
    name: "s3_bucket_key.policy.reloads",
    instrument: "counter",
    unit: "{reload}",
    valueType: "int",
    description: "Policy reloads, accepted or rejected",
    attributes: { [ATTRIBUTES.reload]: RELOADS },
    maxSeries: 3,
    startsAtZero: true,
  },
  clientCount: {
    name: "s3_bucket_key.client.count",
    instrument: "up-down-counter",
    unit: "{client}",
    valueType: "int",
    description: "Clients that wear the plugin now",
    attributes: {
      [ATTRIBUTES.mode]: MODES,
      [ATTRIBUTES.modeSource]: MODE_SOURCES,
      [ATTRIBUTES.policyDigest]: FIRST_20,
    },
    maxSeries: 24,
  },
  kmsRequestDuration: {
    name: "s3_bucket_key.kms.request.duration",
    instrument: "histogram",
    unit: "s",
    valueType: "double",
    description: "Duration of the KMS requests of client-side encryption",
    attributes: { [ATTRIBUTES.operation]: KMS_OPERATIONS, [ATTRIBUTES.errorType]: KMS_ERROR_TYPES },
    maxSeries: 72,
    onlyOnFailure: ATTRIBUTES.errorType,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    onlyWhenSealing: true,
  },
  cacheRequests: {
    name: "s3_bucket_key.envelope.cache.requests",
    instrument: "counter",
    unit: "{request}",
    valueType: "int",
    description: "Look-ups of bucket keys for client-side encryption",
    attributes: { [ATTRIBUTES.cacheResult]: CACHE_RESULTS },
    maxSeries: 5,
    startsAtZero: true,
    onlyWhenSealing: true,
  },
  cacheEntryCount: {
    name: "s3_bucket_key.envelope.cache.entry.count",
    instrument: "up-down-counter",
    unit: "{entry}",
    valueType: "int",
    description: "Bucket keys of client-side encryption that are cached now",
    attributes: {},
    maxSeries: 1,
    startsAtZero: true,
    onlyWhenSealing: true,
  },
  dataKeyAge: {
    name: "s3_bucket_key.envelope.data_key.age",
    instrument: "histogram",
    unit: "s",
    valueType: "double",
    description: "Age of a bucket key when it was retired",
    attributes: { [ATTRIBUTES.retireReason]: RETIRE_REASONS },
    maxSeries: 7,
    buckets: [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400],
    onlyWhenSealing: true,
  },
  dataKeyUses: {
    name: "s3_bucket_key.envelope.data_key.uses",
    instrument: "histogram",
    unit: "{use}",
    valueType: "int",
    description: "Uses a bucket key had when it was retired",
    attributes: { [ATTRIBUTES.retireReason]: RETIRE_REASONS },
    maxSeries: 7,
    buckets: [1, 2, 5, 10, 50, 100, 500, 1000, 5000, 10000],
    onlyWhenSealing: true,
  },
  envelopeIo: {
    name: "s3_bucket_key.envelope.io",
    instrument: "counter",
    unit: "By",
    valueType: "int",
    description: "Plaintext that was sealed or opened",
    attributes: { [ATTRIBUTES.ioDirection]: IO_DIRECTIONS },
    maxSeries: 3,
    startsAtZero: true,
    onlyWhenSealing: true,
  },
};
