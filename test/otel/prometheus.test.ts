import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { METRICS } from "../../src/otel/index.ts";
import { METER_VERSION } from "../../src/otel/names.ts";
import { write } from "../telemetry/outcomes.ts";
import { EVENTS } from "../telemetry/envelope-events.ts";
import { wear } from "./harness.ts";
import { prometheusName } from "./prometheus-name.ts";

let exporter: PrometheusExporter;
let provider: MeterProvider;
let server: Server;

beforeEach(async () => {
  exporter = new PrometheusExporter({ preventServerStart: true });
  provider = new MeterProvider({ readers: [exporter] });
  server = createServer((request, response) => exporter.getMetricsRequestHandler(request, response));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await provider.shutdown();
});

async function scrape(): Promise<string[]> {
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  return (await response.text()).split("\n");
}

/** Of a histogram there are also its sum, its count and its family. */
function bucketOf(name: string): string {
  return `${name.replace(/_(sum|count)$/, "")}_bucket`;
}

describe("what Prometheus scrapes", () => {
  it("has every metric under its name, each line with its labels and value", async () => {
    const plugin = wear({ meterProvider: provider, avoidedCost: { usdPer10000Requests: 0.03 } });
    plugin.counts.clientAdded();
    plugin.record(write({ notes: ["own-context"] }), write());
    plugin.record(write({}, { verdict: "drift", drifts: ["bucket-key"], state: "disabled" }));
    plugin.counts.failed("AccessDenied", "amended");
    plugin.observe(...EVENTS);
    const lines = await scrape();
    const scope = `otel_scope_name="s3-bucket-keys",otel_scope_version="${METER_VERSION}"`;

    for (const metric of Object.values(METRICS)) {
      const type = { counter: "counter", "up-down-counter": "gauge", histogram: "histogram" };
      const family = prometheusName(metric).replace(/_bucket$/, "");
      expect(lines).toContain(`# TYPE ${family} ${type[metric.instrument]}`);
    }
    const values = lines
      .filter((line) => line.startsWith("s3_bucket_key"))
      .map((line) =>
        line
          .replace(`,${scope}`, "")
          .replace(scope, "")
          .replace(/ \d{13}$/, ""),
      );
    expect(values).toContain(
      's3_bucket_key_requests_total{rpc_method="PutObject",s3_bucket_key_decision="amend",' +
        's3_bucket_key_why="set",s3_bucket_key_mode="enforce"} 3',
    );
    expect(values).toContain(
      's3_bucket_key_responses_total{rpc_method="PutObject",s3_bucket_key_state="disabled",' +
        's3_bucket_key_sse_algorithm="aws:kms",s3_bucket_key_verdict="drift"} 1',
    );
    expect(values).toContain(
      's3_bucket_key_drifts_total{rpc_method="PutObject",s3_bucket_key_drift_kind="bucket-key"} 1',
    );
    expect(values).toContain(
      's3_bucket_key_drifts_total{rpc_method="CopyObject",s3_bucket_key_drift_kind="kms-key"} 0',
    );
    expect(values).toContain(
      's3_bucket_key_client_count{s3_bucket_key_mode="enforce",s3_bucket_key_mode_source="policy",' +
        's3_bucket_key_policy_digest="d1"} 1',
    );
    expect(values).toContain('s3_bucket_key_kms_request_duration_count{rpc_method="GenerateDataKey"} 2');
    expect(values).toContain(
      's3_bucket_key_kms_request_duration_bucket{rpc_method="GenerateDataKey",le="0.05"} 1',
    );
    expect(values).toContain(
      's3_bucket_key_kms_request_duration_count{rpc_method="Decrypt",error_type="AccessDeniedException"} 1',
    );
    expect(values).toContain(
      's3_bucket_key_envelope_cache_requests_total{s3_bucket_key_envelope_cache_result="hit"} 2',
    );
    expect(values).toContain("s3_bucket_key_envelope_cache_entry_count{} 1");
    expect(values).toContain(
      's3_bucket_key_envelope_data_key_age_bucket{s3_bucket_key_envelope_data_key_retire_reason="ttl",le="600"} 1',
    );
    expect(values).toContain(
      's3_bucket_key_envelope_data_key_uses_sum{s3_bucket_key_envelope_data_key_retire_reason="ttl"} 7',
    );
    expect(values).toContain(
      's3_bucket_key_envelope_io_total{s3_bucket_key_envelope_io_direction="seal"} 1100',
    );
    plugin.detach();
  });

  it("has nothing else of ours: no name that METRICS doesn't have", async () => {
    const plugin = wear({ meterProvider: provider, avoidedCost: { usdPer10000Requests: 0.03 } });
    plugin.record(write());
    plugin.observe(...EVENTS);
    const known = new Set(Object.values(METRICS).map((metric) => prometheusName(metric)));
    const names = (await scrape())
      .map((line) => /^(?:# (?:TYPE|HELP) )?(s3_bucket_key\w+)/.exec(line)?.[1])
      .filter((name) => name !== undefined);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !known.has(name) && !known.has(bucketOf(name)))).toEqual([]);
    plugin.detach();
  });

  it("holds in each scrape all that was counted before it", async () => {
    const plugin = wear({ meterProvider: provider });
    const seen: string[] = [];
    for (let round = 1; round <= 3; round++) {
      for (let i = 0; i < round; i++) plugin.record(write());
      const line = (await scrape()).find((text) => text.startsWith("s3_bucket_key_requests_total{"));
      seen.push(/\} (\d+)/.exec(line ?? "")?.[1] ?? "");
    }
    expect(seen).toEqual(["1", "3", "6"]);
    plugin.detach();
  });
});
