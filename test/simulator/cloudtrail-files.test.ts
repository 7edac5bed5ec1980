/** CloudTrail's data events of S3 (K5), and the log files that hold them beside the events of KMS. */
import { gunzipSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import { cloudTrailFiles } from "../../src/simulator/cloudtrail/files.ts";
import type { CloudTrailEvent, CloudTrailFile, S3DataEvent } from "../../src/simulator/index.ts";
import { errorOf, newBucket, withSimulator } from "./support.ts";

const fixture = withSimulator({ dataEvents: true });
const without = withSimulator();
const Key = "reports/a.csv";
let Bucket: string;

beforeEach(async () => {
  Bucket = await newBucket(fixture.s3, { BlockedEncryptionTypes: { EncryptionType: ["NONE"] } });
  fixture.sim.resetKmsRequests();
});

const lastEvent = (): S3DataEvent | undefined => fixture.sim.dataEvents().at(-1);

function recordsOf(file: CloudTrailFile): (CloudTrailEvent | S3DataEvent)[] {
  return (JSON.parse(gunzipSync(file.body).toString()) as { Records: [] }).Records;
}

describe("a data event", () => {
  it("of a write has headers sent and answered, and says nothing of the bucket key", async () => {
    const { sim, s3, key } = fixture;
    const write = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: key.arn, BucketKeyEnabled: true } as const;
    await s3.putObject({ Bucket, Key, Body: "x", ...write });
    const encryption = {
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": key.arn,
    };
    expect(sim.dataEvents()).toEqual([
      {
        eventVersion: "1.11",
        userIdentity: {
          type: "IAMUser",
          arn: "arn:aws:iam::111122223333:user/SIMULATOR",
          accountId: "111122223333",
          userName: "SIMULATOR",
        },
        eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        eventSource: "s3.amazonaws.com",
        eventName: "PutObject",
        awsRegion: "eu-west-1",
        sourceIPAddress: "127.0.0.1",
        userAgent: expect.stringContaining("aws-sdk-js"),
        requestParameters: { bucketName: Bucket, key: Key, ...encryption },
        responseElements: encryption,
        additionalEventData: { SSEApplied: "SSE_KMS" },
        requestID: expect.stringMatching(/^[0-9a-f-]{36}$/),
        eventID: expect.stringMatching(/^[0-9a-f-]{36}$/),
        readOnly: false,
        eventType: "AwsApiCall",
        managementEvent: false,
        recipientAccountId: "111122223333",
        eventCategory: "Data",
      },
    ]);
    expect(JSON.stringify(sim.dataEvents()).toLowerCase()).not.toContain("bucket-key");
  });

  it.each([
    ["Default_SSE_S3", "AES256", {}],
    ["Default_SSE_KMS", "aws:kms", {}],
    ["Default_DSSE_KMS", "aws:kms:dsse", {}],
    ["SSE_S3", "aws:kms", { ServerSideEncryption: "AES256" }],
    ["SSE_KMS", "AES256", { ServerSideEncryption: "aws:kms" }],
    ["DSSE_KMS", "AES256", { ServerSideEncryption: "aws:kms:dsse" }],
    ["SSE_C", "AES256", { SSECustomerAlgorithm: "AES256", SSECustomerKey: "k".repeat(32) }],
  ] as const)("says %s in a bucket of %s for %j", async (word, SSEAlgorithm, asked) => {
    const { s3 } = fixture;
    await s3.putBucketEncryption({
      Bucket,
      ServerSideEncryptionConfiguration: {
        Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm } }],
      },
    });
    await s3.putObject({ Bucket, Key, Body: "x", ...asked });
    expect(lastEvent()?.additionalEventData).toEqual({ SSEApplied: word });
    await s3.createMultipartUpload({ Bucket, Key, ...asked });
    expect(lastEvent()?.additionalEventData).toEqual({ SSEApplied: word });
  });

  it("of a read is read-only and has no answer", async () => {
    const { s3 } = fixture;
    await s3.putObject({ Bucket, Key, Body: "x" });
    await s3.getObject({ Bucket, Key });
    expect(lastEvent()).toMatchObject({ eventName: "GetObject", readOnly: true, responseElements: null });
    expect(lastEvent()).not.toHaveProperty("additionalEventData");
  });

  it("of a refused request has S3's code", async () => {
    await errorOf(fixture.s3.getObject({ Bucket, Key: "absent" }));
    expect(lastEvent()).toMatchObject({ errorCode: "NoSuchKey", requestParameters: { key: "absent" } });
    await errorOf(fixture.s3.putObject({ Bucket, Key, Body: "x", SSEKMSKeyId: "k" }));
    expect(lastEvent()).toMatchObject({ errorCode: "InvalidArgument", responseElements: null });
  });

  it("is made for objects, not for buckets and listings", async () => {
    const { sim, s3 } = fixture;
    await s3.listObjectsV2({ Bucket });
    await s3.getBucketEncryption({ Bucket });
    expect(sim.dataEvents()).toEqual([]);
    await s3.deleteObjects({ Bucket, Delete: { Objects: [{ Key: "a" }] } });
    expect(sim.dataEvents().map(({ eventName }) => eventName)).toEqual(["DeleteObjects"]);
    sim.resetKmsRequests();
    expect(sim.dataEvents()).toEqual([]);
  });

  it("is not made when nobody asked", async () => {
    const { sim, s3, key } = without;
    sim.createBucket("silent");
    const write = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: key.arn } as const;
    await s3.putObject({ Bucket: "silent", Key, Body: "x", ...write });
    expect(sim.dataEvents()).toEqual([]);
    expect(sim.cloudTrailFiles().flatMap(recordsOf)).toEqual(sim.cloudTrail());
  });
});

const trail = { region: "eu-west-1", accountId: "111122223333" };

/** As much of an event as the files look at. */
const eventAt = (eventTime: string, requestID = "r"): CloudTrailEvent =>
  ({ eventTime, requestID }) as CloudTrailEvent;

describe("the log files", () => {
  it("hold the events of KMS and S3, in the order of their time, five minutes each", async () => {
    const { sim, s3, key } = fixture;
    const write = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: key.arn } as const;
    for (let i = 0; i < 3; i++) {
      await s3.putObject({ Bucket, Key, Body: "x", ...write });
      sim.advance(5 * 60_000);
    }
    const files = sim.cloudTrailFiles();
    expect(files.map(({ records }) => records)).toEqual([2, 2, 2]);
    const records = files.flatMap(recordsOf);
    expect(records.map(({ eventSource }) => eventSource)).toEqual(
      Array.from({ length: 3 }, () => ["kms.amazonaws.com", "s3.amazonaws.com"]).flat(),
    );
    const times = records.map(({ eventTime }) => eventTime);
    expect(times).toEqual(times.toSorted());
    expect(records).toEqual(expect.arrayContaining([...sim.cloudTrail(), ...sim.dataEvents()]));
  });

  it("are named after the time of their delivery, as CloudTrail names them", () => {
    const [file] = cloudTrailFiles([eventAt("2026-12-31T23:57:12Z")], trail);
    expect(file?.key).toMatch(
      /^AWSLogs\/111122223333\/CloudTrail\/eu-west-1\/2027\/01\/01\/111122223333_CloudTrail_eu-west-1_20270101T0000Z_[0-9a-f]{16}\.json\.gz$/,
    );
  });

  it("are the same for the same events, and none for none", () => {
    const events = [eventAt("2026-01-01T00:00:01Z"), eventAt("2026-01-01T00:00:00Z")];
    expect(cloudTrailFiles(events, trail)).toEqual(cloudTrailFiles(events, trail));
    expect(cloudTrailFiles([], trail)).toEqual([]);
  });

  it("have 5,000 records at most, and keep what happened within one second in order", () => {
    const events = Array.from({ length: 12_000 }, (_, i) => eventAt("2026-01-01T00:00:00Z", `${i}`));
    const files = cloudTrailFiles(events, trail);
    expect(files.map(({ records }) => records)).toEqual([5_000, 5_000, 2_000]);
    expect(new Set(files.map(({ key }) => key)).size).toBe(3);
    expect(files.flatMap(recordsOf)).toEqual(events);
  });
});
