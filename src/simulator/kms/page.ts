import type { KmsInput } from "./input.ts";
import { KmsFault } from "./kms-fault.ts";

/** One page, after the `Marker` that the page before gave: the position of its first entry. */
export function paged<Entry>(
  entries: readonly Entry[],
  input: KmsInput,
  maxLimit: number,
  defaultLimit: number,
): { page: readonly Entry[]; rest: { Truncated: boolean; NextMarker?: string } } {
  const limit = input.integer("Limit", 1, maxLimit) ?? defaultLimit;
  const marker = input.optionalText("Marker") ?? "0";
  if (!/^\d{1,9}$/.test(marker)) throw new KmsFault("InvalidMarkerException", `Invalid marker '${marker}'`);
  const end = Number(marker) + limit;
  const Truncated = end < entries.length;
  return {
    page: entries.slice(Number(marker), end),
    rest: { Truncated, ...(Truncated && { NextMarker: String(end) }) },
  };
}
