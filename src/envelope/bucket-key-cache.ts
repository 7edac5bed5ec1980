/**
 * Bucket keys: data keys of KMS that seal or open many objects, for a limited time.
 *
 * Everything between two awaits here is one step that nothing can get between: a key is looked up, counted and lent
 * in one tick, so that whatever evicts or closes comes before it or after it.
 */
import type { CacheResult, EnvelopeEvent, RetireReason } from "../body-sealer.ts";
import { cacheKeys, type CommitmentPolicy, type Direction, type Suite } from "./cache-key.ts";
import { checkedLimits, type CacheLimits, type CacheOptions } from "./cache-options.ts";
import { Stopwatch, SYSTEM_CLOCK, type Clock, type Stamp } from "./clock.ts";
import type { EncryptionContext } from "./encryption-context.ts";
import { EnvelopeIntegrityError, EnvelopeRefusedError } from "./errors.ts";
import { FailureMemory, REMEMBERED } from "./failure-memory.ts";
import { Flight, type Waiter } from "./flights.ts";
import { lend, type KeyLease } from "./key-lease.ts";
import { agedOut, endOf, mayServeStale, refreshAtMs, usedUp, type Life } from "./key-life.ts";
import { closed, KeyCell } from "./key-memory.ts";
import type { Keyring } from "./keyring.ts";
import { kmsFailure, type KmsFailure } from "./kms-failures.ts";
import { Shelf, type Weighed } from "./shelf.ts";

/** What every call for a bucket key says. */
export interface KeyAsk {
  readonly keyring: Keyring;
  /** As stored in the object. */
  readonly context: EncryptionContext;
  /** Calls with different ones never share a key: a tenant, say. */
  readonly partition: string;
  readonly policy: CommitmentPolicy;
  /** Ends the waiting of this call, and of no other one. */
  readonly signal?: AbortSignal;
  /** Told of what happens; never throws, but may evict or close. */
  readonly observe: (event: EnvelopeEvent) => void;
}

export interface SealingAsk extends KeyAsk {
  /** Length of the plaintext, when it is known: counted before the key is used. */
  readonly bytes: number | undefined;
}

export interface OpeningAsk extends KeyAsk {
  readonly blob: Uint8Array;
  readonly suite: Suite;
}

/** One keyring, as long as it asks for the same KMS key. */
interface Realm {
  readonly number: number;
  readonly keyId: string;
  /** Raised when KMS denies what it had granted, or has the key no more. */
  generation: number;
  /** How many of its keys are kept: mostly there is nothing to look for among a hundred thousand others. */
  kept: number;
}

/** A call, with what was found out about it. */
interface Look {
  readonly ask: KeyAsk;
  readonly direction: Direction;
  readonly suite: Suite;
  readonly blob: Uint8Array | undefined;
  readonly bytes: number;
  readonly realm: Realm;
  /** A symbol of its own where caching is forbidden. */
  readonly name: string | symbol;
  readonly signal: AbortSignal | undefined;
  /** Whether its one `cache` event was told. */
  told: boolean;
}

interface Entry extends Life, Weighed {
  readonly name: string | symbol;
  readonly suite: Suite;
  readonly realm: Realm;
  readonly cell: KeyCell;
  /** Of keys that seal; whoever opens has the blob. */
  readonly blob: Uint8Array | undefined;
  /** Before KMS was asked. */
  readonly born: Stamp;
  /** Whoever asked for the key is told of its end too, so that comings and goings add up for each observer. */
  readonly observe: KeyAsk["observe"];
}

interface Underway {
  readonly flight: Flight<Look, KeyLease>;
  readonly look: Look;
  /** As of its start: an answer of an older generation is not stored, nor used. */
  readonly generation: number;
  /** There was a key under this name. */
  readonly isRenewal: boolean;
  readonly born: Stamp;
  readonly beganMs: number;
}

interface Fetched {
  readonly cell: KeyCell;
  readonly blob: Uint8Array | undefined;
}

type Waiters = readonly Waiter<Look, KeyLease>[];

/**
 * One entry: 640 bytes of heap and some 300 outside it were measured (Node 20, 300,000 entries); a blob comes on top.
 */
const ENTRY_BYTES = 1_024;

/** For keys that seal: there is one per keyring, context and partition. */
const MAX_SEALING_BYTES = 16 * 2 ** 20;

/** How many of the keys unused for longest are looked at, for their age, when another one comes. */
const SWEEP = 4;

/**
 * Data keys of KMS that are kept in memory and shared between calls.
 *
 * Keys that seal are made anew ahead of their end, by a call that finds them old enough; keys that open are asked
 * for again when they ended. No timer does anything. Keys that ended and that nobody asks for stay until room is
 * needed, or until `evict` or `close`.
 */
export class BucketKeyCache {
  readonly #limits: CacheLimits;
  readonly #clock: Clock;
  readonly #stopwatch: Stopwatch;
  readonly #shelves: Readonly<Record<Direction, Shelf<Entry>>>;
  readonly #keys = cacheKeys();
  readonly #failures: FailureMemory;
  readonly #flights = new Map<string | symbol, Underway>();
  readonly #realms = new WeakMap<Keyring, Realm>();
  /** Keys that are not on a shelf, and that somebody holds. */
  readonly #loose = new Set<KeyCell>();
  readonly #letGo = (cell: KeyCell): void => {
    this.#loose.delete(cell);
  };
  #realmCount = 0;
  /** Raised by whatever makes keys under way unwelcome. */
  #generation = 0;
  #closed = false;

  /** @throws `RangeError` that names the option and its range. */
  constructor(options: CacheOptions, clock: Clock = SYSTEM_CLOCK) {
    this.#limits = checkedLimits(options);
    this.#clock = clock;
    this.#stopwatch = new Stopwatch(clock);
    this.#failures = new FailureMemory(clock);
    this.#shelves = {
      seal: new Shelf(MAX_SEALING_BYTES),
      open: new Shelf(this.#limits.maxCachedBytes),
    };
  }

  /** How many keys are kept. */
  get size(): number {
    return this.#shelves.seal.size + this.#shelves.open.size;
  }

  /**
   * A key to seal one body with.
   *
   * @throws `KeyringError`; `EnvelopeRefusedError` with `closed` or `key-unusable`; the signal's reason.
   */
  async forSealing(ask: SealingAsk): Promise<KeyLease> {
    const { bytes = 0 } = ask;
    return this.#find(this.#lookOf(ask, "seal", "v3", undefined, bytes));
  }

  /**
   * The key of one sealed body. A key of another suite than `v3` is unwrapped for this call alone.
   *
   * @throws `EnvelopeIntegrityError` when the blob is not one of the key and context; `KeyringError`;
   * `EnvelopeRefusedError` with `commitment-policy` or `closed`; the signal's reason.
   */
  async forOpening(ask: OpeningAsk): Promise<KeyLease> {
    const { suite, blob } = ask;
    checkPolicy(suite, ask.policy);
    return this.#find(this.#lookOf(ask, "open", suite, blob, 0));
  }

  /** Forgets all keys. Leases still work; calls that wait for KMS ask anew, and get nothing from before. */
  evict(): void {
    this.#generation++;
    this.#failures.clear();
    this.#askAnew(this.#forget());
  }

  /** Forgets all keys for good, fills them with zeros, those on loan as well, and fails whoever waits. */
  close(): void {
    this.#closed = true;
    this.#generation++;
    this.#failures.clear();
    const waiters = this.#forget();
    for (const cell of this.#loose) cell.destroy();
    this.#loose.clear();
    for (const { fail } of waiters) fail(closed());
  }

  /** Object literals without spreads: this is every call's way, and copies cost more than all the rest of it. */
  #lookOf(
    ask: KeyAsk,
    direction: Direction,
    suite: Suite,
    blob: Uint8Array | undefined,
    bytes: number,
  ): Look {
    const { keyring, context, partition, policy, signal } = ask;
    signal?.throwIfAborted();
    const realm = this.#realmOf(keyring);
    const name =
      suite === "v3"
        ? this.#keys({
            direction,
            keyring: realm.number,
            keyId: realm.keyId,
            suite,
            policy,
            partition,
            context,
            blob,
          })
        : Symbol(suite);
    return { ask, direction, suite, blob, bytes, realm, name, signal, told: false };
  }

  #realmOf(keyring: Keyring): Realm {
    const known = this.#realms.get(keyring);
    if (known?.keyId === keyring.keyId) return known;
    const realm = { number: ++this.#realmCount, keyId: keyring.keyId, generation: 0, kept: 0 };
    this.#realms.set(keyring, realm);
    return realm;
  }

  #generationOf(realm: Realm): number {
    return this.#generation + realm.generation;
  }

  /** A key at once, or the promise of one; in one tick. */
  #find(look: Look): KeyLease | Promise<KeyLease> {
    if (this.#closed) throw closed();
    const { direction, name } = look;
    const entry = this.#shelves[direction].use(name);
    if (entry === undefined) {
      this.#tell(look, "miss");
      return this.#join(look, false);
    }
    const ageMs = this.#stopwatch.ageMs(entry.born);
    const end = endOf(entry, ageMs, look.bytes, this.#limits);
    if (end === undefined) {
      const lease = this.#lend(entry, look);
      this.#tell(look, "hit");
      if (entry.stale || ageMs >= entry.refreshAtMs) this.#renew(look);
      return lease;
    }
    this.#tell(look, "expired");
    // What may yet serve, if KMS can't be reached, stays until KMS has answered.
    if (end !== "ttl" || !mayServeStale(ageMs, this.#limits)) this.#retire(entry, end);
    return this.#join(look, true);
  }

  /** Waits for KMS, together with whoever waits for the same. */
  #join(look: Look, isRenewal: boolean): KeyLease | Promise<KeyLease> {
    const failure = this.#failures.recall(look.name);
    if (failure !== undefined) return this.#leaseDespite(failure, look, REMEMBERED);
    return (this.#flights.get(look.name) ?? this.#launch(look, isRenewal)).flight.wait(look);
  }

  /** For calls that have to look again: rejects where `#find` throws. */
  async #findAgain(look: Look): Promise<KeyLease> {
    return this.#find(look);
  }

  /** One event per call, however often it has to look. */
  #tell(look: Look, result: CacheResult): void {
    if (look.told) return;
    look.told = true;
    look.ask.observe({ kind: "cache", result: look.suite === "v3" ? result : "bypass" });
  }

  /** Counts the use, then hands the key out. */
  #lend(entry: Entry, look: Look): KeyLease {
    // Once more: whatever was found must be allowed to this very call (CVE-2026-6550 was a cache that forgot).
    checkPolicy(entry.suite, look.ask.policy);
    entry.uses++;
    entry.bytes += look.bytes;
    return lend(entry.cell, (entry.blob ?? look.blob) as Uint8Array, entry, this.#letGo);
  }

  /** In the background: nobody waits, unless somebody comes before it ends. */
  #renew(look: Look): void {
    if (this.#flights.has(look.name) || this.#failures.recall(look.name) !== undefined) return;
    this.#launch(look, true);
  }

  #launch(look: Look, isRenewal: boolean): Underway {
    const underway: Underway = {
      flight: new Flight(),
      look,
      generation: this.#generationOf(look.realm),
      isRenewal,
      born: this.#stopwatch.stamp(),
      beganMs: this.#clock.monotonicMs(),
    };
    this.#flights.set(look.name, underway);
    underway.flight.launch((signal) => request(look, signal), this.#limits.kmsTimeoutMs, {
      landed: (key) => this.#landed(underway, key),
      lost: (error) => this.#lost(underway, error),
      late: ({ cell }) => cell.destroy(),
    });
    return underway;
  }

  #landed(underway: Underway, { cell, blob }: Fetched): void {
    const { look, generation, born } = underway;
    const { direction, suite, realm, name } = look;
    if (generation !== this.#generationOf(realm)) {
      cell.destroy();
      return;
    }
    this.#flights.delete(name);
    this.#tellRequest(underway);
    const entry: Entry = {
      name,
      direction,
      suite,
      realm,
      cell,
      blob,
      born,
      observe: look.ask.observe,
      refreshAtMs: refreshAtMs(direction, this.#limits, this.#clock.random()),
      stale: false,
      uses: 0,
      bytes: 0,
      heapBytes: ENTRY_BYTES + (blob?.byteLength ?? 0),
    };
    // A key that is too old on arrival, evicted since or never to be cached serves those who waited for it, and is gone.
    const isKept =
      suite === "v3" &&
      this.#stopwatch.ageMs(born) < this.#limits.maxAgeMs &&
      generation === this.#generationOf(realm);
    // Ours until all are served: whoever is told of the key may evict it.
    cell.hold();
    if (isKept) this.#keep(entry);
    for (const { ask, settle } of underway.flight.end()) {
      const isUsedUp = usedUp(entry, ask.bytes, this.#limits) !== undefined;
      settle(isUsedUp ? this.#findAgain(ask) : this.#lend(entry, ask));
    }
    if (!isKept) this.#giveUp(cell);
    if (cell.release()) this.#letGo(cell);
  }

  #lost(underway: Underway, error: unknown): void {
    const { look, generation, isRenewal, flight } = underway;
    if (generation !== this.#generationOf(look.realm)) return;
    this.#flights.delete(look.name);
    const failure = kmsFailure(error);
    this.#tellRequest(underway, failure.errorType);
    if (look.suite === "v3") this.#failures.remember(look.name, failure);
    const waiters = [...flight.end()];
    if (failure.keyGone || (failure.denied && isRenewal)) {
      // What was granted is granted no more: no key of this KMS key may serve on, in either direction.
      look.realm.generation++;
      const others = this.#forget(look.realm);
      // Where the key is gone for everybody, asking anew would make each of a thousand calls cancel all the others.
      if (failure.keyGone) waiters.push(...others);
      else this.#askAnew(others);
    }
    const entry = this.#shelves[look.direction].peek(look.name);
    if (entry?.stale === true && !failure.passing) this.#retire(entry, "stale");
    for (const { ask, settle, fail } of waiters) {
      try {
        settle(this.#leaseDespite(failure, ask));
      } catch (reason) {
        fail(reason);
      }
    }
  }

  #tellRequest({ look, beganMs }: Underway, errorType?: string): void {
    look.ask.observe({
      kind: "kms-request",
      operation: look.direction === "seal" ? "GenerateDataKey" : "Decrypt",
      seconds: (this.#clock.monotonicMs() - beganMs) / 1_000,
      ...(errorType !== undefined && { errorType }),
    });
  }

  /** A key past its age, if KMS's failure is one that allows it. */
  #leaseDespite(failure: KmsFailure, look: Look, note?: string): KeyLease {
    const entry = this.#shelves[look.direction].peek(look.name);
    if (entry !== undefined) {
      if (failure.passing && mayServeStale(this.#stopwatch.ageMs(entry.born), this.#limits)) {
        entry.stale = true;
        return this.#lend(entry, look);
      }
      this.#retire(entry, agedOut(entry));
    }
    look.ask.observe({ kind: "failed", phase: "kms", errorType: failure.errorType });
    throw failure.error(note);
  }

  /** Puts a key in the place of its predecessor, and makes room for it. */
  #keep(entry: Entry): void {
    const shelf = this.#shelves[entry.direction];
    const former = shelf.peek(entry.name);
    if (former !== undefined) this.#retire(former, agedOut(former));
    shelf.add(entry.name, entry);
    entry.realm.kept++;
    entry.observe({ kind: "entries", change: 1 });
    while (shelf.overfull) this.#retire(shelf.oldest() as Entry, "lru");
    for (let looked = 0; looked < SWEEP; looked++) {
      const oldest = shelf.oldest();
      if (
        oldest === undefined ||
        oldest === entry ||
        mayServeStale(this.#stopwatch.ageMs(oldest.born), this.#limits)
      )
        break;
      this.#retire(oldest, agedOut(oldest));
    }
  }

  #retire(entry: Entry, reason: RetireReason): void {
    const { direction, name, realm, cell, born, uses, observe } = entry;
    const shelf = this.#shelves[direction];
    // Gone already where whoever was told of another one's end has evicted all.
    if (shelf.peek(name) !== entry) return;
    shelf.remove(name);
    realm.kept--;
    this.#giveUp(cell);
    observe({ kind: "entries", change: -1 });
    observe({
      kind: "retired",
      reason,
      ageSeconds: (this.#clock.monotonicMs() - born.monotonicMs) / 1_000,
      uses,
    });
  }

  /** Gives our own hold of a key back; `close` still finds it when others have one. */
  #giveUp(cell: KeyCell): void {
    if (!cell.release()) this.#loose.add(cell);
  }

  /** Drops the keys, kept and under way, of one realm or of all. Whoever waited for them is the caller's to settle. */
  #forget(only?: Realm): Waiters {
    const isConcerned = (realm: Realm): boolean => only === undefined || realm === only;
    for (const shelf of only?.kept === 0 ? [] : Object.values(this.#shelves)) {
      for (const entry of shelf.all()) if (isConcerned(entry.realm)) this.#retire(entry, "error");
    }
    const waiters: Waiter<Look, KeyLease>[] = [];
    for (const [name, { look, flight }] of this.#flights) {
      if (!isConcerned(look.realm)) continue;
      this.#flights.delete(name);
      waiters.push(...flight.cancel());
    }
    return waiters;
  }

  #askAnew(waiters: Waiters): void {
    for (const { ask, settle } of waiters) settle(this.#findAgain(ask));
  }
}

/** Rejects for keys that nothing may be sealed under, or that nothing was: all zeros, or not of AES-256's length. */
async function request({ ask, direction, blob }: Look, signal: AbortSignal): Promise<Fetched> {
  const { keyring, context } = ask;
  if (direction === "open") {
    const plaintext = await keyring.unwrap(blob as Uint8Array, context, { signal });
    const cell = KeyCell.takeOver(plaintext);
    if (cell === undefined) throw new EnvelopeIntegrityError();
    return { cell, blob: undefined };
  }
  const made = await keyring.generate(context, { signal });
  const cell = KeyCell.takeOver(made.plaintext);
  if (cell !== undefined && made.blob.byteLength > 0) return { cell, blob: Uint8Array.from(made.blob) };
  cell?.destroy();
  throw new EnvelopeRefusedError(
    "key-unusable",
    "The keyring made a data key that is all zeros, not 32 bytes long, or without its wrapped form. Nothing was sealed.",
  );
}

/** Suites without key commitment are read only where the policy allows it, under the names of the official clients. */
function checkPolicy(suite: Suite, policy: CommitmentPolicy): void {
  if (suite === "v3" || policy === "REQUIRE_ENCRYPT_ALLOW_DECRYPT") return;
  throw new EnvelopeRefusedError(
    "commitment-policy",
    "The object has no key commitment, and the commitment policy is REQUIRE_ENCRYPT_REQUIRE_DECRYPT. To read objects " +
      "of older clients here, set commitmentPolicy to REQUIRE_ENCRYPT_ALLOW_DECRYPT.",
  );
}
