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
 *
 * Whoever was granted bytes must give them back without waiting for anybody who may wait here: a budget for reads,
 * whose answers have come, and another one for parts, which still need a connection, as reads may hold all of those.
 */
export class ByteBudget {
  readonly #maxBytes: number;
  /** In the order they came. */
  readonly #waiting = new Set<Waiter>();
  /** Of requests that were granted. */
  #granted = 0;
  #kept = 0;

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
        this.#granted += bytes;
        resolve(this.#once(() => (this.#granted -= bytes)));
      };
      const waiter: Waiter = { bytes, grant };
      signal?.addEventListener("abort", leave);
      this.#waiting.add(waiter);
      this.#serve();
    });
  }

  /**
   * Counts bytes that are in memory anyway, beyond the budget if need be. They may stay for long, so they slow others
   * down but stop nobody: one request at a time is granted always.
   */
  keep(bytes: number): Release {
    this.#kept += bytes;
    return this.#once(() => (this.#kept -= bytes));
  }

  #serve(): void {
    for (const waiter of this.#waiting) {
      if (this.#granted > 0 && this.#granted + this.#kept + waiter.bytes > this.#maxBytes) return;
      this.#waiting.delete(waiter);
      waiter.grant();
    }
  }

  #once(giveBack: () => void): Release {
    let isDone = false;
    return () => {
      if (isDone) return;
      isDone = true;
      giveBack();
      this.#serve();
    };
  }
}
