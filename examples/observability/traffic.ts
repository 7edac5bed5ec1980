/** What the app does, a few requests at a time: who writes how, so that every panel has something to show. */
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { Simulator } from "s3-bucket-keys/testing";

export const KMS_KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab";
export const BUCKETS = ["acme-lake", "acme-evidence", "acme-reports", "acme-vault", "zoo"];

// What services write: the algorithm and the key, but no bucket key.
const KMS = {
  ServerSideEncryption: "aws:kms",
  SSEKMSKeyId: `arn:aws:kms:eu-west-1:111122223333:key/${KMS_KEY_ID}`,
} as const;
const OTHER_KEY = "arn:aws:kms:eu-west-1:111122223333:key/99999999-0000-4000-8000-000000000000";

/** One round of requests; what is refused or denied is part of it. */
export async function trafficRound(s3: S3Client, round: number): Promise<void> {
  const lake = { Bucket: "acme-lake", Key: `events/${round % 50}.json` };
  await s3.send(new PutObjectCommand({ ...lake, Body: "{}" }));
  await s3.send(new PutObjectCommand({ ...lake, Body: "{}", ...KMS }));
  await s3.send(new HeadObjectCommand(lake));
  for (let i = 0; i < 3; i++) await read(s3, lake.Bucket, lake.Key);
  await s3
    .send(new CopyObjectCommand({ ...lake, Key: "copy", CopySource: `${lake.Bucket}/${lake.Key}`, ...KMS }))
    .catch(() => {});

  // Under audit: still written without a bucket key. The context of its own is worth a note.
  const SSEKMSEncryptionContext = Buffer.from(JSON.stringify({ report: `${round % 3}` })).toString("base64");
  const report = { Bucket: "acme-reports", Key: `${round % 20}`, Body: "x", ...KMS, SSEKMSEncryptionContext };
  await s3.send(new PutObjectCommand(report));
  await s3.send(new PutObjectCommand({ Bucket: "acme-evidence", Key: "signed.pdf", Body: "x", ...KMS }));
  await s3.send(new PutObjectCommand({ Bucket: "zoo", Key: "k", Body: "x" }));

  const letter = { Bucket: "acme-vault", Key: `${["ada", "bob"][round % 2]}/letter` };
  await s3.send(new PutObjectCommand({ ...letter, Body: "dear reader".repeat(100) }));
  await read(s3, letter.Bucket, letter.Key);

  if (round % 10 === 0) {
    await upload(s3, `uploads/${round}`);
    // Refused: a key that isn't the lake's.
    await s3
      .send(new PutObjectCommand({ ...lake, Body: "x", ...KMS, SSEKMSKeyId: OTHER_KEY }))
      .catch(() => {});
  }
}

/** A drift, a denial and a plain object among sealed ones: once each. */
export async function makeTrouble(simulator: Simulator, s3: S3Client): Promise<void> {
  const set = { "x-amz-server-side-encryption-bucket-key-enabled": null };
  const once = { bucket: "acme-lake", times: 1 };
  simulator.injectFault({ ...once, operation: "PutObject", fault: { kind: "headers", set } });
  simulator.injectFault({ ...once, operation: "CopyObject", fault: { kind: "error", code: "AccessDenied" } });

  const stranger = new S3Client(simulator.clientConfig);
  await stranger.send(new PutObjectCommand({ Bucket: "acme-vault", Key: "stranger", Body: "plain" }));
  stranger.destroy();
  await read(s3, "acme-vault", "stranger").catch(() => {});
}

async function read(s3: S3Client, Bucket: string, Key: string): Promise<void> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  await Body?.transformToByteArray();
}

async function upload(s3: S3Client, Key: string): Promise<void> {
  const at = { Bucket: "acme-lake", Key };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...at, ...KMS }));
  const Parts = [];
  for (const PartNumber of [1, 2]) {
    const part = { ...at, UploadId, PartNumber, Body: "part" };
    const { ETag } = await s3.send(new UploadPartCommand(part));
    Parts.push({ ETag, PartNumber });
  }
  await s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } }));
}
