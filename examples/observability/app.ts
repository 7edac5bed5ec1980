/**
 * A service to look at on the dashboard: an S3 client with the plugin, OpenTelemetry with the Prometheus exporter,
 * and traffic of all kinds against a simulated S3. Nothing leaves this machine.
 *
 *     node --import tsx examples/observability/app.ts [--port 9464] [--seconds 60] [--trouble]
 *
 * `--trouble`: after 20 seconds one answer denies its bucket key, as behind a proxy that drops headers; one request is
 * denied; and somebody's plain object lies where only sealed ones may be. The app ends after `--seconds`, or with Ctrl-C.
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
import { BUCKETS, KMS_KEY_ID, makeTrouble, trafficRound } from "./traffic.ts";

const { values: given } = parseArgs({
  options: {
    port: { type: "string", default: "9464" },
    seconds: { type: "string", default: "86400" },
    trouble: { type: "boolean", default: false },
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
  // On standard error a drift, a denial and a refusal say what to do: ten of a kind at once, then one a minute.
  logger: { warn: (line) => console.error(line) },
});
const s3 = new S3Client(simulator.clientConfig);
s3.middlewareStack.use(plugin);

console.log(`metrics: http://127.0.0.1:${given.port}/metrics`);
const stop = new AbortController();
process.once("SIGINT", () => stop.abort()).once("SIGTERM", () => stop.abort());

const started = Date.now();
let isTroubleAhead = given.trouble;
for (let round = 0; !stop.signal.aborted && Date.now() - started < Number(given.seconds) * 1000; round++) {
  if (isTroubleAhead && Date.now() - started > 20_000) {
    isTroubleAhead = false;
    await makeTrouble(simulator, s3);
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
