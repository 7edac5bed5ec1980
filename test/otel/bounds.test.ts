import { GetObjectCommand, PutObjectCommand, type PutObjectCommandInput } from "@aws-sdk/client-s3";
import { metrics } from "@opentelemetry/api";
import { describe, expect, it } from "vitest";
import { BucketKeyRefusedError, bucketKeys, definePolicy } from "../../src/index.ts";
import { ERROR_TYPES, KMS_ERROR_TYPES } from "../../src/otel/error-types.ts";
import { METRICS, otel } from "../../src/otel/index.ts";
import type { ClientInfo, Outcome } from "../../src/telemetry/telemetry.ts";
import {
  ALGORITHMS,
  DRIFT_KINDS,
  MODES,
  NOTES,
  OPERATION_NAMES,
  STATES,
  VERDICTS,
  WHYS,
} from "../../src/telemetry/words.ts";
import { FLAG, KEY_ID, SSE, stubClient } from "../support/stub-client.ts";
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

describe("series of one process", () => {
  const DEFAULTS = Object.values(METRICS).filter(
    ({ onlyWhenSealing, optIn }) => onlyWhenSealing !== true && optIn === undefined,
  );

  it("are at most 400 at defaults, by the table", () => {
    expect(DEFAULTS.reduce((sum, { maxSeries }) => sum + maxSeries, 0)).toBe(380);
  });

  it("stay within the bound of each metric under traffic of every kind there is, and no sum is lost", async () => {
    const { provider, reader } = sdk();
    let info: ClientInfo = INFO;
    const plugin = new Wearing(otel({ meterProvider: provider }), () => info);
    plugin.counts.clientAdded();
    const outcomes = anyOutcomes();
    plugin.record(...outcomes);
    plugin.observe(...EVENTS);
    for (const type of KMS_ERROR_TYPES) {
      for (const operation of ["GenerateDataKey", "Decrypt", "Other"] as const) {
        const errorType = type;
        plugin.observe({ kind: "kms-request", operation: operation as "Decrypt", seconds: 1, errorType });
      }
    }
    for (const type of [...ERROR_TYPES, "Other"]) {
      for (const phase of ["policy", "request", "response", "amended", "kms", "crypto"] as const) {
        plugin.counts.failed(type, phase);
      }
    }
    for (const mode of ["enforce", "audit", "off"] as const) {
      for (const modeSource of ["policy", "option", "environment"] as const) {
        for (let i = 0; i < 4; i++) {
          info = { mode, modeSource, policyDigest: `${i}` };
          await reader.points();
        }
      }
    }
    const points = await reader.points();
    const seriesOf = (name: string): number =>
      Object.keys(points).filter((point) => point.startsWith(`${name}{`)).length;
    for (const { name, maxSeries } of Object.values(METRICS)) {
      expect([name, seriesOf(name)]).toEqual([name, expect.toSatisfy((series) => series <= maxSeries)]);
    }
    expect(seriesOf("s3_bucket_key.requests")).toBe(METRICS.requests.maxSeries);
    expect(seriesOf("s3_bucket_key.responses")).toBe(METRICS.responses.maxSeries);
    expect(seriesOf("s3_bucket_key.rule.responses")).toBe(84);
    expect(seriesOf("s3_bucket_key.errors")).toBe(METRICS.errors.maxSeries);
    const decided = outcomes.filter(({ decision }) => decision !== undefined).length;
    expect(total(nonZero(points, "requests"))).toBe(decided);
    expect(total(nonZero(points, "responses"))).toBe(outcomes.length);
    const held = outcomes.filter(({ operation }) => operation !== "CreateSession");
    expect(total(nonZero(points, "rule.responses"))).toBe(held.length);
    expect(total(nonZero(points, "client.count"))).toBe(1);
    plugin.detach();
  }, 20_000);

  it("are at most 60 of a service that only puts and gets, whatever its callers write and S3 answers", async () => {
    const { provider, reader } = sdk();
    let headers: Record<string, string> = {};
    const { client } = stubClient(() => ({ headers }));
    const key = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    const plugin = bucketKeys({
      policy: definePolicy({
        version: 1,
        rules: [{ id: "lake", reason: "The bill.", kmsKey: key, bucketKey: "on", mode: "enforce" }],
      }),
      telemetry: otel({ meterProvider: provider }),
      logger: { warn() {} },
    });
    client.middlewareStack.use(plugin);
    const answers = [
      ...[undefined, "aws:kms", "aws:kms:dsse", "AES256"].flatMap((sse) =>
        [undefined, "true", "false"].map((flag) => ({
          ...(sse !== undefined && { [SSE]: sse }),
          ...(flag !== undefined && { [FLAG]: flag }),
        })),
      ),
      { [`${SSE}-customer-algorithm`]: "AES256" },
      { [SSE]: "aws:kms", [FLAG]: "true", [KEY_ID]: key.replace("1234abcd", "00000000") },
    ];
    const writes: Partial<PutObjectCommandInput>[] = [
      {},
      { ServerSideEncryption: "AES256" },
      { ServerSideEncryption: "aws:kms:dsse" },
      { SSECustomerAlgorithm: "AES256", SSECustomerKey: "k".repeat(32) },
      ...[undefined, key, "alias/other", key.replace("1234abcd", "00000000")].flatMap((SSEKMSKeyId) =>
        [undefined, true, false].map((BucketKeyEnabled) => ({
          ServerSideEncryption: "aws:kms" as const,
          ...(SSEKMSKeyId !== undefined && { SSEKMSKeyId }),
          ...(BucketKeyEnabled !== undefined && { BucketKeyEnabled }),
        })),
      ),
    ];
    const refusals: unknown[] = [];
    for (const answer of answers) {
      headers = answer;
      await client.send(new GetObjectCommand({ Bucket: "lake", Key: "k" }));
      for (const asked of writes) {
        const put = new PutObjectCommand({ Bucket: "lake", Key: "k", Body: "x", ...asked });
        await client.send(put).catch((error: unknown) => refusals.push(error));
      }
    }
    expect(refusals.every((error) => error instanceof BucketKeyRefusedError)).toBe(true);
    const series = Object.keys(await reader.points());
    expect(plugin.stats().requests.length).toBeGreaterThan(4);
    expect(plugin.stats().responses.length).toBeGreaterThan(15);
    expect(series.length).toBeLessThanOrEqual(60);
    await plugin.close();
  });
});

/** An answer, and a decision where there are any, of every combination of words. */
function anyOutcomes(): Outcome[] {
  const states = STATES.flatMap((state) => [...ALGORITHMS, "aws:fsx"].map((sse) => ({ state, sse })));
  const answers = states.flatMap((answer) => VERDICTS.map((verdict) => ({ ...answer, verdict })));
  return [...OPERATION_NAMES, "Other"].flatMap((operation, op) =>
    answers.map((answer, i) => {
      const rule = `rule-${i % 30}`;
      const why = WHYS[i % WHYS.length] ?? "set";
      const mode = MODES[i % MODES.length] ?? "enforce";
      const drifts = DRIFT_KINDS.slice(i % 4);
      const notes = NOTES.slice(i % 5);
      return op > 4
        ? read(operation, { ...answer, rule })
        : write({ operation, why, mode, notes }, { ...answer, rule, drifts });
    }),
  );
}

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

  it("holds 100,000 bucket names: a bounded number of series, and no answer is lost", async () => {
    const { provider, reader } = sdk();
    const plugin = wear({ meterProvider: provider, bucketAttribute: { max: 100 } });
    for (let i = 0; i < 100_000; i++) {
      const [state, sse] = ["enabled aws:kms", "disabled aws:kms", "unknown none"][i % 3]?.split(" ") ?? [];
      plugin.record(read("GetObject", { state: state as "enabled", sse: sse ?? "" }, `bucket-${i}`));
    }
    const points = nonZero(await reader.points(), "responses");
    expect(valuesOf(points, "aws.s3.bucket").size).toBe(101);
    expect(Object.keys(points)).toHaveLength(100 + 3);
    expect(total(points)).toBe(100_000);
    plugin.detach();
  });

  it("passes no more series on than the SDK keeps, and its sums are right", async () => {
    const { provider, reader } = sdk();
    const plugin = wear({ meterProvider: provider, bucketAttribute: { max: 100 } });
    const outcomes = anyOutcomes().filter((_, i) => i % 40 === 0);
    for (let i = 0; i < 150; i++) {
      plugin.record(...outcomes.map((outcome) => ({ ...outcome, bucket: `bucket-${i}` })));
    }
    const points = nonZero(await reader.points(), "responses");
    expect(Object.keys(points)).toHaveLength(1_999);
    expect(total(points)).toBe(150 * outcomes.length);
    plugin.detach();
  }, 20_000);

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
