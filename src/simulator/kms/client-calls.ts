/**
 * Calls of one kind that clients made to the KMS endpoint.
 *
 * @public
 */
export interface ClientCall {
  /** `Decrypt`, `GenerateDataKey` ...; `unknown` when the request named no action of KMS. */
  readonly action: string;
  /** Absent when the call names no key, or one that does not exist. */
  readonly kmsKeyArn?: string;
  /** ARN of the caller. */
  readonly requester: string;
  /** Absent for a call that was answered with 200. */
  readonly errorCode?: string;
  /** How many, one or more. */
  readonly count: number;
}

/** What clients themselves asked of KMS, counted. Requests that S3 makes are never in here. */
export class ClientCalls {
  readonly #counts = new Map<string, { -readonly [Field in keyof ClientCall]: ClientCall[Field] }>();

  record(call: Readonly<Omit<ClientCall, "count">>): void {
    const key = JSON.stringify([call.action, call.kmsKeyArn, call.requester, call.errorCode]);
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, { ...call, count: 1 });
    else known.count++;
  }

  /** One entry per action, key, requester and error code, in the order of their first call. */
  list(): readonly ClientCall[] {
    return [...this.#counts.values()].map((call) => ({ ...call }));
  }

  /** Number of calls of one action, or of all. */
  count(action?: string): number {
    let sum = 0;
    for (const call of this.#counts.values()) {
      if (action === undefined || call.action === action) sum += call.count;
    }
    return sum;
  }

  reset(): void {
    this.#counts.clear();
  }
}
