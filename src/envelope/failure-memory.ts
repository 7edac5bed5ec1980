/** Failures of KMS, remembered for a moment, so that what can't work is not asked for by every call. */
import type { Clock } from "./clock.ts";
import type { KmsFailure } from "./kms-failures.ts";

/** At least so long; up to twice as long, at random, so that processes don't come back together. */
const LASTS_MS = 1_000;

/** What an error says that is of an earlier call. */
export const REMEMBERED: string =
  ` Remembered from a moment ago: KMS was not asked for this call. It is asked again within ${(2 * LASTS_MS) / 1_000} s, ` +
  "or at once after evict().";

/** A failure keeps the SDK's error, with its response: a few KB. */
const MOST = 1_000;

export class FailureMemory {
  readonly #clock: Clock;
  readonly #failures = new Map<string | symbol, { readonly failure: KmsFailure; readonly untilMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  remember(name: string | symbol, failure: KmsFailure): void {
    this.#failures.delete(name);
    for (const oldest of this.#failures.size < MOST ? [] : this.#failures.keys()) {
      this.#failures.delete(oldest);
      break;
    }
    const untilMs = this.#clock.monotonicMs() + LASTS_MS * (1 + this.#clock.random());
    this.#failures.set(name, { failure, untilMs });
  }

  recall(name: string | symbol): KmsFailure | undefined {
    const known = this.#failures.get(name);
    if (known === undefined) return undefined;
    if (this.#clock.monotonicMs() < known.untilMs) return known.failure;
    this.#failures.delete(name);
    return undefined;
  }

  clear(): void {
    this.#failures.clear();
  }
}
