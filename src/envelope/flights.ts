/** One request under way that many callers wait for. */
import { KeyringError } from "./errors.ts";

/** A caller that waits, and what it asked for. */
export interface Waiter<Ask, Result> {
  readonly ask: Ask;
  readonly settle: (result: Result | Promise<Result>) => void;
  readonly fail: (error: unknown) => void;
}

/** What to do at the end of a flight; one of the first two is called, and none may throw. */
export interface Landing<Answer> {
  readonly landed: (answer: Answer) => void;
  readonly lost: (error: unknown) => void;
  /** The answer came after the deadline, when the flight had been lost. */
  readonly late: (answer: Answer) => void;
}

/**
 * A request with a deadline of its own: a caller that gives up leaves, and the flight goes on.
 *
 * The timer never keeps a process alive, and nothing of it can become an unhandled rejection.
 */
export class Flight<Ask extends { readonly signal: AbortSignal | undefined }, Result> {
  readonly #aborter = new AbortController();
  readonly #waiters = new Set<Waiter<Ask, Result>>();
  #timer: NodeJS.Timeout | undefined;

  /** Asks at once. */
  launch<Answer>(
    request: (signal: AbortSignal) => Promise<Answer>,
    timeoutMs: number,
    { landed, lost, late }: Landing<Answer>,
  ): void {
    let over = false;
    this.#timer = setTimeout(() => {
      over = true;
      const error = timeoutError(timeoutMs);
      this.#aborter.abort(error);
      lost(error);
    }, timeoutMs);
    this.#timer.unref();
    const fly = async (): Promise<void> => {
      let answer: Answer;
      try {
        answer = await request(this.#aborter.signal);
      } catch (error) {
        if (!over) lost(error);
        return;
      }
      (over ? late : landed)(answer);
    };
    void fly();
  }

  /** Waits for the end, or until the caller gives up. */
  wait(ask: Ask): Promise<Result> {
    const { signal } = ask;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiters.delete(waiter);
        // As whoever aborted wants it; an AbortError when nothing was said.
        reject(signal?.reason as Error);
      };
      const waiter: Waiter<Ask, Result> = {
        ask,
        settle(result) {
          signal?.removeEventListener("abort", leave);
          resolve(result);
        },
        fail(error) {
          signal?.removeEventListener("abort", leave);
          reject(error);
        },
      };
      signal?.addEventListener("abort", leave, { once: true });
      this.#waiters.add(waiter);
    });
  }

  /** Ends the waiting: whoever waited is now the caller's to settle. */
  end(): readonly Waiter<Ask, Result>[] {
    clearTimeout(this.#timer);
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    return waiters;
  }

  /** Ends the waiting, and the request as well, if it can be. */
  cancel(): readonly Waiter<Ask, Result>[] {
    this.#aborter.abort();
    return this.end();
  }
}

function timeoutError(timeoutMs: number): KeyringError {
  return new KeyringError(
    "TimeoutError",
    `KMS did not answer within ${timeoutMs / 1_000} s (kmsTimeoutSeconds): nothing was sealed or opened.`,
  );
}
