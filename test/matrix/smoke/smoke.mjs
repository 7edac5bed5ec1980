/** One write that the plugin amends, one that it refuses. Runs unchanged on Node, Bun, Deno and workerd. */
import { HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { bucketKeys, definePolicy } from "s3-bucket-keys";

const policy = definePolicy({
  version: 1,
  rules: [{ id: "smoke", reason: "A smoke test.", bucketKey: "on", onConflict: "refuse", mode: "enforce" }],
});

/** @param task - `{ clientConfig, bucket }`: a server that takes the requests, and a bucket that exists there. */
export async function smoke({ clientConfig, bucket: Bucket }) {
  const s3 = new S3Client(clientConfig);
  const plugin = bucketKeys({ policy, logger: { warn() {} } });
  s3.middlewareStack.use(plugin);
  const write = { Bucket, Body: "x", ServerSideEncryption: "aws:kms" };
  await s3.send(new PutObjectCommand({ ...write, Key: "amended" }));
  const { BucketKeyEnabled } = await s3.send(new HeadObjectCommand({ Bucket, Key: "amended" }));
  const refusal = await s3
    .send(new PutObjectCommand({ ...write, Key: "refused", BucketKeyEnabled: false }))
    .catch((error) => error);
  return {
    stored: BucketKeyEnabled,
    refused: refusal.code,
    why: refusal.why,
    decisions: plugin.stats().requests.map(({ decision }) => decision),
  };
}
