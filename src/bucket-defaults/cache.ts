import type { BucketDefault } from "../policy/policy.ts";

/** How a cache of lookups behaves, in milliseconds of its clock. */
export interface CacheSettings {
  readonly ttlMs: number;
  readonly failureTtlMs: number;
  readonly maxBuckets: number;
  readonly now: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

/** Up to so much of a lifetime is taken off, so that processes started together don't ask together. */
const JITTER = 0.2;

/** Lifetimes after which a default that can't be asked for again is no longer believed. */
const MAX_LIFETIMES = 12;

interface Entry {
  found: { readonly value: BucketDefault; readonly atMs: number } | undefined;
  failure: string | undefined;
  askAgainAtMs: number;
  pending: Promise<BucketDefault | "lookup-failed"> | undefined;
}

/**
 * Remembers defaults of buckets, and asks once per bucket and lifetime, whatever the number of callers.
 *
 * The first callers share one wait. Later a known default is answered at once while it is asked for anew, and
 * goes on being answered when that fails, for at most twelve lifetimes.
 */
export class LookupCache {
  readonly #fetch: (bucket: string) => Promise<BucketDefault>;
  readonly #settings: CacheSettings;
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry>();

  /** @param fetch - Rejects when there is no answer. */
  constructor(fetch: (bucket: string) => Promise<BucketDefault>, settings: CacheSettings) {
    this.#fetch = fetch;
    this.#settings = settings;
  }

  lookup(bucket: string): BucketDefault | "lookup-failed" | Promise<BucketDefault | "lookup-failed"> {
    const entry = this.#use(bucket);
    const known = this.#believed(entry);
    if (this.#settings.now() < entry.askAgainAtMs) return known ?? "lookup-failed";
    const asked = (entry.pending ??= this.#ask(bucket, entry));
    return known ?? asked;
  }

  lastFailure(bucket: string): string | undefined {
    return this.#entries.get(bucket)?.failure;
  }

  /** The entry of a bucket, as the one used last; the one unused for longest makes room for a new one. */
  #use(bucket: string): Entry {
    const known = this.#entries.get(bucket);
    if (known !== undefined) {
      this.#entries.delete(bucket);
    } else if (this.#entries.size >= this.#settings.maxBuckets) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    const entry = known ?? {
      found: undefined,
      failure: undefined,
      askAgainAtMs: -Infinity,
      pending: undefined,
    };
    this.#entries.set(bucket, entry);
    return entry;
  }

  #believed({ found }: Entry): BucketDefault | undefined {
    const { now, ttlMs } = this.#settings;
    return found !== undefined && now() - found.atMs < ttlMs * MAX_LIFETIMES ? found.value : undefined;
  }

  /** Never rejects. */
  async #ask(bucket: string, entry: Entry): Promise<BucketDefault | "lookup-failed"> {
    const { now, ttlMs, failureTtlMs } = this.#settings;
    try {
      const value = await this.#fetch(bucket);
      entry.found = { value, atMs: now() };
      entry.failure = undefined;
      entry.askAgainAtMs = this.#after(ttlMs);
      return value;
    } catch (error) {
      entry.failure = codeOf(error);
      entry.askAgainAtMs = this.#after(failureTtlMs);
      return this.#believed(entry) ?? "lookup-failed";
    } finally {
      entry.pending = undefined;
    }
  }

  #after(lifetimeMs: number): number {
    const { now, random } = this.#settings;
    return now() + lifetimeMs * (1 - JITTER * random());
  }
}

function codeOf(error: unknown): string {
  const name = typeof error === "object" && error !== null && "name" in error ? error.name : undefined;
  return typeof name === "string" && name !== "" ? name : "_OTHER";
}
