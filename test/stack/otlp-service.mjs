/**
 * The workload in a process of its own, which sends its metrics over OTLP twice: cumulative, and as deltas. Bundled, and
 * run beside the OpenTelemetry SDK of either line. Told on its input: `drift`, `trouble`, `end`; each is answered on a
 * line with the milliseconds since 1970.
 *
 *     node otlp-service.mjs '{"cumulative": URL, "delta": URL, "instance": NAME, "policyFile": PATH, "folder": PATH}'
 */
import { createInterface } from "node:readline/promises";
import { metrics } from "@opentelemetry/api";
import {
  AggregationTemporalityPreference,
  OTLPMetricExporter,
} from "@opentelemetry/exporter-metrics-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { startWorkload } from "./workload.ts";

const EXPORT_MS = 1000;

const { cumulative, delta, service, policyFile, folder } = JSON.parse(process.argv[2]);

function reader(url, temporalityPreference) {
  return new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter({ url, temporalityPreference }),
    exportIntervalMillis: EXPORT_MS,
    exportTimeoutMillis: EXPORT_MS,
  });
}

const provider = new MeterProvider({
  resource: resourceFromAttributes({
    "service.namespace": "shop",
    "service.name": service,
    "service.instance.id": `${service}-1`,
  }),
  readers: [
    reader(cumulative, AggregationTemporalityPreference.CUMULATIVE),
    // As datadog.md says.
    reader(delta, AggregationTemporalityPreference.DELTA),
  ],
});
metrics.setGlobalMeterProvider(provider);
const workload = await startWorkload({ meterProvider: provider, policyFile, folder });

const told = {
  drift: async () => await workload.drift(),
  async trouble() {
    await workload.trouble();
    return Date.now();
  },
  async end() {
    await workload.stop();
    await provider.shutdown();
    return Date.now();
  },
};
for await (const line of createInterface({ input: process.stdin })) {
  console.log(`${line} ${await told[line]()}`);
  if (line === "end") break;
}
process.exit(0);
