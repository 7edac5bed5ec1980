/** Span attributes, with the AWS SDK's own instrumentation and without it. */
import { instrumentation, spans as exporter } from "./tracing.ts";
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { context, metrics, ROOT_CONTEXT, trace, type Span } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { bucketKeys, definePolicy, type BucketKeysPlugin } from "../../src/index.ts";
import { bucketKeyResponseHook, otel, SPAN_ATTRIBUTES } from "../../src/otel/index.ts";
import { echo, SSE, stubConfig, type SentRequest, type StubAnswer } from "../support/stub-client.ts";

afterAll(() => {
  instrumentation.disable();
  trace.disable();
  context.disable();
  metrics.disable();
});

const OTHER_KEY = "arn:aws:kms:eu-west-1:111122223333:key/00000000-12ab-34cd-56ef-1234567890ab";

const policy = definePolicy({
  version: 1,
  rules: [
    {
      id: "evidence",
      reason: "Own key.",
      match: { buckets: ["evidence"] },
      kmsKey: "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
      bucketKey: "on",
      mode: "enforce",
    },
  ],
  defaults: { bucketKey: "on", mode: "enforce" },
});

const put = { Bucket: "lake", Key: "k", Body: "x", ServerSideEncryption: "aws:kms" } as const;

const plugins: BucketKeysPlugin[] = [];
beforeEach(() => exporter.reset());
afterEach(async () => {
  for (const plugin of plugins.splice(0)) await plugin.close();
  instrumentation.setConfig({});
});

function client(answer: (request: SentRequest) => StubAnswer = echo, spanAttributes = true): S3Client {
  const made = new S3Client(stubConfig(answer, []));
  const plugin = bucketKeys({ policy, telemetry: otel({ spanAttributes }), logger: { warn() {} } });
  plugins.push(plugin);
  made.middlewareStack.use(plugin);
  return made;
}

/** Our attributes of the span of that name. */
function written(name: string): Record<string, unknown> {
  const spans = exporter.getFinishedSpans().filter((span) => span.name === name);
  expect(spans).toHaveLength(1);
  return ours(spans[0] as ReadableSpan);
}

function ours({ attributes }: ReadableSpan): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => name.startsWith("s3_bucket_key")));
}

describe("with @opentelemetry/instrumentation-aws-sdk, spanAttributes writes on the span of the call", () => {
  it("what was decided, what S3 answered and what that comes to", async () => {
    await client().send(new PutObjectCommand(put));
    expect(written("S3.PutObject")).toEqual({
      [SPAN_ATTRIBUTES.decision]: "amend",
      [SPAN_ATTRIBUTES.why]: "set",
      [SPAN_ATTRIBUTES.mode]: "enforce",
      [SPAN_ATTRIBUTES.rule]: "defaults",
      [SPAN_ATTRIBUTES.state]: "enabled",
      [SPAN_ATTRIBUTES.sse]: "aws:kms",
      [SPAN_ATTRIBUTES.verdict]: "honoured",
    });
  });

  it("the same for each request of a kind, under cacheMiddleware too, and one span per call", async () => {
    const cached = client();
    Object.assign(cached.config, { cacheMiddleware: true });
    for (const Key of ["a", "b", "c"]) await cached.send(new PutObjectCommand({ ...put, Key }));
    const spans = exporter.getFinishedSpans();
    expect(spans.map((span) => [span.name, ours(span)[SPAN_ATTRIBUTES.why]])).toEqual(
      Array.from({ length: 3 }, () => ["S3.PutObject", "set"]),
    );
  });

  it("the kinds of a drift", async () => {
    await client(() => ({ headers: { [SSE]: "aws:kms" } })).send(new PutObjectCommand(put));
    expect(written("S3.PutObject")).toMatchObject({
      [SPAN_ATTRIBUTES.verdict]: "drift",
      [SPAN_ATTRIBUTES.driftKinds]: ["bucket-key"],
    });
  });

  it("the decision that refused a request", async () => {
    const sending = client().send(
      new PutObjectCommand({ ...put, Bucket: "evidence", SSEKMSKeyId: OTHER_KEY }),
    );
    await expect(sending).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_REFUSED" });
    expect(written("S3.PutObject")).toEqual({
      [SPAN_ATTRIBUTES.decision]: "refuse",
      [SPAN_ATTRIBUTES.why]: "refused-key",
      [SPAN_ATTRIBUTES.mode]: "enforce",
      [SPAN_ATTRIBUTES.rule]: "evidence",
    });
  });

  it("that a request was denied after it was amended; error.type stays the instrumentation's", async () => {
    const denied = client(() => ({ statusCode: 403, body: "<Error><Code>AccessDenied</Code></Error>" }));
    await expect(denied.send(new PutObjectCommand(put))).rejects.toMatchObject({ name: "AccessDenied" });
    const attributes = written("S3.PutObject");
    expect(attributes).toMatchObject({ [SPAN_ATTRIBUTES.phase]: "amended", [SPAN_ATTRIBUTES.why]: "set" });
    expect(Object.keys(attributes)).not.toContain("error.type");
  });

  it("of a read, what the answer shows", async () => {
    await client(() => ({ headers: { [SSE]: "AES256" } })).send(
      new GetObjectCommand({ Bucket: "lake", Key: "k" }),
    );
    expect(written("S3.GetObject")).toEqual({
      [SPAN_ATTRIBUTES.rule]: "defaults",
      [SPAN_ATTRIBUTES.state]: "not-applicable",
      [SPAN_ATTRIBUTES.sse]: "AES256",
      [SPAN_ATTRIBUTES.verdict]: "not-applicable",
    });
  });

  it("nothing unless asked for, and nothing on the user's span around it", async () => {
    await trace.getTracer("app").startActiveSpan("upload", async (span) => {
      await client(echo, false).send(new PutObjectCommand(put));
      await client().send(new PutObjectCommand({ ...put, Key: "2" }));
      span.end();
    });
    const all = exporter.getFinishedSpans();
    expect(all.map(({ name }) => name)).toEqual(["S3.PutObject", "S3.PutObject", "upload"]);
    expect(all.map((span) => Object.keys(ours(span)).length)).toEqual([0, 7, 0]);
  });
});

function unpatched(): S3Client {
  instrumentation.disable();
  return client();
}

describe("without the instrumentation", () => {
  afterEach(() => instrumentation.enable());

  it.each<[string, Record<string, string>]>([
    ["a span of the user", {}],
    ["a span of another RPC system", { "rpc.system": "grpc", "rpc.method": "PutObject" }],
    ["the span of another AWS call", { "rpc.system": "aws-api", "rpc.method": "GetObject" }],
  ])("%s stays clean, and none is made", async (_what, attributes) => {
    const plain = unpatched();
    await trace.getTracer("app").startActiveSpan("upload", { attributes }, async (span) => {
      await plain.send(new PutObjectCommand(put));
      span.end();
    });
    expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(["upload"]);
    expect(written("upload")).toEqual({});
  });

  it("the stable convention's names are known too", async () => {
    const plain = unpatched();
    const attributes = { "rpc.system.name": "aws-api", "rpc.method": "S3/PutObject" };
    await trace.getTracer("app").startActiveSpan("call", { attributes }, async (span) => {
      await plain.send(new PutObjectCommand(put));
      span.end();
    });
    expect(written("call")).toMatchObject({ [SPAN_ATTRIBUTES.state]: "enabled" });
  });

  it("no active span, one that doesn't record and one that shows no attributes are left alone", async () => {
    const plain = unpatched();
    const spanContext = { traceId: "1".repeat(32), spanId: "1".repeat(16), traceFlags: 0 };
    const silent = trace.wrapSpanContext(spanContext);
    const foreign = Object.create(silent, { isRecording: { value: () => true } }) as Span;
    await plain.send(new PutObjectCommand(put));
    for (const span of [silent, foreign]) {
      const active = trace.setSpan(ROOT_CONTEXT, span);
      const { BucketKeyEnabled } = await context.with(active, () => plain.send(new PutObjectCommand(put)));
      expect(BucketKeyEnabled).toBe(true);
    }
    expect(plugins.at(-1)?.stats().errors).toEqual([]);
  });

  it("a span that throws is counted as a failure of telemetry; the call is untouched", async () => {
    const plain = unpatched();
    const broken = {
      isRecording: () => true,
      attributes: { "rpc.system": "aws-api", "rpc.method": "PutObject" },
      setAttributes() {
        throw new Error("broken by the test");
      },
    };
    const active = trace.setSpan(ROOT_CONTEXT, broken as unknown as Span);
    const { BucketKeyEnabled } = await context.with(active, () => plain.send(new PutObjectCommand(put)));
    expect(BucketKeyEnabled).toBe(true);
    expect(plugins.at(-1)?.stats()).toMatchObject({
      requests: [{ why: "set", count: 1 }],
      errors: [{ type: "_OTHER", phase: "telemetry", count: 1 }],
    });
  });
});

describe("bucketKeyResponseHook", () => {
  it.each<[string, StubAnswer, Record<string, string>]>([
    [
      "a bucket key",
      { headers: { [SSE]: "aws:kms", [`${SSE}-bucket-key-enabled`]: "true" } },
      shown("enabled", "aws:kms"),
    ],
    ["none", { headers: { [SSE]: "aws:kms" } }, shown("disabled", "aws:kms")],
    ["SSE-S3", { headers: { [SSE]: "AES256" } }, shown("not-applicable", "AES256")],
    [
      "a customer's key",
      { headers: { [`${SSE}-customer-algorithm`]: "AES256" } },
      shown("not-applicable", "SSE-C"),
    ],
    ["no encryption", {}, shown("unknown", "none")],
  ])("writes the state of %s, without any plugin", async (_what, headers, expected) => {
    instrumentation.setConfig({ responseHook: bucketKeyResponseHook });
    const bare = new S3Client(stubConfig(() => headers, []));
    await bare.send(new GetObjectCommand({ Bucket: "lake", Key: "k" }));
    expect(written("S3.GetObject")).toEqual(expected);
  });

  it("beside spanAttributes says the same, and the decision stays", async () => {
    instrumentation.setConfig({ responseHook: bucketKeyResponseHook });
    await client().send(new PutObjectCommand(put));
    expect(written("S3.PutObject")).toMatchObject({
      ...shown("enabled", "aws:kms"),
      [SPAN_ATTRIBUTES.decision]: "amend",
    });
  });

  it("leaves calls alone that show no encryption", async () => {
    instrumentation.setConfig({ responseHook: bucketKeyResponseHook });
    const bare = new S3Client(stubConfig(() => ({}), []));
    await bare.send(new DeleteObjectCommand({ Bucket: "lake", Key: "k" }));
    expect(written("S3.DeleteObject")).toEqual({});
  });

  it.each<[string, unknown]>([
    [
      "another service",
      { response: { data: {}, request: { serviceName: "KMS", commandName: "PutObject" } } },
    ],
    ["nothing", {}],
  ])("writes nothing about %s, and throws nothing", (_what, info) => {
    const set: string[] = [];
    const span = { setAttribute: (name: string) => set.push(name) };
    bucketKeyResponseHook(span, info as Parameters<typeof bucketKeyResponseHook>[1]);
    expect(set).toEqual([]);
  });

  it("survives a span that throws", () => {
    const request = { serviceName: "S3", commandName: "PutObject" };
    const span = {
      setAttribute() {
        throw new Error("broken by the test");
      },
    };
    for (const data of [{ BucketKeyEnabled: true }, undefined, null, 7]) {
      expect(() => bucketKeyResponseHook(span, { response: { data, request } })).not.toThrow();
    }
  });
});

function shown(state: string, sse: string): Record<string, string> {
  return { [SPAN_ATTRIBUTES.state]: state, [SPAN_ATTRIBUTES.sse]: sse };
}
