import { diag, DiagLogLevel, metrics } from "@opentelemetry/api";
import {
  AggregationTemporality,
  AggregationType,
  createDenyListAttributesProcessor,
  MeterProvider,
} from "@opentelemetry/sdk-metrics";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { EnvelopeEvent } from "../../src/body-sealer.ts";
import { METRICS, otel } from "../../src/otel/index.ts";
import { EVENTS } from "../telemetry/envelope-events.ts";
import { write } from "../telemetry/outcomes.ts";
import { ManualReader, nonZero, pointName, sdk, wear, Wearing, type Points } from "./harness.ts";
import { ENVELOPE_TALLIED, envelopeTally, eventStreams, withoutAttributes } from "./tally.ts";

const AGE = "s3_bucket_key.envelope.data_key.age{s3_bucket_key.envelope.data_key.retire_reason=ttl}";
const DURATION = "s3_bucket_key.kms.request.duration";
const DECRYPTS = `${DURATION}{rpc.method=Decrypt}`;
const GENERATES = `${DURATION}{rpc.method=GenerateDataKey}`;
const ENTRIES = "s3_bucket_key.envelope.cache.entry.count{}";

const broken = (): never => {
  throw new Error("broken by the test");
};

const decrypt = (seconds: number = 0.01): EnvelopeEvent => ({
  kind: "kms-request",
  operation: "Decrypt",
  seconds,
});

const wearing: Wearing[] = [];
function worn(plugin: Wearing): Wearing {
  wearing.push(plugin);
  return plugin;
}

afterEach(() => {
  for (const plugin of wearing.splice(0)) plugin.detach();
  vi.useRealTimers();
  metrics.disable();
  diag.disable();
});

function ofEnvelope(points: Points): string[] {
  return Object.keys(points).filter((name) => /envelope|kms\.request/.test(name));
}

const decrypts = async (reader: ManualReader): Promise<number> => (await reader.points())[DECRYPTS] ?? 0;

function telemetryErrors(plugin: Wearing): number {
  return plugin.counts.stats().errors.find(({ phase }) => phase === "telemetry")?.count ?? 0;
}

describe("a program that never seals", () => {
  it("exports no metric of client-side encryption", async () => {
    const { provider, reader } = sdk();
    const plugin = worn(wear({ meterProvider: provider }));
    plugin.record(write());
    expect(ofEnvelope(await reader.points())).toEqual([]);
    const { resourceMetrics } = await reader.collect();
    const names = resourceMetrics.scopeMetrics
      .flatMap((scope) => scope.metrics)
      .map((m) => m.descriptor.name);
    expect(names.filter((name) => /envelope|kms\.request/.test(name))).toEqual([]);
  });

  it("becomes one that seals with its first sealer: counters stand at 0, in that very collection", async () => {
    const { provider, reader } = sdk();
    const plugin = worn(wear({ meterProvider: provider }));
    await reader.points();
    plugin.counts.sealerAdded();
    const points = await reader.points();
    expect(ofEnvelope(points)).toHaveLength(7);
    expect(ofEnvelope(points).map((name) => points[name])).toEqual(Array(7).fill(0));
  });
});

/** What `points` become under a view that drops the KMS operation. */
function viewed(points: Points): Points {
  return {
    ...nonZero(points, ...ENVELOPE_TALLIED.filter((metric) => metric !== "kms.request.duration")),
    ...withoutAttributes(nonZero(points, "kms.request.duration"), ["rpc.method"]),
  };
}

function sum(counted: readonly { count: number }[] = []): number {
  return counted.reduce((total, { count }) => total + count, 0);
}

describe("every exported sum equals what the sealer told", () => {
  const dropMethod = {
    instrumentName: DURATION,
    attributesProcessors: [createDenyListAttributesProcessor(["rpc.method"])],
  };

  it.each([
    ["without views", [], (points: Points) => points],
    ["under a view that drops an attribute", [dropMethod], viewed],
  ])("for a cumulative and a delta reader that take turns, %s", async (_, views, seen) => {
    await fc.assert(
      fc.asyncProperty(eventStreams, eventStreams, async (first, second) => {
        const cumulative = new ManualReader();
        const delta = new ManualReader(AggregationTemporality.DELTA);
        const plugin = wear({ meterProvider: new MeterProvider({ readers: [cumulative, delta], views }) });
        plugin.observe(...first);
        expect(nonZero(await cumulative.points(), ...ENVELOPE_TALLIED)).toEqual(seen(envelopeTally(first)));
        plugin.observe(...second);
        const all = seen(envelopeTally([...first, ...second]));
        expect(nonZero(await delta.points(), ...ENVELOPE_TALLIED)).toEqual(all);
        expect(nonZero(await cumulative.points(), ...ENVELOPE_TALLIED)).toEqual(all);
        plugin.detach();
      }),
      { numRuns: 30 },
    );
  });

  it("when the provider is registered only after the first events", async () => {
    await fc.assert(
      fc.asyncProperty(eventStreams, eventStreams, async (before, after) => {
        const plugin = wear();
        plugin.observe(...before);
        const { provider, reader } = sdk();
        metrics.setGlobalMeterProvider(provider);
        plugin.observe(...after);
        await plugin.telemetry.flush?.();
        expect(nonZero(await reader.points(), ...ENVELOPE_TALLIED)).toEqual(
          envelopeTally([...before, ...after]),
        );
        plugin.detach();
        metrics.disable();
      }),
      { numRuns: 30 },
    );
  });

  it("for two plugins that share one otel(), each told once", async () => {
    const { provider, reader } = sdk();
    const telemetry = otel({ meterProvider: provider });
    const plugins = [worn(new Wearing(telemetry)), worn(new Wearing(telemetry))];
    for (const plugin of plugins) plugin.observe(...EVENTS);
    expect(nonZero(await reader.points(), ...ENVELOPE_TALLIED)).toEqual(
      envelopeTally([...EVENTS, ...EVENTS]),
    );
  });

  it("and stats() says the same", async () => {
    await fc.assert(
      fc.asyncProperty(eventStreams, async (events) => {
        const { provider, reader } = sdk();
        const plugin = wear({ meterProvider: provider });
        plugin.counts.sealerAdded();
        plugin.observe(...events);
        const points = await reader.points();
        const stats = plugin.counts.stats().envelope;
        const sumOf = (metric: string): number =>
          Object.values(nonZero(points, metric)).reduce((total, value) => total + value, 0);
        expect(sumOf("kms.request.duration")).toBe(sum(stats?.kmsRequests));
        expect(sumOf("envelope.cache.requests")).toBe(sum(stats?.cacheRequests));
        expect(sumOf("envelope.data_key.age")).toBe(sum(stats?.retiredDataKeys));
        expect(sumOf("envelope.data_key.uses")).toBe(sum(stats?.retiredDataKeys));
        expect(points[ENTRIES]).toBe(stats?.cacheEntries);
        expect(sumOf("envelope.io")).toBe((stats?.sealedBytes ?? 0) + (stats?.openedBytes ?? 0));
        plugin.detach();
      }),
      { numRuns: 30 },
    );
  });
});

describe("histograms", () => {
  it("have the buckets of METRICS, and say how long, how old and how often", async () => {
    const { provider, reader } = sdk();
    const plugin = worn(wear({ meterProvider: provider }));
    plugin.observe(...EVENTS);
    const seen = await reader.histograms();
    expect(seen[GENERATES]).toMatchObject({ count: 2, sum: expect.closeTo(0.1, 10) as number });
    expect(seen[GENERATES]?.buckets).toEqual({
      boundaries: METRICS.kmsRequestDuration.buckets,
      counts: [0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0],
    });
    expect(seen[AGE]).toMatchObject({ count: 1, sum: 301.5 });
    expect(seen[AGE]?.buckets.boundaries).toEqual(METRICS.dataKeyAge.buckets);
    const uses = seen[AGE.replace(".age{", ".uses{")];
    expect(uses).toMatchObject({ count: 1, sum: 7 });
    expect(uses?.buckets.boundaries).toEqual(METRICS.dataKeyUses.buckets);
  });

  it("take a View's buckets instead", async () => {
    const type = AggregationType.EXPLICIT_BUCKET_HISTOGRAM as const;
    const aggregation = { type, options: { boundaries: [1, 2] } };
    const { provider, reader } = sdk([{ instrumentName: DURATION, aggregation }]);
    const plugin = worn(wear({ meterProvider: provider }));
    plugin.observe(decrypt(1.5));
    expect((await reader.histograms())[DECRYPTS]?.buckets).toEqual({ boundaries: [1, 2], counts: [0, 1, 0] });
  });

  it("carry error.type only where KMS failed, and never as an empty word", async () => {
    const { provider, reader } = sdk();
    const plugin = worn(wear({ meterProvider: provider }));
    plugin.observe(
      decrypt(),
      { ...decrypt(), errorType: "TimeoutError" } as EnvelopeEvent,
      {
        ...decrypt(),
        errorType: "",
      } as EnvelopeEvent,
    );
    expect(Object.keys(await reader.histograms())).toEqual([
      DECRYPTS,
      pointName(DURATION, { "rpc.method": "Decrypt", "error.type": "TimeoutError" }),
      pointName(DURATION, { "rpc.method": "Decrypt", "error.type": "_OTHER" }),
    ]);
  });

  it.each([NaN, Infinity, -1, undefined, "7"])("never take %s", async (bad) => {
    const { provider, reader } = sdk();
    const plugin = worn(wear({ meterProvider: provider }));
    plugin.observe(
      decrypt(1),
      { kind: "kms-request", operation: "Decrypt", seconds: bad as number },
      { kind: "retired", reason: "ttl", ageSeconds: 0, uses: bad as number },
    );
    const seen = await reader.histograms();
    expect(Object.keys(seen)).toEqual([DECRYPTS, AGE]);
    expect(seen[DECRYPTS]).toMatchObject({ count: 1, sum: 1 });
    expect(telemetryErrors(plugin)).toBe(0);
  });
});

describe("measurements and the meter provider", () => {
  it("wait for the first one, with their values", async () => {
    const plugin = worn(wear());
    plugin.observe(...EVENTS);
    const { provider, reader } = sdk();
    metrics.setGlobalMeterProvider(provider);
    plugin.observe(decrypt(4));
    const seen = await reader.histograms();
    expect(seen[GENERATES]).toMatchObject({ count: 2, sum: expect.closeTo(0.1, 10) as number });
    expect(seen[DECRYPTS]).toMatchObject({ count: 2, sum: 4.004 });
    expect(seen[AGE]).toMatchObject({ count: 1, sum: 301.5 });
  });

  it("find one that is registered without another request, within 10 seconds or by flush()", async () => {
    vi.useFakeTimers();
    const plugin = worn(wear());
    plugin.observe(decrypt());
    const first = sdk();
    metrics.setGlobalMeterProvider(first.provider);
    expect(await decrypts(first.reader)).toBe(0);
    vi.advanceTimersByTime(10_000);
    expect(await decrypts(first.reader)).toBe(1);
    metrics.disable();
    plugin.observe(decrypt(), decrypt());
    const second = sdk();
    metrics.setGlobalMeterProvider(second.provider);
    await plugin.telemetry.flush?.();
    expect([await decrypts(first.reader), await decrypts(second.reader)]).toEqual([1, 2]);
  });

  it("are kept up to 1,000; the oldest are dropped, each counted as an error and told once", async () => {
    const warn = vi.fn<(message: string) => void>();
    diag.setLogger(
      { error: warn, warn, info() {}, debug() {}, verbose() {} },
      { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
    );
    const plugin = worn(wear());
    for (let i = 0; i < 1_000; i++) plugin.observe(decrypt(i));
    expect(telemetryErrors(plugin)).toBe(0);
    for (let i = 1_000; i < 1_003; i++) plugin.observe(decrypt(i));
    expect(telemetryErrors(plugin)).toBe(3);
    expect(warn.mock.calls).toEqual([[expect.stringContaining("no meter provider")]]);
    const { provider, reader } = sdk();
    metrics.setGlobalMeterProvider(provider);
    await plugin.telemetry.flush?.();
    expect((await reader.histograms())[DECRYPTS]).toMatchObject({ count: 1_000, min: 3, max: 1_002 });
  });

  it("go to the provider of their time", async () => {
    const first = sdk();
    const second = sdk();
    metrics.setGlobalMeterProvider(first.provider);
    const plugin = worn(wear());
    plugin.observe(decrypt(), decrypt(), decrypt());
    metrics.disable();
    metrics.setGlobalMeterProvider(second.provider);
    plugin.observe(decrypt());
    expect([await decrypts(first.reader), await decrypts(second.reader)]).toEqual([3, 1]);
  });

  it("stop when the plugin closes; what waited is gone with it", async () => {
    const { provider, reader } = sdk();
    const telemetry = otel();
    const closed = new Wearing(telemetry);
    closed.observe(decrypt());
    closed.detach();
    closed.observe(decrypt());
    metrics.setGlobalMeterProvider(provider);
    const next = worn(new Wearing(telemetry));
    next.observe(decrypt());
    expect(await decrypts(reader)).toBe(1);
  });

  it("move the number of cached keys to the provider that takes another's place, and end it at close", async () => {
    const first = sdk();
    const second = sdk();
    metrics.setGlobalMeterProvider(first.provider);
    const plugin = wear();
    plugin.observe({ kind: "entries", change: 1 }, { kind: "entries", change: 1 });
    expect((await first.reader.points())[ENTRIES]).toBe(2);
    metrics.disable();
    metrics.setGlobalMeterProvider(second.provider);
    plugin.observe({ kind: "entries", change: -1 });
    expect((await first.reader.points())[ENTRIES]).toBe(0);
    expect((await second.reader.points())[ENTRIES]).toBe(1);
    plugin.detach();
    expect((await second.reader.points())[ENTRIES]).toBe(0);
  });
});

describe("a provider that throws never reaches the sealer", () => {
  it.each([
    ["createHistogram", { createHistogram: broken }],
    ["record", { createHistogram: () => ({ record: broken }) }],
    ["any method", undefined],
  ])("in %s: counted and told once, and what else counts goes on", async (_, changes) => {
    const error = vi.fn<(message: string) => void>();
    diag.setLogger(
      { error, warn: error, info() {}, debug() {}, verbose() {} },
      { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
    );
    const { provider, reader } = sdk();
    const asked = vi.fn<() => void>();
    const plugin = worn(
      wear({
        meterProvider: {
          getMeter(...args) {
            asked();
            if (changes === undefined) broken();
            return Object.assign(Object.create(provider.getMeter(...args)) as object, changes) as never;
          },
        },
      }),
    );
    for (let i = 0; i < 5; i++) plugin.observe(...EVENTS);
    expect(asked).toHaveBeenCalledTimes(1);
    expect(telemetryErrors(plugin)).toBeGreaterThan(0);
    expect(error.mock.calls).toEqual([[expect.stringContaining("broken by the test")]]);
    expect(plugin.counts.stats().envelope).toMatchObject({ plainReads: 5, sealedBytes: 5_500 });
    expect((await reader.points())[ENTRIES]).toBe(changes === undefined ? undefined : 5);
  });

  it("even while the diag logger throws too", () => {
    diag.setLogger(
      { error: broken, warn: broken, info: broken, debug: broken, verbose: broken },
      { suppressOverrideMessage: true },
    );
    const plugin = worn(wear());
    expect(() => {
      for (let i = 0; i < 1_005; i++) plugin.observe(decrypt());
    }).not.toThrow();
  });
});

it("nothing that is said outside the closed lists becomes an attribute: no key, ARN or name", async () => {
  const secret = "arn:aws:kms:eu-west-1:111122223333:key/0123 c2VjcmV0IGtleSBieXRlcw==";
  const { provider, reader } = sdk();
  const plugin = worn(wear({ meterProvider: provider }));
  const late = worn(wear());
  const events = [
    { kind: "kms-request", operation: secret, seconds: 1, errorType: secret },
    { kind: "kms-request", operation: "Decrypt", seconds: 1, errorType: secret, key: secret },
    { kind: "cache", result: secret, blob: secret },
    { kind: "retired", reason: secret, ageSeconds: 1, uses: 1, key: secret },
    { kind: "failed", phase: "crypto", errorType: secret },
    { kind: "io", direction: "seal", bytes: 1, body: secret },
  ] as unknown as EnvelopeEvent[];
  plugin.observe(...events);
  late.observe(...events);
  metrics.setGlobalMeterProvider(provider);
  await late.telemetry.flush?.();
  const exported = JSON.stringify((await reader.collect()).resourceMetrics);
  expect(exported).toContain('"error.type":"_OTHER"');
  expect(exported).toContain('"s3_bucket_key.envelope.data_key.retire_reason":"_OTHER"');
  for (const part of secret.split(" ")) expect(exported).not.toContain(part);
});
