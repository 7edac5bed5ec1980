/** Which KMS requests S3 makes for which operation (simulated): the model of docs/simulator-model.md, on the wire. */
import { beforeEach, describe, expect, it } from "vitest";
import { newBucket, withSimulator } from "./support.ts";

const fixture = withSimulator({ minimumPartBytes: 1, bucketKeyLifetimeSeconds: 300 });
const kms = (flag: boolean) =>
  ({ ServerSideEncryption: "aws:kms", SSEKMSKeyId: fixture.key.arn, BucketKeyEnabled: flag }) as const;

/** Requests since the last reset, by action. */
function counted(): { GenerateDataKey: number; Decrypt: number; Encrypt?: number } {
  const sum = { GenerateDataKey: 0, Decrypt: 0, Encrypt: 0 };
  for (const { action, count } of fixture.sim.kmsRequests()) sum[action] += count;
  const { Encrypt, ...others } = sum;
  return Encrypt === 0 ? others : sum;
}

let Bucket: string;
beforeEach(async () => {
  Bucket = await newBucket(fixture.s3);
  fixture.sim.resetKmsRequests();
});

describe("without a bucket key", () => {
  it("each write is a GenerateDataKey and each read a Decrypt, with the object's ARN", async () => {
    const { sim, s3, key } = fixture;
    for (const Key of ["a", "b"]) await s3.putObject({ Bucket, Key, Body: "x", ...kms(false) });
    for (const Key of ["a", "a", "b"]) await s3.getObject({ Bucket, Key });
    expect(counted()).toEqual({ GenerateDataKey: 2, Decrypt: 3 });
    expect(sim.kmsRequests()[0]).toMatchObject({
      kmsKeyArn: key.arn,
      bucketLevel: false,
      context: { "aws:s3:arn": `arn:aws:s3:::${Bucket}/a` },
    });
    expect(sim.cloudTrail()).toHaveLength(5);
  });

  it("an upload in parts is one GenerateDataKey, and a Decrypt for each part and for Complete", async () => {
    const { s3 } = fixture;
    const { UploadId } = await s3.createMultipartUpload({ Bucket, Key: "k", ...kms(false) });
    const Parts = [];
    for (let PartNumber = 1; PartNumber <= 8; PartNumber++) {
      const { ETag } = await s3.uploadPart({ Bucket, Key: "k", UploadId, PartNumber, Body: "part" });
      Parts.push({ ETag, PartNumber });
    }
    await s3.completeMultipartUpload({ Bucket, Key: "k", UploadId, MultipartUpload: { Parts } });
    expect(counted()).toEqual({ GenerateDataKey: 1, Decrypt: 9 });
  });

  it("a copy opens its source and makes a data key for itself", async () => {
    const { s3 } = fixture;
    await s3.putObject({ Bucket, Key: "a", Body: "x", ...kms(false) });
    await s3.copyObject({ Bucket, Key: "b", CopySource: `${Bucket}/a`, ...kms(false) });
    expect(counted()).toEqual({ GenerateDataKey: 2, Decrypt: 1 });
  });

  it("a HEAD asks nothing, unless it wants the checksum", async () => {
    const { s3 } = fixture;
    await s3.putObject({ Bucket, Key: "a", Body: "x", ...kms(false) });
    await s3.headObject({ Bucket, Key: "a" });
    expect(counted().Decrypt).toBe(0);
    await s3.headObject({ Bucket, Key: "a", ChecksumMode: "ENABLED" });
    expect(counted().Decrypt).toBe(1);
  });

  it("a read that sends no body asks nothing", async () => {
    const { s3 } = fixture;
    const { ETag } = await s3.putObject({ Bucket, Key: "a", Body: "x", ...kms(false) });
    await s3.getObject({ Bucket, Key: "a", IfNoneMatch: ETag }).catch(() => {});
    await s3.getObject({ Bucket, Key: "a", IfMatch: '"other"' }).catch(() => {});
    await s3.getObject({ Bucket, Key: "a", Range: "bytes=9-" }).catch(() => {});
    await s3.listObjectsV2({ Bucket });
    await s3.deleteObject({ Bucket, Key: "a" });
    expect(counted()).toEqual({ GenerateDataKey: 1, Decrypt: 0 });
  });
});

describe("with a bucket key", () => {
  it("a whole workload is one request of each kind, with the bucket's ARN", async () => {
    const { sim, s3 } = fixture;
    for (let i = 0; i < 20; i++) await s3.putObject({ Bucket, Key: `k${i}`, Body: "x", ...kms(true) });
    for (let i = 0; i < 20; i++) await s3.getObject({ Bucket, Key: `k${i}` });
    await s3.copyObject({ Bucket, Key: "copy", CopySource: `${Bucket}/k1`, ...kms(true) });
    expect(counted()).toEqual({ GenerateDataKey: 1, Decrypt: 1 });
    expect(sim.kmsRequests()[0]).toMatchObject({
      bucketLevel: true,
      context: { "aws:s3:arn": `arn:aws:s3:::${Bucket}` },
    });
  });

  it("a new lifetime needs new requests, one Decrypt for each bucket key that objects were written under", async () => {
    const { sim, s3 } = fixture;
    for (let i = 0; i < 3; i++) {
      await s3.putObject({ Bucket, Key: `k${i}`, Body: "x", ...kms(true) });
      sim.advance(300_000);
    }
    for (let i = 0; i < 3; i++) await s3.getObject({ Bucket, Key: `k${i}` });
    expect(counted()).toEqual({ GenerateDataKey: 3, Decrypt: 3 });
  });
});

it("SSE-S3, SSE-C and refused writes ask nothing", async () => {
  const { s3 } = fixture;
  await s3.putObject({ Bucket, Key: "a", Body: "x" });
  await s3.getObject({ Bucket, Key: "a" });
  await s3.putObject({ Bucket, Key: "a", Body: "x", ...kms(true), IfNoneMatch: "*" }).catch(() => {});
  await s3.putObject({ Bucket: "absent", Key: "a", Body: "x", ...kms(true) }).catch(() => {});
  expect(counted()).toEqual({ GenerateDataKey: 0, Decrypt: 0 });
});
