/** Multipart uploads: step by step, by lib-storage, and what goes wrong. */
import type { CompletedPart } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { errorOf, newBucket, stockClient, withSimulator } from "./support.ts";

const fixture = withSimulator({ minimumPartBytes: 10 });
const strict = withSimulator();
const kms = { ServerSideEncryption: "aws:kms", BucketKeyEnabled: true } as const;

interface Started {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
}

async function start(asked: object = {}): Promise<Started> {
  const Bucket = await newBucket(fixture.s3);
  const { UploadId = "" } = await fixture.s3.createMultipartUpload({ Bucket, Key: "big", ...asked });
  return { Bucket, Key: "big", UploadId };
}

async function part(upload: Started, PartNumber: number, Body: string): Promise<CompletedPart> {
  const { ETag } = await fixture.s3.uploadPart({ ...upload, PartNumber, Body });
  return { PartNumber, ...(ETag !== undefined && { ETag }) };
}

const complete = (upload: Started, ...Parts: CompletedPart[]) =>
  fixture.s3.completeMultipartUpload({ ...upload, MultipartUpload: { Parts } });

const bodyOf = async ({ Bucket, Key }: Started): Promise<string | undefined> =>
  (await fixture.s3.getObject({ Bucket, Key })).Body?.transformToString();

describe("an upload in parts", () => {
  it("becomes one object with an ETag of its parts", async () => {
    const upload = await start({ Metadata: { a: "b" }, ContentType: "text/plain" });
    const parts = [await part(upload, 1, "first part "), await part(upload, 5, "second part")];
    const { ETag } = await complete(upload, ...parts);
    const binary = parts.map((each) => Buffer.from((each.ETag ?? "").replaceAll('"', ""), "hex"));
    expect(ETag).toBe(`"${createHash("md5").update(Buffer.concat(binary)).digest("hex")}-2"`);
    expect(await bodyOf(upload)).toBe("first part second part");
    const head = await fixture.s3.headObject({ Bucket: upload.Bucket, Key: upload.Key });
    expect(head).toMatchObject({ ContentType: "text/plain", Metadata: { a: "b" }, ETag });
  });

  it("under SSE-KMS has part ETags that are not the MD5, and the same sum of them", async () => {
    const upload = await start(kms);
    const one = await part(upload, 1, "the only part");
    expect(one.ETag).not.toContain(createHash("md5").update("the only part").digest("hex"));
    const { ETag } = await complete(upload, one);
    const binary = Buffer.from((one.ETag ?? "").replaceAll('"', ""), "hex");
    expect(ETag).toBe(`"${createHash("md5").update(binary).digest("hex")}-1"`);
  });

  it("may be read by part", async () => {
    const upload = await start();
    await complete(upload, await part(upload, 1, "first part "), await part(upload, 2, "second part"));
    const { Bucket, Key } = upload;
    const second = await fixture.s3.getObject({ Bucket, Key, PartNumber: 2 });
    expect(await second.Body?.transformToString()).toBe("second part");
    expect([second.PartsCount, second.ContentRange]).toEqual([2, "bytes 11-21/22"]);
    expect((await errorOf(fixture.s3.getObject({ Bucket, Key, PartNumber: 3 }))).name).toBe(
      "InvalidArgument",
    );
  });

  it("takes the last of two parts of one number", async () => {
    const upload = await start();
    await part(upload, 1, "first try");
    await complete(upload, await part(upload, 1, "second try"));
    expect(await bodyOf(upload)).toBe("second try");
  });

  it("copies parts of other objects, by range", async () => {
    const upload = await start();
    const { Bucket } = upload;
    await fixture.s3.putObject({ Bucket, Key: "source", Body: "0123456789abcdef" });
    const copy = (PartNumber: number, CopySourceRange?: string) =>
      fixture.s3.uploadPartCopy({ ...upload, PartNumber, CopySource: `${Bucket}/source`, CopySourceRange });
    for (const range of ["bytes=5-16", "bytes=5-", "bytes=-5", "5-6"]) {
      expect((await errorOf(copy(3, range))).name).toBe("InvalidArgument");
    }
    const first = await copy(1, "bytes=0-9");
    const second = await copy(2);
    await complete(
      upload,
      { PartNumber: 1, ETag: first.CopyPartResult?.ETag },
      { PartNumber: 2, ETag: second.CopyPartResult?.ETag },
    );
    expect(await bodyOf(upload)).toBe("01234567890123456789abcdef");
  });

  it("lists its parts in pages", async () => {
    const upload = await start();
    for (const number of [3, 1, 2]) await part(upload, number, `part ${number} of it`);
    const first = await fixture.s3.listParts({ ...upload, MaxParts: 2 });
    expect(first.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([1, 2]);
    expect([first.IsTruncated, first.NextPartNumberMarker]).toEqual([true, "2"]);
    const second = await fixture.s3.listParts({ ...upload, PartNumberMarker: "2" });
    expect(second.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([[3, 12]]);
    expect(second.IsTruncated).toBe(false);
  });

  it("is listed until it is completed or aborted", async () => {
    const { s3 } = fixture;
    const upload = await start();
    const { Bucket } = upload;
    const other = await s3.createMultipartUpload({ Bucket, Key: "another" });
    const list = await s3.listMultipartUploads({ Bucket });
    expect(list.Uploads?.map(({ Key }) => Key)).toEqual(["another", "big"]);
    const page = await s3.listMultipartUploads({ Bucket, MaxUploads: 1 });
    expect([page.IsTruncated, page.NextKeyMarker, page.NextUploadIdMarker]).toEqual([
      true,
      "another",
      other.UploadId,
    ]);
    const rest = await s3.listMultipartUploads({
      Bucket,
      KeyMarker: "another",
      UploadIdMarker: other.UploadId,
    });
    expect(rest.Uploads?.map(({ Key }) => Key)).toEqual(["big"]);
    expect((await s3.listMultipartUploads({ Bucket, KeyMarker: "big" })).Uploads).toBeUndefined();
    expect((await s3.listMultipartUploads({ Bucket, Prefix: "a" })).Uploads).toHaveLength(1);
    await s3.abortMultipartUpload(upload);
    await s3.abortMultipartUpload({ Bucket, Key: "another", UploadId: other.UploadId });
    expect((await s3.listMultipartUploads({ Bucket })).Uploads).toBeUndefined();
  });
});

describe("an upload in parts is refused", () => {
  it("without its upload", async () => {
    const upload = { ...(await start()), UploadId: "gone" };
    const errors = await Promise.all([
      errorOf(part(upload, 1, "x")),
      errorOf(complete(upload, { PartNumber: 1, ETag: "x" })),
      errorOf(fixture.s3.abortMultipartUpload(upload)),
      errorOf(fixture.s3.listParts(upload)),
    ]);
    expect(errors.map(({ name }) => name)).toEqual(Array.from({ length: 4 }, () => "NoSuchUpload"));
  });

  it("when it was aborted before a part had arrived", async () => {
    const upload = await start();
    await fixture.s3.abortMultipartUpload(upload);
    expect((await errorOf(part(upload, 1, "late"))).name).toBe("NoSuchUpload");
  });

  it.each([0, 10_001, 1.5])("for part number %s", async (number) => {
    expect((await errorOf(part(await start(), number, "x"))).name).toBe("InvalidArgument");
  });

  it.each([
    ["parts out of order", (one: CompletedPart, two: CompletedPart) => [two, one], "InvalidPartOrder"],
    ["a part twice", (one: CompletedPart) => [one, one], "InvalidPartOrder"],
    ["an ETag of nothing", (one: CompletedPart) => [{ ...one, ETag: "0".repeat(32) }], "InvalidPart"],
    ["a part that never came", (one: CompletedPart) => [one, { ...one, PartNumber: 9 }], "InvalidPart"],
    [
      "a checksum of another part",
      (one: CompletedPart) => [{ ...one, ChecksumCRC32: "AAAAAA==" }],
      "InvalidPart",
    ],
    ["no part", () => [], "MalformedXML"],
  ])("with %s", async (_says, pick, code) => {
    const upload = await start();
    const parts = [await part(upload, 1, "first part "), await part(upload, 2, "second part")] as const;
    expect((await errorOf(complete(upload, ...pick(...parts)))).name).toBe(code);
    // The upload is still there.
    await expect(complete(upload, ...parts)).resolves.toHaveProperty("ETag");
  });

  it("when a part before the last is under 5 MiB, as S3 has it", async () => {
    const { s3 } = strict;
    const Bucket = await newBucket(s3);
    const { UploadId } = await s3.createMultipartUpload({ Bucket, Key: "k" });
    const Parts: CompletedPart[] = [];
    for (const PartNumber of [1, 2]) {
      const { ETag } = await s3.uploadPart({ Bucket, Key: "k", UploadId, PartNumber, Body: "small" });
      Parts.push({ PartNumber, ETag });
    }
    const error = await errorOf(
      s3.completeMultipartUpload({ Bucket, Key: "k", UploadId, MultipartUpload: { Parts } }),
    );
    expect([error.$metadata.httpStatusCode, error.name]).toEqual([400, "EntityTooSmall"]);
  });

  it("over an object that must not exist", async () => {
    const upload = await start();
    const one = await part(upload, 1, "part");
    await fixture.s3.putObject({ Bucket: upload.Bucket, Key: upload.Key, Body: "first" });
    const error = await errorOf(
      fixture.s3.completeMultipartUpload({ ...upload, IfNoneMatch: "*", MultipartUpload: { Parts: [one] } }),
    );
    expect(error.name).toBe("PreconditionFailed");
  });
});

const uploadWithSums = async (
  ChecksumAlgorithm: "CRC32" | "CRC32C" | "SHA256",
  ChecksumType?: "FULL_OBJECT",
) => {
  const started = await start({ ChecksumAlgorithm, ChecksumType });
  const Parts: CompletedPart[] = [];
  for (const [i, Body] of ["first part ", "second part"].entries()) {
    const { $metadata: _, ...sums } = await fixture.s3.uploadPart({
      ...started,
      PartNumber: i + 1,
      Body,
      ChecksumAlgorithm,
    });
    Parts.push({ PartNumber: i + 1, ...sums });
  }
  return { started, Parts };
};

describe("checksums of parts", () => {
  it("make the composite one of the object, also for its readers", async () => {
    const { started, Parts } = await uploadWithSums("SHA256");
    const output = await complete(started, ...Parts);
    const sums = Parts.map(({ ChecksumSHA256 = "" }) => Buffer.from(ChecksumSHA256, "base64"));
    const expected = `${createHash("sha256").update(Buffer.concat(sums)).digest("base64")}-2`;
    expect([output.ChecksumSHA256, output.ChecksumType]).toEqual([expected, "COMPOSITE"]);
    const { Bucket, Key } = started;
    const head = await fixture.s3.headObject({ Bucket, Key, ChecksumMode: "ENABLED" });
    expect(head.ChecksumSHA256).toBe(expected);
    expect(await bodyOf(started)).toBe("first part second part");
  });

  it("give way to one of the whole object when the upload asks for it", async () => {
    const { started, Parts } = await uploadWithSums("CRC32", "FULL_OBJECT");
    const wrong = fixture.s3.completeMultipartUpload({
      ...started,
      ChecksumCRC32: "AAAAAA==",
      MultipartUpload: { Parts },
    });
    expect((await errorOf(wrong)).name).toBe("BadDigest");
    const output = await complete(started, ...Parts);
    const { ChecksumCRC32 } = await fixture.s3.putObject({
      Bucket: started.Bucket,
      Key: "whole",
      Body: "first part second part",
    });
    expect([output.ChecksumCRC32, output.ChecksumType]).toEqual([ChecksumCRC32, "FULL_OBJECT"]);
  });
});

describe("lib-storage", () => {
  it.each([
    ["small: one PutObject", 1_000, false],
    ["13 MB in 3 parts, parallel", 13_000_000, true],
  ])("uploads %s, and shows the flag", async (_says, bytes, inParts) => {
    const { sim, key } = strict;
    const client = stockClient(sim);
    const Bucket = await newBucket(client);
    const Body = Buffer.alloc(bytes, "abc");
    const params = { Bucket, Key: "k", Body, ...kms, SSEKMSKeyId: key.arn };
    const output = await new Upload({ client, params }).done();
    expect([output.BucketKeyEnabled, output.SSEKMSKeyId]).toEqual([true, key.arn]);
    expect(output.ETag?.includes("-3")).toBe(inParts);
    const get = await client.getObject({ Bucket, Key: "k" });
    expect(Body.equals((await get.Body?.transformToByteArray()) ?? Buffer.of())).toBe(true);
    client.destroy();
  });
});
