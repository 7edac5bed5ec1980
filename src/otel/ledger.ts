import type { PointAttributes } from "./closed-attributes.ts";
import type { MetricKey } from "./names.ts";

/** What a synchronous counter is still owed. */
export interface Delta {
  readonly metric: MetricKey;
  readonly value: number;
  readonly attributes: PointAttributes;
}

/**
 * Remembers what of the totals was already handed out, and hands out each unit once.
 *
 * Rows whose attributes became equal (two codes that are both `_OTHER`) are one entry, so the memory is
 * bounded by the closed attribute values, not by what was counted.
 */
export class Ledger {
  readonly #entries = new Map<string, Entry>();

  /** Notes a total of the collection at hand; what is no count (NaN, negative, infinite) counts as 0. */
  note(metric: MetricKey, total: number, attributes: PointAttributes): void {
    const key = [metric, ...Object.values(attributes)].join("\0");
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { metric, attributes, total: 0, handedOut: 0 };
      this.#entries.set(key, entry);
    }
    if (Number.isFinite(total) && total > 0) entry.total += total;
  }

  /**
   * Ends the collection at hand: what changed since it was last handed out. It is handed out even if adding it
   * fails: a count may be lost to telemetry, it is never told twice.
   *
   * @param canShrink - Metrics that may go down. The total of any other owes nothing until it has caught up.
   */
  take(canShrink: (metric: MetricKey) => boolean): Delta[] {
    const deltas: Delta[] = [];
    for (const entry of this.#entries.values()) {
      const { metric, attributes, total, handedOut } = entry;
      entry.total = 0;
      if (total === handedOut || (total < handedOut && !canShrink(metric))) continue;
      entry.handedOut = total;
      deltas.push({ metric, value: total - handedOut, attributes });
    }
    return deltas;
  }
}

interface Entry {
  readonly metric: MetricKey;
  readonly attributes: PointAttributes;
  /** Sum of the collection at hand. */
  total: number;
  handedOut: number;
}
