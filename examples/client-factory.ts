/**
 * A service whose clients all come from one factory: the policy is a file that can change while the service
 * runs, and the counts are OpenTelemetry metrics.
 */
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { bucketKeys } from "s3-bucket-keys";
import { otel } from "s3-bucket-keys/otel";
import { loadPolicy } from "s3-bucket-keys/policy-file";

const policy = await loadPolicy(new URL("bucket-keys.yaml", import.meta.url));

/** One plugin for the whole service: one policy, one set of counts, whatever the number of clients. */
const plugin = bucketKeys({ policy, telemetry: otel() });

/** Every S3 client of the service is made here. */
export function s3Client(config: S3ClientConfig = {}): S3Client {
  const client = new S3Client(config);
  client.middlewareStack.use(plugin);
  return client;
}

/** Hands over the last counts and ends the watch on the policy file; call it when the service stops. */
export async function stop(): Promise<void> {
  await plugin.close();
  policy.close();
}
