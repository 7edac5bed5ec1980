import { diag, metrics, type MeterProvider as ApiMeterProvider } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { afterEach, describe, expect, it, vi } from "vitest";
import { otel } from "../../src/otel/index.ts";
import type { ClientInfo } from "../../src/telemetry/telemetry.ts";
import { INFO, write } from "../telemetry/outcomes.ts";
import { nonZero, pointName, sdk, wear, Wearing, type ManualReader, type Points } from "./harness.ts";

const REQUESTS = pointName("s3_bucket_key.requests", {
  "rpc.method": "PutObject",
  "s3_bucket_key.decision": "amend",
  "s3_bucket_key.why": "set",
  "s3_bucket_key.mode": "enforce",
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

async function requests(reader: ManualReader): Promise<number> {
  return (await reader.points())[REQUESTS] ?? 0;
}

describe("the meter provider", () => {
  it("may be registered before the plugin is made", async () => {
    const { provider, reader } = sdk();
    metrics.setGlobalMeterProvider(provider);
    const plugin = worn(wear());
    plugin.record(write());
    expect(await requests(reader)).toBe(1);
  });

  it("may be registered after the first requests: they are added to it", async () => {
    const plugin = worn(wear());
    for (let i = 0; i < 42; i++) plugin.record(write());
    const { provider, reader } = sdk();
    metrics.setGlobalMeterProvider(provider);
    plugin.record(write(), write());
    expect(await requests(reader)).toBe(44);
  });

  it("is found without another request, by flush()", async () => {
    const plugin = worn(wear());
    plugin.record(write());
    const { provider, reader } = sdk();
    metrics.setGlobalMeterProvider(provider);
    await plugin.telemetry.flush?.();
    expect(await requests(reader)).toBe(1);
  });

  it("is found without another request, within 10 seconds", async () => {
    vi.useFakeTimers();
    const plugin = worn(wear());
    plugin.record(write());
    const { provider, reader } = sdk();
    metrics.setGlobalMeterProvider(provider);
    expect(await requests(reader)).toBe(0);
    vi.advanceTimersByTime(10_000);
    expect(await requests(reader)).toBe(1);
  });

  it("that takes another's place gets only new counts, and the other keeps its own", async () => {
    const first = sdk();
    const second = sdk();
    metrics.setGlobalMeterProvider(first.provider);
    const plugin = worn(wear());
    plugin.record(write(), write(), write());
    metrics.disable();
    metrics.setGlobalMeterProvider(second.provider);
    plugin.record(write(), write());
    expect(await requests(first.reader)).toBe(3);
    expect(await requests(second.reader)).toBe(2);
  });

  it("may be shut down and replaced: the new one gets only new counts", async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const periodic = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const first = new MeterProvider({ readers: [periodic] });
    metrics.setGlobalMeterProvider(first);
    const plugin = worn(wear());
    plugin.record(write());
    await periodic.forceFlush();
    await first.shutdown();
    metrics.disable();
    const second = sdk();
    metrics.setGlobalMeterProvider(second.provider);
    plugin.record(write(), write());
    expect(await requests(second.reader)).toBe(2);
  });

  it("gets what was counted while there was none", async () => {
    const first = sdk();
    metrics.setGlobalMeterProvider(first.provider);
    const plugin = worn(wear());
    plugin.record(write());
    metrics.disable();
    plugin.record(write(), write());
    const second = sdk();
    metrics.setGlobalMeterProvider(second.provider);
    plugin.record(write());
    expect(await requests(first.reader)).toBe(1);
    expect(await requests(second.reader)).toBe(3);
  });

  it("can be given: then the global one gets nothing", async () => {
    const global = sdk();
    const given = sdk();
    metrics.setGlobalMeterProvider(global.provider);
    const plugin = worn(wear({ meterProvider: given.provider }));
    plugin.record(write());
    expect(await requests(given.reader)).toBe(1);
    expect(await global.reader.points()).toEqual({});
  });

  it("exports nothing under the name of the observable that only makes it ask", async () => {
    const { provider, reader } = sdk();
    const plugin = worn(wear({ meterProvider: provider }));
    plugin.record(write());
    expect(Object.keys(await reader.points()).filter((name) => name.includes("pending"))).toEqual([]);
  });

  it("sees the package's name and version as the scope, and a schema URL only when asked for", async () => {
    for (const [options, schemaUrl] of [
      [{}, undefined],
      [{ schemaUrl: "https://example.com/schema" }, "https://example.com/schema"],
    ] as const) {
      const { provider, reader } = sdk();
      const plugin = worn(wear({ ...options, meterProvider: provider }));
      plugin.record(write());
      const [scope] = (await reader.collect()).resourceMetrics.scopeMetrics;
      expect(scope?.scope).toMatchObject({ name: "s3-bucket-keys" });
      expect(scope?.scope.schemaUrl).toBe(schemaUrl);
    }
  });
});

describe("series that alerts rely on", () => {
  it("stand at 0 from the first collection on: drifts and reloads", async () => {
    const { provider, reader } = sdk();
    worn(wear({ meterProvider: provider }));
    const points = Object.entries(await reader.points());
    const drifts = points.filter(([name]) => name.startsWith("s3_bucket_key.drifts{"));
    const reloads = points.filter(([name]) => name.startsWith("s3_bucket_key.policy.reloads{"));
    expect(drifts).toHaveLength(9);
    expect(reloads).toHaveLength(2);
    expect([...drifts, ...reloads].every(([, value]) => value === 0)).toBe(true);
  });

  it("stand at 0 on a provider that takes another's place", async () => {
    metrics.setGlobalMeterProvider(sdk().provider);
    const plugin = worn(wear());
    plugin.record(write({}, { verdict: "drift", drifts: ["kms-key"] }));
    metrics.disable();
    const second = sdk();
    metrics.setGlobalMeterProvider(second.provider);
    plugin.record(write());
    const points = await second.reader.points();
    expect(points["s3_bucket_key.drifts{rpc.method=PutObject,s3_bucket_key.drift.kind=kms-key}"]).toBe(0);
  });
});

/** A provider of somebody else: counters work, batch callbacks are never called. */
function deafProvider(): { provider: ApiMeterProvider; added: () => number } {
  const { provider } = sdk();
  let requestsAdded = 0;
  const meter = Object.create(provider.getMeter("deaf")) as ReturnType<ApiMeterProvider["getMeter"]>;
  meter.createCounter = (name) => ({
    add(value: number) {
      if (name === "s3_bucket_key.requests") requestsAdded += value;
    },
  });
  meter.addBatchObservableCallback = () => {};
  return { provider: { getMeter: () => meter }, added: () => requestsAdded };
}

describe("pending counts", () => {
  it("reach a provider that never asks within 10 seconds", () => {
    vi.useFakeTimers();
    const { provider, added } = deafProvider();
    const plugin = worn(wear({ meterProvider: provider }));
    plugin.record(write(), write());
    expect(added()).toBe(0);
    vi.advanceTimersByTime(10_000);
    expect(added()).toBe(2);
    plugin.record(write());
    vi.advanceTimersByTime(10_000);
    expect(added()).toBe(3);
  });

  it("reach a provider that never asks at flush and at close", async () => {
    const { provider, added } = deafProvider();
    const plugin = worn(wear({ meterProvider: provider }));
    plugin.record(write(), write());
    await plugin.telemetry.flush?.();
    expect(added()).toBe(2);
    plugin.record(write());
    plugin.detach();
    expect(added()).toBe(3);
  });

  it("need no timer once the last plugin has closed", () => {
    vi.useFakeTimers();
    const telemetry = otel();
    const plugins = [worn(new Wearing(telemetry)), worn(new Wearing(telemetry))];
    const timers = plugins.map((plugin) => {
      const running = vi.getTimerCount();
      plugin.detach();
      return running;
    });
    expect([...timers, vi.getTimerCount()]).toEqual([1, 1, 0]);
  });

  it("are collected where the runtime allows no timer", async () => {
    vi.stubGlobal("setInterval", () => {
      throw new Error("Disallowed operation called within global scope");
    });
    const { provider, reader } = sdk();
    const plugin = worn(wear({ meterProvider: provider }));
    vi.unstubAllGlobals();
    plugin.record(write());
    expect(await requests(reader)).toBe(1);
    expect(plugin.counts.stats().errors).toEqual([]);
  });

  it("are exported by flush() before it resolves, as a Lambda handler needs", async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const provider = new MeterProvider({ readers: [reader] });
    const plugin = worn(wear({ meterProvider: provider }));
    const exported = (): number[] =>
      exporter
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
        .filter(({ descriptor }) => descriptor.name === "s3_bucket_key.requests")
        .flatMap(({ dataPoints }) => dataPoints.map(({ value }) => value as number));
    plugin.record(write(), write());
    await plugin.telemetry.flush?.();
    expect(exported()).toEqual([2]);
    plugin.record(write());
    await plugin.telemetry.flush?.();
    expect(exported()).toEqual([2, 1]);
    await provider.shutdown();
  });

  it("stop when the plugin closes: later requests reach no provider, and no callback is left", async () => {
    const { provider, reader } = sdk();
    metrics.setGlobalMeterProvider(provider);
    const plugin = worn(wear());
    plugin.record(write());
    plugin.detach();
    plugin.detach();
    plugin.record(write());
    await plugin.telemetry.flush?.();
    const late = sdk();
    metrics.disable();
    metrics.setGlobalMeterProvider(late.provider);
    plugin.record(write());
    await plugin.telemetry.flush?.();
    expect(await requests(reader)).toBe(1);
    expect(await late.reader.points()).toEqual({});
  });
});

const clients = (points: Points): Points => nonZero(points, "client.count");
const name = (digest: string, mode = "enforce"): string =>
  pointName("s3_bucket_key.client.count", {
    "s3_bucket_key.mode": mode,
    "s3_bucket_key.mode.source": "policy",
    "s3_bucket_key.policy.digest": digest,
  });

describe("client.count", () => {
  it("adds the clients of every plugin, and follows a reload", async () => {
    const { provider, reader } = sdk();
    const telemetry = otel({ meterProvider: provider });
    let info: ClientInfo = INFO;
    const one = worn(new Wearing(telemetry, () => info));
    const other = worn(new Wearing(telemetry, () => INFO));
    one.counts.clientAdded();
    one.counts.clientAdded();
    other.counts.clientAdded();
    expect(clients(await reader.points())).toEqual({ [name("d1")]: 3 });
    info = { ...INFO, policyDigest: "d2", mode: "audit" };
    expect(clients(await reader.points())).toEqual({ [name("d1")]: 1, [name("d2", "audit")]: 2 });
    info = INFO;
    expect(clients(await reader.points())).toEqual({ [name("d1")]: 3 });
  });

  it("loses the clients of a plugin that closes", async () => {
    const { provider, reader } = sdk();
    const telemetry = otel({ meterProvider: provider });
    const one = worn(new Wearing(telemetry));
    const other = worn(new Wearing(telemetry));
    one.counts.clientAdded();
    other.counts.clientAdded();
    await reader.points();
    one.detach();
    expect(clients(await reader.points())).toEqual({ [name("d1")]: 1 });
    other.detach();
    expect(clients(await reader.points())).toEqual({});
  });

  it("moves to the provider that takes another's place", async () => {
    const first = sdk();
    const second = sdk();
    metrics.setGlobalMeterProvider(first.provider);
    const plugin = worn(wear());
    plugin.counts.clientAdded();
    expect(clients(await first.reader.points())).toEqual({ [name("d1")]: 1 });
    metrics.disable();
    metrics.setGlobalMeterProvider(second.provider);
    await plugin.telemetry.flush?.();
    expect(clients(await first.reader.points())).toEqual({});
    expect(clients(await second.reader.points())).toEqual({ [name("d1")]: 1 });
  });
});
