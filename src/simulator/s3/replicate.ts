/** Replication between two buckets of the simulator: what becomes of the encryption, and who is asked for it. */
import type { ObjectAccess } from "../ledger/ledger.ts";
import { KmsFault } from "../kms/kms-fault.ts";
import type { DefaultEncryption } from "./default-encryption.ts";
import { settleUnknown, type UnknownRows } from "./encryption.ts";
import { etagOf } from "./objects.ts";
import type { PendingReplica, ReplicationRule } from "./replication-rules.ts";
import { S3Error } from "./s3-error.ts";
import type { S3State } from "./state.ts";
import { isDeleteMarker, versionName, type Bucket, type StoredObject } from "./store.ts";
import { hasMd5Etag, isEncrypted, storedEncryption, type StoredEncryption } from "./stored-encryption.ts";

/**
 * What became of one version in one destination.
 *
 * @public
 */
export interface ReplicationOutcome {
  /** Bucket the version was written to. */
  readonly source: string;
  /** Bucket of the replica. */
  readonly destination: string;
  /** Key of both. */
  readonly key: string;
  /** Version id of both. */
  readonly versionId: string;
  /** As in the header `x-amz-replication-status` of the source. */
  readonly status: "COMPLETED" | "FAILED";
  /** Code and message of what failed. */
  readonly reason?: string;
}

/**
 * Replicates what waits, in the order of the writes within a bucket.
 *
 * @throws `S3Error` 501 `SimulatorUnknownRow` for an object of U4 without an option that picks; it goes on waiting.
 */
export function replicatePending(state: S3State): readonly ReplicationOutcome[] {
  const outcomes: ReplicationOutcome[] = [];
  for (const bucket of state.buckets.values()) {
    let done = 0;
    try {
      for (const pending of bucket.pendingReplicas) {
        outcomes.push(...replicateOne(state, bucket, pending));
        done++;
      }
    } finally {
      bucket.pendingReplicas.splice(0, done);
    }
  }
  return outcomes;
}

function replicateOne(state: S3State, source: Bucket, pending: PendingReplica): ReplicationOutcome[] {
  // Deleted for good while it waited.
  const version = source.version(pending.key, pending.version);
  if (version === undefined) return [];
  const outcomes = pending.rules.map((rule): ReplicationOutcome => {
    const { destination } = rule;
    const about = { source: source.name, destination, key: version.key, versionId: versionName(version) };
    const reason = reasonOfFailure(() => {
      const bucket = destinationOf(state, rule);
      if (isDeleteMarker(version)) bucket.putVersion(version);
      else bucket.putVersion(replicaOf(state, pending.role, rule, { bucket, source, object: version }));
    });
    return reason === undefined ? { ...about, status: "COMPLETED" } : { ...about, status: "FAILED", reason };
  });
  if (!isDeleteMarker(version)) {
    const isFailed = outcomes.some(({ status }) => status === "FAILED");
    source.replace({ ...version, replicationStatus: isFailed ? "FAILED" : "COMPLETED" });
  }
  return outcomes;
}

/** What S3 or KMS refuse fails the replica; what nobody knows is not decided here. */
function reasonOfFailure(replicate: () => void): string | undefined {
  try {
    replicate();
    return undefined;
  } catch (error) {
    if (error instanceof KmsFault) return `KMS.${error.code}: ${error.message}`;
    if (error instanceof S3Error && error.status !== 501) return `${error.code}: ${error.message}`;
    throw error;
  }
}

function destinationOf(state: S3State, { destination }: ReplicationRule): Bucket {
  const bucket = state.buckets.get(destination);
  if (bucket === undefined) throw new S3Error(404, "NoSuchBucket", `There is no bucket ${destination}.`);
  if (bucket.versioning !== "Enabled") {
    throw new S3Error(400, "InvalidRequest", "Destination bucket must have versioning enabled.");
  }
  return bucket;
}

interface Pair {
  readonly bucket: Bucket;
  readonly source: Bucket;
  readonly object: StoredObject;
}

/** Same bytes, dates, metadata and version id; another ETag only where an unencrypted object becomes SSE-KMS. */
function replicaOf(state: S3State, role: string, rule: ReplicationRule, pair: Pair): StoredObject {
  const { object, source, bucket } = pair;
  const { key, encryption: before } = object;
  const requester = roleSession(role);
  const planned = planReplica(state, rule, before, bucket.encryption);
  const { kmsKeyArn } = planned;
  if (before.kmsKeyArn !== undefined) {
    state.ledger.decrypt({
      ...accessOf(source.name, key, requester, before, before.kmsKeyArn),
      ...(before.generation !== undefined && { generation: before.generation }),
    });
  }
  const generation =
    kmsKeyArn && state.ledger.encryptReplica(accessOf(bucket.name, key, requester, planned, kmsKeyArn));
  return {
    ...object,
    etag: isEncrypted(before) || hasMd5Etag(planned) ? object.etag : etagOf({ md5: undefined }),
    headers: rule.storageClass === undefined ? object.headers : inClass(object, rule.storageClass),
    encryption: storedEncryption({ ...planned, generation }),
    replicationStatus: "REPLICA",
  };
}

type Planned = Omit<StoredEncryption, "headers" | "generation">;

/**
 * How the replica is encrypted (section 8.3): an encrypted source keeps its type and its bucket key, whatever the
 * destination's default says; an unencrypted one, from before 2023, takes the destination's default.
 */
function planReplica(
  state: S3State,
  rule: ReplicationRule,
  source: StoredEncryption,
  byDefault: DefaultEncryption,
): Planned {
  if (!isEncrypted(source)) return planByDefault(state, byDefault);
  if (source.kmsKeyArn === undefined) return source;
  return {
    algorithm: source.algorithm,
    kmsKeyArn: state.keys.resolve(rule.replicaKmsKey ?? "").arn,
    bucketKeyEnabled: source.bucketKeyEnabled || takesBucketKey(source, byDefault, state.unknownRows),
    context: source.context,
  };
}

function planByDefault(state: S3State, { algorithm, kmsKey, bucketKeyEnabled }: DefaultEncryption): Planned {
  if (algorithm === "AES256") return { algorithm, bucketKeyEnabled: false };
  const key = kmsKey === undefined ? state.keys.awsManagedS3Key() : state.keys.resolve(kmsKey);
  return {
    algorithm,
    kmsKeyArn: key.arn,
    bucketKeyEnabled: algorithm === "aws:kms" && bucketKeyEnabled,
  };
}

/** U4: an SSE-KMS object without a bucket key comes into a bucket whose default has one. */
function takesBucketKey(
  source: StoredEncryption,
  byDefault: DefaultEncryption,
  unknownRows: UnknownRows,
): boolean {
  const isOpen =
    source.algorithm === "aws:kms" && byDefault.algorithm === "aws:kms" && byDefault.bucketKeyEnabled;
  if (!isOpen) return false;
  if (unknownRows.U4 === "apply") return true;
  settleUnknown(
    "U4",
    "an SSE-KMS object without a bucket key that is replicated into a bucket with one by default",
    unknownRows,
  );
  return false;
}

function accessOf(
  bucket: string,
  key: string,
  requester: string,
  { bucketKeyEnabled, context }: Planned,
  kmsKeyArn: string,
): ObjectAccess {
  return {
    bucket,
    key,
    kmsKeyArn,
    requester,
    bucketKey: bucketKeyEnabled,
    ...(context !== undefined && { context }),
  };
}

/** S3 takes the role on in a session of its own. */
function roleSession(role: string): string {
  const [, partition, , , accountId, resource = ""] = role.split(":");
  const name = resource.slice(resource.lastIndexOf("/") + 1);
  return `arn:${partition}:sts::${accountId}:assumed-role/${name}/s3-replication`;
}

function inClass({ headers }: StoredObject, storageClass: string): Readonly<Record<string, string>> {
  const { "x-amz-storage-class": _, ...others } = headers;
  return storageClass === "STANDARD" ? others : { ...others, "x-amz-storage-class": storageClass };
}
