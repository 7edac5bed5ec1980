/** How long, how often and for how much a data key serves; checked once. */

/**
 * Limits of the bucket keys of a sealer.
 *
 * @public
 */
export interface CacheOptions {
  /** Age at which a bucket key is not used any more, in seconds, counted from before KMS was asked: 1 to 86,400. Default 300. */
  readonly maxAgeSeconds?: number;
  /** Bodies sealed under one bucket key: 1 to 2^32. Default 2^20. */
  readonly maxUses?: number;
  /** Plaintext sealed under one bucket key, in bytes: 1 to 2^53 - 1. Default 2^44. A larger body has a key for itself. */
  readonly maxBytes?: number;
  /** Memory for keys that open objects, in bytes: at least 65,536; a key takes 1,024. Default 2^27: 131,072 keys. */
  readonly maxCachedBytes?: number;
  /**
   * How long a key may serve past its age while KMS does not answer in time, throttles, or answers 5xx, in seconds:
   * 0 to 3,600. Default 0. A revocation takes that much longer to act.
   */
  readonly staleIfErrorSeconds?: number;
  /** How long KMS may take, in seconds: above 0, up to 600. Default 10. */
  readonly kmsTimeoutSeconds?: number;
}

/** The same, complete, and in milliseconds. */
export interface CacheLimits {
  readonly maxAgeMs: number;
  readonly maxUses: number;
  readonly maxBytes: number;
  readonly maxCachedBytes: number;
  readonly staleIfErrorMs: number;
  readonly kmsTimeoutMs: number;
}

interface Range {
  readonly usual: number;
  readonly least: number;
  readonly most: number;
  readonly whole: boolean;
}

const RANGES: Readonly<Record<keyof CacheOptions, Range>> = {
  maxAgeSeconds: { usual: 300, least: 1, most: 86_400, whole: false },
  maxUses: { usual: 2 ** 20, least: 1, most: 2 ** 32, whole: true },
  maxBytes: { usual: 2 ** 44, least: 1, most: Number.MAX_SAFE_INTEGER, whole: true },
  maxCachedBytes: { usual: 128 * 2 ** 20, least: 2 ** 16, most: Number.MAX_SAFE_INTEGER, whole: true },
  staleIfErrorSeconds: { usual: 0, least: 0, most: 3_600, whole: false },
  kmsTimeoutSeconds: { usual: 10, least: 0.001, most: 600, whole: false },
};

/** @throws `RangeError` that names the option and its range. */
export function checkedLimits(options: CacheOptions): CacheLimits {
  return {
    maxAgeMs: checked(options, "maxAgeSeconds") * 1_000,
    maxUses: checked(options, "maxUses"),
    maxBytes: checked(options, "maxBytes"),
    maxCachedBytes: checked(options, "maxCachedBytes"),
    staleIfErrorMs: checked(options, "staleIfErrorSeconds") * 1_000,
    kmsTimeoutMs: checked(options, "kmsTimeoutSeconds") * 1_000,
  };
}

function checked(options: CacheOptions, name: keyof CacheOptions): number {
  const { usual, least, most, whole } = RANGES[name];
  const value: unknown = options[name] ?? usual;
  if (typeof value === "number" && value >= least && value <= most && (!whole || Number.isInteger(value))) {
    return value;
  }
  throw new RangeError(
    `${name} is ${told(value)}; it must be ${whole ? "a whole number" : "a number"} from ${least} to ${most}.`,
  );
}

/** Text looks like what it spells: `maxAgeSeconds is 300; it must be a number` would help nobody. */
function told(value: unknown): string {
  return typeof value === "string" ? `${JSON.stringify(value.slice(0, 80))}, text` : String(value);
}
