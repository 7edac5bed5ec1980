import type { VirtualClock } from "../clock.ts";
import type { CloudTrailEvent } from "../cloudtrail/event.ts";
import { cloudTrailRecord } from "../cloudtrail/record.ts";
import { RecentRequests } from "./recent-requests.ts";
import { requesterIdentity } from "./requester.ts";

/**
 * How long S3 is modelled to keep a bucket key in memory, in seconds.
 *
 * AWS publishes no figure (U5). This one reproduces the three published measurements of section 10.5, with
 * the durations that docs/simulator-model.md states; there 150 seconds would be too long.
 */
export const DEFAULT_BUCKET_KEY_LIFETIME_SECONDS = 60;

/**
 * What S3 asks of KMS. `Encrypt` comes from replication alone.
 *
 * @public
 */
export type KmsAction = "GenerateDataKey" | "Decrypt" | "Encrypt";

/**
 * Requests of one kind that S3 would have made to KMS (simulated).
 *
 * @public
 */
export interface S3KmsRequest {
  /** What S3 asked for: a new data key, an old one unwrapped, or that of a replica wrapped. */
  readonly action: KmsAction;
  /** Bucket of the objects. */
  readonly bucket: string;
  /** The KMS key that was asked. */
  readonly kmsKeyArn: string;
  /** Who S3 asks for: a user, a role (its sessions count as one), an account's root. */
  readonly requester: string;
  /** The encryption context, `aws:s3:arn` included. */
  readonly context: Readonly<Record<string, string>>;
  /** True when asked for a bucket key (context of the bucket), false when for one object (context of the object). */
  readonly bucketLevel: boolean;
  /** How many such requests. */
  readonly count: number;
}

/** A write or a read of an SSE-KMS or DSSE-KMS object, as S3 sees it. */
export interface ObjectAccess {
  readonly bucket: string;
  readonly key: string;
  /** Full ARN of the KMS key. */
  readonly kmsKeyArn: string;
  /** ARN of the caller. */
  readonly requester: string;
  /** Whether the object uses a bucket key. Never with DSSE (R18). */
  readonly bucketKey: boolean;
  /** The caller's own encryption context, without `aws:s3:arn`. */
  readonly context?: Readonly<Record<string, string>>;
}

export interface KmsLedgerOptions {
  readonly clock: VirtualClock;
  /**
   * How long S3 keeps a bucket key in memory, in seconds of the clock; 0 keeps none.
   *
   * @defaultValue `DEFAULT_BUCKET_KEY_LIFETIME_SECONDS`
   */
  readonly bucketKeyLifetimeSeconds?: number;
  readonly region: string;
  readonly accountId: string;
  /**
   * Called before each KMS request that is not saved by a bucket key in memory; throw to deny it. Nothing is
   * counted or remembered then. Left out, KMS grants everything.
   */
  readonly beforeRequest?: (kmsKeyArn: string, action: KmsAction, access: ObjectAccess) => void;
  /** Events kept, newest first to stay. @defaultValue 10,000 */
  readonly maxEvents?: number;
}

type Row = { -readonly [Field in keyof S3KmsRequest]: S3KmsRequest[Field] };

/** All that one requester does in one bucket under one KMS key and one encryption context. */
interface Lane {
  readonly bucket: string;
  readonly kmsKeyArn: string;
  readonly requester: string;
  readonly ownContext: Readonly<Record<string, string>> | undefined;
  /** The bucket key that writes use, and the time from which it no longer is in memory. */
  writes: { generation: string; untilMs: number } | undefined;
  /** Bucket keys that reads have opened, each with the time from which it no longer is in memory. */
  readonly reads: Map<string, number>;
  /** Size of `reads` at which the ones no longer in memory are dropped. */
  sweepAt: number;
  readonly bucketRows: Rows;
  readonly objectRows: Map<string, Rows>;
}

/** The lanes of one requester, by KMS key, bucket and context. */
type Lanes = Map<string, Map<string, Map<string, Lane>>>;

type Rows = Partial<Record<KmsAction, Row>>;

const SWEEP_AT_LEAST = 1_024;
/** For objects whose bucket key nobody remembers: they share one. */
const UNKNOWN_GENERATION = "unknown";

/**
 * The KMS requests that S3 itself would make (simulated: a model, explained in docs/simulator-model.md).
 *
 * Without a bucket key each write is one GenerateDataKey and each read one Decrypt. With one, a request is
 * made only when no bucket key is in memory for this requester, bucket, KMS key and encryption context:
 * writes take the requester's current bucket key for one lifetime, reads open the bucket key the object was
 * written under and keep it for one lifetime, apart from the writer's (who may write need not be allowed to
 * read: section 10.2). A lifetime starts with the request and is not prolonged by use.
 *
 * Memory grows with the number of distinct requesters, buckets, KMS keys, contexts and, without a bucket
 * key, objects; never with the number of requests.
 *
 * @example
 * const put = { bucket: "lake", key: "a", kmsKeyArn, requester, bucketKey: true };
 * const generation = ledger.encrypt(put);   // asks KMS
 * ledger.encrypt({ ...put, key: "b" });     // does not
 * ledger.decrypt({ ...put, generation });   // asks KMS: a read is another permission
 */
export class KmsLedger {
  readonly #clock: VirtualClock;
  readonly #lifetimeMs: number;
  readonly #trail: { readonly region: string; readonly accountId: string };
  readonly #beforeRequest: KmsLedgerOptions["beforeRequest"];
  // Nested by requester, KMS key, bucket and context: each name is looked up as it is, none is joined.
  readonly #lanes = new Map<string, Lanes>();
  readonly #allLanes: Lane[] = [];
  readonly #rows: Row[] = [];
  readonly #recent: RecentRequests;
  readonly #totals: Record<KmsAction, number> = { GenerateDataKey: 0, Decrypt: 0, Encrypt: 0 };
  #generations = 0;

  constructor(options: KmsLedgerOptions) {
    const lifetimeSeconds = options.bucketKeyLifetimeSeconds ?? DEFAULT_BUCKET_KEY_LIFETIME_SECONDS;
    if (!(lifetimeSeconds >= 0)) {
      throw new RangeError(`bucketKeyLifetimeSeconds must be zero or more: ${lifetimeSeconds}`);
    }
    this.#clock = options.clock;
    this.#lifetimeMs = lifetimeSeconds * 1_000;
    this.#trail = { region: options.region, accountId: options.accountId };
    this.#beforeRequest = options.beforeRequest;
    this.#recent = new RecentRequests(options.maxEvents ?? 10_000);
  }

  /**
   * Encrypts an object: the KMS request that S3 makes for it, if it makes one.
   *
   * @returns The bucket key the object is under, to be kept with it for its reads; nothing without one.
   * @throws What `beforeRequest` throws.
   */
  encrypt(access: ObjectAccess): string | undefined {
    const lane = this.#lane(access);
    if (!access.bucketKey) {
      this.#ask("GenerateDataKey", lane, access);
      return undefined;
    }
    const nowMs = this.#clock.nowMs();
    if (lane.writes === undefined || nowMs >= lane.writes.untilMs) {
      this.#ask("GenerateDataKey", lane, access);
      lane.writes = { generation: `bk-${++this.#generations}`, untilMs: nowMs + this.#lifetimeMs };
    }
    return lane.writes.generation;
  }

  /**
   * Encrypts a replica: with `Encrypt`, the one permission that AWS documents for replication; with a bucket key
   * also with `Decrypt`, to check it (section 8.3). That both come once per bucket key is assumed.
   *
   * @param access - With the replication role as requester.
   * @returns As `encrypt`.
   * @throws What `beforeRequest` throws.
   */
  encryptReplica(access: ObjectAccess): string | undefined {
    const lane = this.#lane(access);
    if (!access.bucketKey) {
      this.#ask("Encrypt", lane, access);
      return undefined;
    }
    const nowMs = this.#clock.nowMs();
    if (lane.writes === undefined || nowMs >= lane.writes.untilMs) {
      this.#ask("Encrypt", lane, access);
      this.#ask("Decrypt", lane, access);
      lane.writes = { generation: `bk-${++this.#generations}`, untilMs: nowMs + this.#lifetimeMs };
    }
    return lane.writes.generation;
  }

  /**
   * Decrypts an object: the KMS request that S3 makes for it, if it makes one.
   *
   * @param access - With the `generation` that `encrypt` returned for the object.
   * @throws What `beforeRequest` throws.
   */
  decrypt(access: ObjectAccess & Readonly<{ generation?: string }>): void {
    const lane = this.#lane(access);
    if (!access.bucketKey) {
      this.#ask("Decrypt", lane, access);
      return;
    }
    const nowMs = this.#clock.nowMs();
    const generation = access.generation ?? UNKNOWN_GENERATION;
    const untilMs = lane.reads.get(generation);
    if (untilMs !== undefined && nowMs < untilMs) return;
    this.#ask("Decrypt", lane, access);
    lane.reads.set(generation, nowMs + this.#lifetimeMs);
    if (lane.reads.size >= lane.sweepAt) sweep(lane, nowMs);
  }

  /** All requests so far (simulated), added up by action, bucket, KMS key, requester and context. */
  requests(): readonly S3KmsRequest[] {
    return this.#rows.map((row) => ({ ...row }));
  }

  /** Number of requests so far (simulated), by action; `Encrypt` only when something was replicated. */
  totals(): Readonly<Record<Exclude<KmsAction, "Encrypt">, number> & { Encrypt?: number }> {
    const { Encrypt, ...others } = this.#totals;
    return Encrypt === 0 ? others : { ...others, Encrypt };
  }

  /** The last `maxEvents` requests as CloudTrail records, oldest first (simulated). */
  events(): readonly CloudTrailEvent[] {
    return this.#recent.list().map((facts) => cloudTrailRecord(facts, this.#trail));
  }

  /** Forgets requests and events. Bucket keys stay in memory for their lifetime: S3 has not restarted. */
  reset(): void {
    this.#rows.length = 0;
    this.#recent.clear();
    this.#totals.GenerateDataKey = 0;
    this.#totals.Decrypt = 0;
    this.#totals.Encrypt = 0;
    for (const lane of this.#allLanes) {
      delete lane.bucketRows.GenerateDataKey;
      delete lane.bucketRows.Decrypt;
      delete lane.bucketRows.Encrypt;
      lane.objectRows.clear();
    }
  }

  #lane(access: ObjectAccess): Lane {
    const context = access.context === undefined ? "" : contextText(access.context);
    const byContext = entry(entry(this.#lanesOf(access.requester), access.kmsKeyArn), access.bucket);
    let lane = byContext.get(context);
    if (lane === undefined) {
      lane = {
        bucket: access.bucket,
        kmsKeyArn: access.kmsKeyArn,
        requester: requesterIdentity(access.requester),
        ownContext: context === "" ? undefined : { ...access.context },
        writes: undefined,
        reads: new Map(),
        sweepAt: SWEEP_AT_LEAST,
        bucketRows: {},
        objectRows: new Map(),
      };
      byContext.set(context, lane);
      this.#allLanes.push(lane);
    }
    return lane;
  }

  /** One map for all sessions of a role. */
  #lanesOf(requester: string): Lanes {
    let lanes = this.#lanes.get(requester);
    if (lanes === undefined) {
      lanes = entry(this.#lanes, requesterIdentity(requester));
      this.#lanes.set(requester, lanes);
    }
    return lanes;
  }

  /** Makes one KMS request: granted, counted and put on the trail. */
  #ask(action: KmsAction, lane: Lane, access: ObjectAccess): void {
    this.#beforeRequest?.(access.kmsKeyArn, action, access);
    const row = this.#row(action, lane, access);
    row.count++;
    this.#totals[action]++;
    this.#recent.add(action, this.#clock.nowMs(), access.requester, row);
  }

  #row(action: KmsAction, lane: Lane, access: ObjectAccess): Row {
    let rows = access.bucketKey ? lane.bucketRows : lane.objectRows.get(access.key);
    if (rows === undefined) {
      rows = {};
      lane.objectRows.set(access.key, rows);
    }
    const known = rows[action];
    if (known !== undefined) return known;
    const row: Row = {
      action,
      bucket: lane.bucket,
      kmsKeyArn: lane.kmsKeyArn,
      requester: lane.requester,
      context: encryptionContextOf({ ...access, context: lane.ownContext ?? {} }),
      bucketLevel: access.bucketKey,
      count: 0,
    };
    rows[action] = row;
    this.#rows.push(row);
    return row;
  }
}

/** What S3 sends with its KMS request: the caller's own context, and the ARN of the bucket or of the object. */
export function encryptionContextOf(access: ObjectAccess): Readonly<Record<string, string>> {
  const { bucket, key, bucketKey, context } = access;
  return { ...context, "aws:s3:arn": `arn:aws:s3:::${bucket}${bucketKey ? "" : `/${key}`}` };
}

/** The map under that name, made when there is none. */
function entry<Inner>(maps: Map<string, Map<string, Inner>>, name: string): Map<string, Inner> {
  let inner = maps.get(name);
  if (inner === undefined) {
    inner = new Map();
    maps.set(name, inner);
  }
  return inner;
}

/** The same text for the same context, in whatever order its entries stand. */
function contextText(context: Readonly<Record<string, string>>): string {
  const names = Object.keys(context);
  if (names.length > 1) names.sort();
  let text = "";
  // Lengths before names and values: no two contexts read the same.
  for (const name of names) {
    const value = context[name] as string;
    text += `${name.length}:${name}${value.length}:${value}`;
  }
  return text;
}

/** Forgets bucket keys that are no longer in memory; each entry is looked at a bounded number of times. */
function sweep(lane: Lane, nowMs: number): void {
  for (const [generation, untilMs] of lane.reads) {
    if (nowMs >= untilMs) lane.reads.delete(generation);
  }
  lane.sweepAt = Math.max(SWEEP_AT_LEAST, 2 * lane.reads.size);
}
