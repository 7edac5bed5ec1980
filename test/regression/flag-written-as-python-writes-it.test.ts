/** The AWS CLI 2.9 sends `True` for `--bucket-key-enabled`; the simulator took it for a value nobody knows (R30). */
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { expect, it } from "vitest";
import { startSimulator } from "../../src/simulator/index.ts";

it.each([
  { written: "True", enabled: true },
  { written: "False", enabled: undefined },
])("the flag $written counts", async ({ written, enabled }) => {
  const sim = await startSimulator({ buckets: ["lake"] });
  const s3 = new S3Client(sim.clientConfig);
  try {
    const { BucketKeyEnabled } = await s3.send(
      new PutObjectCommand({
        Bucket: "lake",
        Key: "k",
        Body: "x",
        ServerSideEncryption: "aws:kms",
        SSEKMSKeyId: sim.createKmsKey().arn,
        BucketKeyEnabled: written as unknown as boolean,
      }),
    );
    expect(BucketKeyEnabled).toBe(enabled);
  } finally {
    s3.destroy();
    await sim.close();
  }
});
