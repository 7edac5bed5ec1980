import { checkedRule, type FaultRule, type InjectedFault, type SimulatorFault } from "./fault.ts";
import { globMatches } from "./glob.ts";

/** What a rule is held against. */
export interface FaultTarget {
  readonly operation: string;
  readonly bucket: string;
  readonly key: string;
}

interface Entry {
  readonly rule: FaultRule;
  /** Requests that matched, those that passed first among them. */
  seen: number;
  hits: number;
}

/**
 * The faults that are set, in order. A request meets the first that is due; one that is used up is as good as
 * removed, so that "two 503, then a wrong header" is two rules.
 *
 * @example
 * const faults = new FaultBook(["PutObject"]);
 * faults.add({ key: "logs/*", times: 2, fault: { kind: "error", code: "SlowDown" } });
 * faults.next({ operation: "PutObject", bucket: "b", key: "logs/1" }); // the fault, twice
 */
export class FaultBook {
  readonly #operations: readonly string[];
  #entries: readonly Entry[] = [];

  /** @param operations - The names that rules can name. */
  constructor(operations: readonly string[]) {
    this.#operations = operations;
  }

  /** Whether there is nothing to look for. */
  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** @throws `RangeError` for a rule that can't be. */
  add(given: unknown): InjectedFault {
    const entry: Entry = { rule: checkedRule(given, this.#operations), seen: 0, hits: 0 };
    this.#entries = [...this.#entries, entry];
    return {
      get hits(): number {
        return entry.hits;
      },
      remove: () => this.#drop(entry),
    };
  }

  clear(): void {
    this.#entries = [];
  }

  /** The rules that are still set, each with how many requests met it. */
  list(): readonly (FaultRule & { readonly hits: number })[] {
    return this.#entries.map(({ rule, hits }) => ({ ...rule, hits }));
  }

  /** The fault that this request meets; counted. */
  next(target: FaultTarget): SimulatorFault | undefined {
    for (const entry of this.#entries) {
      const { rule } = entry;
      if (!matches(rule, target) || entry.seen++ < (rule.after ?? 0)) continue;
      entry.hits++;
      if (entry.hits === rule.times) this.#drop(entry);
      return rule.fault;
    }
    return undefined;
  }

  #drop(entry: Entry): void {
    this.#entries = this.#entries.filter((other) => other !== entry);
  }
}

function matches(rule: FaultRule, { operation, bucket, key }: FaultTarget): boolean {
  return (
    (rule.operation === undefined || rule.operation === operation) &&
    (rule.bucket === undefined || globMatches(rule.bucket, bucket)) &&
    (rule.key === undefined || globMatches(rule.key, key))
  );
}
