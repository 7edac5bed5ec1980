import type { AddressInfo } from "node:net";
import { TrustingAuthenticator, VerifyingAuthenticator, type Authenticator } from "./auth/authenticator.ts";
import { RealTimeClock, VirtualClock } from "./clock.ts";
import type { S3DataEvent } from "./cloudtrail/data-event.ts";
import { DataTrail } from "./cloudtrail/data-trail.ts";
import type { CloudTrailEvent } from "./cloudtrail/event.ts";
import { cloudTrailFiles, type CloudTrailFile } from "./cloudtrail/files.ts";
import {
  CredentialBook,
  namedCredentials,
  type NamedCredentials,
  type SimulatorCredentials,
} from "./credentials.ts";
import type { ClientCall } from "./kms/client-calls.ts";
import type { FaultRule, InjectedFault } from "./faults/fault.ts";
import { FaultBook } from "./faults/fault-book.ts";
import { parsePolicy } from "./iam/parse-policy.ts";
import type { PolicyDocument } from "./iam/policy-document.ts";
import { KeyStore, type KmsKey } from "./kms/key-store.ts";
import { checkS3Request } from "./kms/s3-requests.ts";
import type { KmsQuota } from "./kms/throttle.ts";
import { KmsLedger, type S3KmsRequest } from "./ledger/ledger.ts";
import { checkedDefault } from "./s3/bucket-encryption.ts";
import { addBucket } from "./s3/buckets.ts";
import { answersOf, UNKNOWN_ROWS, type UnknownRows } from "./s3/encryption.ts";
import { OPERATIONS } from "./s3/routes.ts";
import { inventoryOf, type InventoryOptions, type InventoryReport } from "./s3/inventory.ts";
import { replicatePending, type ReplicationOutcome } from "./s3/replicate.ts";
import { bucketOf, type S3State } from "./s3/state.ts";
import { putUnencrypted } from "./s3/unencrypted.ts";
import { createSimulatorServer } from "./server.ts";

const LOOPBACK = "127.0.0.1";

/**
 * Options of {@link startSimulator}; each may be left out.
 *
 * @public
 */
export interface SimulatorOptions {
  /** Port on 127.0.0.1. @defaultValue 0: any free port */
  readonly port?: number;
  /** Region of buckets, keys and ARNs. @defaultValue "eu-west-1" */
  readonly region?: string;
  /** Twelve digits. @defaultValue "111122223333" */
  readonly accountId?: string;
  /**
   * Who may ask. Left out: any access key is taken, each as an IAM user of its own name; under
   * `verifySignatures`, only that of `clientConfig`.
   */
  readonly credentials?: readonly SimulatorCredentials[];
  /**
   * Whether requests have to be signed with the secret of a known access key: in the header, the query of a
   * presigned URL or the policy of a form, with the signatures of chunks and trailers. @defaultValue false: the
   * access key alone tells who asks
   */
  readonly verifySignatures?: boolean;
  /**
   * How long S3 keeps a bucket key for a requester, in seconds of the simulator's clock. AWS does not publish
   * the real one. @defaultValue 60: docs/simulator-model.md says why
   */
  readonly bucketKeyLifetimeSeconds?: number;
  /**
   * `virtual`: time stands still until `advance()`, so that a count never depends on how fast a test runs. `real`: time
   * goes on by itself, as for `npx s3-bucket-keys simulate`; `advance()` adds to it. @defaultValue "virtual"
   */
  readonly clock?: "virtual" | "real";
  /**
   * Whether a write with a bucket key needs `kms:Decrypt` beside `kms:GenerateDataKey`. AWS says so for some
   * services that write, and not whether it holds for everybody (U12): a policy that grants both is safe. Try
   * yours with `true`. @defaultValue false
   */
  readonly bucketKeyWritesNeedDecrypt?: boolean;
  /** What to answer where nobody knows what AWS does. @defaultValue 501 `SimulatorUnknownRow` for each */
  readonly unknownRows?: UnknownRows;
  /** Buckets that are there from the start. */
  readonly buckets?: readonly (string | ({ readonly name: string } & BucketOptions))[];
  /**
   * Whether requests for objects are kept as CloudTrail data events: the last 10,000, with their keys.
   *
   * @defaultValue false: they cost nothing then
   */
  readonly dataEvents?: boolean;
  /** Smallest part of a multipart upload except the last, in bytes. @defaultValue 5 MiB, as S3 */
  readonly minimumPartBytes?: number;
}

/**
 * Default encryption of a bucket that is made without a request.
 *
 * @public
 */
export interface BucketOptions {
  /** Left out: SSE-S3, as on new buckets. */
  readonly encryption?: BucketEncryption;
  /** Whether it keeps versions from the start. @defaultValue false */
  readonly versioned?: boolean;
}

/**
 * As in PutBucketEncryption.
 *
 * @public
 */
export interface BucketEncryption {
  /** The algorithm of writes that name none. */
  readonly sse: "AES256" | "aws:kms" | "aws:kms:dsse";
  /** ARN, id or alias of a KMS key; left out with `aws:kms`: the AWS managed key `aws/s3`. */
  readonly kmsKey?: string;
  /** Whether SSE-KMS writes that say nothing get a bucket key. @defaultValue false */
  readonly bucketKey?: boolean;
  /** Whether SSE-C is refused. @defaultValue true, as on new buckets since April 2026 */
  readonly blocksCustomerKeys?: boolean;
}

/**
 * What an `S3Client` and a `KMSClient` need to talk to the simulator.
 *
 * @public
 */
export interface SimulatorClientConfig {
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  /** The simulator's region. */
  readonly region: string;
  /** Those of the first principal. */
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** Bucket names go into the path: a loopback address has no subdomains. */
  readonly forcePathStyle: true;
}

/**
 * A running simulator. All KMS numbers it gives are simulated: docs/simulator.md.
 *
 * @public
 */
export interface Simulator {
  /** `http://127.0.0.1:PORT`, for S3 and KMS alike. */
  readonly endpoint: string;
  /** For `new S3Client(...)` and `new KMSClient(...)`; of the first of the `credentials`. */
  readonly clientConfig: SimulatorClientConfig;
  /** What S3 itself asked KMS so far (simulated), summed up by requester, action, bucket, key and context. */
  kmsRequests(): readonly S3KmsRequest[];
  /** How many KMS requests S3 itself made so far (simulated). */
  kmsRequestCount(): number;
  /** The last 10,000 KMS requests of S3 in the shape of CloudTrail events (simulated). */
  cloudTrail(): readonly CloudTrailEvent[];
  /** The last 10,000 requests for objects in the shape of CloudTrail data events; empty without `dataEvents`. */
  dataEvents(): readonly S3DataEvent[];
  /**
   * Both kinds of events as the log files that CloudTrail delivers: one for five minutes, at most 5,000 records each.
   *
   * @example
   * ```ts
   * for (const { key, body } of sim.cloudTrailFiles()) {
   *   await mkdir(dirname(join(folder, key)), { recursive: true });
   *   await writeFile(join(folder, key), body);
   * }
   * ```
   */
  cloudTrailFiles(): readonly CloudTrailFile[];
  /** What clients asked of the KMS endpoint themselves: never among `kmsRequests`. */
  kmsClientRequests(): readonly ClientCall[];
  /** Forgets KMS requests and all events; objects, keys and the bucket keys that S3 holds stay. */
  resetKmsRequests(): void;
  /** Moves the simulator's clock, in milliseconds: bucket keys grow old, objects get later dates. */
  advance(ms: number): void;
  /** Makes a bucket without a request. */
  createBucket(name: string, options?: BucketOptions): void;
  /**
   * Makes a customer managed KMS key: with the `id` that a policy names, else a random one; with an `alias`
   * (`alias/...`) if given; with a key `policy`, else the default one, which leaves the decision to IAM.
   *
   * @throws `PolicyDocumentError`; an error with KMS's code for an id or alias that is taken.
   */
  createKmsKey(options?: {
    readonly id?: string;
    readonly alias?: string;
    readonly description?: string;
    readonly policy?: PolicyDocument;
  }): KmsKey;
  /**
   * Gives a KMS key another key policy, as PutKeyPolicy does, whoever it locks out. It is asked when S3 asks KMS:
   * not while a bucket key is in memory.
   *
   * @param key - Id, ARN or alias.
   * @throws `PolicyDocumentError` for a policy that AWS would not take, or that cannot be evaluated here.
   * @example
   * ```ts
   * sim.putKeyPolicy(key.arn, readFileSync("key-policy.json", "utf8"));
   * ```
   */
  putKeyPolicy(key: string, policy: PolicyDocument): void;
  /**
   * Gives a user or role its identity policies, instead of those it had; `[]` leaves it none.
   *
   * @param principalArn - Of a user, a role or a role's session, whose role it then is.
   * @throws As `putKeyPolicy`.
   */
  putIamPolicy(principalArn: string, policy: PolicyDocument | readonly PolicyDocument[]): void;
  /**
   * Limits how many requests KMS answers for an account, those of S3 and of clients together. Beyond it S3 answers
   * 503 `SlowDown`, KMS `ThrottlingException`.
   *
   * @param quota - Left out: without limit, as from the start.
   * @throws `RangeError` for a rate that is not more than zero.
   */
  throttleKms(quota?: KmsQuota): void;
  /**
   * Makes requests to S3 go wrong: latency, errors, resets, bodies that break off, headers that are wrong. Of several
   * rules the first that is due is met: docs/simulator.md.
   *
   * @throws `RangeError` for a rule that can't be.
   * @example
   * ```ts
   * const slow = sim.injectFault({ operation: "PutObject", times: 2, fault: { kind: "error", code: "SlowDown" } });
   * await s3.send(new PutObjectCommand(...)); // answered by the third attempt
   * slow.hits; // 2
   * ```
   */
  injectFault(rule: FaultRule): InjectedFault;
  /** Removes all of them. */
  removeFaults(): void;
  /**
   * Makes an object of before 2023, when S3 encrypted only what was told to: no request makes one any more. Rules of
   * replication take it for written now.
   *
   * @throws An error with S3's code when there is no such bucket.
   */
  putUnencryptedObject(bucket: string, key: string, body: string | Uint8Array): void;
  /**
   * Replicates what was written into buckets with a replication configuration since the last call, in order. Until
   * then it waits, and shows `PENDING`: S3 takes seconds or hours, a test says when.
   *
   * @throws An error with the code `SimulatorUnknownRow` for an object of row U4, unless `unknownRows.U4` picks an answer.
   */
  replicate(): readonly ReplicationOutcome[];
  /**
   * Makes a report of S3 Inventory, at once: S3 takes up to 48 hours for the first one.
   *
   * @throws An error with S3's code when there is no such bucket; `RangeError` for an option out of range.
   * @example
   * ```ts
   * const fields = ["EncryptionStatus", "BucketKeyStatus"] as const;
   * const { manifestKey } = sim.inventory("lake", { fields, versions: "All", destination: "reports" });
   * ```
   */
  inventory(bucket: string, options?: InventoryOptions): InventoryReport;
  /** Ends the server and every open connection. */
  close(): Promise<void>;
}

/**
 * Starts an S3 and KMS endpoint on loopback, in this process, that counts the KMS requests S3 would make.
 *
 * Any client talks to it over HTTP: the AWS SDKs of any language, the AWS CLI, curl. Everything is kept in
 * memory. It follows the documented and recorded behaviour of S3 row by row (docs/simulator.md); where nobody
 * knows what AWS does it answers 501 `SimulatorUnknownRow` unless `unknownRows` picks an answer.
 *
 * @throws `RangeError` for an option out of range; an error with S3's code for a bucket that S3 would refuse; the
 * server's error when the port is taken.
 * @example
 * ```ts
 * const sim = await startSimulator({ buckets: ["lake"] });
 * const key = sim.createKmsKey();
 * const s3 = new S3Client(sim.clientConfig);
 * const write = { Bucket: "lake", ServerSideEncryption: "aws:kms", SSEKMSKeyId: key.arn, BucketKeyEnabled: true };
 * for (const Key of ["a", "b", "c"]) await s3.send(new PutObjectCommand({ ...write, Key, Body: "x" }));
 * sim.kmsRequestCount(); // 1 (simulated)
 * await sim.close();
 * ```
 * @public
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const state = stateOf(options);
  for (const bucket of options.buckets ?? []) {
    if (typeof bucket === "string") makeBucket(state, bucket);
    else makeBucket(state, bucket.name, bucket);
  }
  const server = createSimulatorServer(state);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, LOOPBACK, resolve);
  });
  const endpoint = `http://${LOOPBACK}:${(server.address() as AddressInfo).port}`;
  return {
    endpoint,
    clientConfig: clientConfigOf(endpoint, state.region, options.credentials?.[0]),
    kmsRequests: () => state.ledger.requests(),
    kmsRequestCount: () => Object.values(state.ledger.totals()).reduce((sum, count) => sum + count, 0),
    cloudTrail: () => state.ledger.events(),
    dataEvents: () => state.dataTrail?.events() ?? [],
    cloudTrailFiles: () =>
      cloudTrailFiles([...state.ledger.events(), ...(state.dataTrail?.events() ?? [])], state),
    resetKmsRequests: () => {
      state.ledger.reset();
      state.keys.calls.reset();
      state.dataTrail?.clear();
    },
    kmsClientRequests: () => state.keys.calls.list(),
    advance: (ms) => state.clock.advance(ms),
    createBucket: (name, bucketOptions) => makeBucket(state, name, bucketOptions),
    createKmsKey: ({ alias, policy, ...keyOptions } = {}) => {
      const parsed = policy === undefined ? undefined : parsePolicy(policy, "key");
      const key = state.keys.createKey(keyOptions);
      if (alias !== undefined) state.keys.createAlias(alias, key.id);
      if (parsed !== undefined) state.keys.access.putKeyPolicy(key, parsed);
      return key;
    },
    putKeyPolicy: (key, policy) =>
      state.keys.access.putKeyPolicy(state.keys.resolve(key), parsePolicy(policy, "key")),
    putIamPolicy: (principalArn, policy) =>
      putIdentityPolicies(state.keys, principalArn, Array.isArray(policy) ? policy : [policy]),
    throttleKms: (quota) => state.keys.throttle.limit(quota),
    injectFault: (rule) => state.faults.add(rule),
    removeFaults: () => state.faults.clear(),
    putUnencryptedObject: (bucket, key, body) => void putUnencrypted(state, bucket, key, body),
    replicate: () => replicatePending(state),
    inventory: (bucket, inventoryOptions) => inventoryOf(state, bucket, inventoryOptions),
    close: () =>
      new Promise((resolve) => {
        // Closed a second time, it has nothing left to do: that is no error.
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function stateOf(options: SimulatorOptions): S3State {
  checkOptions(options);
  const { region = "eu-west-1", accountId = "111122223333", bucketKeyLifetimeSeconds } = options;
  const { bucketKeyWritesNeedDecrypt = false } = options;
  const clock = options.clock === "real" ? new RealTimeClock() : new VirtualClock();
  const keys = new KeyStore({ region, accountId, clock });
  const credentials = options.credentials?.map((one) => namedCredentials(one, accountId));
  for (const { principalArn, policies, principalTags } of credentials ?? []) {
    if (policies !== undefined) putIdentityPolicies(keys, principalArn, policies);
    if (principalTags !== undefined) keys.access.putTags(principalArn, principalTags);
  }
  const ledger = new KmsLedger({
    clock,
    ...(bucketKeyLifetimeSeconds !== undefined && { bucketKeyLifetimeSeconds }),
    region,
    accountId,
    // KMS looks at the key only when it is asked: a bucket key in memory outlives a disabled KMS key or a policy.
    beforeRequest: (_kmsKeyArn, action, access) =>
      checkS3Request(keys, action, access, { bucketKeyWritesNeedDecrypt }),
  });
  return {
    authenticator: authenticatorOf(options.verifySignatures === true, credentials, region, accountId),
    buckets: new Map(),
    clock,
    keys,
    ledger,
    dataTrail: options.dataEvents === true ? new DataTrail({ region, accountId }) : undefined,
    faults: new FaultBook(OPERATIONS),
    region,
    accountId,
    unknownRows: options.unknownRows ?? {},
    minimumPartBytes: options.minimumPartBytes ?? 5 * 1024 ** 2,
  };
}

function putIdentityPolicies(
  keys: KeyStore,
  principalArn: string,
  policies: readonly PolicyDocument[],
): void {
  const parsed = policies.map((policy) => parsePolicy(policy, "identity"));
  keys.access.putIdentityPolicies(principalArn, parsed);
}

/** The access key of a simulator without `credentials`. */
const ANYONE = { accessKeyId: "SIMULATOR", secretAccessKey: "simulator", sessionToken: undefined };

function authenticatorOf(
  verifies: boolean,
  credentials: readonly NamedCredentials[] | undefined,
  region: string,
  accountId: string,
): Authenticator {
  if (!verifies) return new TrustingAuthenticator(new CredentialBook(accountId, credentials));
  const { accessKeyId, secretAccessKey } = ANYONE;
  const anyone = namedCredentials({ accessKeyId, secretAccessKey }, accountId);
  return new VerifyingAuthenticator(region, credentials ?? [anyone]);
}

/** Each option once; the type makes sure that none is missing. */
const OPTIONS: { readonly [Name in keyof Required<SimulatorOptions>]: true } = {
  port: true,
  region: true,
  accountId: true,
  credentials: true,
  verifySignatures: true,
  bucketKeyLifetimeSeconds: true,
  bucketKeyWritesNeedDecrypt: true,
  clock: true,
  unknownRows: true,
  buckets: true,
  minimumPartBytes: true,
  dataEvents: true,
};

/** For callers without types too: an option that is silently ignored makes a test that shows nothing. */
function checkOptions(options: SimulatorOptions): void {
  const { accountId, clock = "virtual", minimumPartBytes, unknownRows = {} } = options;
  const odd = Object.keys(options).find((name) => !Object.hasOwn(OPTIONS, name));
  if (odd !== undefined) {
    throw new RangeError(`${odd} is no option; there are ${Object.keys(OPTIONS).join(", ")}`);
  }
  if (options.verifySignatures !== undefined && typeof options.verifySignatures !== "boolean") {
    throw new RangeError(`verifySignatures must be true or false: ${String(options.verifySignatures)}`);
  }
  if (accountId !== undefined && !/^\d{12}$/.test(accountId)) {
    throw new RangeError(`accountId must be twelve digits: ${accountId}`);
  }
  if (!["virtual", "real"].includes(clock)) {
    throw new RangeError(`clock takes "virtual" or "real": ${clock}`);
  }
  if (minimumPartBytes !== undefined && !(minimumPartBytes >= 0)) {
    throw new RangeError(`minimumPartBytes must be zero or more: ${minimumPartBytes}`);
  }
  for (const [row, picked] of Object.entries(unknownRows)) {
    const known = UNKNOWN_ROWS.find((id) => id === row);
    if (known === undefined || !answersOf(known).includes(picked)) {
      throw new RangeError(
        `unknownRows takes "error" or "ignore" for ${UNKNOWN_ROWS.join(", ")}, "apply" too for U4: ${row}: ${picked}`,
      );
    }
  }
}

function makeBucket(state: S3State, name: string, { encryption, versioned }: BucketOptions = {}): void {
  const byDefault = encryption && {
    algorithm: encryption.sse,
    kmsKey: encryption.kmsKey,
    bucketKeyEnabled: encryption.bucketKey ?? false,
    blocksCustomerKeys: encryption.blocksCustomerKeys ?? true,
  };
  addBucket(state, name, byDefault && checkedDefault(byDefault, state.unknownRows));
  if (versioned === true) bucketOf(state, name).versioning = "Enabled";
}

function clientConfigOf(
  endpoint: string,
  region: string,
  first: SimulatorCredentials | undefined,
): SimulatorClientConfig {
  const { accessKeyId, secretAccessKey, sessionToken } = first ?? ANYONE;
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  return { endpoint, region, credentials, forcePathStyle: true };
}
