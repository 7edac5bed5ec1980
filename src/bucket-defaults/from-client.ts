/** The bucket-defaults room asks S3 for the default encryption of buckets, for rules with `whenSseUnset: lookup`. */
import { GetBucketEncryptionCommand } from "@aws-sdk/client-s3";
import { bucketTypeOf } from "../arn.ts";
import type { BucketDefaults } from "../bucket-defaults.ts";
import { BucketKeySetupError } from "../errors.ts";
import { checkOptionNames } from "../option-names.ts";
import type { BucketDefault } from "../policy/policy.ts";
import { LookupCache } from "./cache.ts";

/**
 * The part of an `S3Client` that lookups need.
 *
 * @public
 */
export interface BucketDefaultsClient {
  /** Sends a `GetBucketEncryptionCommand`. */
  // `any` on purpose: it keeps every copy of the SDK's own types assignable.
  // oxlint-disable-next-line typescript/no-explicit-any
  send(command: any, options?: any): Promise<any>;
}

/**
 * Options of `bucketDefaultsFrom`.
 *
 * @public
 */
export interface BucketDefaultsOptions {
  /** How long an answer holds, in seconds, less up to a fifth at random. Default 300. */
  readonly ttlSeconds?: number;
  /** How long a failure holds, in seconds, less up to a fifth at random. Default 30. */
  readonly failureTtlSeconds?: number;
  /** How long one lookup may take, retries included, in seconds; 24 days at most. Default 3. */
  readonly timeoutSeconds?: number;
  /** Buckets remembered; the one unused for longest is forgotten. Default 1,000. */
  readonly maxBuckets?: number;
  /** A clock that never goes back, in milliseconds. Default: `performance.now()`. */
  readonly now?: () => number;
  /** Numbers from 0 up to 1. Default: `Math.random()`. */
  readonly random?: () => number;
}

/** The names of its options. */
const OPTIONS: { readonly [O in keyof BucketDefaultsOptions]-?: true } = {
  ttlSeconds: true,
  failureTtlSeconds: true,
  timeoutSeconds: true,
  maxBuckets: true,
  now: true,
  random: true,
};

/** A longer timer would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The default encryption of buckets as GetBucketEncryption tells it, asked for once per bucket and five minutes.
 *
 * The first writes to a bucket wait for the answer, all for the same one; later ones never wait: a known answer
 * is given while it is asked for anew. A lookup that is denied, throttled or late is `lookup-failed`: the
 * policy's `onLookupFailure` decides, and the plugin counts it. A known answer outlives failures by up to an
 * hour (twelve times `ttlSeconds`).
 *
 * Access points, their aliases, Outposts and URLs are `lookup-failed` without a request, since S3 answers for
 * buckets only; the plugin's `resolveBucket` can name the bucket behind them. A server without a default
 * encryption (404 `ServerSideEncryptionConfigurationNotFoundError`, never AWS since 2023) is SSE-S3.
 *
 * @param client - It may wear the plugin itself. Its principal needs `s3:GetEncryptionConfiguration`.
 * @throws `RangeError` when a number of `options` isn't above 0. `BucketKeySetupError` when there is no client, and
 *   for an option that it hasn't.
 * @example
 * ```ts
 * const s3 = new S3Client({});
 * s3.middlewareStack.use(bucketKeys({ policy, bucketDefaults: bucketDefaultsFrom(s3) }));
 * ```
 * @public
 */
export function bucketDefaultsFrom(
  client: BucketDefaultsClient,
  options: BucketDefaultsOptions = {},
): BucketDefaults {
  const call = "bucketDefaultsFrom(s3, { ttlSeconds: 300 })";
  checkOptionNames({ of: "bucketDefaultsFrom", table: OPTIONS, call }, options);
  const { ttlSeconds = 300, failureTtlSeconds = 30, timeoutSeconds = 3, maxBuckets = 1_000 } = options;
  for (const [name, value] of Object.entries({ ttlSeconds, failureTtlSeconds, timeoutSeconds, maxBuckets })) {
    if (!(value > 0)) throw new RangeError(`${name} is ${value}; it must be above 0.`);
  }
  requireClient(client);
  const timeoutMs = Math.min(timeoutSeconds * 1_000, MAX_TIMER_MS);
  const cache = new LookupCache((bucket) => askS3(client, bucket, timeoutMs), {
    ttlMs: ttlSeconds * 1_000,
    failureTtlMs: failureTtlSeconds * 1_000,
    maxBuckets,
    now: options.now ?? (() => performance.now()),
    random: options.random ?? Math.random,
  });
  return {
    lookup: (bucket) => (isBucket(bucket) ? cache.lookup(bucket) : "lookup-failed"),
    lastFailure: (bucket) => (isBucket(bucket) ? cache.lastFailure(bucket) : "NotABucket"),
  };
}

function requireClient(client: Partial<BucketDefaultsClient> | null | undefined): void {
  if (typeof client?.send === "function") return;
  throw new BucketKeySetupError(
    "bucketDefaultsFrom() needs a client to ask with: give it an S3Client, as in bucketDefaultsFrom(s3).",
  );
}

function isBucket(name: string): boolean {
  const type = bucketTypeOf(name);
  return type === "general-purpose" || type === "directory";
}

/** One GetBucketEncryption; rejects when it fails or is late, even for a client that ignores being aborted. */
async function askS3(
  client: BucketDefaultsClient,
  bucket: string,
  timeoutMs: number,
): Promise<BucketDefault> {
  const aborter = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(Object.assign(new Error("The lookup took too long."), { name: "TimeoutError" }));
      aborter.abort();
    }, timeoutMs);
  });
  try {
    const command = new GetBucketEncryptionCommand({ Bucket: bucket });
    const answer: unknown = await Promise.race([client.send(command, { abortSignal: aborter.signal }), late]);
    return defaultIn(answer);
  } catch (error) {
    if (error instanceof Error && error.name === "ServerSideEncryptionConfigurationNotFoundError") {
      return SSE_S3;
    }
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

const SSE_S3: BucketDefault = Object.freeze({ sse: "AES256", bucketKey: false });

interface Answer {
  readonly ServerSideEncryptionConfiguration?: {
    readonly Rules?: readonly {
      readonly ApplyServerSideEncryptionByDefault?: {
        readonly SSEAlgorithm?: string;
        readonly KMSMasterKeyID?: string;
      };
      readonly BucketKeyEnabled?: boolean;
    }[];
  };
}

/** S3 keeps exactly one rule; one that names no algorithm (but blocks some) leaves it at SSE-S3. */
function defaultIn(answer: unknown): BucketDefault {
  const rule = (answer as Answer | undefined)?.ServerSideEncryptionConfiguration?.Rules?.[0];
  if (rule === undefined) {
    throw Object.assign(new Error("GetBucketEncryption answered without a rule."), {
      name: "MalformedAnswer",
    });
  }
  const { SSEAlgorithm: sse = "AES256", KMSMasterKeyID: kmsKey } =
    rule.ApplyServerSideEncryptionByDefault ?? {};
  const bucketKey = rule.BucketKeyEnabled === true;
  return Object.freeze(kmsKey === undefined ? { sse, bucketKey } : { sse, kmsKey, bucketKey });
}
