/**
 * Client-side encryption as the middleware knows it; `envelope()` of `s3-bucket-keys/envelope` makes one.
 *
 * The middleware says which calls concern a place that seals or unseals; the sealer carries them out around the
 * middlewares further in. What happens is told to `observe`, in words only: never a key, a body or an object's name.
 *
 * @public
 */
export interface BodySealer {
  /** Names the implementation in errors and statistics. */
  readonly name: string;
  /**
   * Carries out one call: seals what goes out, opens what comes back, or refuses.
   *
   * @throws An error with a literal `code` when it refuses, or when an object can't be opened; errors of S3 pass.
   */
  send(call: SealedCall): Promise<SealedResult>;
  /** Whether a call concerns an upload that was begun sealed: it stays so, whatever the policy of the day says. */
  ownsUpload(call: Pick<SealedCall, "operation" | "input" | "scope">): boolean;
}

/**
 * One call that concerns a sealed place.
 *
 * @public
 */
export interface SealedCall {
  /** The S3 operation, such as `PutObject`. */
  readonly operation: string;
  /** The command's input, already as the policy wants it; not to be edited. */
  readonly input: Readonly<Record<string, unknown>>;
  /** What holds for the bucket and key of the call: `unseal` writes plain and opens what is sealed. */
  readonly place: "seal" | "unseal";
  /** One object per client: uploads of different clients never meet. */
  readonly scope: object;
  /** Whether the SDK seems to presign: then nothing comes back that could be opened. */
  readonly presigning: boolean;
  /** Sends the command with this input; may be called again with another one. */
  readonly next: (input: Readonly<Record<string, unknown>>) => Promise<SealedResult>;
  /** Told of what happens; never throws. */
  readonly observe: (event: EnvelopeEvent) => void;
}

/**
 * What the SDK's middlewares hand back: the parsed output and the raw response.
 *
 * @public
 */
export interface SealedResult {
  /** As received. */
  readonly response: unknown;
  /** The command's output. */
  readonly output: unknown;
}

/**
 * Something that happened while sealing or opening, for counts and metrics. Holds no secret and no object's name.
 *
 * @public
 */
export type EnvelopeEvent =
  | {
      readonly kind: "kms-request";
      readonly operation: "GenerateDataKey" | "Decrypt";
      readonly seconds: number;
      /** Name of the error that KMS or the way to it ended in; absent on success. */
      readonly errorType?: string;
    }
  /** A look-up of a bucket key: `bypass` where caching is forbidden. */
  | { readonly kind: "cache"; readonly result: CacheResult }
  /** A bucket key was put into (+1) or taken out of (-1) the cache. */
  | { readonly kind: "entries"; readonly change: 1 | -1 }
  | {
      readonly kind: "retired";
      readonly reason: RetireReason;
      readonly ageSeconds: number;
      readonly uses: number;
    }
  /** Bytes of plaintext that were sealed or opened. */
  | { readonly kind: "io"; readonly direction: "seal" | "open"; readonly bytes: number }
  /** A plain object that was read in a place that unseals. */
  | { readonly kind: "plain-read" }
  | { readonly kind: "failed"; readonly phase: "kms" | "crypto"; readonly errorType: string };

/**
 * How a look-up of a bucket key ended.
 *
 * @public
 */
export type CacheResult = "hit" | "miss" | "expired" | "bypass";

/**
 * Why a bucket key left the cache: its age, uses or bytes, room for others, a denial or an eviction, or that it
 * was kept past its age because KMS could not be reached (`stale`).
 *
 * @public
 */
export type RetireReason = "ttl" | "uses" | "bytes" | "lru" | "error" | "stale";
