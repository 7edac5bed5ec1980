import { diag, DiagLogLevel, metrics, type MeterProvider } from "@opentelemetry/api";
import { afterEach, describe, expect, it, vi } from "vitest";
import { otel } from "../../src/otel/index.ts";
import { Counts } from "../../src/telemetry/stats.ts";
import type { CountSource, Stats } from "../../src/telemetry/telemetry.ts";
import { INFO, write } from "../telemetry/outcomes.ts";
import { nonZero, sdk, wear } from "./harness.ts";

const broken = (): never => {
  throw new Error("broken by the test");
};

function listen(): { error: ReturnType<typeof vi.fn> } {
  const logger = { error: vi.fn(), warn: vi.fn(), info: vi.fn(), debug: vi.fn(), verbose: vi.fn() };
  diag.setLogger(logger, { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true });
  return logger;
}

/** A real provider of which one method of each meter, or of each counter, is broken. */
function brokenProvider(method: string): MeterProvider {
  const { provider } = sdk();
  return {
    getMeter(...args) {
      if (method === "getMeter") broken();
      const meter = Object.create(provider.getMeter(...args)) as ReturnType<MeterProvider["getMeter"]>;
      if (method === "add") {
        meter.createCounter = () => ({ add: broken });
        meter.createUpDownCounter = () => ({ add: broken });
      } else {
        Object.assign(meter, { [method]: broken });
      }
      return meter;
    },
  };
}

function telemetryErrors(stats: Stats): number {
  return stats.errors.find(({ phase }) => phase === "telemetry")?.count ?? 0;
}

afterEach(() => {
  metrics.disable();
  diag.disable();
});

describe("a provider that throws never reaches the request", () => {
  it.each([
    ["getMeter"],
    ["createCounter"],
    ["createUpDownCounter"],
    ["createObservableCounter"],
    ["addBatchObservableCallback"],
    ["removeBatchObservableCallback"],
    ["add"],
  ])("%s: counted as errors{phase=telemetry} and told to diag once", async (method) => {
    const logger = listen();
    metrics.setGlobalMeterProvider(brokenProvider(method));
    const plugin = wear();
    for (let i = 0; i < 5; i++) plugin.record(write());
    plugin.counts.clientAdded();
    await plugin.telemetry.flush?.();
    // Another provider, so that the broken one is left.
    metrics.disable();
    plugin.record(write());
    plugin.detach();
    expect(plugin.counts.stats().requests).toMatchObject([{ count: 6 }]);
    expect(telemetryErrors(plugin.counts.stats())).toBeGreaterThan(0);
    const told = logger.error.mock.calls.filter(([message]) => String(message).includes("s3-bucket-keys"));
    expect(told).toEqual([[expect.stringContaining("broken by the test")]]);
  });

  it("is asked once, not for every request", () => {
    const getMeter = vi.fn<MeterProvider["getMeter"]>(broken);
    metrics.setGlobalMeterProvider({ getMeter });
    const plugin = wear();
    for (let i = 0; i < 100; i++) plugin.record(write());
    expect(getMeter).toHaveBeenCalledTimes(1);
    expect(telemetryErrors(plugin.counts.stats())).toBe(1);
    plugin.detach();
  });

  it("with one broken instrument still exports the others", async () => {
    const { provider, reader } = sdk();
    const plugin = wear({
      meterProvider: {
        getMeter(...args) {
          const meter = provider.getMeter(...args);
          const create = meter.createCounter.bind(meter);
          meter.createCounter = (name, options) =>
            name === "s3_bucket_key.requests" ? broken() : create(name, options);
          return meter;
        },
      },
    });
    plugin.record(write());
    const points = await reader.points();
    expect(Object.values(nonZero(points, "responses"))).toEqual([1]);
    expect(nonZero(points, "errors")).toEqual({
      "s3_bucket_key.errors{error.type=_OTHER,s3_bucket_key.phase=telemetry}": 1,
    });
    plugin.detach();
  });

  it("in forceFlush is counted, and flush() resolves", async () => {
    listen();
    const { provider } = sdk();
    const plugin = wear({
      meterProvider: Object.assign(Object.create(provider) as MeterProvider, {
        forceFlush: async () => broken(),
      }),
    });
    await expect(plugin.telemetry.flush?.()).resolves.toBeUndefined();
    expect(telemetryErrors(plugin.counts.stats())).toBe(1);
    plugin.detach();
  });

  it("even while the diag logger throws too", () => {
    diag.setLogger(
      { error: broken, warn: broken, info: broken, debug: broken, verbose: broken },
      { suppressOverrideMessage: true },
    );
    metrics.setGlobalMeterProvider({ getMeter: broken });
    const plugin = wear();
    expect(() => plugin.record(write())).not.toThrow();
    plugin.detach();
  });
});

/** Honest counts, but for what the test makes of them. */
function source(change: (stats: Stats) => unknown, clients: unknown = 1): CountSource {
  const counts = new Counts(() => INFO);
  counts.record(write(), 0);
  return {
    stats: () => change(counts.stats()) as Stats,
    clients: () => ({ info: INFO, count: clients as number }),
    telemetryFailed: () => counts.telemetryFailed(),
  };
}

describe("counts that are no counts", () => {
  it.each([NaN, Infinity, -1, undefined, "7"])("%s never reaches a counter", async (bad) => {
    const { provider, reader } = sdk();
    let honest = false;
    const detach = otel({ meterProvider: provider, avoidedCost: { usdPer10000Requests: 0.03 } }).attach(
      source((stats) =>
        honest
          ? stats
          : {
              ...stats,
              requests: stats.requests.map((request) => ({ ...request, count: bad })),
              estimatedKmsRequestsAvoided: { GenerateDataKey: bad, Decrypt: bad },
            },
      ),
    );
    expect(nonZero(await reader.points(), "requests", "estimate.kms")).toEqual({});
    honest = true;
    expect(Object.values(nonZero(await reader.points(), "requests"))).toEqual([1]);
    detach();
  });

  it("a total that shrank owes nothing until it has caught up", async () => {
    const { provider, reader } = sdk();
    let count = 5;
    const detach = otel({ meterProvider: provider }).attach(
      source((stats) => ({ ...stats, requests: stats.requests.map((request) => ({ ...request, count })) })),
    );
    const seen: number[] = [];
    for (count of [5, 2, 4, 6]) seen.push(...Object.values(nonZero(await reader.points(), "requests")));
    expect(seen).toEqual([5, 5, 5, 6]);
    detach();
  });

  it("a number of clients that is none counts as no clients", async () => {
    const { provider, reader } = sdk();
    const detach = otel({ meterProvider: provider }).attach(source((stats) => stats, NaN));
    expect(nonZero(await reader.points(), "client.count")).toEqual({});
    detach();
  });

  it("a source that throws doesn't keep another from being exported", async () => {
    const { provider, reader } = sdk();
    const telemetry = otel({ meterProvider: provider });
    const detach = telemetry.attach(source(broken));
    const detachOther = telemetry.attach(source((stats) => stats));
    expect(Object.values(nonZero(await reader.points(), "requests"))).toEqual([1]);
    expect(() => detach()).not.toThrow();
    detachOther();
  });
});

describe("options out of their range", () => {
  it.each([0, 101, 1.5, NaN, undefined])("bucketAttribute.max: %s", (max) => {
    expect(() => otel({ bucketAttribute: { max: max as number } })).toThrow(
      expect.objectContaining({ code: "ERR_BUCKET_KEY_SETUP" }),
    );
  });

  it.each([-1, NaN, Infinity, undefined])("avoidedCost.usdPer10000Requests: %s", (price) => {
    expect(() => otel({ avoidedCost: { usdPer10000Requests: price as number } })).toThrow(
      expect.objectContaining({ code: "ERR_BUCKET_KEY_SETUP" }),
    );
  });
});

describe("a slip in the options", () => {
  const LIST = "it has meterProvider, bucketAttribute, avoidedCost, spanAttributes, schemaUrl.";

  it.each<[object, string]>([
    [
      { bucketAttributes: { max: 20 } },
      `otel has no option "bucketAttributes": ${LIST} Did you mean bucketAttribute?`,
    ],
    [[], "otel takes its options as an object: otel({ meterProvider })."],
    [{ toString: true }, `otel has no option "toString": ${LIST}`],
    [{ meterProvider: {} }, "otel(): meterProvider must be a MeterProvider of the OpenTelemetry SDK."],
    [{ meterProvider: null }, "otel(): meterProvider must be a MeterProvider of the OpenTelemetry SDK."],
    [{ bucketAttribute: 20 }, "otel(): bucketAttribute must be { max }, with the number of buckets to name."],
    [
      { avoidedCost: 0.03 },
      "otel(): avoidedCost must be { usdPer10000Requests }, with a price in US dollars.",
    ],
    [{ spanAttributes: "true" }, "otel(): spanAttributes must be true or false."],
    [{ schemaUrl: new URL("https://example.com/") }, "otel(): schemaUrl must be a URL, as text."],
  ])("is told: %o", (options, message) => {
    expect(() => otel(options)).toThrow(expect.objectContaining({ code: "ERR_BUCKET_KEY_SETUP", message }));
  });

  it("isn't one that is undefined, or in its range", () => {
    const { provider } = sdk();
    const options = { meterProvider: undefined, spanAttributes: false, schemaUrl: "https://example.com/" };
    expect(() => otel(options as object)).not.toThrow();
    expect(() => otel({ meterProvider: provider, bucketAttribute: { max: 100 } })).not.toThrow();
  });
});
