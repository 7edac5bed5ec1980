/** What the demo's service does in ten minutes: puts, copies, an 8-part upload and gets. */
import {
  CopyObjectCommand,
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";

const LAKE = "acme-lake-raw";
const EVIDENCE = "acme-evidence-2026";
const MINUTE_MS = 60_000;
const MINUTES = 10;
const PART_BYTES = 5 * 1024 * 1024;

export async function makeBuckets(s3: S3Client): Promise<void> {
  for (const Bucket of [LAKE, EVIDENCE]) await s3.send(new CreateBucketCommand({ Bucket }));
}

/**
 * The workload, through a stock client.
 *
 * @param kmsKey - ARN of the key that the service names.
 * @param advance - Moves the simulated clock on: bucket keys live for a limited time.
 * @returns How many requests were sent to S3.
 */
export async function runWorkload(
  s3: S3Client,
  kmsKey: string,
  advance: (ms: number) => void,
): Promise<number> {
  let requests = 0;
  const send: S3Client["send"] = ((command: PutObjectCommand) => {
    requests++;
    return s3.send(command);
  }) as S3Client["send"];
  // What services write: the algorithm and the key, but no bucket key.
  const kms = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: kmsKey } as const;

  for (let minute = 0; minute < MINUTES; minute++) {
    for (let i = 0; i < 20; i++) {
      const Key = `events/${minute}-${i}.json`;
      await send(new PutObjectCommand({ Bucket: LAKE, Key, Body: "{}", ...kms }));
    }
    for (let i = 0; i < 5; i++) {
      // Silent: without a policy the bucket's default decides, which here is SSE-S3.
      await send(new PutObjectCommand({ Bucket: LAKE, Key: `silent/${minute}-${i}.json`, Body: "{}" }));
    }
    for (let i = 0; i < 5; i++) {
      const CopySource = `${LAKE}/events/${minute}-${i}.json`;
      await send(
        new CopyObjectCommand({ Bucket: LAKE, Key: `copies/${minute}-${i}.json`, CopySource, ...kms }),
      );
    }
    const evidence = { Bucket: EVIDENCE, Key: `signed/${minute}.pdf`, Body: "evidence", ...kms };
    await send(new PutObjectCommand(evidence));
    for (let i = 0; i < 40; i++) {
      const { Body } = await send(
        new GetObjectCommand({ Bucket: LAKE, Key: `events/${minute}-${i % 20}.json` }),
      );
      await Body?.transformToByteArray();
    }
    advance(MINUTE_MS);
  }

  const Body = Buffer.alloc(8 * PART_BYTES);
  const params = { Bucket: LAKE, Key: "upload.bin", Body, ...kms };
  await new Upload({ client: s3, params, partSize: PART_BYTES }).done();
  return requests + 10; // create, 8 parts, complete
}

/** How many stored SSE-KMS objects have a bucket key, and how many have none; asked by a client of its own. */
export async function objectStates(config: S3ClientConfig): Promise<{ withKey: number; without: number }> {
  const s3 = new S3Client(config);
  const states = { withKey: 0, without: 0 };
  for (const Bucket of [LAKE, EVIDENCE]) {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
    for (const { Key } of Contents) {
      const { BucketKeyEnabled, ServerSideEncryption } = await s3.send(
        new HeadObjectCommand({ Bucket, Key }),
      );
      if (ServerSideEncryption !== "aws:kms") continue;
      if (BucketKeyEnabled === true) states.withKey++;
      else states.without++;
    }
  }
  s3.destroy();
  return states;
}

/** The message of a write that the policy refuses: it names a key that is not the lake's. */
export async function refusedPut(s3: S3Client): Promise<string> {
  const SSEKMSKeyId = "arn:aws:kms:eu-west-1:111122223333:key/99999999-0000-4000-8000-000000000000";
  const put = { Bucket: LAKE, Key: "k", Body: "x", ServerSideEncryption: "aws:kms", SSEKMSKeyId } as const;
  try {
    await s3.send(new PutObjectCommand(put));
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("The policy was to refuse this write.");
}
