/**
 * A service to look at on the dashboard: an S3 client with the plugin, OpenTelemetry with the Prometheus exporter,
 * and traffic of all kinds against a simulated S3. Nothing leaves this machine.
 *
 *     npx tsx examples/observability/app.ts [--port 9464] [--seconds 60] [--drift]
 *
 * `--drift`: after 20 seconds one answer denies its bucket key, as behind a proxy that drops headers, and one request
 * is denied. It ends after `--seconds`, or with Ctrl-C.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { KMSClient } from "@aws-sdk/client-kms";
import { S3Client } from "@aws-sdk/client-s3";
import { metrics } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { bucketKeys } from "s3-bucket-keys";
import { envelope, kmsKeyring } from "s3-bucket-keys/envelope";
import { otel } from "s3-bucket-keys/otel";
import { loadPolicy } from "s3-bucket-keys/policy-file";
import { startSimulator } from "s3-bucket-keys/testing";
import { BUCKETS, KMS_KEY_ID, trafficRound } from "./traffic.ts";

const { values: given } = parseArgs({
  options: {
    port: { type: "string", default: "9464" },
    seconds: { type: "string", default: "86400" },
    drift: { type: "boolean", default: false },
  },
});
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";

// What any service does: OpenTelemetry, with an exporter that Prometheus scrapes ...
const exporter = new PrometheusExporter({ host: "127.0.0.1", port: Number(given.port) });
const provider = new MeterProvider({ readers: [exporter] });
metrics.setGlobalMeterProvider(provider);

const simulator = await startSimulator({ clock: "real", buckets: BUCKETS, minimumPartBytes: 1 });
simulator.createKmsKey({ id: KMS_KEY_ID });

// ... and the plugin on its client. Its bucket keys for sealing live briefly here, so that their age shows soon.
const kms = new KMSClient(simulator.clientConfig);
const policy = await loadPolicy(new URL("bucket-keys.yaml", import.meta.url));
const sealer = envelope({
  keyring: kmsKeyring({ client: kms, keyId: KMS_KEY_ID }),
  encryptionContext: ({ key }) => ({ tenant: key.split("/")[0] ?? "" }),
  maxAgeSeconds: 15,
});
const plugin = bucketKeys({
  policy,
  envelope: sealer,
  telemetry: otel({ bucketAttribute: { max: 20 }, avoidedCost: { usdPer10000Requests: 0.03 } }),
  logger: { warn: () => {} },
});
const s3 = new S3Client(simulator.clientConfig);
s3.middlewareStack.use(plugin);

console.log(`metrics: http://127.0.0.1:${given.port}/metrics`);
const stop = new AbortController();
process.once("SIGINT", () => stop.abort()).once("SIGTERM", () => stop.abort());

const started = Date.now();
let hasDrifted = !given.drift;
for (let round = 0; !stop.signal.aborted && Date.now() - started < Number(given.seconds) * 1000; round++) {
  if (!hasDrifted && Date.now() - started > 20_000) {
    hasDrifted = true;
    const set = { "x-amz-server-side-encryption-bucket-key-enabled": null };
    simulator.injectFault({
      operation: "PutObject",
      bucket: "acme-lake",
      times: 1,
      fault: { kind: "headers", set },
    });
    simulator.injectFault({
      operation: "CopyObject",
      times: 1,
      fault: { kind: "error", code: "AccessDenied" },
    });
  }
  await trafficRound(s3, round);
  await sleep(250, undefined, { signal: stop.signal }).catch(() => {});
}

s3.destroy();
await plugin.close();
await sealer.close();
policy.close();
kms.destroy();
await provider.shutdown();
await simulator.close();
