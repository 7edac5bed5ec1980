/** Telemetry is away, wholly or in part: S3 calls don't notice, and counts are right when it is back. */
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { diag, metrics } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
  type ResourceMetrics,
} from "@opentelemetry/sdk-metrics";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bucketKeys, type BucketKeysPlugin } from "../../src/index.ts";
import { otel } from "../../src/otel/index.ts";
import { stubClient } from "../support/stub-client.ts";

let plugin: BucketKeysPlugin;
let client: S3Client;
let provider: MeterProvider | undefined;

beforeEach(() => {
  plugin = bucketKeys({ mode: "enforce", telemetry: otel(), logger: { warn() {} } });
  ({ client } = stubClient());
  client.middlewareStack.use(plugin);
});
afterEach(async () => {
  await plugin.close();
  await provider?.shutdown().catch(() => {});
  metrics.disable();
  diag.disable();
});

async function put(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const input = { Bucket: "lake", Key: "k", Body: "x", ServerSideEncryption: "aws:kms" } as const;
    const { BucketKeyEnabled } = await client.send(new PutObjectCommand(input));
    expect(BucketKeyEnabled).toBe(true);
  }
}

type Export = PushMetricExporter["export"];

/** A provider whose exporter does as it is told, and what arrived of `s3_bucket_key.requests`. */
function exportingBy(first: Export, temporality: AggregationTemporality) {
  const arrived: number[] = [];
  const memory = new InMemoryMetricExporter(temporality);
  const works: Export = (batch, done) => {
    arrived.push(...requestsIn(batch));
    memory.export(batch, done);
  };
  const state = { export: first };
  const exporter: PushMetricExporter = {
    export: (batch, done) => state.export(batch, done),
    forceFlush: async () => {},
    shutdown: async () => {},
    selectAggregationTemporality: () => temporality,
  };
  const timing = { exportIntervalMillis: 3_600_000, exportTimeoutMillis: 20 };
  const made = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter, ...timing })] });
  provider = made;
  metrics.setGlobalMeterProvider(made);
  return { arrived, isBack: () => void (state.export = works) };
}

function requestsIn({ scopeMetrics }: ResourceMetrics): number[] {
  return scopeMetrics
    .flatMap((scope) => scope.metrics)
    .filter(({ descriptor }) => descriptor.name === "s3_bucket_key.requests")
    .flatMap(({ dataPoints }) => dataPoints.map(({ value }) => value as number));
}

/** What the SDK's own exporters answer once they can't export. */
const reportsFailure: Export = (batch, done) => {
  const closed = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  void closed.shutdown().then(() => closed.export(batch, done));
};

const FAILURES: readonly [what: string, Export][] = [
  ["reports failure", reportsFailure],
  [
    "throws",
    () => {
      throw new Error("broken by the test");
    },
  ],
  ["never answers", () => {}],
];

describe("an exporter that is down", () => {
  it.each(FAILURES)(
    "and %s: calls go on, and cumulative counts are whole when it is back",
    async (_what, down) => {
      const { arrived, isBack } = exportingBy(down, AggregationTemporality.CUMULATIVE);
      await put(3);
      await plugin.flush();
      await put(2);
      await plugin.flush();
      expect(arrived).toEqual([]);
      isBack();
      await put(1);
      await plugin.flush();
      expect(arrived).toEqual([6]);
      expect(plugin.stats().requests).toMatchObject([{ count: 6 }]);
    },
  );

  it("under delta temporality loses what the SDK gave to the failed exports, and nothing later", async () => {
    const { arrived, isBack } = exportingBy(reportsFailure, AggregationTemporality.DELTA);
    await put(3);
    await plugin.flush();
    isBack();
    await put(2);
    await plugin.flush();
    await put(1);
    await plugin.flush();
    expect(arrived).toEqual([2, 1]);
    expect(plugin.stats().requests).toMatchObject([{ count: 6 }]);
  });
});

describe("a meter provider", () => {
  it("that never comes costs nothing but the metrics", async () => {
    await put(3);
    await plugin.flush();
    expect(plugin.stats()).toMatchObject({ requests: [{ count: 3 }], errors: [] });
  });

  it("that was shut down and not replaced: calls go on, stats() counts on", async () => {
    const { arrived, isBack } = exportingBy(() => {}, AggregationTemporality.CUMULATIVE);
    isBack();
    await put(1);
    await plugin.flush();
    await provider?.shutdown();
    const before = arrived.length;
    await put(2);
    await plugin.flush();
    expect(arrived).toHaveLength(before);
    expect(plugin.stats().requests).toMatchObject([{ count: 3 }]);
  });

  it("that comes after one was shut down gets what came since it is registered", async () => {
    exportingBy(() => {}, AggregationTemporality.CUMULATIVE).isBack();
    await put(1);
    await provider?.shutdown();
    metrics.disable();
    await put(2);
    const second = exportingBy(() => {}, AggregationTemporality.CUMULATIVE);
    second.isBack();
    await put(4);
    await plugin.flush();
    // Two came while there was none; they went to nobody else.
    expect(second.arrived).toEqual([6]);
    expect(plugin.stats().requests).toMatchObject([{ count: 7 }]);
  });
});
