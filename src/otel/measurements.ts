import type { EnvelopeEvent } from "../body-sealer.ts";
import type { PointAttributes } from "./closed-attributes.ts";
import type { Delta } from "./ledger.ts";
import { ATTRIBUTES } from "./names.ts";
import type { Row } from "./rows.ts";

/** Measurements that wait for the first meter provider; beyond them the oldest are dropped. */
const MAX_HELD = 1_000;

/** What of an event goes into histograms; nothing that is no measurement (NaN, negative, infinite). */
export function measurementsOf(event: EnvelopeEvent): Row[] {
  return rowsOf(event).filter(([, value]) => Number.isFinite(value) && value >= 0);
}

function rowsOf(event: EnvelopeEvent): Row[] {
  if (event.kind === "kms-request") {
    const { operation, seconds, errorType } = event;
    const attributes: PointAttributes = {
      [ATTRIBUTES.operation]: operation,
      ...(errorType !== undefined && { [ATTRIBUTES.errorType]: errorType }),
    };
    return [["kmsRequestDuration", seconds, attributes]];
  }
  if (event.kind === "retired") {
    const attributes = { [ATTRIBUTES.retireReason]: event.reason };
    return [
      ["dataKeyAge", event.ageSeconds, attributes],
      ["dataKeyUses", event.uses, attributes],
    ];
  }
  return [];
}

/** Measurements from before there was a meter provider; unlike counts, each must be kept by itself. */
export class HeldMeasurements {
  #held: Delta[] = [];

  /** @returns Whether the oldest was dropped for it. */
  hold(measurement: Delta): boolean {
    this.#held.push(measurement);
    if (this.#held.length <= MAX_HELD) return false;
    this.#held.shift();
    return true;
  }

  /** All of them, the oldest first; none is left. */
  take(): readonly Delta[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }
}
