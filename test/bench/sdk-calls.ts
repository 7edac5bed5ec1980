/** Whole calls of a stock client against a handler that answers at once: what the plugin adds to each. */
import type { S3Client } from "@aws-sdk/client-s3";
import { metrics } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import type * as Main from "../../src/index.ts";
import type * as Otel from "../../src/otel/index.ts";
import { built, type Bench, type Row, type Scale } from "./bench.ts";
import { interleave, type Arm } from "./interleave.ts";
import { bucketsFor, mixedPolicy } from "./policies.ts";
import { medianRatio } from "./statistics.ts";
import { addNoOp, head, put, putWithFlag, stubS3 } from "./stub-s3.ts";

export const RULES = 20;
/** Buckets that hit each kind of rule, at the end of the policy. */
const BUCKETS = bucketsFor("last", RULES, 16);

/** What an arm's operation sends. */
type MakeCommand = typeof put | typeof putWithFlag | typeof head;

export const putObject: Bench = async (scale) => [
  await compare(scale, {
    what: `PutObject, enforcing ${RULES} rules and observing, against one no-op middleware and a caller who sets the flag`,
    floor: putWithFlag,
    plugin: put,
    atMost: 1.015,
  }),
];

export const putObjectOtel: Bench = async (scale) => {
  const { otel } = await built<typeof Otel>(scale.dist, "otel/index.js");
  const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1_000 });
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  try {
    const row = await compare(scale, {
      what: "PutObject, the same with OpenTelemetry SDK metrics collected every second",
      floor: putWithFlag,
      plugin: put,
      telemetry: otel(),
      atMost: 1.02,
    });
    return [row];
  } finally {
    await provider.shutdown();
    metrics.disable();
  }
};

export const headObject: Bench = async (scale) => [
  await compare(scale, {
    what: "HeadObject, observed, against one no-op middleware",
    floor: head,
    plugin: head,
    atMost: 1.01,
  }),
];

interface Comparison {
  readonly what: string;
  /** The command that a client with one no-op middleware sends. */
  readonly floor: MakeCommand;
  /** The command that a client with the plugin sends. */
  readonly plugin: MakeCommand;
  readonly telemetry?: Main.Telemetry;
  readonly atMost: number;
}

async function compare(scale: Scale, { what, floor, plugin, telemetry, atMost }: Comparison): Promise<Row> {
  const { bucketKeys } = await built<typeof Main>(scale.dist, "index.js");
  const plugged = bucketKeys({ policy: mixedPolicy(RULES), ...(telemetry !== undefined && { telemetry }) });
  const times = await interleave({
    ...(scale.quick
      ? { blocks: 8, iterations: 50, warmUp: 20 }
      : { blocks: 60, iterations: 250, warmUp: 50 }),
    arms: () => ({
      floor: sends(addNoOp(stubS3()), floor),
      control: sends(addNoOp(stubS3()), floor),
      plugin: sends(wearing(stubS3(), plugged), plugin),
    }),
  });
  await plugged.close();
  return {
    what,
    measured: medianRatio(times.plugin, times.floor),
    unit: "ratio",
    bar: { atMost },
    control: medianRatio(times.control, times.floor),
  };
}

export function wearing(client: S3Client, plugin: Main.BucketKeysPlugin): S3Client {
  client.middlewareStack.use(plugin);
  return client;
}

/** Fresh commands throughout, to one bucket after another. */
export function sends(client: S3Client, commandFor: MakeCommand): Arm {
  let i = 0;
  return () => {
    const command = commandFor(BUCKETS[i++ % BUCKETS.length] as string);
    return () => client.send(command);
  };
}
