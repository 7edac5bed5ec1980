/** A bucket's replication, as PutBucketReplication sets it. Nothing in it speaks of bucket keys (section 8.3). */
export interface Replication {
  /** ARN of the role that S3 takes on. */
  readonly role: string;
  readonly rules: readonly ReplicationRule[];
}

export interface ReplicationRule {
  readonly id: string;
  readonly isEnabled: boolean;
  /** Of the first version of the schema: the prefix stands in the rule itself, and there is no priority. */
  readonly isFirstVersion: boolean;
  readonly priority: number;
  readonly prefix: string;
  /** Name of the bucket. */
  readonly destination: string;
  readonly storageClass: string | undefined;
  /** Whether objects under SSE-KMS and DSSE are replicated; without it they are passed over. */
  readonly replicatesKmsObjects: boolean;
  /** As it was written: it is not looked at before an object is replicated. */
  readonly replicaKmsKey: string | undefined;
  readonly replicatesDeleteMarkers: boolean;
}

/** A version that waits for `replicate()`, with what the configuration said when it was written. */
export interface PendingReplica {
  readonly key: string;
  /** The version's id, or `null`. */
  readonly version: string;
  readonly role: string;
  /** One rule per destination. */
  readonly rules: readonly ReplicationRule[];
}

/** As much of a stored object as rules look at. */
interface WrittenObject {
  readonly key: string;
  readonly encryption: { readonly kmsKeyArn?: string | undefined };
  readonly replicationStatus?: string | undefined;
}

/** The rules by which an object is replicated: of several with one destination the one of the highest priority. */
export function rulesForObject(replication: Replication, object: WrittenObject): readonly ReplicationRule[] {
  // A replica is not replicated once more.
  if (object.replicationStatus === "REPLICA") return [];
  const isKms = object.encryption.kmsKeyArn !== undefined;
  return onePerDestination(
    replication.rules.filter((rule) => covers(rule, object.key) && (!isKms || rule.replicatesKmsObjects)),
  );
}

/** The same for a delete marker. */
export function rulesForMarker(replication: Replication, key: string): readonly ReplicationRule[] {
  return onePerDestination(
    replication.rules.filter((rule) => covers(rule, key) && rule.replicatesDeleteMarkers),
  );
}

function covers(rule: ReplicationRule, key: string): boolean {
  return rule.isEnabled && key.startsWith(rule.prefix);
}

function onePerDestination(rules: readonly ReplicationRule[]): readonly ReplicationRule[] {
  const best = new Map<string, ReplicationRule>();
  for (const rule of rules) {
    const known = best.get(rule.destination);
    if (known === undefined || rule.priority > known.priority) best.set(rule.destination, rule);
  }
  return [...best.values()];
}
