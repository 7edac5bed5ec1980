import { metrics } from "@opentelemetry/api";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { afterEach, describe, expect, it, vi } from "vitest";
import { write } from "../telemetry/outcomes.ts";
import { sdk, wear } from "./harness.ts";

const API = Symbol.for("opentelemetry.js.api.1");

/** What a copy of the API older than ours leaves in the global: ours doesn't look at it. */
function registerWithOlderApi(over: object): void {
  Reflect.set(globalThis, API, { version: "1.0.0", metrics: new MeterProvider(), ...over });
}

afterEach(() => {
  Reflect.deleteProperty(globalThis, API);
  vi.restoreAllMocks();
});

describe("an application that registers with an older copy of the API", () => {
  it("is told once, by its own diag logger, and counted as a failure of telemetry", async () => {
    const diag = { warn: vi.fn<(message: string) => void>() };
    registerWithOlderApi({ diag });
    const plugin = wear();
    plugin.record(write());
    for (let i = 0; i < 3; i++) await plugin.telemetry.flush?.();
    plugin.detach();
    expect(diag.warn.mock.calls).toEqual([[expect.stringMatching(/two copies.*version 1\.0\.0/)]]);
    expect(plugin.counts.stats().errors).toEqual([{ type: "_OTHER", phase: "telemetry", count: 1 }]);
  });

  it("is told by a process warning when it has no diag logger", () => {
    const emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    registerWithOlderApi({});
    wear().detach();
    expect(emitWarning.mock.calls).toEqual([[expect.stringContaining("npm ls @opentelemetry/api")]]);
  });

  it("is told when its spans are out of reach, though it passed the meter provider", () => {
    const diag = { warn: vi.fn<(message: string) => void>() };
    registerWithOlderApi({ diag, trace: {} });
    wear({ meterProvider: sdk().provider }).detach();
    expect(diag.warn).not.toHaveBeenCalled();
    wear({ meterProvider: sdk().provider, spanAttributes: true }).detach();
    expect(diag.warn.mock.calls).toEqual([
      [expect.stringMatching(/: attributes are not written on spans, /)],
    ]);
    expect(diag.warn.mock.calls[0]?.[0]).not.toContain("otel({ meterProvider })");
    wear({ spanAttributes: true }).detach();
    expect(diag.warn.mock.calls[1]?.[0]).toContain("metrics are not exported and attributes are not written");
  });

  it("is told nothing when it passed the provider", async () => {
    const diag = { warn: vi.fn<(message: string) => void>() };
    registerWithOlderApi({ diag });
    const { provider, reader } = sdk();
    const plugin = wear({ meterProvider: provider });
    plugin.record(write());
    expect(Object.keys(await reader.points())).not.toEqual([]);
    expect(diag.warn).not.toHaveBeenCalled();
    plugin.detach();
  });
});

describe("an application that is in reach", () => {
  it.each<[string, () => void]>([
    ["registered nothing yet", () => {}],
    ["registered only a logger, with an older copy", () => registerWithOlderApi({ metrics: undefined })],
    ["registered with our copy", () => metrics.setGlobalMeterProvider(sdk().provider)],
  ])("is told nothing: it %s", (_, register) => {
    const emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    register();
    const plugin = wear();
    plugin.record(write());
    plugin.detach();
    expect(emitWarning).not.toHaveBeenCalled();
    expect(plugin.counts.stats().errors).toEqual([]);
  });
});
