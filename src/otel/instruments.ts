import { createNoopMeter, ValueType } from "@opentelemetry/api";
import type { Attributes, Counter, Meter, MeterProvider, UpDownCounter } from "@opentelemetry/api";
import type { Delta } from "./ledger.ts";
import { METER_NAME, METER_VERSION, METRICS } from "./names.ts";
import type { AttributeValues, MetricKey } from "./names.ts";

/** The instruments of one meter provider. */
export interface Instruments {
  add(delta: Delta): void;
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

  const counters = new Map<MetricKey, Counter | UpDownCounter>();
  const add = ({ metric, value, attributes }: Delta): void =>
    guard(() => counters.get(metric)?.add(value, attributes));
  for (const metric of metrics) {
    guard(() => counters.set(metric, makeCounter(meter, metric)));
    for (const attributes of startingPoints(metric)) add({ metric, value: 0, attributes });
  }
  let release: (() => void) | undefined;
  guard(() => (release = callBeforeCollection(meter, beforeCollection)));
  return { add, release: () => guard(() => release?.()) };
}

function makeCounter(meter: Meter, metric: MetricKey): Counter | UpDownCounter {
  const { name, instrument, unit, description, valueType } = METRICS[metric];
  const options = { unit, description, valueType: valueType === "int" ? ValueType.INT : ValueType.DOUBLE };
  switch (instrument) {
    case "counter":
      return meter.createCounter(name, options);
    case "up-down-counter":
      return meter.createUpDownCounter(name, options);
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

/** Every combination of the attribute values of a metric that starts at zero. */
function startingPoints(metric: MetricKey): readonly Attributes[] {
  const { startsAtZero, attributes } = METRICS[metric];
  if (startsAtZero === undefined) return [];
  return Object.entries<AttributeValues>(attributes).reduce<Attributes[]>(
    (partial, [name, values]) =>
      partial.flatMap((given) =>
        "firstNames" in values ? [] : values.map((value) => ({ ...given, [name]: value })),
      ),
    [{}],
  );
}
