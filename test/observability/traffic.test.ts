import { KMSClient } from "@aws-sdk/client-kms";
import { S3Client } from "@aws-sdk/client-s3";
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { expect, it } from "vitest";
import { BUCKETS, KMS_KEY_ID, makeTrouble, trafficRound } from "../../examples/observability/traffic.ts";
import { envelope, kmsKeyring } from "../../src/envelope/index.ts";
import { bucketKeys } from "../../src/index.ts";
import { METRICS, otel } from "../../src/otel/index.ts";
import { loadPolicy } from "../../src/policy-file/index.ts";
import { startSimulator } from "../../src/simulator/index.ts";
import { prometheusName } from "../otel/prometheus-name.ts";
import { observabilityFile } from "./dashboard-queries.ts";

it("the traffic of app.ts moves every metric, and its trouble what goes wrong", async () => {
  const simulator = await startSimulator({ buckets: BUCKETS, minimumPartBytes: 1 });
  simulator.createKmsKey({ id: KMS_KEY_ID });
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const meterProvider = new MeterProvider({ readers: [exporter] });
  const kms = new KMSClient(simulator.clientConfig);
  const sealer = envelope({ keyring: kmsKeyring({ client: kms, keyId: KMS_KEY_ID }) });
  const policy = await loadPolicy(observabilityFile("bucket-keys.yaml"));
  const telemetry = otel({ meterProvider, avoidedCost: { usdPer10000Requests: 0.03 } });
  const plugin = bucketKeys({ policy, envelope: sealer, telemetry, logger: { warn: () => {} } });
  const s3 = new S3Client(simulator.clientConfig);
  s3.middlewareStack.use(plugin);

  await trafficRound(s3, 0);
  await makeTrouble(simulator, s3);
  await trafficRound(s3, 1);
  sealer.evict();
  const { resourceMetrics } = await exporter.collect();
  const lines = new PrometheusSerializer().serialize(resourceMetrics).split("\n");
  const moved = (start: string): boolean =>
    lines.some((line) => line.startsWith(start) && !line.endsWith(" 0"));

  // Nobody changes the policy's file here.
  const still = new Set([METRICS.policyReloads]);
  const metrics = Object.values(METRICS).filter((metric) => !still.has(metric));
  expect(metrics.filter((metric) => !moved(`${prometheusName(metric)}{`)).map(({ name }) => name)).toEqual(
    // The last of them; the eviction has emptied the cache again.
    [METRICS.cacheEntryCount.name],
  );
  const { drifts, errors } = plugin.stats();
  expect(drifts).toMatchObject([{ operation: "PutObject", kind: "bucket-key", count: 1 }]);
  expect(errors).toEqual(
    expect.arrayContaining([
      { type: "AccessDenied", phase: "amended", count: 1 },
      { type: "NotSealedError", phase: "crypto", count: 1 },
    ]),
  );

  s3.destroy();
  await plugin.close();
  await sealer.close();
  policy.close();
  kms.destroy();
  await meterProvider.shutdown();
  await simulator.close();
});
