import type { EnvelopeEvent } from "../body-sealer.ts";
import { Cells } from "./cells.ts";
import type { EnvelopeStats } from "./telemetry.ts";
import { CACHE_RESULTS, KMS_OPERATIONS, OTHER, RETIRE_REASONS } from "./words.ts";

/** Kinds of KMS request that are remembered one by one. */
const MAX_KMS_KINDS = 50;

type Counted = Exclude<EnvelopeEvent, { readonly kind: "failed" }>;
type KmsRequests = {
  -readonly [Name in keyof EnvelopeStats["kmsRequests"][number]]: EnvelopeStats["kmsRequests"][number][Name];
};

/** What sealing and opening did, in cells of bounded number; made only where something is sealed or opened. */
export class EnvelopeCounts {
  readonly #kmsRequests = new Map<string, KmsRequests>();
  readonly #cacheRequests = new Cells([...CACHE_RESULTS, OTHER]);
  readonly #retired = new Cells([...RETIRE_REASONS, OTHER]);
  #sealedBytes = 0;
  #openedBytes = 0;
  #entries = 0;
  #plainReads = 0;

  count(event: Counted): void {
    switch (event.kind) {
      case "kms-request": {
        const requests = this.#kmsRequestsOf(event.operation, event.errorType);
        requests.count++;
        requests.seconds += amount(event.seconds);
        break;
      }
      case "cache":
        this.#cacheRequests.add(event.result);
        break;
      case "entries":
        if (Math.abs(event.change) === 1) this.#entries += event.change;
        break;
      case "retired":
        this.#retired.add(event.reason);
        break;
      case "io":
        if (event.direction === "seal") this.#sealedBytes += amount(event.bytes);
        else this.#openedBytes += amount(event.bytes);
        break;
      case "plain-read":
        this.#plainReads++;
    }
  }

  stats(): EnvelopeStats {
    return {
      kmsRequests: [...this.#kmsRequests.values()].map((requests) => ({ ...requests })),
      cacheRequests: this.#cacheRequests.entries().map(([[result], count]) => ({ result, count })),
      // An entry may be told as gone before it is told as there.
      cacheEntries: Math.max(this.#entries, 0),
      retiredDataKeys: this.#retired.entries().map(([[reason], count]) => ({ reason, count })),
      sealedBytes: this.#sealedBytes,
      openedBytes: this.#openedBytes,
      plainReads: this.#plainReads,
    };
  }

  #kmsRequestsOf(operation: string, errorType: string | undefined): KmsRequests {
    const known = KMS_OPERATIONS.includes(operation as "Decrypt") ? operation : OTHER;
    const key = `${known} ${errorType}`;
    let requests = this.#kmsRequests.get(key);
    if (requests === undefined) {
      const isFull = this.#kmsRequests.size >= MAX_KMS_KINDS;
      if (errorType === "" || (isFull && errorType !== undefined && errorType !== OTHER)) {
        return this.#kmsRequestsOf(operation, OTHER);
      }
      requests = { operation: known, ...(errorType !== undefined && { errorType }), count: 0, seconds: 0 };
      this.#kmsRequests.set(key, requests);
    }
    return requests;
  }
}

/** What is no amount (NaN, negative, infinite, no number at all) counts as nothing: one NaN would stay for good. */
function amount(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0;
}
