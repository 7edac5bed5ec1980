/** Replication between two buckets: what a replica is encrypted with, and what the role asks of KMS (section 8.3). */
import type {
  Destination,
  GetBucketReplicationCommandOutput,
  ReplicationRule,
  SourceSelectionCriteria,
} from "@aws-sdk/client-s3";
import { DisableKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { beforeEach, describe, expect, it } from "vitest";
import type { BucketOptions, PolicyStatement, Simulator } from "../../src/simulator/index.ts";
import { errorOf, rawExchange, rawHead, withSimulator, type Fixture } from "./support.ts";

const fixture = withSimulator();
const Role = "arn:aws:iam::111122223333:role/service-role/replicator";
const IDENTITY = "arn:aws:iam::111122223333:role/replicator";
const kms = { ServerSideEncryption: "aws:kms" } as const;

let buckets = 0;
let source: string;
let destination: string;

/** Two buckets with versions, the second with that default. */
function twoBuckets(sim: Simulator, options: BucketOptions = {}): void {
  source = `source-${++buckets}`;
  destination = `replicas-${buckets}`;
  sim.createBucket(source, { versioned: true });
  sim.createBucket(destination, { ...options, versioned: true });
}

/** A rule from `source` to `destination`, for KMS objects too when it names a key. */
function rule(replicaKmsKey?: string, more: Partial<ReplicationRule> = {}): ReplicationRule {
  const SourceSelectionCriteria: SourceSelectionCriteria = { SseKmsEncryptedObjects: { Status: "Enabled" } };
  const Destination: Destination = {
    Bucket: `arn:aws:s3:::${destination}`,
    ...(replicaKmsKey !== undefined && { EncryptionConfiguration: { ReplicaKmsKeyID: replicaKmsKey } }),
  };
  return {
    ID: "all",
    Status: "Enabled",
    Priority: 1,
    Filter: { Prefix: "" },
    DeleteMarkerReplication: { Status: "Disabled" },
    ...(replicaKmsKey !== undefined && { SourceSelectionCriteria }),
    Destination,
    ...more,
  };
}

function configure(...Rules: readonly ReplicationRule[]): Promise<unknown> {
  return fixture.s3.putBucketReplication({
    Bucket: source,
    ReplicationConfiguration: { Role, Rules: [...Rules] },
  });
}

async function encryptionOf(Bucket: string, Key = "k"): Promise<unknown[]> {
  const head = await fixture.s3.headObject({ Bucket, Key });
  return [head.ServerSideEncryption, head.SSEKMSKeyId, head.BucketKeyEnabled];
}

const statusOf = async (Bucket: string, Key = "k"): Promise<string | undefined> =>
  (await fixture.s3.headObject({ Bucket, Key })).ReplicationStatus;

/** The KMS requests of S3 so far: action, requester, bucket and level. */
function requests({ sim }: Pick<Fixture, "sim">): unknown[] {
  return sim
    .kmsRequests()
    .map(({ action, requester, kmsKeyArn, context, count }) => [
      action,
      requester,
      kmsKeyArn,
      context["aws:s3:arn"],
      count,
    ]);
}

describe("the examples of AWS", () => {
  it("1: an object with a bucket key keeps it in a bucket whose default is SSE-KMS without", async () => {
    const { sim, s3, key, otherKey } = fixture;
    twoBuckets(sim, { encryption: { sse: "aws:kms", kmsKey: otherKey.arn } });
    await configure(rule(otherKey.arn));
    await s3.putObject({
      Bucket: source,
      Key: "k",
      Body: "x",
      ...kms,
      SSEKMSKeyId: key.arn,
      BucketKeyEnabled: true,
    });
    sim.replicate();
    expect(await encryptionOf(destination)).toEqual(["aws:kms", otherKey.arn, true]);
    const { ServerSideEncryptionConfiguration } = await s3.getBucketEncryption({ Bucket: destination });
    expect(ServerSideEncryptionConfiguration?.Rules?.[0]?.BucketKeyEnabled).toBe(false);
  });

  it("2: an unencrypted object takes SSE-KMS and the bucket key of its destination, and another ETag", async () => {
    const { sim, s3, otherKey } = fixture;
    twoBuckets(sim, { encryption: { sse: "aws:kms", kmsKey: otherKey.arn, bucketKey: true } });
    await configure(rule());
    sim.putUnencryptedObject(source, "k", "old");
    sim.replicate();
    expect(await encryptionOf(source)).toEqual([undefined, undefined, undefined]);
    expect(await encryptionOf(destination)).toEqual(["aws:kms", otherKey.arn, true]);
    const [before, after] = [source, destination].map((Bucket) => s3.headObject({ Bucket, Key: "k" }));
    expect((await before)?.ETag).toBe('"149603e6c03516362a8da23f624db945"');
    expect((await after)?.ETag).not.toBe((await before)?.ETag);
    expect(await (await s3.getObject({ Bucket: destination, Key: "k" })).Body?.transformToString()).toBe(
      "old",
    );
  });
});

describe("a replica", () => {
  it("of an unencrypted object takes a default of SSE-S3 with the ETag it had", async () => {
    const { sim, s3 } = fixture;
    twoBuckets(sim);
    await configure(rule());
    sim.putUnencryptedObject(source, "k", "old");
    sim.replicate();
    expect(await encryptionOf(destination)).toEqual(["AES256", undefined, undefined]);
    expect((await s3.headObject({ Bucket: destination, Key: "k" })).ETag).toBe(
      (await s3.headObject({ Bucket: source, Key: "k" })).ETag,
    );
  });

  it("of SSE-S3 stays SSE-S3, whatever the destination's default", async () => {
    const { sim, s3, otherKey } = fixture;
    twoBuckets(sim, { encryption: { sse: "aws:kms", kmsKey: otherKey.arn, bucketKey: true } });
    await configure(rule(otherKey.arn));
    await s3.putObject({ Bucket: source, Key: "k", Body: "x" });
    sim.resetKmsRequests();
    sim.replicate();
    expect(await encryptionOf(destination)).toEqual(["AES256", undefined, undefined]);
    expect(sim.kmsRequestCount()).toBe(0);
  });

  it("of SSE-KMS without a bucket key has none, where the destination's default has none", async () => {
    const { sim, s3, key, otherKey } = fixture;
    twoBuckets(sim);
    await configure(rule(otherKey.arn));
    await s3.putObject({ Bucket: source, Key: "k", Body: "x", ...kms, SSEKMSKeyId: key.arn });
    sim.replicate();
    expect(await encryptionOf(destination)).toEqual(["aws:kms", otherKey.arn, undefined]);
  });

  it("of DSSE stays DSSE, without a bucket key", async () => {
    const { sim, s3, otherKey } = fixture;
    twoBuckets(sim, { encryption: { sse: "aws:kms", kmsKey: otherKey.arn, bucketKey: true } });
    await configure(rule(otherKey.arn));
    await s3.putObject({ Bucket: source, Key: "k", Body: "x", ServerSideEncryption: "aws:kms:dsse" });
    sim.replicate();
    expect(await encryptionOf(destination)).toEqual(["aws:kms:dsse", otherKey.arn, undefined]);
  });

  it("has the bytes, metadata, dates, ETag and version id of its source", async () => {
    const { sim, s3, key, otherKey } = fixture;
    twoBuckets(sim);
    await configure(rule(otherKey.arn));
    const { VersionId } = await s3.putObject({
      Bucket: source,
      Key: "k",
      Body: "hello",
      Metadata: { a: "b" },
      ...kms,
      SSEKMSKeyId: key.arn,
      BucketKeyEnabled: true,
    });
    const before = await s3.headObject({ Bucket: source, Key: "k" });
    sim.advance(60_000);
    sim.replicate();
    const { $metadata: _, ...after } = await s3.headObject({ Bucket: destination, Key: "k", VersionId });
    expect(after).toEqual({
      ...before,
      $metadata: undefined,
      SSEKMSKeyId: otherKey.arn,
      ReplicationStatus: "REPLICA",
    });
  });

  it("takes the storage class of its rule", async () => {
    const { sim, s3 } = fixture;
    twoBuckets(sim);
    const { Destination: to } = rule();
    await configure(rule(undefined, { Destination: { ...(to as Destination), StorageClass: "GLACIER" } }));
    await s3.putObject({ Bucket: source, Key: "k", Body: "x", StorageClass: "STANDARD_IA" });
    sim.replicate();
    expect((await s3.headObject({ Bucket: destination, Key: "k" })).StorageClass).toBe("GLACIER");
  });
});

/** First an object that is no question, then one that is. */
async function writeOfU4({ sim, s3, key, otherKey }: Fixture): Promise<void> {
  twoBuckets(sim, { encryption: { sse: "aws:kms", kmsKey: otherKey.arn, bucketKey: true } });
  const ReplicationConfiguration = { Role, Rules: [rule(otherKey.arn)] };
  await s3.putBucketReplication({ Bucket: source, ReplicationConfiguration });
  await s3.putObject({ Bucket: source, Key: "a", Body: "x" });
  await s3.putObject({ Bucket: source, Key: "k", Body: "x", ...kms, SSEKMSKeyId: key.arn });
}

describe("an SSE-KMS object without a bucket key in a bucket that has one by default (U4)", () => {
  const picks = {
    unset: withSimulator(),
    error: withSimulator({ unknownRows: { U4: "error" } }),
    ignore: withSimulator({ unknownRows: { U4: "ignore" } }),
    apply: withSimulator({ unknownRows: { U4: "apply" } }),
  };

  it("is unknown: it waits, and what stands before it is done", async () => {
    await writeOfU4(picks.unset);
    const { sim, s3 } = picks.unset;
    const unknown = expect.objectContaining({ code: "SimulatorUnknownRow" });
    expect(() => sim.replicate()).toThrow(unknown);
    expect(() => sim.replicate()).toThrow(unknown);
    const statuses = ["a", "k"].map((Key) => s3.headObject({ Bucket: source, Key }));
    expect((await Promise.all(statuses)).map((head) => head.ReplicationStatus)).toEqual([
      "COMPLETED",
      "PENDING",
    ]);
  });

  it.each([
    ["ignore", undefined],
    ["apply", true],
  ] as const)("%s: bucket key %s", async (pick, expected) => {
    await writeOfU4(picks[pick]);
    picks[pick].sim.replicate();
    const replica = await picks[pick].s3.headObject({ Bucket: destination, Key: "k" });
    expect([replica.ServerSideEncryption, replica.BucketKeyEnabled]).toEqual(["aws:kms", expected]);
  });

  it("error: the replication fails", async () => {
    await writeOfU4(picks.error);
    expect(picks.error.sim.replicate().map(({ key, status }) => [key, status])).toEqual([
      ["a", "COMPLETED"],
      ["k", "FAILED"],
    ]);
  });
});

describe("the role", () => {
  it("opens the source and encrypts the replica, each under the object's ARN without bucket keys", async () => {
    const { sim, s3, key, otherKey } = fixture;
    twoBuckets(sim);
    await configure(rule(otherKey.arn));
    for (const Key of ["k", "l"]) {
      await s3.putObject({ Bucket: source, Key, Body: "x", ...kms, SSEKMSKeyId: key.arn });
    }
    sim.resetKmsRequests();
    sim.replicate();
    expect(requests(fixture)).toEqual(
      ["k", "l"].flatMap((Key) => [
        ["Decrypt", IDENTITY, key.arn, `arn:aws:s3:::${source}/${Key}`, 1],
        ["Encrypt", IDENTITY, otherKey.arn, `arn:aws:s3:::${destination}/${Key}`, 1],
      ]),
    );
  });

  it("asks under the buckets' ARNs with bucket keys, and needs Decrypt for the replica's key too", async () => {
    const { sim, s3, key, otherKey } = fixture;
    twoBuckets(sim);
    await configure(rule(otherKey.arn));
    const write = { ...kms, SSEKMSKeyId: key.arn, BucketKeyEnabled: true };
    for (const Key of ["k", "l", "m"]) await s3.putObject({ Bucket: source, Key, Body: "x", ...write });
    sim.resetKmsRequests();
    sim.replicate();
    expect(requests(fixture)).toEqual([
      ["Decrypt", IDENTITY, key.arn, `arn:aws:s3:::${source}`, 1],
      ["Encrypt", IDENTITY, otherKey.arn, `arn:aws:s3:::${destination}`, 1],
      ["Decrypt", IDENTITY, otherKey.arn, `arn:aws:s3:::${destination}`, 1],
    ]);
  });

  it("stands in CloudTrail as a session of S3", async () => {
    const { sim, s3, key, otherKey } = fixture;
    twoBuckets(sim);
    await configure(rule(otherKey.arn));
    await s3.putObject({ Bucket: source, Key: "k", Body: "x", ...kms, SSEKMSKeyId: key.arn });
    sim.resetKmsRequests();
    sim.replicate();
    const [, encrypt] = sim.cloudTrail();
    expect(encrypt).toMatchObject({
      eventName: "Encrypt",
      userIdentity: {
        type: "AssumedRole",
        arn: "arn:aws:sts::111122223333:assumed-role/replicator/s3-replication",
      },
      requestParameters: {
        keyId: otherKey.arn,
        encryptionContext: { "aws:s3:arn": `arn:aws:s3:::${destination}/k` },
      },
    });
  });

  it("fails the replica when KMS refuses, and the next object may go on", async () => {
    const { sim, s3 } = fixture;
    const key = sim.createKmsKey();
    twoBuckets(sim);
    await configure(rule(key.arn));
    await s3.putObject({ Bucket: source, Key: "k", Body: "x", ...kms, BucketKeyEnabled: true });
    await s3.putObject({ Bucket: source, Key: "plain", Body: "x" });
    const client = new KMSClient(sim.clientConfig);
    await client.send(new DisableKeyCommand({ KeyId: key.id }));
    client.destroy();
    expect(sim.replicate()).toEqual([
      expect.objectContaining({
        key: "k",
        status: "FAILED",
        reason: expect.stringContaining("DisabledException"),
      }),
      expect.objectContaining({ key: "plain", status: "COMPLETED" }),
    ]);
    expect([await statusOf(source), await statusOf(source, "plain")]).toEqual(["FAILED", "COMPLETED"]);
    expect((await errorOf(s3.headObject({ Bucket: destination, Key: "k" }))).name).toBe("NotFound");
  });

  it("fails the replica for a key that is not there, or a destination that is gone", async () => {
    const { sim, s3 } = fixture;
    twoBuckets(sim);
    await configure(rule("arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000"));
    await s3.putObject({ Bucket: source, Key: "k", Body: "x", ...kms });
    expect(sim.replicate()[0]?.reason).toContain("NotFoundException");
    await s3.deleteBucket({ Bucket: destination });
    await s3.putObject({ Bucket: source, Key: "l", Body: "x" });
    expect(sim.replicate()[0]?.reason).toContain("NoSuchBucket");
  });
});

/** A role of its own: nobody gave the other one policies, so it may do everything. */
const LIMITED = "arn:aws:iam::111122223333:role/limited";

const both = (bucket: string): string[] => [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
const allow = (Action: string, Resource: string, contexts: readonly string[]): PolicyStatement => ({
  Effect: "Allow",
  Action,
  Resource,
  Condition: {
    StringLike: {
      "kms:ViaService": "s3.eu-west-1.amazonaws.com",
      "kms:EncryptionContext:aws:s3:arn": contexts,
    },
  },
});

/** One object, by a writer who may do all, replicated by a role with that policy. */
async function replicated(
  bucketKey: boolean,
  statements: (replicas: string) => PolicyStatement[],
): Promise<unknown> {
  const { sim, s3, key, otherKey } = fixture;
  twoBuckets(sim);
  const ReplicationConfiguration = { Role: LIMITED, Rules: [rule(otherKey.arn)] };
  await s3.putBucketReplication({ Bucket: source, ReplicationConfiguration });
  const write = { ...kms, SSEKMSKeyId: key.arn, BucketKeyEnabled: bucketKey };
  await s3.putObject({ Bucket: source, Key: "k", Body: "x", ...write });
  sim.putIamPolicy(LIMITED, { Version: "2012-10-17", Statement: statements(destination) });
  const [outcome] = sim.replicate();
  return outcome?.reason?.replace(/^.* to perform: (\S+) on .*$/, "$1") ?? outcome?.status;
}

describe("the role's permissions", () => {
  it.each<
    [string, boolean, (sourceKey: string, replicaKey: string, replicas: string) => PolicyStatement[], string]
  >([
    [
      "Decrypt and Encrypt are enough without a bucket key",
      false,
      (sourceKey, replicaKey, replicas) => [
        allow("kms:Decrypt", sourceKey, [`arn:aws:s3:::${source}/*`]),
        allow("kms:Encrypt", replicaKey, [`arn:aws:s3:::${replicas}/*`]),
      ],
      "COMPLETED",
    ],
    [
      "a source's bucket key breaks what names objects only",
      true,
      (sourceKey, replicaKey, replicas) => [
        allow("kms:Decrypt", sourceKey, [`arn:aws:s3:::${source}/*`]),
        allow("kms:Encrypt", replicaKey, [`arn:aws:s3:::${replicas}/*`]),
      ],
      "kms:Decrypt",
    ],
    [
      "with a bucket key Encrypt alone is not enough for the replica's key",
      true,
      (sourceKey, replicaKey, replicas) => [
        allow("kms:Decrypt", sourceKey, both(source)),
        allow("kms:Encrypt", replicaKey, both(replicas)),
      ],
      "kms:Decrypt",
    ],
    [
      "Decrypt on the replica's key mends it",
      true,
      (sourceKey, replicaKey, replicas) => [
        allow("kms:Decrypt", sourceKey, both(source)),
        allow("kms:Encrypt", replicaKey, both(replicas)),
        allow("kms:Decrypt", replicaKey, both(replicas)),
      ],
      "COMPLETED",
    ],
    [
      "nothing is not enough",
      false,
      () => [{ Effect: "Allow", Action: "s3:*", Resource: "*" }],
      "kms:Decrypt",
    ],
  ])("%s", async (_says, bucketKey, statements, expected) => {
    const { key, otherKey } = fixture;
    const outcome = await replicated(bucketKey, (replicas) => statements(key.arn, otherKey.arn, replicas));
    expect(outcome).toBe(expected);
    expect(await statusOf(source)).toBe(expected === "COMPLETED" ? "COMPLETED" : "FAILED");
  });
});

describe("what is replicated", () => {
  beforeEach(() => twoBuckets(fixture.sim));

  it("shows PENDING until it is, and then where it stands", async () => {
    const { sim, s3 } = fixture;
    await configure(rule());
    await s3.putObject({ Bucket: source, Key: "k", Body: "x" });
    expect(await statusOf(source)).toBe("PENDING");
    expect(sim.replicate()).toEqual([
      { source, destination, key: "k", versionId: expect.any(String), status: "COMPLETED" },
    ]);
    expect([await statusOf(source), await statusOf(destination)]).toEqual(["COMPLETED", "REPLICA"]);
    expect(sim.replicate()).toEqual([]);
  });

  it("leaves KMS objects alone when the rule does not select them", async () => {
    const { sim, s3 } = fixture;
    await configure(rule());
    await s3.putObject({ Bucket: source, Key: "k", Body: "x", ...kms });
    expect(sim.replicate()).toEqual([]);
    expect(await statusOf(source)).toBeUndefined();
  });

  it("lies under the prefix, was written after the rule, and comes by copy and multipart too", async () => {
    const { sim, s3 } = fixture;
    await s3.putObject({ Bucket: source, Key: "in/before", Body: "x" });
    await configure(rule(undefined, { Filter: { Prefix: "in/" } }));
    await s3.putObject({ Bucket: source, Key: "out/k", Body: "x" });
    await s3.copyObject({ Bucket: source, Key: "in/copy", CopySource: `${source}/out/k` });
    const upload = { Bucket: source, Key: "in/parts" };
    const { UploadId } = await s3.createMultipartUpload(upload);
    const { ETag } = await s3.uploadPart({ ...upload, UploadId, PartNumber: 1, Body: "p" });
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await s3.completeMultipartUpload({ ...upload, UploadId, MultipartUpload });
    expect(sim.replicate().map(({ key }) => key)).toEqual(["in/copy", "in/parts"]);
  });

  it("is not what UpdateObjectEncryption changes: both sides have to be updated", async () => {
    const { sim, s3, key, otherKey } = fixture;
    await configure(rule(otherKey.arn));
    await s3.putObject({ Bucket: source, Key: "k", Body: "x", ...kms });
    sim.replicate();
    const ObjectEncryption = { SSEKMS: { KMSKeyArn: key.arn, BucketKeyEnabled: true } };
    await s3.updateObjectEncryption({ Bucket: source, Key: "k", ObjectEncryption });
    expect(sim.replicate()).toEqual([]);
    expect(await encryptionOf(source)).toEqual(["aws:kms", key.arn, true]);
    expect(await encryptionOf(destination)).toEqual(["aws:kms", otherKey.arn, undefined]);
  });

  it("does not go round: replicas are not replicated", async () => {
    const { sim, s3 } = fixture;
    await configure(rule());
    await s3.putBucketReplication({
      Bucket: destination,
      ReplicationConfiguration: {
        Role,
        Rules: [rule(undefined, { Destination: { Bucket: `arn:aws:s3:::${source}` } })],
      },
    });
    await s3.putObject({ Bucket: source, Key: "k", Body: "x" });
    expect(sim.replicate()).toHaveLength(1);
    expect(sim.replicate()).toEqual([]);
  });

  it("has one rule per destination, that of the highest priority, and may have many destinations", async () => {
    const { sim, s3 } = fixture;
    const third = `third-${buckets}`;
    sim.createBucket(third, { versioned: true });
    const { Destination: to } = rule();
    await configure(
      rule(undefined, { ID: "low", Priority: 1 }),
      rule(undefined, {
        ID: "high",
        Priority: 2,
        Destination: { ...(to as Destination), StorageClass: "GLACIER" },
      }),
      rule(undefined, { ID: "third", Priority: 3, Destination: { Bucket: `arn:aws:s3:::${third}` } }),
    );
    await s3.putObject({ Bucket: source, Key: "k", Body: "x" });
    expect(sim.replicate().map((outcome) => outcome.destination)).toEqual([destination, third]);
    expect((await s3.headObject({ Bucket: destination, Key: "k" })).StorageClass).toBe("GLACIER");
  });

  it.each(["Enabled", "Disabled"] as const)("has delete markers when they are %s", async (Status) => {
    const { sim, s3 } = fixture;
    await configure(rule(undefined, { DeleteMarkerReplication: { Status } }));
    await s3.putObject({ Bucket: source, Key: "k", Body: "x" });
    const { VersionId } = await s3.deleteObject({ Bucket: source, Key: "k" });
    sim.replicate();
    const { DeleteMarkers = [] } = await s3.listObjectVersions({ Bucket: destination });
    expect(DeleteMarkers.map((marker) => marker.VersionId)).toEqual(Status === "Enabled" ? [VersionId] : []);
  });

  it("is not a version that was deleted for good while it waited", async () => {
    const { sim, s3 } = fixture;
    await configure(rule());
    const { VersionId } = await s3.putObject({ Bucket: source, Key: "k", Body: "x" });
    await s3.deleteObject({ Bucket: source, Key: "k", VersionId });
    expect(sim.replicate()).toEqual([]);
  });
});

function configured(): Promise<GetBucketReplicationCommandOutput> {
  return fixture.s3.getBucketReplication({ Bucket: source });
}

/** The status of a configuration that no typed client would send. */
async function putWith(role: string, status: string): Promise<number> {
  const body =
    `<ReplicationConfiguration><Role>${role}</Role><Rule><Prefix></Prefix><Status>${status}</Status>` +
    `<Destination><Bucket>arn:aws:s3:::${destination}</Bucket></Destination></Rule></ReplicationConfiguration>`;
  const head = rawHead(`PUT /${source}?replication`, { "content-length": body.length });
  return (await rawExchange(fixture.sim, head, body)).status;
}

describe("the replication configuration", () => {
  beforeEach(() => twoBuckets(fixture.sim));
  it("is given back as it was put, and can be deleted", async () => {
    const { s3, otherKey } = fixture;
    expect((await errorOf(configured())).name).toBe("ReplicationConfigurationNotFoundError");
    const { Prefix: _, ...rest } = rule(otherKey.arn, { Filter: { Prefix: "a&b/" } });
    await configure(rest);
    expect((await configured()).ReplicationConfiguration).toEqual({ Role, Rules: [rest] });
    await s3.deleteBucketReplication({ Bucket: source });
    expect((await errorOf(configured())).name).toBe("ReplicationConfigurationNotFoundError");
  });

  it("of the first version of its schema has a prefix and replicates delete markers", async () => {
    const { sim, s3 } = fixture;
    const Destination = { Bucket: `arn:aws:s3:::${destination}` };
    await configure({ Prefix: "p/", Status: "Enabled", Destination });
    expect((await configured()).ReplicationConfiguration?.Rules).toEqual([
      { ID: "rule-1", Prefix: "p/", Status: "Enabled", Destination },
    ]);
    await s3.deleteObject({ Bucket: source, Key: "p/k" });
    expect(sim.replicate()).toHaveLength(1);
  });

  it("keeps versioning on", async () => {
    await configure(rule());
    const VersioningConfiguration = { Status: "Suspended" } as const;
    const error = await errorOf(fixture.s3.putBucketVersioning({ Bucket: source, VersioningConfiguration }));
    expect([error.$metadata.httpStatusCode, error.name]).toEqual([409, "InvalidBucketState"]);
  });

  it("needs versions on both sides", async () => {
    const { sim, s3 } = fixture;
    sim.createBucket(`plain-${buckets}`);
    const Destination = { Bucket: `arn:aws:s3:::plain-${buckets}` };
    expect((await errorOf(configure(rule(undefined, { Destination })))).message).toBe(
      "Destination bucket must have versioning enabled.",
    );
    const fromPlain = s3.putBucketReplication({
      Bucket: `plain-${buckets}`,
      ReplicationConfiguration: { Role, Rules: [rule()] },
    });
    expect((await errorOf(fromPlain)).message).toMatch(/^Versioning must be 'Enabled'/);
  });

  it.each<[string, () => Partial<ReplicationRule>, string]>([
    [
      "a destination that is not there",
      () => ({ Destination: { Bucket: "arn:aws:s3:::absent" } }),
      "InvalidRequest",
    ],
    ["the bucket itself", () => ({ Destination: { Bucket: `arn:aws:s3:::${source}` } }), "InvalidRequest"],
    ["a destination that is no ARN", () => ({ Destination: { Bucket: destination } }), "MalformedXML"],
    ["no priority", () => ({ Priority: undefined }), "InvalidRequest"],
    ["nothing about delete markers", () => ({ DeleteMarkerReplication: undefined }), "InvalidRequest"],
    [
      "KMS objects without a key for the replica",
      () => ({ SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: "Enabled" } } }),
      "InvalidRequest",
    ],
    ["a filter by tag", () => ({ Filter: { Tag: { Key: "a", Value: "b" } } }), "NotImplemented"],
    [
      "changes of replicas",
      () => ({ SourceSelectionCriteria: { ReplicaModifications: { Status: "Enabled" } } }),
      "NotImplemented",
    ],
  ])("is refused with %s", async (_says, more, code) => {
    expect((await errorOf(configure(rule(undefined, more())))).name).toBe(code);
    expect((await errorOf(configured())).name).toBe("ReplicationConfigurationNotFoundError");
  });

  it("is refused with two rules of one priority, or of one id", async () => {
    expect((await errorOf(configure(rule(), rule(undefined, { ID: "b" })))).name).toBe("InvalidRequest");
    expect((await errorOf(configure(rule(), rule(undefined, { Priority: 2 })))).name).toBe("InvalidArgument");
  });

  it("is refused without a role, or with a status that is none", async () => {
    expect(await putWith("", "Enabled")).toBe(400);
    expect(await putWith(Role, "On")).toBe(400);
    expect(await putWith(Role, "Enabled")).toBe(200);
  });
});
