/**
 * The demo: one workload, three times, against a simulated S3 that counts the KMS requests S3 itself makes.
 *
 * 1. no plugin: the service names aws:kms and forgets the bucket key, as services do;
 * 2. the plugin in audit: nothing changes, but now it is counted who would need what;
 * 3. the plugin enforcing `bucket-keys.yaml`.
 *
 * `npm run demo` builds the package and runs this file.
 */
import { S3Client } from "@aws-sdk/client-s3";
import { bucketKeys, type BucketKeysPlugin } from "s3-bucket-keys";
import { otel } from "s3-bucket-keys/otel";
import { loadPolicy } from "s3-bucket-keys/policy-file";
import { startSimulator } from "s3-bucket-keys/testing";
import { prometheus } from "./demo/prometheus.ts";
import { printMetrics, printRefusal, printTable, type Row } from "./demo/report.ts";
import { makeBuckets, objectStates, refusedPut, runWorkload } from "./demo/workload.ts";

const KMS_KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab";
const POLICY_FILE = new URL("bucket-keys.yaml", import.meta.url);

/** A fresh simulator, one client, the workload; what came out is a row of the table. */
async function run(name: string, plugin: BucketKeysPlugin | undefined): Promise<Row> {
  const simulator = await startSimulator({ region: "eu-west-1", accountId: "111122223333" });
  const s3 = new S3Client(simulator.clientConfig);
  try {
    const { arn } = simulator.createKmsKey({ id: KMS_KEY_ID });
    await makeBuckets(s3);
    if (plugin !== undefined) s3.middlewareStack.use(plugin);

    const requests = await runWorkload(s3, arn, (ms) => simulator.advance(ms));
    const kmsRequests = simulator.kmsRequests().reduce((sum, { count }) => sum + count, 0);
    const drifts = plugin?.stats().drifts.reduce((sum, { count }) => sum + count, 0);
    return { name, requests, ...(await objectStates(simulator.clientConfig)), drifts, kmsRequests };
  } finally {
    s3.destroy();
    await simulator.close();
  }
}

/** What a write looks like that the policy refuses: it never leaves the process. */
async function refusal(plugin: BucketKeysPlugin): Promise<string> {
  const s3 = new S3Client({ region: "eu-west-1" });
  s3.middlewareStack.use(plugin);
  return refusedPut(s3);
}

// On Node 20 the SDK announces the end of its support; that would stand above the table.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";

const metrics = prometheus();
const policy = await loadPolicy(POLICY_FILE);
const quiet = { warn: () => {} };
const auditing = bucketKeys({ policy, mode: "audit", logger: quiet });
const enforcing = bucketKeys({ policy, telemetry: otel(), logger: quiet });

printTable([
  await run("no plugin", undefined),
  await run("plugin, audit", auditing),
  await run("plugin, enforce", enforcing),
]);
printMetrics(await metrics.text());
printRefusal(await refusal(enforcing));

await auditing.close();
await enforcing.close();
await metrics.shutdown();
