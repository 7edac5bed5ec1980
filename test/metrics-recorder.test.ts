/** The recorder that a call brings along is told what became of that call. */
import { GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { MetricsRecorder } from "@smithy/types";
import { describe, expect, it } from "vitest";
import { bucketKeys, definePolicy, type BucketKeysPlugin } from "../src/index.ts";
import { echo, FLAG, SSE, stubClient, type SentRequest, type StubAnswer } from "./support/stub-client.ts";

const put = { Bucket: "lake", Key: "k", Body: "x", ServerSideEncryption: "aws:kms" } as const;
const policy = definePolicy({
  version: 1,
  rules: [{ id: "lake", reason: "The bill.", bucketKey: "on", onConflict: "refuse", mode: "enforce" }],
});

/** A recorder as an application brings it, and what it was told. */
function recorder(): { metricsRecorder: MetricsRecorder<unknown>; told: Record<string, string | number> } {
  const told: Record<string, string | number> = {};
  const count = (name: string, value: number): void => {
    told[name] = ((told[name] as number | undefined) ?? 0) + value;
  };
  const metricsRecorder: MetricsRecorder<unknown> = {
    begin() {},
    end() {},
    recordRequestOutcome() {},
    addCount: count,
    addTime: count,
    addLevel: count,
    addMetric: count,
    addRatio: count,
    setProperty: (name, value) => void (told[name] = value ?? ""),
    getMetrics: () => told,
  };
  return { metricsRecorder, told };
}

function wearing(answer: (request: SentRequest) => StubAnswer = echo): {
  client: S3Client;
  plugin: BucketKeysPlugin;
} {
  const { client } = stubClient(answer);
  const plugin = bucketKeys({ policy, logger: { warn() {} } });
  client.middlewareStack.use(plugin);
  return { client, plugin };
}

const HONOURED = {
  S3BucketKeyDecision: "amend",
  S3BucketKeyWhy: "set",
  S3BucketKeyMode: "enforce",
  S3BucketKeyRule: "lake",
  S3BucketKeyState: "enabled",
  S3BucketKeyVerdict: "honoured",
  S3BucketKeyEnabled: 1,
  S3BucketKeyDrift: 0,
  S3BucketKeyRefused: 0,
};

function brokenByTheTest(): never {
  throw new Error("broken by the test");
}

describe("a recorder that comes with the call", () => {
  it("is told decision, answer and verdict, of each request of a kind", async () => {
    const { client } = wearing();
    for (const Key of ["a", "b", "c"]) {
      const { metricsRecorder, told } = recorder();
      await client.send(new PutObjectCommand({ ...put, Key }), { metricsRecorder });
      expect(told).toEqual(HONOURED);
    }
  });

  it("is told about its own call only, under cacheMiddleware too", async () => {
    const { client } = wearing();
    Object.assign(client.config, { cacheMiddleware: true });
    const first = recorder();
    await client.send(new PutObjectCommand(put), { metricsRecorder: first.metricsRecorder });
    for (const Key of ["b", "c"]) await client.send(new PutObjectCommand({ ...put, Key }));
    expect(first.told).toEqual(HONOURED);
  });

  it("is told of a drift", async () => {
    const { client } = wearing(() => ({ headers: { [SSE]: "aws:kms" } }));
    const { metricsRecorder, told } = recorder();
    await client.send(new PutObjectCommand(put), { metricsRecorder });
    expect(told).toMatchObject({
      S3BucketKeyState: "disabled",
      S3BucketKeyVerdict: "drift",
      S3BucketKeyEnabled: 0,
      S3BucketKeyDrift: 1,
    });
  });

  it("is told of a refusal", async () => {
    const { client } = wearing();
    const { metricsRecorder, told } = recorder();
    const sending = client.send(new PutObjectCommand({ ...put, BucketKeyEnabled: false }), {
      metricsRecorder,
    });
    await expect(sending).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_REFUSED" });
    expect(told).toEqual({
      S3BucketKeyDecision: "refuse",
      S3BucketKeyWhy: "refused-flag",
      S3BucketKeyMode: "enforce",
      S3BucketKeyRule: "lake",
      S3BucketKeyRefused: 1,
    });
  });

  it("is told that a request was denied after it was amended", async () => {
    const { client } = wearing(() => ({ statusCode: 403, body: "<Error><Code>AccessDenied</Code></Error>" }));
    const { metricsRecorder, told } = recorder();
    const sending = client.send(new PutObjectCommand(put), { metricsRecorder });
    await expect(sending).rejects.toMatchObject({ name: "AccessDenied" });
    expect(told).toMatchObject({ S3BucketKeyPhase: "amended", S3BucketKeyRefused: 0 });
    expect(told).not.toHaveProperty("S3BucketKeyEnabled");
  });

  it("is told what a read shows", async () => {
    const { client } = wearing(() => ({ headers: { [SSE]: "aws:kms", [FLAG]: "true" } }));
    const { metricsRecorder, told } = recorder();
    await client.send(new GetObjectCommand({ Bucket: "lake", Key: "k" }), { metricsRecorder });
    expect(told).toEqual({
      S3BucketKeyRule: "lake",
      S3BucketKeyState: "enabled",
      S3BucketKeyVerdict: "compliant",
      S3BucketKeyEnabled: 1,
    });
  });

  it.each<[string, object]>([
    ["throws", { setProperty: brokenByTheTest }],
    ["is none", {}],
  ])("that %s costs a count of telemetry's failures, and nothing else", async (_what, broken) => {
    const { client, plugin } = wearing();
    const metricsRecorder = broken as MetricsRecorder<unknown>;
    const { BucketKeyEnabled } = await client.send(new PutObjectCommand(put), { metricsRecorder });
    expect(BucketKeyEnabled).toBe(true);
    expect(plugin.stats()).toMatchObject({
      requests: [{ why: "set", count: 1 }],
      responses: [{ verdict: "honoured", count: 1 }],
      errors: [{ type: "_OTHER", phase: "telemetry", count: 1 }],
    });
  });
});
