import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { metrics } from "@opentelemetry/api";
import { afterEach, describe, expect, it } from "vitest";
import { bucketKeys, type BucketKeysPlugin } from "../../src/index.ts";
import { otel } from "../../src/otel/index.ts";
import { echo, FLAG, SSE, stubClient } from "../support/stub-client.ts";
import { nonZero, pointName, sdk } from "./harness.ts";

const silent = { warn: () => {} };
const put = { Bucket: "lake", Key: "k", Body: "x", ServerSideEncryption: "aws:kms" } as const;

const plugins: BucketKeysPlugin[] = [];
function enforcing(): BucketKeysPlugin {
  const plugin = bucketKeys({ mode: "enforce", telemetry: otel(), logger: silent });
  plugins.push(plugin);
  return plugin;
}

afterEach(async () => {
  for (const plugin of plugins.splice(0)) await plugin.close();
  metrics.disable();
});

function enabled(operation: string, verdict: string): string {
  return pointName("s3_bucket_key.responses", {
    "rpc.method": operation,
    "s3_bucket_key.state": "enabled",
    "s3_bucket_key.sse.algorithm": "aws:kms",
    "s3_bucket_key.verdict": verdict,
  });
}

describe("a plugin with otel() on a stock client", () => {
  it("exports what stats() counts, from before the provider was registered on", async () => {
    const plugin = enforcing();
    const { client } = stubClient((request) =>
      request.method === "GET" ? { headers: { [SSE]: "aws:kms", [FLAG]: "true" } } : echo(request),
    );
    client.middlewareStack.use(plugin);
    await client.send(new PutObjectCommand(put));
    const { provider, reader } = sdk();
    metrics.setGlobalMeterProvider(provider);
    await client.send(new PutObjectCommand(put));
    await client.send(new GetObjectCommand({ Bucket: "lake", Key: "k" }));

    const points = nonZero(await reader.points());
    expect(nonZero(points, "responses")).toEqual({
      [enabled("PutObject", "honoured")]: 2,
      [enabled("GetObject", "compliant")]: 1,
    });
    expect(Object.values(nonZero(points, "client.count"))).toEqual([1]);
    expect(plugin.stats().requests).toMatchObject([{ why: "set", count: 2 }]);
  });

  it("leaves the S3 call alone while the provider throws, and says so in stats()", async () => {
    metrics.setGlobalMeterProvider({
      getMeter: () => {
        throw new Error("broken by the test");
      },
    });
    const plugin = enforcing();
    const { client } = stubClient();
    client.middlewareStack.use(plugin);
    const { BucketKeyEnabled } = await client.send(new PutObjectCommand(put));
    await plugin.flush();
    expect(BucketKeyEnabled).toBe(true);
    expect(plugin.stats().errors).toEqual([{ type: "_OTHER", phase: "telemetry", count: 1 }]);
  });

  it("loses the client on which another plugin takes its place", async () => {
    const { provider, reader } = sdk();
    metrics.setGlobalMeterProvider(provider);
    const plugin = enforcing();
    const { client } = stubClient();
    for (const worn of [client, stubClient().client]) worn.middlewareStack.use(plugin);
    const other = bucketKeys({ mode: "audit", replace: true, telemetry: otel(), logger: silent });
    plugins.push(other);
    client.middlewareStack.use(other);
    client.middlewareStack.use(other);
    const counted = nonZero(await reader.points(), "client.count");
    const byMode = Object.entries(counted).map(([name, value]) => [/mode=(\w+)/.exec(name)?.[1], value]);
    expect(Object.fromEntries(byMode)).toEqual({ audit: 1, enforce: 1 });
  });

  it("has no clients left after close()", async () => {
    const { provider, reader } = sdk();
    metrics.setGlobalMeterProvider(provider);
    const plugin = enforcing();
    stubClient().client.middlewareStack.use(plugin);
    stubClient().client.middlewareStack.use(plugin);
    expect(Object.values(nonZero(await reader.points(), "client.count"))).toEqual([2]);
    await plugin.close();
    expect(nonZero(await reader.points(), "client.count")).toEqual({});
  });
});
