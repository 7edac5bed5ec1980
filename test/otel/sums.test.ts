import {
  AggregationTemporality,
  createAllowListAttributesProcessor,
  createDenyListAttributesProcessor,
  MeterProvider,
} from "@opentelemetry/sdk-metrics";
import type { ViewOptions } from "@opentelemetry/sdk-metrics";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { otel } from "../../src/otel/index.ts";
import { write } from "../telemetry/outcomes.ts";
import { ManualReader, nonZero, sdk, wear, Wearing, type Points } from "./harness.ts";
import { outcomeStreams, TALLIED, tally, withoutAttributes } from "./tally.ts";

const METHOD = "rpc.method";
const ALL_BUT_SSE = [METHOD, "s3_bucket_key.state", "s3_bucket_key.verdict"];
const VIEWS: ViewOptions[] = [
  {
    instrumentName: "s3_bucket_key.requests",
    attributesProcessors: [createDenyListAttributesProcessor([METHOD, "s3_bucket_key.why"])],
  },
  {
    instrumentName: "s3_bucket_key.responses",
    attributesProcessors: [createAllowListAttributesProcessor(["s3_bucket_key.sse.algorithm"])],
  },
  {
    instrumentName: "s3_bucket_key.drifts",
    attributesProcessors: [createDenyListAttributesProcessor([METHOD])],
  },
];

/** What `points` become under `VIEWS`. */
function viewed(points: Points): Points {
  return {
    ...withoutAttributes(nonZero(points, "requests"), [METHOD, "s3_bucket_key.why"]),
    ...withoutAttributes(nonZero(points, "responses"), ALL_BUT_SSE),
    ...withoutAttributes(nonZero(points, "drifts"), [METHOD]),
    ...nonZero(points, "rule.responses", "notes", "errors"),
  };
}

function minus(all: Points, before: Points): Points {
  return nonZero(
    Object.fromEntries(Object.entries(all).map(([name, value]) => [name, value - (before[name] ?? 0)])),
  );
}

function sum(counted: readonly { count: number }[]): number {
  return counted.reduce((total, { count }) => total + count, 0);
}

describe("every exported sum equals plain counting", () => {
  it("at every collection of a cumulative reader", async () => {
    await fc.assert(
      fc.asyncProperty(outcomeStreams, outcomeStreams, async (first, second) => {
        const { provider, reader } = sdk();
        const plugin = wear({ meterProvider: provider });
        plugin.record(...first);
        expect(nonZero(await reader.points(), ...TALLIED)).toEqual(tally(first));
        plugin.record(...second);
        expect(nonZero(await reader.points(), ...TALLIED)).toEqual(tally([...first, ...second]));
        plugin.detach();
      }),
      { numRuns: 40 },
    );
  });

  it("under views that drop attributes and views that allow a few", async () => {
    await fc.assert(
      fc.asyncProperty(outcomeStreams, outcomeStreams, async (first, second) => {
        const { provider, reader } = sdk(VIEWS);
        const plugin = wear({ meterProvider: provider });
        plugin.record(...first);
        expect(nonZero(await reader.points(), ...TALLIED)).toEqual(viewed(tally(first)));
        plugin.record(...second);
        expect(nonZero(await reader.points(), ...TALLIED)).toEqual(viewed(tally([...first, ...second])));
        plugin.detach();
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ["without views", [], (points: Points) => points],
    ["under views", VIEWS, viewed],
  ])("for a cumulative and a delta reader that take turns, %s", async (_, views, seen) => {
    await fc.assert(
      fc.asyncProperty(outcomeStreams, outcomeStreams, outcomeStreams, async (a, b, c) => {
        const cumulative = new ManualReader();
        const delta = new ManualReader(AggregationTemporality.DELTA);
        const provider = new MeterProvider({ readers: [cumulative, delta], views });
        const plugin = wear({ meterProvider: provider });

        plugin.record(...a);
        expect(nonZero(await cumulative.points(), ...TALLIED)).toEqual(seen(tally(a)));
        plugin.record(...b);
        expect(nonZero(await delta.points(), ...TALLIED)).toEqual(seen(tally([...a, ...b])));
        expect(nonZero(await cumulative.points(), ...TALLIED)).toEqual(seen(tally([...a, ...b])));
        plugin.record(...c);
        const all = seen(tally([...a, ...b, ...c]));
        expect(nonZero(await delta.points(), ...TALLIED)).toEqual(minus(all, seen(tally([...a, ...b]))));
        expect(nonZero(await cumulative.points(), ...TALLIED)).toEqual(all);
        plugin.detach();
      }),
      { numRuns: 30 },
    );
  });

  it("for two readers that collect at the same moment", async () => {
    const readers = [new ManualReader(), new ManualReader(AggregationTemporality.DELTA)];
    const plugin = wear({ meterProvider: new MeterProvider({ readers }) });
    plugin.record(write(), write());
    const both = await Promise.all(readers.map(async (reader) => await reader.points()));
    for (const points of both) {
      expect(nonZero(points, ...TALLIED)).toEqual(tally([write(), write()]));
    }
  });

  it("for two plugins that share one otel(), each counted once", async () => {
    await fc.assert(
      fc.asyncProperty(outcomeStreams, outcomeStreams, async (ofOne, ofOther) => {
        const { provider, reader } = sdk();
        const telemetry = otel({ meterProvider: provider });
        const one = new Wearing(telemetry);
        const other = new Wearing(telemetry);
        one.record(...ofOne);
        await reader.points();
        other.record(...ofOther);
        expect(nonZero(await reader.points(), ...TALLIED)).toEqual(tally([...ofOne, ...ofOther]));
        one.detach();
        other.record(...ofOne);
        expect(nonZero(await reader.points(), ...TALLIED)).toEqual(tally([...ofOne, ...ofOther, ...ofOne]));
        other.detach();
      }),
      { numRuns: 30 },
    );
  });

  it("and stats() says the same", async () => {
    await fc.assert(
      fc.asyncProperty(outcomeStreams, async (outcomes) => {
        const { provider, reader } = sdk();
        const plugin = wear({ meterProvider: provider });
        plugin.record(...outcomes);
        const exported = await reader.points();
        const sumOf = (metric: string): number =>
          Object.values(nonZero(exported, metric)).reduce((total, value) => total + value, 0);
        const stats = plugin.counts.stats();
        expect(sumOf("requests")).toBe(sum(stats.requests));
        expect(sumOf("responses")).toBe(sum(stats.responses));
        expect(sumOf("rule.responses")).toBe(sum(stats.rules));
        expect(sumOf("drifts")).toBe(sum(stats.drifts));
        expect(sumOf("notes")).toBe(sum(stats.notes));
        expect(sumOf("errors")).toBe(sum(stats.errors));
        const { GenerateDataKey, Decrypt } = stats.estimatedKmsRequestsAvoided;
        expect(sumOf("estimate.kms.avoided_requests")).toBe(GenerateDataKey + Decrypt);
        plugin.detach();
      }),
      { numRuns: 30 },
    );
  });
});
