/**
 * The end of the year 9999, in milliseconds since 1970: a later time has no four-digit year, so clients can't read
 * it, and a much later one is no `Date` at all.
 */
const LAST_MS = Date.UTC(10_000, 0) - 1;

/**
 * The simulator's time: starts at the real time and then moves only when told to.
 *
 * Purely virtual, because bucket-key lifetimes are counted with it: a test that runs slowly must not see one
 * KMS request more than a test that runs fast. What has to agree with the caller's own clock (the time of a
 * signature) is compared with the real time instead.
 *
 * @example
 * const clock = new VirtualClock();
 * clock.advance(60_000); // one minute later
 */
export class VirtualClock {
  #nowMs: number;

  /** @param startMs - Milliseconds since 1970; the real time when left out. */
  constructor(startMs: number = Date.now()) {
    this.#nowMs = startMs;
  }

  /** Milliseconds since 1970. */
  nowMs(): number {
    return this.#nowMs;
  }

  /**
   * Moves the time forward.
   *
   * @param ms - Milliseconds, zero or more.
   * @throws `RangeError` when `ms` is negative or not finite (time does not run backwards here), or leads beyond the
   * year 9999; the time stays as it is.
   */
  advance(ms: number): void {
    if (!Number.isFinite(ms) || ms < 0) {
      throw new RangeError(`advance() takes milliseconds, zero or more: ${ms}`);
    }
    if (this.nowMs() + ms > LAST_MS) {
      throw new RangeError(`advance() doesn't lead beyond the year 9999: ${ms} milliseconds are too many`);
    }
    this.#nowMs += ms;
  }
}

/** The simulator's time when it runs as a process of its own: goes on by itself, and further when told to. */
export class RealTimeClock extends VirtualClock {
  // Not the wall clock, which can be set back.
  readonly #startedMs = performance.now();

  override nowMs(): number {
    return super.nowMs() + Math.round(performance.now() - this.#startedMs);
  }
}
