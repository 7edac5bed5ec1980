import type { Policy } from "./policy.ts";

/**
 * What a source holds now: a policy, or how to go on without one because the first load failed.
 *
 * @public
 */
export interface PolicySnapshot {
  readonly policy?: Policy;
  readonly failure?: "fail-open" | "fail-closed";
}

/**
 * A reload, for better or worse. A rejected one leaves the last good policy in force.
 *
 * @public
 */
export interface PolicyChange {
  readonly result: "accepted" | "rejected";
  readonly snapshot: PolicySnapshot;
  /** What to tell people. */
  readonly message?: string;
}

/**
 * A policy that can change while the program runs, such as a watched file.
 *
 * @public
 */
export interface PolicySource {
  current(): PolicySnapshot;
  /** @returns A function that ends the subscription. */
  subscribe(listener: (change: PolicyChange) => void): () => void;
  /** Ends watching; the current policy stays. */
  close(): void;
}
