/** What telemetry costs: on the way of a request, and when somebody scrapes. */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { metrics } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import type { Arguments, Context, Next } from "../../src/call.ts";
import type * as Main from "../../src/index.ts";
import type * as Otel from "../../src/otel/index.ts";
import { built, type Bench } from "./bench.ts";
import { interleave, type Arm } from "./interleave.ts";
import { mixedPolicy } from "./policies.ts";
import { RULES, sends, wearing } from "./sdk-calls.ts";
import { medianDifference, medianOfBlocks, medianRatio } from "./statistics.ts";
import { put, stubS3 } from "./stub-s3.ts";

/** The same plugin with and without `otel()`, while an SDK collects every second. */
export const otelHotPath: Bench = async (scale) => {
  const { bucketKeys } = await built<typeof Main>(scale.dist, "index.js");
  const { otel } = await built<typeof Otel>(scale.dist, "otel/index.js");
  const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1_000 });
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  const policy = mixedPolicy(RULES);
  const plugins = {
    bare: bucketKeys({ policy }),
    control: bucketKeys({ policy }),
    counted: bucketKeys({ policy, telemetry: otel() }),
  };
  const times = await interleave({
    ...(scale.quick
      ? { blocks: 8, iterations: 50, warmUp: 20 }
      : { blocks: 80, iterations: 250, warmUp: 50 }),
    arms: () => ({
      bare: sends(wearing(stubS3(), plugins.bare), put),
      control: sends(wearing(stubS3(), plugins.control), put),
      counted: sends(wearing(stubS3(), plugins.counted), put),
    }),
  });
  const alone = await interleave({
    ...(scale.quick ? { blocks: 8, iterations: 30, warmUp: 5 } : { blocks: 60, iterations: 100, warmUp: 10 }),
    compileFirst: scale.quick ? 0 : 2_000,
    arms: () => ({
      bare: afterOthers(callsOf(plugins.bare, "PutObject")),
      control: afterOthers(callsOf(plugins.control, "PutObject")),
      counted: afterOthers(callsOf(plugins.counted, "PutObject")),
    }),
  });
  for (const plugin of Object.values(plugins)) await plugin.close();
  await provider.shutdown();
  metrics.disable();
  return [
    {
      what: "what otel() adds to the plugin's own part of a call, nothing of either in the processor's caches",
      measured: medianDifference(alone.counted, alone.bare),
      unit: "µs",
      bar: { atMost: 1 },
      control: medianRatio(alone.control, alone.bare),
    },
    {
      // Two calls of some hundred microseconds apart by less than one: shown, for its interval is often wider.
      what: "the same, as the difference between whole calls of PutObject",
      measured: medianDifference(times.counted, times.bare),
      unit: "µs",
      control: medianRatio(times.control, times.bare),
    },
  ];
};

/** Larger than the processor's caches of one core. */
const OTHERS = new Float64Array(2 ** 19);

/** A call after which everything else has run, as between two requests of a program that has other work. */
function afterOthers(call: (bucket: string, kind: number) => Promise<unknown>): Arm {
  return () => {
    for (let i = 0; i < OTHERS.length; i += 8) OTHERS[i] = (OTHERS[i] as number) + 1;
    return () => call("lake", 0);
  };
}

const BUCKET_NAMES = 1_000;
const MAX_BUCKETS = 100;

/** A scrape over HTTP of a process that has answers of 1,000 buckets, with the most bucket names allowed. */
export const otelScrape: Bench = async ({ quick, dist }) => {
  const { bucketKeys } = await built<typeof Main>(dist, "index.js");
  const { otel } = await built<typeof Otel>(dist, "otel/index.js");
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const meterProvider = new MeterProvider({ readers: [exporter] });
  const telemetry = otel({ meterProvider, bucketAttribute: { max: MAX_BUCKETS } });
  const plugin = bucketKeys({ policy: mixedPolicy(RULES), telemetry, logger: { warn() {} } });
  const call = callsOf(plugin, "GetObject");
  const handler: RequestListener = (request, response) =>
    exporter.getMetricsRequestHandler(request, response);
  const server = createServer(handler);
  await new Promise<void>((done) => void server.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;

  const rounds = quick ? 10 : 200;
  const scrapes = new Float64Array(rounds);
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < BUCKET_NAMES; i++) await call(`bucket-${i}`, i + round);
    const start = performance.now();
    const text = await (await fetch(url)).text();
    scrapes[round] = performance.now() - start;
    requireAll(text, (round + 1) * BUCKET_NAMES);
  }
  await plugin.close();
  await meterProvider.shutdown();
  await new Promise((done) => server.close(done));
  return [
    {
      what: `scrape over HTTP after answers of ${BUCKET_NAMES} buckets, ${MAX_BUCKETS} of them by name`,
      // In blocks, since neighbours share what else the machine did meanwhile.
      measured: medianOfBlocks(
        Array.from({ length: 10 }, (_, b) => scrapes.filter((_time, i) => i % 10 === b)),
      ),
      unit: "ms",
      bar: { atMost: 20 },
    },
  ];
};

const SSE = "x-amz-server-side-encryption";
const ANSWERS = [
  { [SSE]: "aws:kms", [`${SSE}-bucket-key-enabled`]: "true" },
  { [SSE]: "aws:kms" },
  { [SSE]: "AES256" },
];

/** Calls of a client that isn't there: the middleware is called as the SDK would. */
function callsOf(
  plugin: Main.BucketKeysPlugin,
  operation: string,
): (bucket: string, kind: number) => Promise<unknown> {
  let middleware: ((next: Next, context: Context) => Next) | undefined;
  plugin.applyToStack({
    add: (added: typeof middleware) => (middleware = added),
    remove: () => false,
    identify: () => [],
  });
  const context: Context = { clientName: "S3Client", commandName: `${operation}Command` };
  let headers = ANSWERS[0];
  const handle = middleware?.(async () => ({ response: { statusCode: 200, headers }, output: {} }), context);
  return async (bucket, kind) => {
    headers = ANSWERS[kind % ANSWERS.length];
    const command: Arguments & { middlewareStack: object } = {
      input: { Bucket: bucket, Key: "k" },
      middlewareStack: {},
    };
    return handle?.(command);
  };
}

/** A scrape that left something out would be quick for nothing. */
function requireAll(text: string, answers: number): void {
  const lines = text.split("\n").filter((line) => line.startsWith("s3_bucket_key_responses_total{"));
  const names = new Set(lines.map((line) => /aws_s3_bucket="([^"]+)"/.exec(line)?.[1]));
  const sum = lines.reduce((total, line) => total + Number(line.split(" ").at(1)), 0);
  if (names.size !== MAX_BUCKETS + 1 || sum !== answers) {
    throw new Error(`The scrape shows ${sum} of ${answers} answers, of ${names.size} buckets.`);
  }
}
