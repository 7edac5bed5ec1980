import { AggregationTemporality, MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import type { Histogram, ViewOptions } from "@opentelemetry/sdk-metrics";
import type { EnvelopeEvent } from "../../src/body-sealer.ts";
import { otel, type OtelOptions } from "../../src/otel/index.ts";
import { Counts } from "../../src/telemetry/stats.ts";
import type { ClientInfo, Outcome, Telemetry } from "../../src/telemetry/telemetry.ts";
import { INFO } from "../telemetry/outcomes.ts";

/** Exported points, each named `metric{attribute=value,...}` with its attributes in order. */
export type Points = Record<string, number>;

/** A reader that collects when the test says so. */
export class ManualReader extends MetricReader {
  /** @param temporality - `DELTA`: each collection holds what came since the last. */
  constructor(temporality: AggregationTemporality = AggregationTemporality.CUMULATIVE) {
    super({ aggregationTemporalitySelector: () => temporality });
  }

  /** All points; of a histogram, how often something was recorded. */
  async points(): Promise<Points> {
    const points = Object.entries(await this.#values());
    return Object.fromEntries(
      points.map(([name, value]) => [name, typeof value === "number" ? value : value.count]),
    );
  }

  /** The points of histograms. */
  async histograms(): Promise<Record<string, Histogram>> {
    const points = Object.entries(await this.#values());
    return Object.fromEntries(
      points.flatMap(([name, value]) => (typeof value === "number" ? [] : [[name, value]])),
    );
  }

  async #values(): Promise<Record<string, number | Histogram>> {
    const { resourceMetrics, errors } = await this.collect();
    if (errors.length > 0) throw new AggregateError(errors);
    const values: Record<string, number | Histogram> = {};
    for (const { descriptor, dataPoints } of resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics)) {
      for (const { attributes, value } of dataPoints) {
        values[pointName(descriptor.name, attributes as Record<string, string>)] = value as
          | number
          | Histogram;
      }
    }
    return values;
  }

  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

export function pointName(metric: string, attributes: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(attributes).map(([name, value]) => `${name}=${value}`);
  return `${metric}{${pairs.toSorted().join(",")}}`;
}

/** A real SDK provider with one manual reader. */
export function sdk(views: ViewOptions[] = []): { provider: MeterProvider; reader: ManualReader } {
  const reader = new ManualReader();
  return { provider: new MeterProvider({ readers: [reader], views }), reader };
}

/** Counts and records as `bucketKeys()` does: the telemetry first, then the count. */
export class Wearing {
  readonly counts: Counts;
  readonly telemetry: Telemetry;
  readonly detach: () => void;
  #nowMs = 0;

  constructor(telemetry: Telemetry, info: () => ClientInfo = () => INFO) {
    this.counts = new Counts(info);
    this.telemetry = telemetry;
    this.detach = telemetry.attach(this.counts);
  }

  record(...outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) {
      this.telemetry.record?.(outcome);
      this.counts.record(outcome, this.#nowMs++);
    }
  }

  /** What a sealer tells, told on in the same order. */
  observe(...events: readonly EnvelopeEvent[]): void {
    for (const event of events) {
      this.telemetry.measure?.(event);
      this.counts.envelope(event);
    }
  }
}

export function wear(options: OtelOptions = {}): Wearing {
  return new Wearing(otel(options));
}

/** The points of some metrics, and of them only those that are not zero. */
export function nonZero(points: Points, ...metrics: readonly string[]): Points {
  const wanted = metrics.map((metric) => `s3_bucket_key.${metric}{`);
  return Object.fromEntries(
    Object.entries(points).filter(
      ([name, value]) =>
        value !== 0 && (wanted.length === 0 || wanted.some((start) => name.startsWith(start))),
    ),
  );
}
