import { HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { KMS_KEY } from "./policies.ts";

/** What S3 answers to an SSE-KMS write that carries the flag, or to a read of such an object. */
const ANSWER: Readonly<Record<string, string>> = {
  "x-amz-request-id": "4442587FB7D0A2F9",
  etag: '"6805f2cfc46c0f04559748bb039d69ae"',
  "x-amz-server-side-encryption": "aws:kms",
  "x-amz-server-side-encryption-aws-kms-key-id": KMS_KEY,
  "x-amz-server-side-encryption-bucket-key-enabled": "true",
};

/**
 * A stock client whose requests are signed and then answered at once.
 *
 * The body is a string of 1 KB; region and credentials are given, so that nothing is looked up.
 */
export function stubS3(): S3Client {
  return new S3Client({
    region: "eu-west-1",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    requestHandler: {
      metadata: { handlerProtocol: "http/1.1" },
      handle: () =>
        Promise.resolve({ response: { statusCode: 200, headers: { ...ANSWER }, body: new Uint8Array() } }),
    },
  });
}

const BODY = "x".repeat(1_024);

const KEY = "raw/2026/11/part-00017.parquet";

/** A write under SSE-KMS that leaves the flag to the plugin. */
export function put(bucket: string): PutObjectCommand {
  return new PutObjectCommand({
    Bucket: bucket,
    Key: KEY,
    Body: BODY,
    ServerSideEncryption: "aws:kms",
    SSEKMSKeyId: KMS_KEY,
  });
}

/** The same, by a caller who sets the flag. */
export function putWithFlag(bucket: string): PutObjectCommand {
  return new PutObjectCommand({
    Bucket: bucket,
    Key: KEY,
    Body: BODY,
    ServerSideEncryption: "aws:kms",
    SSEKMSKeyId: KMS_KEY,
    BucketKeyEnabled: true,
  });
}

export function head(bucket: string): HeadObjectCommand {
  return new HeadObjectCommand({ Bucket: bucket, Key: KEY });
}

/** The floor that every middleware pays: registered alike, and passing the call on. */
export function addNoOp(client: S3Client): S3Client {
  client.middlewareStack.add((next) => (args) => next(args), {
    name: "noOpMiddleware",
    step: "initialize",
    priority: "high",
    tags: ["NO_OP"],
  });
  return client;
}
