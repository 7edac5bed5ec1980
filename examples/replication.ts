/**
 * Replication and bucket keys: the two examples of the AWS user guide, against a simulated S3.
 *
 * 1. The source object has a bucket key, the destination's default is SSE-KMS without one: the replica keeps it.
 * 2. The source object is from before 2023 and not encrypted, the destination's default is SSE-KMS with a bucket
 *    key: the replica takes both, and another ETag.
 *
 * The KMS requests are those that S3 makes for the replication role (simulated): docs/simulator.md.
 */
import {
  HeadObjectCommand,
  PutBucketReplicationCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { startSimulator, type Simulator } from "s3-bucket-keys/testing";

const ROLE = "arn:aws:iam::111122223333:role/replicator";
const [SOURCE, REPLICAS] = ["acme-orders", "acme-orders-copy"];
const KEYS = {
  source: "11111111-1111-4111-8111-111111111111",
  replica: "22222222-2222-4222-8222-222222222222",
};

const kmsKey = (id: string): string => `arn:aws:kms:eu-west-1:111122223333:key/${id}`;

/** Two buckets that keep versions, the second with that default, and a rule for KMS objects too. */
async function simulated(bucketKeyByDefault: boolean): Promise<{ simulator: Simulator; s3: S3Client }> {
  const simulator = await startSimulator({ region: "eu-west-1", accountId: "111122223333" });
  for (const id of Object.values(KEYS)) simulator.createKmsKey({ id });
  const encryption = { sse: "aws:kms", kmsKey: kmsKey(KEYS.replica), bucketKey: bucketKeyByDefault } as const;
  simulator.createBucket(SOURCE, { versioned: true });
  simulator.createBucket(REPLICAS, { versioned: true, encryption });

  const s3 = new S3Client(simulator.clientConfig);
  const rule = {
    Status: "Enabled",
    Priority: 1,
    Filter: { Prefix: "" },
    DeleteMarkerReplication: { Status: "Disabled" },
    SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: "Enabled" } },
    Destination: {
      Bucket: `arn:aws:s3:::${REPLICAS}`,
      EncryptionConfiguration: { ReplicaKmsKeyID: kmsKey(KEYS.replica) },
    },
  } as const;
  const ReplicationConfiguration = { Role: ROLE, Rules: [rule] };
  await s3.send(new PutBucketReplicationCommand({ Bucket: SOURCE, ReplicationConfiguration }));
  return { simulator, s3 };
}

/** Replicates what was written, and prints both objects and what the role asked of KMS. */
async function replicateAndPrint(title: string, simulator: Simulator, s3: S3Client): Promise<void> {
  simulator.resetKmsRequests();
  const [outcome] = simulator.replicate();
  console.log(`${title}: ${outcome?.status ?? "nothing to replicate"}\n`);
  for (const [name, Bucket] of [
    ["source", SOURCE],
    ["replica", REPLICAS],
  ] as const) {
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: "order.json" }));
    const key = head.SSEKMSKeyId?.slice(-12) ?? "-";
    console.log(
      `  ${name.padEnd(8)} ${(head.ServerSideEncryption ?? "none").padEnd(8)} key ${key.padEnd(12)}  ` +
        `bucket key ${String(head.BucketKeyEnabled ?? false).padEnd(5)}  ETag ${head.ETag}`,
    );
  }
  console.log("\n  KMS requests of the role (simulated):");
  for (const { action, kmsKeyArn, context, count } of simulator.kmsRequests()) {
    const key = kmsKeyArn.slice(-12);
    console.log(`  ${count} ${action.padEnd(8)} key ${key}  context ${context["aws:s3:arn"]}`);
  }
  console.log();
}

/** Runs one example in a simulator of its own. */
async function example(
  title: string,
  bucketKeyByDefault: boolean,
  write: (simulator: Simulator, s3: S3Client) => Promise<unknown>,
): Promise<void> {
  const { simulator, s3 } = await simulated(bucketKeyByDefault);
  try {
    await write(simulator, s3);
    await replicateAndPrint(title, simulator, s3);
  } finally {
    s3.destroy();
    await simulator.close();
  }
}

await example("1. a bucket key into a bucket without", false, (_simulator, s3) =>
  s3.send(
    new PutObjectCommand({
      Bucket: SOURCE,
      Key: "order.json",
      Body: "{}",
      ServerSideEncryption: "aws:kms",
      SSEKMSKeyId: kmsKey(KEYS.source),
      BucketKeyEnabled: true,
    }),
  ),
);
await example("2. an unencrypted object into a bucket with a bucket key", true, async (simulator) =>
  simulator.putUnencryptedObject(SOURCE, "order.json", "{}"),
);
