import { setTimeout as wait } from "node:timers/promises";
import type { PolicyIssue } from "../errors.ts";
import { silentSealingChange } from "../policy/sealing-change.ts";
import type { Policy } from "../policy/policy.ts";
import type { PolicyChange, PolicySnapshot, PolicySource } from "../policy/source.ts";
import { parsePolicy } from "./parse.ts";
import type { WatchedTextSource } from "./text-source.ts";

/** Why a text was turned down. */
export interface LoadFailure {
  readonly issues: readonly PolicyIssue[];
  readonly cause?: unknown;
}

type Loaded =
  | { readonly policy: Policy; readonly etag: string; readonly failure?: undefined }
  | { readonly policy?: undefined; readonly etag: string; readonly failure: LoadFailure };

/** The text is looked at this long after a change, whatever else changes in the meantime. */
const GATHER_MS = 100;
/** A file that is being replaced is missing for a moment; it is looked for once more. */
const RETRY_MS = 200;
/** A longer timer would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Bad texts remembered, so that each is announced once. */
const MAX_ANNOUNCED = 1_000;

/** Keeps the last good policy of a source, and tells subscribers about new ones. */
export class PolicyReloader implements PolicySource {
  readonly #source: WatchedTextSource;
  readonly #name: string;
  readonly #listeners = new Set<(change: PolicyChange) => void>();
  readonly #announced = new Set<string>();
  #snapshot: PolicySnapshot;
  /** The text looked at last, good or bad. */
  #seen: string | undefined;
  /** The text in force. */
  #taken: string | undefined;
  #firstFailure: string | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #closed = false;
  #poll: NodeJS.Timeout | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #unwatch: (() => void) | undefined;

  constructor(source: WatchedTextSource, onError: PolicySnapshot["failure"]) {
    this.#source = source;
    this.#name = source.name ?? "policy";
    this.#snapshot = onError === undefined ? {} : { failure: onError };
  }

  /** The first load. */
  async start(): Promise<LoadFailure | undefined> {
    const loaded = await this.#load();
    this.#seen = loaded.etag;
    if (loaded.failure !== undefined) {
      this.#announced.add(loaded.etag);
      this.#firstFailure = this.#rejection(loaded.failure);
      return loaded.failure;
    }
    this.#taken = loaded.etag;
    this.#snapshot = { policy: loaded.policy };
    return undefined;
  }

  /** Polls and watches until `close`. */
  follow(pollMs: number, watch: boolean): void {
    if (watch) this.#unwatch = this.#source.watch?.(() => this.#changed());
    this.#schedulePoll(pollMs);
  }

  current(): PolicySnapshot {
    return this.#snapshot;
  }

  subscribe(listener: (change: PolicyChange) => void): () => void {
    this.#listeners.add(listener);
    const message = this.#firstFailure;
    if (message !== undefined) {
      // Nobody could listen when the first load failed, so everybody is told when they come.
      queueMicrotask(() => this.#tell(listener, { result: "rejected", snapshot: this.#snapshot, message }));
    }
    return () => void this.#listeners.delete(listener);
  }

  /** Looks once; a call during a look makes for one more. */
  reload(): Promise<void> {
    if (this.#running !== undefined) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#lookUntilCurrent();
    return this.#running;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#poll);
    clearTimeout(this.#gathering);
    this.#unwatch?.();
    this.#listeners.clear();
  }

  #schedulePoll(pollMs: number): void {
    if (this.#closed) return;
    const jittered = Math.min(pollMs * (0.8 + 0.4 * Math.random()), MAX_TIMER_MS);
    this.#poll = setTimeout(async () => {
      await this.reload();
      this.#schedulePoll(pollMs);
    }, jittered);
    this.#poll.unref();
  }

  #changed(): void {
    if (this.#gathering !== undefined || this.#closed) return;
    this.#gathering = setTimeout(() => {
      this.#gathering = undefined;
      void this.reload();
    }, GATHER_MS);
    this.#gathering.unref();
  }

  async #lookUntilCurrent(): Promise<void> {
    try {
      do {
        this.#again = false;
        await this.#look();
      } while (this.#again && !this.#closed);
    } finally {
      // In the tick of the last look at #again: from now on a call must look by itself.
      this.#running = undefined;
    }
  }

  async #look(): Promise<void> {
    let loaded = await this.#load();
    if (loaded.failure?.cause !== undefined && loaded.etag !== this.#seen) {
      await wait(RETRY_MS);
      loaded = await this.#load();
    }
    if (this.#closed || loaded.etag === this.#seen) return;
    this.#seen = loaded.etag;
    if (loaded.failure !== undefined) {
      this.#reject(loaded.etag, this.#rejection(loaded.failure));
      return;
    }
    // Back to what is in force anyway.
    if (loaded.etag === this.#taken) return;
    const { policy: before } = this.#snapshot;
    const sealing = before === undefined ? undefined : silentSealingChange(before, loaded.policy);
    if (sealing !== undefined) {
      this.#reject(
        loaded.etag,
        `${this.#name}: ${sealing} A reload must not end sealing in silence: write envelope: unseal there, or start ` +
          `the program again. The last good policy stays. (sealing-changed)`,
      );
      return;
    }
    this.#taken = loaded.etag;
    this.#snapshot = { policy: loaded.policy };
    this.#firstFailure = undefined;
    this.#tellAll({ result: "accepted", snapshot: this.#snapshot, message: `${this.#name} was reloaded.` });
  }

  #reject(etag: string, message: string): void {
    const change = { result: "rejected", snapshot: this.#snapshot } as const;
    const isNew = !this.#announced.has(etag);
    if (this.#announced.size < MAX_ANNOUNCED) this.#announced.add(etag);
    this.#tellAll(isNew ? { ...change, message } : change);
  }

  #rejection({ issues }: LoadFailure): string {
    const lines = issues.map(({ at, message, code }) => `${at ?? this.#name}: ${message} (${code})`);
    const { policy, failure } = this.#snapshot;
    const next =
      policy === undefined ? `Going on without a policy (${failure}).` : "The last good policy stays.";
    return `${this.#name} can't be used. ${next}\n${lines.join("\n")}`;
  }

  #tellAll(change: PolicyChange): void {
    for (const listener of this.#listeners) this.#tell(listener, change);
  }

  #tell(listener: (change: PolicyChange) => void, change: PolicyChange): void {
    if (!this.#listeners.has(listener)) return;
    try {
      listener(change);
    } catch {
      // A listener's fault is its own; the others are told, and watching goes on.
    }
  }

  async #load(): Promise<Loaded> {
    let found;
    try {
      found = await this.#source.load();
      if (typeof found?.text !== "string" || typeof found.etag !== "string") {
        throw new TypeError("load() gave no { text, etag }");
      }
    } catch (cause) {
      const message = `It could not be read (${cause instanceof Error ? cause.message : String(cause)}): check the path and who may read it.`;
      return {
        etag: `unreadable: ${message}`,
        failure: { issues: [{ code: "unreadable", path: [], message, at: this.#name }], cause },
      };
    }
    const { text, etag } = found;
    if (etag === this.#taken && this.#snapshot.policy !== undefined)
      return { etag, policy: this.#snapshot.policy };
    const { policy, issues } = parsePolicy(text, { file: this.#name });
    return policy === undefined ? { etag, failure: { issues } } : { etag, policy };
  }
}
