/**
 * A Lambda function. The client lives as long as the execution environment; counts are handed over at the end
 * of each invocation, because the environment may be frozen right after it.
 */
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { bucketKeys, definePolicy } from "s3-bucket-keys";
import { otel } from "s3-bucket-keys/otel";

const plugin = bucketKeys({
  // In code, not in a file: nothing to read during a cold start.
  policy: definePolicy({
    version: 1,
    defaults: { mode: "enforce" },
    rules: [
      {
        id: "reports",
        reason: "Written by the hour, read once: KMS requests were most of the bill.",
        match: { buckets: ["acme-reports-*"] },
        kmsKey: "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        bucketKey: "on",
      },
    ],
  }),
  telemetry: otel(),
});
const s3 = new S3Client({});
s3.middlewareStack.use(plugin);

export async function handler(event: { readonly bucket: string; readonly key: string }): Promise<string> {
  try {
    const { ETag } = await s3.send(
      new PutObjectCommand({
        Bucket: event.bucket,
        Key: event.key,
        Body: `report of ${new Date().toISOString()}`,
      }),
    );
    return ETag ?? "";
  } finally {
    await plugin.flush();
  }
}
