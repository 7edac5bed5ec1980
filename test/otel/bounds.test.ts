import { metrics } from "@opentelemetry/api";
import { describe, expect, it } from "vitest";
import { METRICS, otel } from "../../src/otel/index.ts";
import type { ClientInfo, Outcome } from "../../src/telemetry/telemetry.ts";
import { EVENTS } from "../telemetry/envelope-events.ts";
import { INFO, read, refused, write } from "../telemetry/outcomes.ts";
import { nonZero, pointName, sdk, wear, Wearing, type Points } from "./harness.ts";

function total(points: Points): number {
  return Object.values(points).reduce((sum, value) => sum + value, 0);
}

function valuesOf(points: Points, attribute: string): Set<string> {
  const pattern = new RegExp(`[{,]${attribute.replaceAll(".", "\\.")}=([^,}]*)`);
  return new Set(Object.keys(points).map((name) => pattern.exec(name)?.[1] ?? ""));
}

describe("attribute values are closed", () => {
  it("the first 20 rule ids over all plugins, then _OTHER; no answer is lost", async () => {
    const { provider, reader } = sdk();
    const telemetry = otel({ meterProvider: provider });
    const plugins = [new Wearing(telemetry), new Wearing(telemetry)];
    for (const [i, plugin] of plugins.entries()) {
      for (let rule = 0; rule < 30; rule++) plugin.record(read("GetObject", { rule: `p${i}-rule-${rule}` }));
      await reader.points();
    }
    const points = nonZero(await reader.points(), "rule.responses");
    expect(valuesOf(points, "s3_bucket_key.rule.id")).toEqual(
      new Set([...Array.from({ length: 20 }, (_, rule) => `p0-rule-${rule}`), "_OTHER"]),
    );
    expect(total(points)).toBe(60);
    for (const plugin of plugins) plugin.detach();
  });

  it("a rule id keeps its meaning when many others follow", async () => {
    const { provider, reader } = sdk();
    const plugin = wear({ meterProvider: provider });
    plugin.record(read("GetObject", { rule: "first" }));
    await reader.points();
    for (let rule = 0; rule < 5_000; rule++) plugin.record(read("GetObject", { rule: `rule-${rule}` }));
    plugin.record(read("GetObject", { rule: "first" }));
    const points = nonZero(await reader.points(), "rule.responses");
    const first = pointName("s3_bucket_key.rule.responses", {
      "s3_bucket_key.rule.id": "first",
      "s3_bucket_key.state": "enabled",
    });
    expect(points[first]).toBe(2);
    expect(Object.keys(points)).toHaveLength(21);
    expect(total(points)).toBe(5_002);
    plugin.detach();
  });

  it("20 policy digests over a plugin's reloads, then _OTHER", async () => {
    const { provider, reader } = sdk();
    let info: ClientInfo = { ...INFO, policyDigest: "digest-0" };
    const plugin = new Wearing(otel({ meterProvider: provider }), () => info);
    plugin.counts.clientAdded();
    for (let i = 0; i < 50; i++) {
      info = { ...INFO, policyDigest: `digest-${i}` };
      await reader.points();
    }
    const points = await reader.points();
    const clients = Object.keys(points).filter((name) => name.startsWith("s3_bucket_key.client.count{"));
    expect(clients).toHaveLength(21);
    expect(nonZero(points, "client.count")).toEqual({
      [pointName("s3_bucket_key.client.count", {
        "s3_bucket_key.mode": "enforce",
        "s3_bucket_key.mode.source": "policy",
        "s3_bucket_key.policy.digest": "_OTHER",
      })]: 1,
    });
    plugin.detach();
  });

  it.each<[string, Outcome, string, string]>([
    ["an operation", write({ operation: "PutObjectTagging" }), "requests", "rpc.method"],
    ["an algorithm", write({}, { sse: "aws:fsx" }), "responses", "s3_bucket_key.sse.algorithm"],
    [
      "an error",
      { ...write(), error: { type: "Error: something free-form", phase: "response" } },
      "errors",
      "error.type",
    ],
  ])("%s outside its list is _OTHER", async (_, outcome, metric, attribute) => {
    const { provider, reader } = sdk();
    const plugin = wear({ meterProvider: provider });
    plugin.record(outcome);
    const points = nonZero(await reader.points(), metric);
    expect(valuesOf(points, attribute)).toEqual(new Set(["_OTHER"]));
    expect(total(points)).toBe(1);
    plugin.detach();
  });

  it("every point carries all attributes of its metric, and no other", async () => {
    const { provider, reader } = sdk();
    const plugin = wear({ meterProvider: provider, avoidedCost: { usdPer10000Requests: 0.03 } });
    plugin.counts.clientAdded();
    plugin.record(write({ notes: ["own-context"] }, { verdict: "drift", drifts: ["algorithm"] }), write());
    plugin.counts.failed("AccessDenied", "amended");
    plugin.observe(...EVENTS);
    const points = Object.keys(await reader.points());
    const seen = Object.values(METRICS).map(({ name }) => {
      const ofMetric = points.filter((point) => point.startsWith(`${name}{`));
      const attributes = ofMetric.map((point) =>
        [...point.slice(name.length).matchAll(/[{,]([^=}]+)=/g)].map((match) => String(match[1])),
      );
      return [name, new Set(attributes.map((names) => names.toSorted().join()))];
    });
    expect(seen).toEqual(
      Object.values(METRICS).map(({ name, attributes, onlyOnFailure }) => {
        const all = Object.keys(attributes).toSorted();
        const onSuccess = all.filter((attribute) => attribute !== onlyOnFailure);
        return [name, new Set([all.join(), onSuccess.join()])];
      }),
    );
    plugin.detach();
  });
});

describe("bucketAttribute", () => {
  it("tells answers apart by the first bucket names, then _OTHER; no answer is lost", async () => {
    const { provider, reader } = sdk();
    const plugin = wear({ meterProvider: provider, bucketAttribute: { max: 3 } });
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 10; i++) plugin.record(read("GetObject", {}, `bucket-${i}`));
      const points = nonZero(await reader.points(), "responses");
      expect(valuesOf(points, "aws.s3.bucket")).toEqual(
        new Set(["bucket-0", "bucket-1", "bucket-2", "_OTHER"]),
      );
      expect(total(points)).toBe(10 * (round + 1));
    }
    expect(total(nonZero(await reader.points(), "rule.responses"))).toBe(20);
    plugin.detach();
  });

  it("counts from before the first provider too", async () => {
    const { provider, reader } = sdk();
    const plugin = wear({ bucketAttribute: { max: 100 } });
    plugin.record(write({ bucket: "lake" }), refused());
    metrics.setGlobalMeterProvider(provider);
    plugin.record(write({ bucket: "river" }), write({ bucket: "river" }));
    const points = nonZero(await reader.points(), "responses");
    expect(valuesOf(points, "aws.s3.bucket")).toEqual(new Set(["lake", "river"]));
    expect(new Set(Object.values(points))).toEqual(new Set([1, 2]));
    plugin.detach();
    metrics.disable();
  });
});

describe("avoidedCost", () => {
  it("is the price of the requests estimated as avoided", async () => {
    const { provider, reader } = sdk();
    const plugin = wear({ meterProvider: provider, avoidedCost: { usdPer10000Requests: 0.03 } });
    for (let i = 0; i < 10_001; i++) plugin.record(write());
    const cost = async (): Promise<number> =>
      (await reader.points())["s3_bucket_key.estimate.kms.avoided_cost{}"] ?? NaN;
    expect(await cost()).toBeCloseTo(0.03, 10);
    for (let i = 0; i < 5_000; i++) plugin.record(write());
    expect(await cost()).toBeCloseTo(0.045, 10);
    plugin.detach();
  });

  it("doesn't exist unless asked for", async () => {
    const { provider, reader } = sdk();
    const plugin = wear({ meterProvider: provider });
    for (let i = 0; i < 10; i++) plugin.record(write());
    expect(Object.keys(await reader.points()).filter((name) => name.includes("cost"))).toEqual([]);
    plugin.detach();
  });
});
