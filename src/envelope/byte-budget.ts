/** How many bytes of bodies may lie in memory at a time. */

/** Gives the bytes back. Calls after the first do nothing. */
export type Release = () => void;

interface Waiter {
  readonly bytes: number;
  readonly grant: () => void;
}

/**
 * A semaphore of bytes, first come, first served: small requests never overtake a large one. A request for more than
 * the whole budget is granted alone.
 */
export class ByteBudget {
  readonly #maxBytes: number;
  /** In the order they came. */
  readonly #waiting = new Set<Waiter>();
  #taken = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Resolves once `bytes` are free and taken, with the way to give them back.
   *
   * @throws The signal's reason, when it is aborted before that; then nothing is taken.
   */
  async take(bytes: number, signal?: AbortSignal): Promise<Release> {
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(waiter);
        reject(signal?.reason);
        this.#serve();
      };
      const grant = (): void => {
        signal?.removeEventListener("abort", leave);
        resolve(this.#take(bytes));
      };
      const waiter: Waiter = { bytes, grant };
      signal?.addEventListener("abort", leave);
      this.#waiting.add(waiter);
      this.#serve();
    });
  }

  #serve(): void {
    for (const waiter of this.#waiting) {
      if (this.#taken > 0 && this.#taken + waiter.bytes > this.#maxBytes) return;
      this.#waiting.delete(waiter);
      waiter.grant();
    }
  }

  #take(bytes: number): Release {
    this.#taken += bytes;
    let left = bytes;
    return () => {
      this.#taken -= left;
      left = 0;
      this.#serve();
    };
  }
}
