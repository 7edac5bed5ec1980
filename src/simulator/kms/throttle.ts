import type { VirtualClock } from "../clock.ts";
import { KmsFault } from "./kms-fault.ts";

/**
 * How many cryptographic requests per second KMS answers for one account, those of S3 and of clients together.
 *
 * @public
 */
export interface KmsQuota {
  /** More than zero. As many may come at once; they come back at this rate, by the simulator's clock. */
  readonly requestsPerSecond: number;
}

/** What is left of the quota of one account, and when that was counted. */
interface Budget {
  left: number;
  countedMs: number;
}

/** The request quota of KMS, per account that asks. */
export class KmsThrottle {
  readonly #clock: VirtualClock;
  readonly #budgets = new Map<string, Budget>();
  #quota: KmsQuota | undefined;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /**
   * @param quota - Left out: every request is answered.
   * @throws `RangeError` for a rate that is not more than zero.
   */
  limit(quota: KmsQuota | undefined): void {
    if (quota !== undefined && !(quota.requestsPerSecond > 0)) {
      throw new RangeError(`requestsPerSecond must be more than zero: ${quota.requestsPerSecond}`);
    }
    this.#quota = quota;
    this.#budgets.clear();
  }

  /**
   * One cryptographic request.
   *
   * @param requester - ARN of who asks: the quota is that of its account, whoever owns the key.
   * @throws `KmsFault` with `ThrottlingException` when the account has asked too often.
   */
  take(requester: string): void {
    if (this.#quota === undefined) return;
    const accountId = requester.split(":")[4] ?? "";
    const { requestsPerSecond } = this.#quota;
    const nowMs = this.#clock.nowMs();
    // A quota of less than one a second still answers one at a time.
    const most = Math.max(1, requestsPerSecond);
    const budget = this.#budgets.get(accountId) ?? { left: most, countedMs: nowMs };
    const back = ((nowMs - budget.countedMs) / 1_000) * requestsPerSecond;
    budget.left = Math.min(most, budget.left + back);
    budget.countedMs = nowMs;
    this.#budgets.set(accountId, budget);
    if (budget.left < 1) {
      throw new KmsFault(
        "ThrottlingException",
        "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
      );
    }
    budget.left -= 1;
  }
}
