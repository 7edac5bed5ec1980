import type { MetricDefinition } from "../../src/otel/index.ts";

/** What a Collector puts behind the name for a real unit; annotations are none. */
const COLLECTOR_UNITS: Readonly<Record<string, string>> = { s: "_seconds", By: "_bytes" };

/** What stands behind the unit. A histogram is known by its buckets. */
const ENDINGS = { counter: "_total", "up-down-counter": "", histogram: "_bucket" } as const;

/** The name under which the JavaScript exporter shows a metric to Prometheus. */
export function prometheusName({ name, instrument }: MetricDefinition): string {
  return `${name.replaceAll(".", "_")}${ENDINGS[instrument]}`;
}

/** The name of the same metric by way of a Collector or of Prometheus's OTLP receiver. */
export function collectorName({ name, instrument, unit }: MetricDefinition): string {
  return `${name.replaceAll(".", "_")}${COLLECTOR_UNITS[unit] ?? ""}${ENDINGS[instrument]}`;
}
