/** What answers say of encryption (section 2): raw headers, since the SDK reads an absent flag and a false one differently. */
import type { PutObjectCommandOutput } from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, it } from "vitest";
import { newBucket, withSimulator } from "./support.ts";

const fixture = withSimulator({ minimumPartBytes: 1 });
const SSE = "x-amz-server-side-encryption";
const FLAG = `${SSE}-bucket-key-enabled`;
const KEY_ID = `${SSE}-aws-kms-key-id`;
const AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=RAW/20260101/eu-west-1/s3/aws4_request, Signature=0";

let bucket: string;
beforeAll(async () => {
  bucket = await newBucket(fixture.s3);
  await fixture.s3.putObject({ Bucket: bucket, Key: "source", Body: "x" });
});

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

async function send({ method, path, headers = {}, body }: Sent): Promise<{ headers: Headers; text: string }> {
  const answer = await fetch(`${fixture.sim.endpoint}/${bucket}/${path}`, {
    method,
    headers: { authorization: AUTHORIZATION, ...headers },
    ...(body !== undefined && { body }),
  });
  const text = await answer.text();
  expect([answer.status, text]).toEqual([
    expect.toSatisfy((status: number) => status < 300),
    expect.anything(),
  ]);
  return { headers: answer.headers, text };
}

const encryptionOf = (headers: Headers): Record<string, string> =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith(SSE)));

/** Every answer about one object, from its upload in one request or in parts. */
async function everyAnswer(asked: Record<string, string>): Promise<Record<string, Record<string, string>>> {
  const put = await send({ method: "PUT", path: "k", headers: asked, body: "x" });
  const get = await send({ method: "GET", path: "k" });
  const head = await send({ method: "HEAD", path: "k" });
  const copyHeaders = { ...asked, "x-amz-copy-source": `${bucket}/source` };
  const copy = await send({ method: "PUT", path: "copy", headers: copyHeaders });
  const create = await send({ method: "POST", path: "parts?uploads", headers: asked });
  const id = /<UploadId>(.*)<\/UploadId>/.exec(create.text)?.[1] ?? "";
  const part = await send({ method: "PUT", path: `parts?uploadId=${id}&partNumber=1`, body: "x" });
  const copied = await send({
    method: "PUT",
    path: `parts?uploadId=${id}&partNumber=2`,
    headers: { "x-amz-copy-source": `${bucket}/source` },
  });
  const copiedEtag = /<ETag>(.*)<\/ETag>/.exec(copied.text)?.[1] ?? "";
  const list = [part.headers.get("etag") ?? "", copiedEtag.replaceAll("&quot;", '"')]
    .map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`)
    .join("");
  const complete = await send({
    method: "POST",
    path: `parts?uploadId=${id}`,
    body: `<CompleteMultipartUpload>${list}</CompleteMultipartUpload>`,
  });
  const answers = { put, get, head, copy, create, part, copied, complete };
  return Object.fromEntries(
    Object.entries(answers).map(([name, { headers }]) => [name, encryptionOf(headers)]),
  );
}

const STEPS = ["put", "get", "head", "copy", "create", "part", "copied", "complete"];
const onEveryStep = (headers: Record<string, string>): Record<string, Record<string, string>> =>
  Object.fromEntries(STEPS.map((step) => [step, headers]));

describe("the flag", () => {
  it("is `true` on every answer about an object with a bucket key", async () => {
    const asked = { [SSE]: "aws:kms", [KEY_ID]: fixture.key.arn, [FLAG]: "true" };
    expect(await everyAnswer(asked)).toEqual(onEveryStep(asked));
  });

  it("is absent, not `false`, for SSE-KMS without a bucket key", async () => {
    const asked = { [SSE]: "aws:kms", [KEY_ID]: fixture.key.arn };
    expect(await everyAnswer(asked)).toEqual(onEveryStep(asked));
  });

  it("is absent when the request said `false`", async () => {
    const asked = { [SSE]: "aws:kms", [KEY_ID]: fixture.key.arn };
    expect(await everyAnswer({ ...asked, [FLAG]: "false" })).toEqual(onEveryStep(asked));
  });

  it("is absent for SSE-S3, which every answer names", async () => {
    expect(await everyAnswer({})).toEqual(onEveryStep({ [SSE]: "AES256" }));
  });
});

const MD5_OF_HELLO = '"5d41402abc4b2a76b9719d911017c592"';
const putHello = (asked: object): Promise<PutObjectCommandOutput> =>
  fixture.s3.putObject({ Bucket: bucket, Key: "hello", Body: "hello", ...asked });

describe("an ETag", () => {
  it("is the MD5 under SSE-S3", async () => {
    expect((await putHello({})).ETag).toBe(MD5_OF_HELLO);
  });

  it.each([{ BucketKeyEnabled: true }, { BucketKeyEnabled: false }])(
    "is another under SSE-KMS %o",
    async (flag) => {
      const { ETag } = await putHello({ ServerSideEncryption: "aws:kms", ...flag });
      expect(ETag).toMatch(/^"[0-9a-f]{32}"$/);
      expect(ETag).not.toBe(MD5_OF_HELLO);
    },
  );
});

it("every answer has its own request id, and a host id", async () => {
  const ids = await Promise.all(
    [1, 2, 3].map(async () => (await send({ method: "GET", path: "source" })).headers),
  );
  expect(new Set(ids.map((headers) => headers.get("x-amz-request-id"))).size).toBe(3);
  expect(ids[0]?.get("x-amz-id-2")).toBeTruthy();
});

it("GetBucketEncryption always says BucketKeyEnabled", async () => {
  const name = await newBucket(fixture.s3);
  const get = async (): Promise<unknown> =>
    (await fixture.s3.getBucketEncryption({ Bucket: name })).ServerSideEncryptionConfiguration?.Rules;
  const fresh = {
    ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" },
    BucketKeyEnabled: false,
    BlockedEncryptionTypes: { EncryptionType: ["SSE-C"] },
  };
  expect(await get()).toEqual([fresh]);
  const rule = {
    ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: fixture.key.arn },
    BucketKeyEnabled: true,
  } as const;
  const config = { Bucket: name, ServerSideEncryptionConfiguration: { Rules: [rule] } };
  await fixture.s3.putBucketEncryption(config);
  // What the request leaves out of BlockedEncryptionTypes stays blocked.
  expect(await get()).toEqual([{ ...rule, BlockedEncryptionTypes: { EncryptionType: ["SSE-C"] } }]);
  await fixture.s3.deleteBucketEncryption({ Bucket: name });
  expect(await get()).toEqual([fresh]);
});
