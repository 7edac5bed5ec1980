/** When a bucket key has to go: by its age, by what was sealed under it. */
import type { RetireReason } from "../body-sealer.ts";
import type { CacheLimits } from "./cache-options.ts";
import type { Direction } from "./cache-key.ts";
import type { Tally } from "./key-lease.ts";

/** A key that seals is renewed ahead from a random point on in this part of its life: 72 to 88 %. */
const REFRESH_FROM = 0.72;
const REFRESH_SPREAD = 0.16;

export interface Life extends Tally {
  readonly direction: Direction;
  /** Age at which a call that finds the key has a successor fetched. */
  readonly refreshAtMs: number;
  /** KMS could not be reached when the key had reached its age: it serves longer. */
  stale: boolean;
}

/**
 * Keys that seal are renewed ahead. Keys that open are not: a reader has thousands of them, and most would be
 * renewed for nobody.
 */
export function refreshAtMs(direction: Direction, { maxAgeMs }: CacheLimits, random: number): number {
  return direction === "seal" ? maxAgeMs * (REFRESH_FROM + REFRESH_SPREAD * random) : Infinity;
}

/** Why a key of this age can't serve a call with so many bytes; nothing when it can. */
export function endOf(
  life: Life,
  ageMs: number,
  bytes: number,
  limits: CacheLimits,
): RetireReason | undefined {
  if (ageMs >= limits.maxAgeMs && !life.stale) return "ttl";
  return mayServeStale(ageMs, limits) ? usedUp(life, bytes, limits) : "stale";
}

/** Whether a key of this age may serve at all, if KMS can't be reached. */
export function mayServeStale(ageMs: number, { maxAgeMs, staleIfErrorMs }: CacheLimits): boolean {
  return ageMs < maxAgeMs + staleIfErrorMs;
}

/** What is sealed under one key is limited. A body above the limit has a new key for itself. */
export function usedUp(
  life: Life,
  more: number,
  { maxUses, maxBytes }: CacheLimits,
): "uses" | "bytes" | undefined {
  if (life.direction === "open") return undefined;
  if (life.uses >= maxUses) return "uses";
  return life.uses > 0 && life.bytes + more > maxBytes ? "bytes" : undefined;
}

/** Why a key whose age is over goes. */
export function agedOut(life: Life): "stale" | "ttl" {
  return life.stale ? "stale" : "ttl";
}
