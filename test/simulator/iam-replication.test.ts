/** P2: what a replication role must be allowed, once bucket keys are in play. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { S3 } from "@aws-sdk/client-s3";
import { startSimulator, type KmsKey, type Simulator } from "../../src/simulator/index.ts";
import { stockClient } from "./support.ts";

const ROLE = "arn:aws:iam::111122223333:role/replicator";

let sim: Simulator;
let s3: S3;
let source: KmsKey;
let replica: KmsKey;

beforeEach(async () => {
  sim = await startSimulator();
  s3 = stockClient(sim);
  [source, replica] = [sim.createKmsKey(), sim.createKmsKey()];
  for (const name of ["from", "into"]) sim.createBucket(name, { versioned: true });
  const rule = {
    Status: "Enabled",
    Priority: 1,
    Filter: { Prefix: "" },
    DeleteMarkerReplication: { Status: "Disabled" },
    SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: "Enabled" } },
    Destination: {
      Bucket: "arn:aws:s3:::into",
      EncryptionConfiguration: { ReplicaKmsKeyID: replica.arn },
    },
  } as const;
  await s3.putBucketReplication({
    Bucket: "from",
    ReplicationConfiguration: { Role: ROLE, Rules: [rule] },
  });
});

afterEach(async () => {
  s3.destroy();
  await sim.close();
});

function statement(Action: string[], Resource: string, arn: string): object {
  const Condition = { StringLike: { "kms:EncryptionContext:aws:s3:arn": arn } };
  return { Effect: "Allow", Action, Resource, Condition };
}

/** Lets the role decrypt what is in the first bucket, and these actions with the replica's key. */
function allow(objects: string, ...withReplicaKey: string[]): void {
  const Statement = [
    statement(["kms:Decrypt"], source.arn, `arn:aws:s3:::from${objects}`),
    statement(withReplicaKey, replica.arn, `arn:aws:s3:::into${objects}`),
  ];
  sim.putIamPolicy(ROLE, JSON.stringify({ Version: "2012-10-17", Statement }));
}

async function replicated(BucketKeyEnabled: boolean): Promise<string> {
  const kms = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: source.arn, BucketKeyEnabled } as const;
  await s3.putObject({ Bucket: "from", Key: "k", Body: "x", ...kms });
  const [outcome] = sim.replicate();
  return outcome?.reason ?? outcome?.status ?? "nothing";
}

describe("a replication role", () => {
  it.each([
    ["without bucket keys: Encrypt is enough", false, "/*", ["kms:Encrypt"], "COMPLETED"],
    [
      "with bucket keys: the walkthrough's policy for objects",
      true,
      "/*",
      ["kms:Encrypt"],
      "kms:Decrypt on resource",
    ],
    [
      "with bucket keys: Encrypt alone for the replica's key",
      true,
      "*",
      ["kms:Encrypt"],
      "kms:Decrypt on resource",
    ],
    [
      "with bucket keys: Decrypt with the replica's key too",
      true,
      "*",
      ["kms:Encrypt", "kms:Decrypt"],
      "COMPLETED",
    ],
  ])("%s", async (_says, bucketKey, objects, actions, expected) => {
    allow(objects, ...actions);
    expect(await replicated(bucketKey)).toContain(expected);
  });
});
