import type { MeterProvider } from "@opentelemetry/api";
import { BucketKeySetupError } from "../errors.ts";
import { checkOptionNames } from "../option-names.ts";

/**
 * What `otel()` may be told; everything has a default.
 *
 * @public
 */
export interface OtelOptions {
  /** Where the metrics go. Default: the global meter provider, looked up again whenever it changes. */
  readonly meterProvider?: MeterProvider;
  /**
   * Adds `aws.s3.bucket` to `s3_bucket_key.responses`: the first `max` (1 to 100) bucket names seen, then
   * `_OTHER`. Default: no bucket names in metrics. More would pass the 2,000 series that the SDK keeps for one
   * metric.
   */
  readonly bucketAttribute?: { readonly max: number };
  /** Adds `s3_bucket_key.estimate.kms.avoided_cost` at this price of 10,000 KMS requests, in US dollars. */
  readonly avoidedCost?: { readonly usdPer10000Requests: number };
  /**
   * Writes decision, answer and verdict on the span that `@opentelemetry/instrumentation-aws-sdk` opens for the
   * call, under the names of `SPAN_ATTRIBUTES`. No other span is touched, and none is made. Default: false.
   */
  readonly spanAttributes?: boolean;
  /** Schema URL of the meter. Default: none, since it becomes a label of every Prometheus series. */
  readonly schemaUrl?: string;
}

const MOST_BUCKETS = 100;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** What each option must be, and what to write when it isn't. */
const OPTIONS: {
  readonly [O in keyof OtelOptions]-?: readonly [fits: (value: unknown) => boolean, write: string];
} = {
  meterProvider: [
    (value) => isObject(value) && typeof value["getMeter"] === "function",
    "a MeterProvider of the OpenTelemetry SDK",
  ],
  bucketAttribute: [isObject, "{ max }, with the number of buckets to name"],
  avoidedCost: [isObject, "{ usdPer10000Requests }, with a price in US dollars"],
  spanAttributes: [(value) => typeof value === "boolean", "true or false"],
  schemaUrl: [(value) => typeof value === "string", "a URL, as text"],
};

/**
 * Holds the options against what they must be: a slip would lose an attribute or a metric in silence.
 *
 * @throws `BucketKeySetupError` that names the option and what to write.
 */
export function checkOptions(options: OtelOptions): void {
  checkOptionNames({ of: "otel", table: OPTIONS, call: "otel({ meterProvider })" }, options);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const [fits, write] = OPTIONS[name as keyof OtelOptions];
    if (!fits(value)) throw new BucketKeySetupError(`otel(): ${name} must be ${write}.`);
  }
  checkRanges(options);
}

function checkRanges(options: OtelOptions): void {
  const { max } = options.bucketAttribute ?? { max: 1 };
  if (!Number.isInteger(max) || max < 1 || max > MOST_BUCKETS) {
    throw new BucketKeySetupError(
      `otel(): bucketAttribute.max must be a whole number from 1 to ${MOST_BUCKETS}.`,
    );
  }
  const { usdPer10000Requests } = options.avoidedCost ?? { usdPer10000Requests: 0 };
  if (!Number.isFinite(usdPer10000Requests) || usdPer10000Requests < 0) {
    throw new BucketKeySetupError("otel(): avoidedCost.usdPer10000Requests must be 0 or more US dollars.");
  }
}
