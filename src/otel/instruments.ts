import { createNoopMeter, ValueType } from "@opentelemetry/api";
import type { Attributes, Meter, MeterProvider } from "@opentelemetry/api";
import { startingPoints } from "./closed-attributes.ts";
import type { Delta } from "./ledger.ts";
import { METER_NAME, METER_VERSION, METRICS } from "./names.ts";
import type { MetricKey } from "./names.ts";

/** The instruments of one meter provider. */
export interface Instruments {
  /** Adds to a counter, or records in a histogram. */
  add(delta: Delta): void;
  /** Makes what only programs need that seal; once. */
  sealing(): void;
  /** Ends the callback before collections. */
  release(): void;
}

/**
 * The package's instruments on `provider`, or nothing when it is the API's own no-op provider.
 *
 * @param options.beforeCollection - Called by the SDK before it reads the counters of a collection.
 * @param options.guard - Runs each step; whatever the provider throws ends there.
 */
export function makeInstruments(
  provider: MeterProvider,
  options: Readonly<{
    schemaUrl: string | undefined;
    metrics: readonly MetricKey[];
    beforeCollection: () => void;
    guard: (step: () => void) => void;
  }>,
): Instruments | undefined {
  const { schemaUrl, metrics, beforeCollection, guard } = options;
  const meter = provider.getMeter(METER_NAME, METER_VERSION, schemaUrl === undefined ? {} : { schemaUrl });
  if (meter === createNoopMeter()) return undefined;

  const adders = new Map<MetricKey, Adder>();
  const add = ({ metric, value, attributes }: Delta): void =>
    guard(() => adders.get(metric)?.(value, attributes));
  const make = (wanted: (metric: MetricKey) => boolean): void => {
    for (const metric of metrics.filter((key) => wanted(key))) {
      guard(() => adders.set(metric, makeInstrument(meter, metric)));
      for (const attributes of startingPoints(metric)) add({ metric, value: 0, attributes });
    }
  };
  make((metric) => !isForSealing(metric));
  let isSealing = false;
  const sealing = (): void => {
    if (isSealing) return;
    // Noted first: a provider that throws is not asked again for every event.
    isSealing = true;
    make(isForSealing);
  };
  let release: (() => void) | undefined;
  guard(() => (release = callBeforeCollection(meter, beforeCollection)));
  return { add, sealing, release: () => guard(() => release?.()) };
}

type Adder = (value: number, attributes: Attributes) => void;

function isForSealing(metric: MetricKey): boolean {
  return METRICS[metric].onlyWhenSealing === true;
}

function makeInstrument(meter: Meter, metric: MetricKey): Adder {
  const { name, instrument, unit, description, valueType, buckets = [] } = METRICS[metric];
  const options = { unit, description, valueType: valueType === "int" ? ValueType.INT : ValueType.DOUBLE };
  switch (instrument) {
    case "counter": {
      const counter = meter.createCounter(name, options);
      return (value, attributes) => counter.add(value, attributes);
    }
    case "up-down-counter": {
      const counter = meter.createUpDownCounter(name, options);
      return (value, attributes) => counter.add(value, attributes);
    }
    case "histogram": {
      // Without advice, seconds would fall into buckets made for milliseconds: 0, 5, 10, ... 10,000.
      const advice = { explicitBucketBoundaries: [...buckets] };
      const histogram = meter.createHistogram(name, { ...options, advice });
      return (value, attributes) => histogram.record(value, attributes);
    }
  }
}

/**
 * The SDK runs batch callbacks before it reads the synchronous counters of the same meter, so what is added in
 * one stands in that very collection. The observable it needs never observes anything and exports nothing.
 */
function callBeforeCollection(meter: Meter, beforeCollection: () => void): () => void {
  const unused = meter.createObservableCounter("s3_bucket_key.pending", {
    description: "Never observed: makes the counters of this meter complete before each collection",
  });
  meter.addBatchObservableCallback(beforeCollection, [unused]);
  return () => meter.removeBatchObservableCallback(beforeCollection, [unused]);
}
