/**
 * Two clocks and dice. A key is as old as the clock says that went further: the monotonic one stands still while a
 * machine sleeps, the wall clock can be set.
 */
export interface Clock {
  /** Milliseconds since 1970. */
  wallMs(): number;
  /** Milliseconds since any moment; never goes back. */
  monotonicMs(): number;
  /** From 0 up to 1. */
  random(): number;
}

export const SYSTEM_CLOCK: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  random: () => Math.random(),
};

/** A moment on both clocks. */
export interface Stamp {
  readonly wallMs: number;
  readonly monotonicMs: number;
  /** How often the wall clock had been seen going back. */
  readonly setBacks: number;
}

/** Tells how old something is. */
export class Stopwatch {
  readonly #clock: Clock;
  #lastWallMs = -Infinity;
  #setBacks = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  stamp(): Stamp {
    return { wallMs: this.#readWallMs(), monotonicMs: this.#clock.monotonicMs(), setBacks: this.#setBacks };
  }

  /** @returns `Infinity` for whatever is from before the wall clock went back: nobody knows how old that is. */
  ageMs(since: Stamp): number {
    const wallMs = this.#readWallMs();
    if (since.setBacks !== this.#setBacks) return Infinity;
    return Math.max(wallMs - since.wallMs, this.#clock.monotonicMs() - since.monotonicMs);
  }

  #readWallMs(): number {
    const wallMs = this.#clock.wallMs();
    if (wallMs < this.#lastWallMs) this.#setBacks++;
    this.#lastWallMs = wallMs;
    return wallMs;
  }
}
