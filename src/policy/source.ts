import type { Policy } from "./policy.ts";

/**
 * What a source holds now: a policy, or how to go on without one because the first load failed.
 *
 * @public
 */
export interface PolicySnapshot {
  /** The policy in force; absent when none was ever loaded. */
  readonly policy?: Policy;
  /** Without a policy: let every write pass, or refuse those that could have been amended. */
  readonly failure?: "fail-open" | "fail-closed";
}

/**
 * A reload, for better or worse. A rejected one leaves the last good policy in force.
 *
 * @public
 */
export interface PolicyChange {
  /** Whether the new policy took the place of the old one. */
  readonly result: "accepted" | "rejected";
  /** What holds from now on. */
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
  /** What holds now; asked for once, when a plugin is made. */
  current(): PolicySnapshot;
  /**
   * Calls `listener` after every reload, accepted or rejected.
   *
   * @returns A function that ends the subscription.
   */
  subscribe(listener: (change: PolicyChange) => void): () => void;
  /** Ends watching; the current policy stays. */
  close(): void;
}
