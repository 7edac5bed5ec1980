import type { MetricDefinition } from "../../src/otel/index.ts";

/** The name under which Prometheus knows a metric, by every road: our units are annotations, no suffixes. */
export function prometheusName({ name, instrument }: MetricDefinition): string {
  return `${name.replaceAll(".", "_")}${instrument === "counter" ? "_total" : ""}`;
}
