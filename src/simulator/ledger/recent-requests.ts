import type { KmsRequestFacts } from "../cloudtrail/event.ts";

/** What all requests of one row have in common. */
type Shared = Readonly<Pick<KmsRequestFacts, "kmsKeyArn" | "context">>;

/**
 * The last requests of a ledger: a ring, so that memory stays bounded however long it runs.
 *
 * Sequence numbers go on after `clear`: no two requests of a ledger share one.
 */
export class RecentRequests {
  readonly #capacity: number;
  readonly #ring: KmsRequestFacts[] = [];
  #sequence = 0;
  #written = 0;

  /** @param capacity - Requests kept, zero or more. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(action: KmsRequestFacts["action"], timeMs: number, requester: string, shared: Shared): void {
    const sequence = ++this.#sequence;
    if (this.#capacity === 0) return;
    const { kmsKeyArn, context } = shared;
    this.#ring[this.#written++ % this.#capacity] = {
      sequence,
      timeMs,
      action,
      requester,
      kmsKeyArn,
      context,
    };
  }

  /** Oldest first. */
  list(): readonly KmsRequestFacts[] {
    return this.#ring.toSorted((a, b) => a.sequence - b.sequence);
  }

  clear(): void {
    this.#ring.length = 0;
    this.#written = 0;
  }
}
