/**
 * Checks the built package against one line of OpenTelemetry packages, in processes of its own: a global of
 * one API version can't be replaced by another in the same process.
 *
 *   node test/otel/line-check.mjs --modules <folder with node_modules> [--dist <built package>]
 *
 * Plain JavaScript, so that any Node runs it without tools. Each scenario runs in a folder below the given
 * one, next to copies of this file and of the package: so bare imports of both find that folder's packages.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { execFile } from "node:child_process";
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";

const SELF = fileURLToPath(import.meta.url);
const API = "@opentelemetry/api";
const SSE = "x-amz-server-side-encryption";
const FLAG = `${SSE}-bucket-key-enabled`;

/** The packages as an ES module finds them. */
async function imported() {
  return {
    api: await import(API),
    sdk: await import("@opentelemetry/sdk-metrics"),
    prometheus: await import("@opentelemetry/exporter-prometheus"),
  };
}

/** The packages as a CommonJS application finds them: of some lines another copy than an ES module's. */
function required() {
  const require = createRequire(SELF);
  return {
    api: require(API),
    sdk: require("@opentelemetry/sdk-metrics"),
    prometheus: require("@opentelemetry/exporter-prometheus"),
  };
}

/** A plugin on a client that isn't there: its middleware is called as the SDK would. */
async function wear(options) {
  ok(import.meta.resolve("s3-bucket-keys").startsWith(new URL(".", import.meta.url).href));
  const { bucketKeys } = await import("s3-bucket-keys");
  const { otel } = await import("s3-bucket-keys/otel");
  const plugin = bucketKeys({ mode: "enforce", telemetry: otel(options), logger: { warn() {} } });
  let middleware;
  plugin.applyToStack({ add: (added) => (middleware = added), remove: () => false, identify: () => [] });
  return {
    plugin,
    /** One call, and what S3 answers to it. */
    async call(operation, input, headers) {
      const next = async () => ({ response: { statusCode: 200, headers }, output: "untouched" });
      const context = { clientName: "S3Client", commandName: `${operation}Command` };
      // As `send` hands it down: the command itself.
      const command = { input: { Bucket: "lake", Key: "k", ...input }, middlewareStack: {} };
      const { output } = await middleware(next, context)(command);
      equal(output, "untouched");
    },
  };
}

const KMS = { ServerSideEncryption: "aws:kms" };
const ENABLED = { [SSE]: "aws:kms", [FLAG]: "true" };
const DISABLED = { [SSE]: "aws:kms" };

/** `times` rounds of calls: 3 puts (1 drifts), 2 copies, 1 get. */
async function work({ call }, times) {
  for (let i = 0; i < times; i++) {
    await call("PutObject", KMS, ENABLED);
    await call("PutObject", { ...KMS, BucketKeyEnabled: true }, ENABLED);
    await call("PutObject", KMS, DISABLED);
    await call("CopyObject", KMS, ENABLED);
    await call("CopyObject", { ServerSideEncryption: "AES256" }, { [SSE]: "AES256" });
    await call("GetObject", {}, ENABLED);
  }
}

/** What `times` rounds must come to, counted by hand; nothing that is 0. */
function expected(times) {
  const rows = [
    ["requests", 2, "PutObject", "amend", "set", "enforce"],
    ["requests", 1, "PutObject", "pass", "already-set", "enforce"],
    ["requests", 1, "CopyObject", "amend", "set", "enforce"],
    ["requests", 1, "CopyObject", "pass", "other-algorithm", "enforce"],
    ["responses", 2, "PutObject", "enabled", "aws:kms", "honoured"],
    ["responses", 1, "PutObject", "disabled", "aws:kms", "drift"],
    ["responses", 1, "CopyObject", "enabled", "aws:kms", "honoured"],
    ["responses", 1, "CopyObject", "not-applicable", "AES256", "not-applicable"],
    ["responses", 1, "GetObject", "enabled", "aws:kms", "compliant"],
    ["drifts", 1, "PutObject", "bucket-key"],
  ];
  return points(rows.map(([metric, count, ...values]) => [metric, count * times, values]));
}

/** Attributes of each metric, in the order of the rows above. */
const ATTRIBUTES = {
  requests: ["rpc.method", "s3_bucket_key.decision", "s3_bucket_key.why", "s3_bucket_key.mode"],
  responses: ["rpc.method", "s3_bucket_key.state", "s3_bucket_key.sse.algorithm", "s3_bucket_key.verdict"],
  drifts: ["rpc.method", "s3_bucket_key.drift.kind"],
};

function points(rows) {
  return Object.fromEntries(
    rows
      .filter(([, value]) => value !== 0)
      .map(([metric, value, values]) => [[metric, ...values].join(" "), value]),
  );
}

/** Sums of points by the attributes that a view keeps. */
function keeping(kept, all) {
  const sums = {};
  for (const [name, value] of Object.entries(all)) {
    const [metric, ...values] = name.split(" ");
    const left = [metric, ...values.filter((_, i) => kept.includes(ATTRIBUTES[metric][i]))].join(" ");
    sums[left] = (sums[left] ?? 0) + value;
  }
  return sums;
}

function minus(all, before) {
  return Object.fromEntries(
    Object.entries(all)
      .map(([name, value]) => [name, value - (before[name] ?? 0)])
      .filter(([, value]) => value !== 0),
  );
}

function readerOf(sdk, temporality = sdk.AggregationTemporality.CUMULATIVE) {
  class Reader extends sdk.MetricReader {
    async points() {
      const { resourceMetrics, errors } = await this.collect();
      deepEqual(errors, []);
      const all = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
      equal(all.filter(({ descriptor }) => descriptor.name.includes("pending")).length, 0);
      return points(
        all.flatMap(({ descriptor, dataPoints }) => {
          const metric = descriptor.name.replace("s3_bucket_key.", "");
          const names = ATTRIBUTES[metric];
          if (names === undefined) return [];
          return dataPoints.map(({ attributes, value }) => [
            metric,
            value,
            names.filter((name) => name in attributes).map((name) => attributes[name]),
          ]);
        }),
      );
    }
    async onForceFlush() {}
    async onShutdown() {}
  }
  return new Reader({ aggregationTemporalitySelector: () => temporality });
}

const KEPT = ["s3_bucket_key.sse.algorithm", "s3_bucket_key.why", "s3_bucket_key.drift.kind"];

/** Two readers in turns, with and without views; registered late, replaced, shut down. */
async function checkSums({ api, sdk }) {
  const { DELTA } = sdk.AggregationTemporality;
  const allow = (metric) => ({
    instrumentName: `s3_bucket_key.${metric}`,
    attributesProcessors: [sdk.createAllowListAttributesProcessor(KEPT)],
  });
  const drop = (metric, names) => ({
    instrumentName: `s3_bucket_key.${metric}`,
    attributesProcessors: [sdk.createDenyListAttributesProcessor(names)],
  });
  const droppedOf = (metric) => ATTRIBUTES[metric].filter((name) => !KEPT.includes(name));
  const lines = [
    [[], (all) => all],
    [[allow("requests"), allow("responses"), allow("drifts")], (all) => keeping(KEPT, all)],
    [Object.keys(ATTRIBUTES).map((metric) => drop(metric, droppedOf(metric))), (all) => keeping(KEPT, all)],
  ];
  for (const [views, seen] of lines) {
    const client = await wear();
    await work(client, 2);
    const cumulative = readerOf(sdk);
    const delta = readerOf(sdk, DELTA);
    const provider = new sdk.MeterProvider({ readers: [cumulative, delta], views });
    api.metrics.setGlobalMeterProvider(provider);
    await work(client, 1);
    deepEqual(await cumulative.points(), seen(expected(3)));
    await work(client, 2);
    deepEqual(await delta.points(), seen(expected(5)));
    deepEqual(await cumulative.points(), seen(expected(5)));
    await work(client, 4);
    deepEqual(await delta.points(), minus(seen(expected(9)), seen(expected(5))));
    deepEqual(await cumulative.points(), seen(expected(9)));
    const { requests } = client.plugin.stats();
    equal(
      requests.reduce((sum, { count }) => sum + count, 0),
      9 * 5,
    );

    await provider.shutdown();
    api.metrics.disable();
    const next = readerOf(sdk);
    api.metrics.setGlobalMeterProvider(new sdk.MeterProvider({ readers: [next], views }));
    await work(client, 3);
    deepEqual(await next.points(), seen(expected(3)));
    await client.plugin.close();
    await work(client, 1);
    deepEqual(await next.points(), seen(expected(3)));
    api.metrics.disable();
  }
}

async function checkPrometheus({ api, sdk, prometheus }) {
  const reader = new prometheus.PrometheusExporter({ preventServerStart: true });
  api.metrics.setGlobalMeterProvider(new sdk.MeterProvider({ readers: [reader] }));
  const client = await wear();
  await work(client, 2);
  let text = "";
  const answered = new Promise((done) => {
    const response = { statusCode: 200, setHeader() {}, end: (body) => done((text = String(body))) };
    reader.getMetricsRequestHandler({ method: "GET", url: "/metrics" }, response);
  });
  await answered;
  match(
    text,
    /^s3_bucket_key_requests_total\{[^}]*rpc_method="PutObject"[^}]*s3_bucket_key_why="set"[^}]*\} 4/m,
  );
  match(text, /^s3_bucket_key_drifts_total\{[^}]*s3_bucket_key_drift_kind="bucket-key"[^}]*\} 2/m);
  match(text, /^s3_bucket_key_drifts_total\{[^}]*s3_bucket_key_drift_kind="kms-key"[^}]*\} 0/m);
  match(text, /^s3_bucket_key_client_count\{[^}]*s3_bucket_key_mode="enforce"[^}]*\} 1/m);
  ok(!text.includes("pending"));
  await client.plugin.close();
}

/** KMS requests of client-side encryption, from before there was a provider and after. */
async function checkHistograms({ api, sdk }) {
  const { bucketKeys } = await import("s3-bucket-keys");
  const { otel, METRICS } = await import("s3-bucket-keys/otel");
  const telemetry = otel();
  const plugin = bucketKeys({ telemetry, logger: { warn() {} } });
  const measure = (seconds) => telemetry.measure({ kind: "kms-request", operation: "Decrypt", seconds });
  for (const seconds of [0.002, 0.02, 0.02]) measure(seconds);
  const reader = readerOf(sdk);
  api.metrics.setGlobalMeterProvider(new sdk.MeterProvider({ readers: [reader] }));
  measure(20);
  const { resourceMetrics } = await reader.collect();
  const { name, unit, buckets } = METRICS.kmsRequestDuration;
  const found = resourceMetrics.scopeMetrics
    .flatMap(({ metrics }) => metrics)
    .filter(({ descriptor }) => descriptor.name === name);
  equal(found.length, 1);
  equal(found[0].descriptor.unit, unit);
  const [{ attributes, value }, ...others] = found[0].dataPoints;
  deepEqual(others, []);
  deepEqual(attributes, { "rpc.method": "Decrypt" });
  deepEqual([value.count, value.sum.toFixed(3)], [4, "20.042"]);
  deepEqual(value.buckets, { boundaries: [...buckets], counts: [0, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1] });
  await plugin.close();
}

/** An application that registers with an older API than the one our package brought along. */
async function checkBlind({ api, sdk }, withLogger) {
  const said = [];
  const warn = (message) => said.push(message);
  if (withLogger) {
    const logger = { error: warn, warn, info() {}, debug() {}, verbose() {} };
    api.diag.setLogger(logger, { suppressOverrideMessage: true });
  } else {
    process.on("warning", ({ message }) => warn(message));
  }
  const reader = readerOf(sdk);
  const provider = new sdk.MeterProvider({ readers: [reader] });
  api.metrics.setGlobalMeterProvider(provider);
  const client = await wear();
  await work(client, 2);
  for (let i = 0; i < 3; i++) await client.plugin.flush();
  await new Promise((done) => setImmediate(done));
  deepEqual(await reader.points(), {});
  const ours = said.filter((message) => message.includes("two copies of @opentelemetry/api"));
  equal(ours.length, 1, `said: ${said.join("; ")}`);
  const { errors, requests } = client.plugin.stats();
  deepEqual(errors, [{ type: "_OTHER", phase: "telemetry", count: 1 }]);
  equal(
    requests.reduce((sum, { count }) => sum + count, 0),
    2 * 5,
  );
  await client.plugin.close();

  const told = await wear({ meterProvider: provider });
  await work(told, 3);
  deepEqual(await reader.points(), expected(3));
  await told.plugin.close();
}

/** An application that registers with a newer API than ours. */
async function checkNewerApplication({ api, sdk }) {
  const reader = readerOf(sdk);
  api.metrics.setGlobalMeterProvider(new sdk.MeterProvider({ readers: [reader] }));
  const client = await wear();
  await work(client, 2);
  deepEqual(await reader.points(), expected(2));
  await client.plugin.close();
}

/** As the SDK for Node brings one along: what runs later runs in the context that it was started in. */
function asyncContexts({ ROOT_CONTEXT }) {
  const storage = new AsyncLocalStorage();
  return {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, run, self, ...args) => storage.run(active, () => run.call(self, ...args)),
    bind: (_, target) => target,
    enable() {},
    disable() {},
  };
}

const answerEnabled = async () => ({
  response: { statusCode: 200, headers: ENABLED, body: Readable.from([]) },
});

/** A real client, with the SDK's own instrumentation: our attributes stand on its span, and on no other. */
async function checkSpans(load) {
  const { AwsInstrumentation } = await load("@opentelemetry/instrumentation-aws-sdk");
  const { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } =
    await load("@opentelemetry/sdk-trace");
  const api = await load(API);
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  api.trace.setGlobalTracerProvider(provider);
  api.context.setGlobalContextManager(asyncContexts(api));
  const { otel, bucketKeyResponseHook } = await import("s3-bucket-keys/otel");
  const instrumentation = new AwsInstrumentation({ responseHook: bucketKeyResponseHook });
  instrumentation.setTracerProvider(provider);
  const { GetObjectCommand, PutObjectCommand, S3Client } = await load("@aws-sdk/client-s3");

  const config = {
    region: "eu-west-1",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    requestHandler: { metadata: { handlerProtocol: "http/1.1" }, handle: answerEnabled },
  };
  const { bucketKeys } = await import("s3-bucket-keys");
  const plugin = bucketKeys({
    mode: "enforce",
    telemetry: otel({ spanAttributes: true }),
    logger: { warn() {} },
  });
  /** An upload in a span of the application's own. */
  const upload = async () => {
    const client = new S3Client(config);
    client.middlewareStack.use(plugin);
    await api.trace.getTracer("app").startActiveSpan("upload", async (span) => {
      await client.send(new PutObjectCommand({ Bucket: "lake", Key: "k", Body: "x", ...KMS }));
      span.end();
    });
  };
  const seen = () => {
    const spans = exporter.getFinishedSpans().map(({ name, attributes }) => {
      const ours = Object.entries(attributes).filter(([attribute]) => attribute.startsWith("s3_bucket_key"));
      return [name, Object.fromEntries(ours)];
    });
    exporter.reset();
    return spans;
  };
  const answered = { "s3_bucket_key.state": "enabled", "s3_bucket_key.sse.algorithm": "aws:kms" };
  const decided = {
    ...answered,
    "s3_bucket_key.decision": "amend",
    "s3_bucket_key.why": "set",
    "s3_bucket_key.mode": "enforce",
    "s3_bucket_key.rule.id": "defaults",
    "s3_bucket_key.verdict": "honoured",
  };
  await upload();
  deepEqual(seen(), [
    ["S3.PutObject", decided],
    ["upload", {}],
  ]);
  await new S3Client(config).send(new GetObjectCommand({ Bucket: "lake", Key: "k" }));
  deepEqual(seen(), [["S3.GetObject", answered]]);
  instrumentation.disable();
  await upload();
  deepEqual(seen(), [["upload", {}]]);
  deepEqual(plugin.stats().errors, []);
  await plugin.close();
}

/** Nothing is closed here: a timer that keeps the process alive would run into the parent's timeout. */
async function checkThatProcessEnds({ api, sdk }) {
  const reader = readerOf(sdk);
  api.metrics.setGlobalMeterProvider(new sdk.MeterProvider({ readers: [reader] }));
  const client = await wear();
  await work(client, 1);
  deepEqual(await reader.points(), expected(1));
}

const OURS = "node_modules/s3-bucket-keys";

/** Each: what runs, and where below its folder an API of a higher minor version, or the line's own, stands. */
const SCENARIOS = {
  "sums, application of ES modules": { run: async () => await checkSums(await imported()) },
  "sums, application of CommonJS": { run: async () => await checkSums(required()) },
  prometheus: { run: async () => await checkPrometheus(await imported()) },
  "histograms, application of ES modules": { run: async () => await checkHistograms(await imported()) },
  "histograms, application of CommonJS": { run: async () => await checkHistograms(required()) },
  "spans, application of ES modules": { run: () => checkSpans((name) => import(name)) },
  "spans, application of CommonJS": { run: () => checkSpans(async (name) => createRequire(SELF)(name)) },
  "the process ends by itself": { run: async () => await checkThatProcessEnds(await imported()) },
  "our copy is newer, with a diag logger": {
    run: async () => await checkBlind(await imported(), true),
    newerApi: `${OURS}/node_modules`,
  },
  "our copy is newer, without a logger": {
    run: async () => await checkBlind(await imported(), false),
    newerApi: `${OURS}/node_modules`,
  },
  "the application's copy is newer": {
    run: async () => await checkNewerApplication(await imported()),
    newerApi: "node_modules",
    ownApi: `${OURS}/node_modules`,
  },
};

async function prepare(folder, dist, modules, { newerApi, ownApi }) {
  await copyCode(dist, join(folder, OURS, "dist"));
  await cp(resolve(dirname(SELF), "../../package.json"), join(folder, OURS, "package.json"));
  await cp(SELF, join(folder, "line-check.mjs"));
  // A package of its own: below this repository, "s3-bucket-keys" would else mean the repository itself.
  await writeFile(join(folder, "package.json"), '{ "private": true }');
  const api = join(modules, "node_modules", API);
  if (ownApi !== undefined) await copyCode(api, join(folder, ownApi, API));
  if (newerApi !== undefined) {
    await copyCode(api, join(folder, newerApi, API));
    await makeNewer(join(folder, newerApi, API));
  }
}

async function copyCode(from, to) {
  await cp(from, to, { recursive: true, filter: (path) => !/\.(?:map|d\.[cm]?ts)$/.test(path) });
}

/** Gives a copy of the API a higher minor version, wherever its code names its own. */
async function makeNewer(copy) {
  const { version } = JSON.parse(await readFile(join(copy, "package.json"), "utf8"));
  const newer = version.replace(/^(\d+)\.\d+/, "$1.99");
  let changed = 0;
  for (const file of await readdir(copy, { recursive: true })) {
    if (!/\.[cm]?js$/.test(file)) continue;
    const text = await readFile(join(copy, file), "utf8");
    const code = text.replaceAll(`"${version}"`, `"${newer}"`).replaceAll(`'${version}'`, `'${newer}'`);
    if (code === text) continue;
    await writeFile(join(copy, file), code);
    changed++;
  }
  ok(changed > 0, `no version found in ${copy}`);
}

async function versionOf(modules, name) {
  const path = join(modules, "node_modules", name, "package.json");
  return `${name} ${JSON.parse(await readFile(path, "utf8")).version}`;
}

async function checkLine(modules, dist) {
  await mkdir(join(modules, ".cache"), { recursive: true });
  const scratch = await mkdtemp(join(modules, ".cache", "line-check-"));
  try {
    // Once, so that a build meanwhile can't give scenarios different code.
    const code = join(scratch, "dist");
    await copyCode(dist, code);
    for (const [i, [name, scenario]] of Object.entries(SCENARIOS).entries()) {
      const folder = join(scratch, String(i));
      await prepare(folder, code, modules, scenario);
      const args = [join(folder, "line-check.mjs"), "--scenario", name];
      await promisify(execFile)(process.execPath, args, { timeout: 20_000 }).catch((error) => {
        throw new Error(`${name}: ${error.stderr || error.message}`);
      });
    }
    const packages = [
      "@opentelemetry/api",
      "@opentelemetry/sdk-metrics",
      "@opentelemetry/exporter-prometheus",
      "@opentelemetry/sdk-trace",
      "@opentelemetry/instrumentation-aws-sdk",
    ];
    const versions = await Promise.all(packages.map(async (name) => await versionOf(modules, name)));
    console.log(
      `ok ${Object.keys(SCENARIOS).length} scenarios, Node ${process.version}, ${versions.join(", ")}`,
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const { values } = parseArgs({
  options: { modules: { type: "string" }, dist: { type: "string" }, scenario: { type: "string" } },
});
try {
  if (values.scenario !== undefined) await SCENARIOS[values.scenario].run();
  else {
    const root = resolve(dirname(SELF), "../..");
    await checkLine(resolve(values.modules ?? root), resolve(values.dist ?? join(root, "dist")));
  }
} catch (error) {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = 1;
}
