/** CopyObject: what comes along, what does not, and how the source is named. E9 is in encryption-errors. */
import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { errorOf, newBucket, withSimulator } from "./support.ts";

const fixture = withSimulator();
let source: string;
beforeAll(async () => {
  source = await newBucket(fixture.s3);
  await fixture.s3.putObject({
    Bucket: source,
    Key: "s",
    Body: "hello",
    ContentType: "text/plain",
    CacheControl: "no-cache",
    Metadata: { from: "source" },
    ServerSideEncryption: "aws:kms",
    SSEKMSKeyId: fixture.key.arn,
    BucketKeyEnabled: true,
  });
});

describe("the encryption of a copy", () => {
  it("is the destination's default: nothing of the source is inherited", async () => {
    const { s3 } = fixture;
    const output = await s3.copyObject({ Bucket: source, Key: "plain", CopySource: `${source}/s` });
    expect(output.ServerSideEncryption).toBe("AES256");
    expect(output.CopyObjectResult?.ETag).toBe(`"${createHash("md5").update("hello").digest("hex")}"`);
  });

  it("takes the destination's bucket key when the request is silent", async () => {
    const { s3, otherKey } = fixture;
    const Bucket = await newBucket(s3, {
      ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: otherKey.arn },
      BucketKeyEnabled: true,
    });
    const output = await s3.copyObject({ Bucket, Key: "k", CopySource: `${source}/s` });
    expect(output).toMatchObject({
      ServerSideEncryption: "aws:kms",
      SSEKMSKeyId: otherKey.arn,
      BucketKeyEnabled: true,
    });
  });

  it("is aws/s3 without a bucket key when the request says aws:kms and nothing more", async () => {
    const output = await fixture.s3.copyObject({
      Bucket: source,
      Key: "managed",
      CopySource: `${source}/s`,
      ServerSideEncryption: "aws:kms",
    });
    expect(output.SSEKMSKeyId).not.toBe(fixture.key.arn);
    expect(output.BucketKeyEnabled).toBeUndefined();
  });
});

const headOfCopy = async (asked: object) => {
  const { s3 } = fixture;
  const Bucket = await newBucket(s3);
  await s3.copyObject({ Bucket, Key: "k", CopySource: `${source}/s`, ...asked });
  return s3.headObject({ Bucket, Key: "k" });
};

describe("the metadata of a copy", () => {
  it("is the source's", async () => {
    const head = await headOfCopy({ ContentType: "ignored/type", Metadata: { ignored: "yes" } });
    expect(head).toMatchObject({
      ContentType: "text/plain",
      CacheControl: "no-cache",
      Metadata: { from: "source" },
    });
  });

  it("is the request's under REPLACE, all of it", async () => {
    const head = await headOfCopy({
      MetadataDirective: "REPLACE",
      ContentType: "a/b",
      Metadata: { own: "yes" },
    });
    expect([head.ContentType, head.CacheControl, head.Metadata]).toEqual(["a/b", undefined, { own: "yes" }]);
  });

  it("knows no other directive", async () => {
    const error = await errorOf(headOfCopy({ MetadataDirective: "MERGE" as "COPY" }));
    expect(error.name).toBe("InvalidArgument");
  });

  it("takes the storage class of the request", async () => {
    expect((await headOfCopy({ StorageClass: "STANDARD_IA" })).StorageClass).toBe("STANDARD_IA");
  });
});

describe("the source of a copy", () => {
  it.each([
    ["with a slash before", (bucket: string, key: string) => `/${bucket}/${encodeURIComponent(key)}`],
    ["wholly encoded", (bucket: string, key: string) => encodeURIComponent(`${bucket}/${key}`)],
    [
      "with the null version",
      (bucket: string, key: string) => `${bucket}/${encodeURIComponent(key)}?versionId=null`,
    ],
  ])("may be written %s", async (_says, write) => {
    const { s3 } = fixture;
    const Key = "a b/ü+?é%41";
    await s3.putObject({ Bucket: source, Key, Body: "odd key" });
    const Bucket = await newBucket(s3);
    await s3.copyObject({ Bucket, Key: "k", CopySource: write(source, Key) });
    expect(await (await s3.getObject({ Bucket, Key: "k" })).Body?.transformToString()).toBe("odd key");
  });

  it.each([
    ["no key", "bucket-only", "InvalidArgument"],
    ["broken escapes", "bucket/%zz", "InvalidArgument"],
    ["a bucket that is not there", "absent/k", "NoSuchBucket"],
    ["a version id that is none", "bucket/k?versionId=abc", "InvalidArgument"],
    ["an access point", "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap/object/k", "NotImplemented"],
  ])("may not be %s", async (_says, CopySource, code) => {
    expect((await errorOf(fixture.s3.copyObject({ Bucket: source, Key: "k", CopySource }))).name).toBe(code);
  });

  it("must exist", async () => {
    const error = await errorOf(
      fixture.s3.copyObject({ Bucket: source, Key: "k", CopySource: `${source}/absent` }),
    );
    expect([error.$metadata.httpStatusCode, error.name]).toEqual([404, "NoSuchKey"]);
  });

  it("must meet its conditions", async () => {
    const { s3 } = fixture;
    const copy = { Bucket: source, Key: "conditional", CopySource: `${source}/s` };
    const { ETag } = await s3.headObject({ Bucket: source, Key: "s" });
    await expect(s3.copyObject({ ...copy, CopySourceIfMatch: ETag })).resolves.toBeDefined();
    const errors = [
      await errorOf(s3.copyObject({ ...copy, CopySourceIfMatch: '"other"' })),
      await errorOf(s3.copyObject({ ...copy, CopySourceIfNoneMatch: ETag })),
      await errorOf(s3.copyObject({ ...copy, CopySourceIfModifiedSince: new Date("2099-01-01") })),
      await errorOf(s3.copyObject({ ...copy, CopySourceIfUnmodifiedSince: new Date("2000-01-01") })),
    ];
    expect(errors.map(({ name }) => name)).toEqual(Array.from({ length: 4 }, () => "PreconditionFailed"));
  });
});

describe("the checksum of a copy", () => {
  it("is the source's", async () => {
    const { s3 } = fixture;
    const { ChecksumCRC32 } = await s3.putObject({ Bucket: source, Key: "sum", Body: "sum" });
    const output = await s3.copyObject({ Bucket: source, Key: "sum-copy", CopySource: `${source}/sum` });
    expect(output.CopyObjectResult?.ChecksumCRC32).toBe(ChecksumCRC32);
  });

  it("is made anew when another algorithm is asked for", async () => {
    const output = await fixture.s3.copyObject({
      Bucket: source,
      Key: "sum-copy",
      CopySource: `${source}/s`,
      ChecksumAlgorithm: "SHA256",
    });
    expect(output.CopyObjectResult?.ChecksumSHA256).toBe(
      createHash("sha256").update("hello").digest("base64"),
    );
  });
});
