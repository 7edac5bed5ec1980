/** The application's OpenTelemetry SDK with a Prometheus exporter, as any service sets it up. */
import { metrics } from "@opentelemetry/api";
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";

/** Registers the SDK; `text()` is what a scrape would get. */
export function prometheus(): { text(): Promise<string>; shutdown(): Promise<void> } {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [exporter] });
  metrics.setGlobalMeterProvider(provider);
  return {
    async text() {
      const { resourceMetrics } = await exporter.collect();
      return new PrometheusSerializer().serialize(resourceMetrics);
    },
    shutdown: () => provider.shutdown(),
  };
}
