/** Client-side encryption in the format of the official S3 Encryption Client, with bucket keys. */
import type { BodySealer } from "../body-sealer.ts";
import { BucketKeySetupError } from "../errors.ts";
import { BucketKeyCache } from "./bucket-key-cache.ts";
import { ByteBudget } from "./byte-budget.ts";
import { ChunkIndexes } from "./chunk-indexes.ts";
import { Uploads } from "./multipart.ts";
import { checkOptions, type EnvelopeOptions } from "./options.ts";
import { sendSealed } from "./sealer.ts";
import { settingsOf } from "./settings.ts";
import type { Workings } from "./workings.ts";

/**
 * A sealer: the option `envelope` of `bucketKeys`, and the first argument of `seal` and `open`.
 *
 * @public
 */
export interface Envelope extends BodySealer {
  /** Forgets all bucket keys now, for instance after a revocation or when a snapshot was restored. */
  evict(): void;
  /** Ends it: keys are zeroed, uploads under way fail, further calls are refused. A second time does nothing. */
  close(): Promise<void>;
}

/** What stands behind each sealer, for `seal` and `open`. */
const behind = new WeakMap<object, Workings>();

/**
 * Seals what is written and opens what is read, in the format of the official S3 Encryption Client, version 3. One
 * data key of KMS serves many objects: it is used as a bucket key, and each object has a key derived from it.
 *
 * @param options - Where data keys come from, and what may be read how. Checked at once.
 * @throws `BucketKeySetupError` that names the option and what to write; `EnvelopeRefusedError`
 *   (`encryption-context`).
 * @example
 * ```ts
 * const sealer = envelope({ keyring: kmsKeyring({ client: new KMSClient({}), keyId }) });
 * s3.middlewareStack.use(bucketKeys({ policy, envelope: sealer }));
 * ```
 * @public
 */
export function envelope(options: EnvelopeOptions): Envelope {
  checkOptions(options);
  const workings = workingsOf(options);
  const { cache, uploads, indexes } = workings;
  let isClosed = false;
  const sealer: Envelope = {
    name: "envelope",
    send: (call) => sendSealed(workings, call, isClosed),
    ownsUpload: ({ input, scope }) =>
      uploads.owns(scope, { bucket: input["Bucket"], key: input["Key"], uploadId: input["UploadId"] }),
    evict: () => {
      cache.evict();
      indexes.clear();
    },
    close: async () => {
      isClosed = true;
      cache.close();
      uploads.close();
      indexes.close();
    },
  };
  behind.set(sealer, workings);
  return sealer;
}

/** @throws `BucketKeySetupError` for a sealer that `envelope()` didn't make. */
export function workingsBehind(sealer: Envelope): Workings {
  const workings = behind.get(sealer);
  if (workings !== undefined) return workings;
  throw new BucketKeySetupError("seal and open take what envelope(options) gives as their first argument.");
}

function workingsOf(options: EnvelopeOptions): Workings {
  const settings = settingsOf(options);
  return {
    settings,
    cache: cacheOf(options),
    uploads: new Uploads({
      budget: new ByteBudget(settings.bufferBudgetBytes),
      partBytes: options.partBytes,
      idleSeconds: options.uploadIdleSeconds,
    }),
    readBudget: new ByteBudget(settings.bufferBudgetBytes),
    indexes: new ChunkIndexes(),
  };
}

function cacheOf(options: EnvelopeOptions): BucketKeyCache {
  try {
    return new BucketKeyCache(options);
  } catch (error) {
    throw new BucketKeySetupError(`envelope's option ${(error as RangeError).message}`, { cause: error });
  }
}
