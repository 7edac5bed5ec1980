import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EnvelopeEvent } from "../../src/body-sealer.ts";
import { BucketKeyCache, type SealingAsk } from "../../src/envelope/bucket-key-cache.ts";
import type { CacheOptions } from "../../src/envelope/cache-options.ts";
import { EnvelopeIntegrityError, EnvelopeRefusedError, KeyringError } from "../../src/envelope/errors.ts";
import type { KeyLease } from "../../src/envelope/key-lease.ts";
import { ofFormerKey } from "../../src/envelope/kms-failures.ts";
import { Shelf } from "../../src/envelope/shelf.ts";
import { Caller, kmsError, SECOND, settle, StubKeyring, TestClock } from "./key-stubs.ts";

let clock: TestClock;
let caller: Caller;
let cache: BucketKeyCache;

beforeEach(() => {
  clock = new TestClock();
  caller = new Caller();
  cache = new BucketKeyCache({}, clock);
});

// Vitest fails the run for a rejection that nobody handled: let it come.
afterEach(settle);

function limited(options: CacheOptions): void {
  cache = new BucketKeyCache(options, clock);
}

/** What a derivation sees, copied. */
function keyOf(lease: KeyLease): Uint8Array {
  return lease.use((key) => Uint8Array.from(key));
}

/** The memory itself: a derivation must not do this. */
function memoryOf(lease: KeyLease): Uint8Array {
  return lease.use((key) => key);
}

async function sealOnce(rest: Partial<SealingAsk> = {}): Promise<Uint8Array> {
  const lease = await cache.forSealing(caller.sealing(rest));
  const { blob } = lease;
  lease.release();
  return blob;
}

async function openOnce(blob: Uint8Array): Promise<void> {
  (await cache.forOpening(caller.opening(blob))).release();
}

/** All memory that keys are put into from now on, also where no lease shows it. */
function watchedKeys(): () => Uint8Array[] {
  const set = vi.spyOn(Uint8Array.prototype, "set");
  return () => (set.mock.contexts as Uint8Array[]).filter((array) => array.buffer.byteLength === 32);
}
afterEach(() => void vi.restoreAllMocks());

/** Memory of a key that was given back since. */
async function evictedWhileLent(): Promise<WeakRef<Uint8Array>> {
  const lease = await cache.forSealing(caller.sealing());
  const memory = new WeakRef(memoryOf(lease));
  cache.evict();
  lease.release();
  return memory;
}

/** What nothing refers to any more is gone from memory then. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

/** Timers that keep the process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}

const ZEROS = new Uint8Array(32);

describe("whoever is told of events", () => {
  it.each<EnvelopeEvent["kind"]>(["cache", "kms-request", "entries", "retired"])(
    "may evict all keys at once, told of %s: the calls under way have theirs",
    async (kind) => {
      limited({ maxUses: 2 });
      let evictions = 0;
      const observe = (event: EnvelopeEvent): void => {
        caller.events.push(event);
        if (event.kind === kind && ++evictions < 100) cache.evict();
      };
      for (const partition of ["a", "b", "a", "a", "b", "a"]) {
        const leases = await Promise.all(
          [0, 1].map(() => cache.forSealing({ ...caller.sealing({ partition }), observe })),
        );
        for (const lease of leases) {
          expect(keyOf(lease)).not.toEqual(ZEROS);
          lease.release();
        }
      }
      cache.evict();
      expect(evictions).toBeGreaterThan(0);
      expect(evictions).toBeLessThan(100);
      const changes = caller.events.flatMap((event) =>
        event.kind === "entries" ? [event.change as number] : [],
      );
      expect([changes.reduce((sum, change) => sum + change, 0), cache.size]).toEqual([0, 0]);
    },
  );

  it("may evict a key that was renewed ahead, for nobody: then it's wiped", async () => {
    const keys = watchedKeys();
    await sealOnce();
    clock.advance(290 * SECOND);
    const observe = (event: EnvelopeEvent): void => {
      if (event.kind === "entries" && event.change === 1) cache.evict();
    };
    (await cache.forSealing({ ...caller.sealing(), observe })).release();
    await settle();
    expect([caller.keyring.count("generate"), cache.size]).toEqual([2, 0]);
    expect(keys().map((key) => Uint8Array.from(key))).toEqual(keys().map(() => ZEROS));
  });
});

describe("a bucket key", () => {
  it("seals many bodies with one request to KMS", async () => {
    const first = await cache.forSealing(caller.sealing());
    const second = await cache.forSealing(caller.sealing());
    expect(caller.keyring.asked.map(({ operation, context }) => ({ operation, context }))).toEqual([
      { operation: "generate", context: { "aws:x-amz-cek-alg": "115" } },
    ]);
    expect(second.blob).toEqual(first.blob);
    expect(first.blob).toHaveLength(184);
    expect(keyOf(first)).toEqual(caller.keyring.handedOut[0]?.bytes);
    expect(keyOf(second)).toEqual(caller.keyring.handedOut[0]?.bytes);
    expect(cache.size).toBe(1);
    expect(caller.events).toEqual([
      { kind: "cache", result: "miss" },
      { kind: "kms-request", operation: "GenerateDataKey", seconds: 0 },
      { kind: "entries", change: 1 },
      { kind: "cache", result: "hit" },
    ]);
  });

  it("opens many bodies with one request to KMS", async () => {
    const blob = caller.keyring.wrap();
    const first = await cache.forOpening(caller.opening(blob));
    const same = Uint8Array.from(blob);
    const second = await cache.forOpening(caller.opening(same));
    expect(caller.keyring.asked.map(({ operation, blob: asked }) => ({ operation, blob: asked }))).toEqual([
      { operation: "unwrap", blob },
    ]);
    expect(second.blob).toBe(same);
    expect(keyOf(second)).toEqual(keyOf(first));
    expect(caller.take("kms-request")).toEqual([{ kind: "kms-request", operation: "Decrypt", seconds: 0 }]);
    expect(caller.results()).toEqual(["miss", "hit"]);
  });

  it("is moved out of the keyring's array, which is filled with zeros", async () => {
    await sealOnce();
    expect(caller.keyring.handedOut[0]?.array).toEqual(ZEROS);
    expect(caller.keyring.handedOut[0]?.bytes).not.toEqual(ZEROS);
  });

  it("lies in memory of its own", async () => {
    const memory = memoryOf(await cache.forSealing(caller.sealing()));
    expect(memory.buffer.byteLength).toBe(32);
    expect(memory).not.toBeInstanceOf(Buffer);
  });

  it("has a blob that nobody else can edit", async () => {
    const { keyring } = caller;
    const blob = new Uint8Array(184).fill(7);
    keyring.generate = async () => ({ plaintext: new Uint8Array(32).fill(1), blob });
    const lease = await cache.forSealing(caller.sealing());
    blob.fill(0);
    expect(lease.blob).toEqual(new Uint8Array(184).fill(7));
  });

  it("that seals never opens, and the reverse", async () => {
    const blob = await sealOnce();
    await openOnce(blob);
    await sealOnce();
    expect(caller.keyring.asked.map(({ operation }) => operation)).toEqual(["generate", "unwrap"]);
    expect(cache.size).toBe(2);
  });

  it("is not shared with another partition, policy, context, keyring or requested key", async () => {
    const asks: Partial<SealingAsk>[] = [
      {},
      { partition: "tenant" },
      { policy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" },
      { context: { "aws:x-amz-cek-alg": "115", "s3-bucket": "arn:aws:s3:::lake" } },
    ];
    const blobs = new Set<Uint8Array>();
    for (const ask of asks) blobs.add(await sealOnce(ask));
    const other = new StubKeyring();
    blobs.add(await sealOnce({ keyring: other }));
    caller.keyring.keyId = "alias/other";
    blobs.add(await sealOnce());
    expect(blobs.size).toBe(6);
    expect(caller.keyring.count("generate")).toBe(5);
    expect(other.count("generate")).toBe(1);
    await sealOnce();
    expect(caller.keyring.count("generate")).toBe(5);
  });

  it("is shared by contexts that say the same in another order", async () => {
    await sealOnce({ context: { a: "1", b: "2" } });
    await sealOnce({ context: { b: "2", a: "1" } });
    expect(caller.keyring.count("generate")).toBe(1);
  });
});

describe("age", () => {
  beforeEach(() => {
    limited({ maxAgeSeconds: 100 });
  });

  it("ends a key at maxAge, for opening too", async () => {
    const blob = caller.keyring.wrap();
    await openOnce(blob);
    clock.advance(100 * SECOND - 1);
    await openOnce(blob);
    expect(caller.keyring.count("unwrap")).toBe(1);
    clock.advance(1);
    await openOnce(blob);
    expect(caller.keyring.count("unwrap")).toBe(2);
    expect(caller.results()).toEqual(["miss", "hit", "expired"]);
    expect(caller.take("retired")).toEqual([{ kind: "retired", reason: "ttl", ageSeconds: 100, uses: 2 }]);
    expect(caller.take("entries").map(({ change }) => change)).toEqual([1, -1, 1]);
  });

  it("is five minutes when nothing is said", async () => {
    cache = new BucketKeyCache({}, clock);
    const blob = caller.keyring.wrap();
    await openOnce(blob);
    clock.advance(300 * SECOND - 1);
    await openOnce(blob);
    clock.advance(1);
    await openOnce(blob);
    expect(caller.results()).toEqual(["miss", "hit", "expired"]);
  });

  it("goes by either clock", async () => {
    const blob = caller.keyring.wrap();
    await openOnce(blob);
    clock.wall += 100 * SECOND;
    await openOnce(blob);
    clock.monotonic += 100 * SECOND;
    await openOnce(blob);
    expect(caller.results()).toEqual(["miss", "expired", "expired"]);
  });

  it("is over when the wall clock goes back, be it to a moment after the key was made", async () => {
    const blob = caller.keyring.wrap();
    await openOnce(blob);
    clock.advance(50 * SECOND);
    await openOnce(blob);
    clock.wall -= 1;
    await openOnce(blob);
    await openOnce(blob);
    expect(caller.results()).toEqual(["miss", "hit", "expired", "hit"]);
    expect(caller.take("retired")).toEqual([{ kind: "retired", reason: "ttl", ageSeconds: 50, uses: 2 }]);
  });

  it("counts from before KMS was asked", async () => {
    caller.keyring.held = true;
    const blob = caller.keyring.wrap();
    const opened = openOnce(blob);
    clock.advance(60 * SECOND);
    caller.keyring.asked[0]?.answer();
    await opened;
    expect(caller.take("kms-request")).toEqual([{ kind: "kms-request", operation: "Decrypt", seconds: 60 }]);
    clock.advance(40 * SECOND);
    caller.keyring.held = false;
    await openOnce(blob);
    expect(caller.results()).toEqual(["miss", "expired"]);
  });

  it.each([
    ["too late", (): void => clock.advance(100 * SECOND)],
    ["after the wall clock went back", (): void => void (clock.wall -= 1)],
  ])("does not keep a key that arrives %s: who waited may use it", async (_name, pass) => {
    caller.keyring.held = true;
    const waiting = cache.forSealing(caller.sealing());
    pass();
    caller.keyring.asked[0]?.answer();
    const lease = await waiting;
    expect(cache.size).toBe(0);
    expect(caller.take("entries")).toEqual([]);
    expect(keyOf(lease)).toEqual(caller.keyring.handedOut[0]?.bytes);
    const memory = memoryOf(lease);
    lease.release();
    expect(memory).toEqual(ZEROS);
  });
});

describe("renewal of keys that seal", () => {
  beforeEach(() => {
    limited({ maxAgeSeconds: 100 });
  });

  it.each([
    [0, 72],
    [0.5, 80],
    [1, 88],
  ])("begins, for dice of %s, at %s %% of the age", async (dice, at) => {
    clock.dice = dice;
    const first = await sealOnce();
    clock.advance(at * SECOND - 1);
    await sealOnce();
    await settle();
    expect(caller.keyring.count("generate")).toBe(1);
    clock.advance(1);
    // The call that finds the key old does not wait.
    expect(await sealOnce()).toBe(first);
    await settle();
    expect(caller.keyring.count("generate")).toBe(2);
    expect(await sealOnce()).not.toEqual(first);
    expect(caller.results()).toEqual(["miss", "hit", "hit", "hit"]);
    expect(caller.take("retired")).toEqual([{ kind: "retired", reason: "ttl", ageSeconds: at, uses: 3 }]);
    expect(caller.take("entries").map(({ change }) => change)).toEqual([1, -1, 1]);
    expect(cache.size).toBe(1);
  });

  it("is one request, whatever the number of calls", async () => {
    const first = await sealOnce();
    clock.advance(72 * SECOND);
    caller.keyring.held = true;
    for (let call = 0; call < 5; call++) expect(await sealOnce()).toBe(first);
    expect(caller.keyring.count("generate")).toBe(2);
    clock.advance(28 * SECOND);
    const late = sealOnce();
    caller.keyring.asked[1]?.answer();
    expect(await late).not.toEqual(first);
    expect(caller.keyring.count("generate")).toBe(2);
  });

  it("may fail without anybody waiting; the next try comes a moment later", async () => {
    await sealOnce();
    clock.advance(72 * SECOND);
    caller.keyring.error = kmsError("ValidationException");
    await sealOnce();
    await settle();
    await sealOnce();
    clock.advance(SECOND - 1);
    await sealOnce();
    await settle();
    expect(caller.keyring.count("generate")).toBe(2);
    expect(caller.take("failed")).toEqual([]);
    expect(caller.take("kms-request").map(({ errorType }) => errorType)).toEqual([
      undefined,
      "ValidationException",
    ]);
    clock.advance(1);
    await sealOnce();
    expect(caller.keyring.count("generate")).toBe(3);
    expect(caller.reasons()).toEqual([]);
  });

  it("never happens to keys that open", async () => {
    const blob = caller.keyring.wrap();
    await openOnce(blob);
    clock.advance(99 * SECOND);
    await openOnce(blob);
    await settle();
    expect(caller.keyring.count("unwrap")).toBe(1);
  });
});

describe("limits of what is sealed under one key", () => {
  it("end a key after so many uses", async () => {
    limited({ maxUses: 3 });
    const blobs = [await sealOnce(), await sealOnce(), await sealOnce(), await sealOnce()];
    expect(new Set(blobs.slice(0, 3)).size).toBe(1);
    expect(blobs[3]).not.toEqual(blobs[0]);
    expect(caller.results()).toEqual(["miss", "hit", "hit", "expired"]);
    expect(caller.take("retired")).toEqual([{ kind: "retired", reason: "uses", ageSeconds: 0, uses: 3 }]);
  });

  it("hold for calls side by side", async () => {
    limited({ maxUses: 4 });
    const blobs = await Promise.all(Array.from({ length: 10 }, () => sealOnce()));
    const counts = new Map<Uint8Array, number>();
    for (const blob of blobs) counts.set(blob, (counts.get(blob) ?? 0) + 1);
    expect([...counts.values()]).toEqual([4, 4, 2]);
    expect(caller.keyring.count("generate")).toBe(3);
    expect(caller.results()).toEqual(Array.from({ length: 10 }, () => "miss"));
  });

  it("end a key before it would seal too many bytes", async () => {
    limited({ maxBytes: 100 });
    const first = await sealOnce({ bytes: 60 });
    expect(await sealOnce({ bytes: 40 })).toBe(first);
    expect(await sealOnce({ bytes: 1 })).not.toEqual(first);
    expect(caller.reasons()).toEqual(["bytes"]);
  });

  it("give a body above them a key of its own", async () => {
    limited({ maxBytes: 100 });
    const first = await sealOnce({ bytes: 500 });
    const second = await sealOnce({ bytes: 500 });
    expect(second).not.toEqual(first);
    expect(caller.keyring.count("generate")).toBe(2);
  });

  it("count what a body of unknown length turned out to be", async () => {
    limited({ maxBytes: 100 });
    const lease = await cache.forSealing(caller.sealing({ bytes: undefined }));
    expect(await sealOnce({ bytes: 100 })).toBe(lease.blob);
    lease.countBytes(1);
    expect(await sealOnce({ bytes: undefined })).not.toEqual(lease.blob);
  });

  it("say nothing about opening", async () => {
    limited({ maxUses: 1, maxBytes: 1 });
    const blob = caller.keyring.wrap();
    for (let call = 0; call < 3; call++) {
      const lease = await cache.forOpening(caller.opening(blob));
      lease.countBytes(100);
      lease.release();
    }
    expect(caller.keyring.count("unwrap")).toBe(1);
  });
});

describe("many callers at once", () => {
  it("ask KMS once for a thousand first puts", async () => {
    const leases = await Promise.all(Array.from({ length: 1_000 }, () => cache.forSealing(caller.sealing())));
    expect(caller.keyring.count("generate")).toBe(1);
    expect(new Set(leases.map(({ blob }) => blob)).size).toBe(1);
    expect(caller.take("kms-request")).toHaveLength(1);
  });

  it("ask KMS once for a thousand first gets of one blob", async () => {
    const blob = caller.keyring.wrap();
    await Promise.all(Array.from({ length: 1_000 }, () => openOnce(blob)));
    expect(caller.keyring.count("unwrap")).toBe(1);
  });

  it("don't mind one that gives up", async () => {
    caller.keyring.held = true;
    const aborter = new AbortController();
    const impatient = cache.forSealing(caller.sealing({ signal: aborter.signal }));
    const patient = cache.forSealing(caller.sealing({ signal: new AbortController().signal }));
    aborter.abort();
    await expect(impatient).rejects.toMatchObject({ name: "AbortError" });
    expect(caller.keyring.asked[0]?.signal.aborted).toBe(false);
    caller.keyring.asked[0]?.answer();
    expect(keyOf(await patient)).toEqual(caller.keyring.handedOut[0]?.bytes);
    expect(caller.keyring.count("generate")).toBe(1);
    expect(caller.take("failed")).toEqual([]);
  });

  it("leave the answer to those after them when all give up", async () => {
    caller.keyring.held = true;
    const aborter = new AbortController();
    const reason = new Error("enough");
    const waiting = [1, 2, 3].map(() => cache.forSealing(caller.sealing({ signal: aborter.signal })));
    aborter.abort(reason);
    for (const call of waiting) await expect(call).rejects.toBe(reason);
    caller.keyring.asked[0]?.answer();
    await settle();
    await sealOnce();
    expect(caller.keyring.count("generate")).toBe(1);
    expect(caller.take("retired")).toEqual([]);
  });

  it("get nothing when they have given up before", async () => {
    const signal = AbortSignal.abort();
    await expect(cache.forSealing(caller.sealing({ signal }))).rejects.toBe(signal.reason);
    await expect(cache.forOpening(caller.opening(caller.keyring.wrap(), { signal }))).rejects.toBe(
      signal.reason,
    );
    expect(caller.keyring.asked).toEqual([]);
  });

  it("leave no listener behind", async () => {
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    await sealOnce({ signal });
    caller.keyring.error = kmsError("ValidationException");
    await expect(sealOnce({ signal, partition: "other" })).rejects.toThrow(KeyringError);
    expect(added).toHaveBeenCalledTimes(2);
    expect(removed.mock.calls).toEqual(added.mock.calls.map(([type, listener]) => [type, listener]));
  });
});

describe("KMS that does not answer", () => {
  beforeEach(() => {
    limited({ kmsTimeoutSeconds: 0.02 });
    caller.keyring.held = true;
  });

  it("meets the deadline of the request, not of a caller", async () => {
    const waiting = cache.forSealing(caller.sealing());
    await expect(waiting).rejects.toMatchObject({
      code: "ERR_BUCKET_KEY_KMS",
      kmsError: "TimeoutError",
      message: expect.stringContaining("within 0.02 s (kmsTimeoutSeconds)"),
    });
    expect(caller.keyring.asked[0]?.signal.reason).toMatchObject({ kmsError: "TimeoutError" });
    expect(caller.take("failed")).toEqual([{ kind: "failed", phase: "kms", errorType: "TimeoutError" }]);
    expect(caller.take("kms-request")).toEqual([
      { kind: "kms-request", operation: "GenerateDataKey", seconds: 0, errorType: "TimeoutError" },
    ]);
  });

  it("answers too late: the key is filled with zeros and not kept", async () => {
    const keys = watchedKeys();
    await expect(sealOnce()).rejects.toThrow(KeyringError);
    caller.keyring.asked[0]?.answer();
    await settle();
    expect(caller.keyring.handedOut[0]?.array).toEqual(ZEROS);
    expect(keys()).toEqual([ZEROS]);
    expect(cache.size).toBe(0);
    expect(caller.take("entries")).toEqual([]);
  });

  it("fails too late: nobody hears of it", async () => {
    await expect(sealOnce()).rejects.toThrow(KeyringError);
    caller.keyring.asked[0]?.fail(kmsError("KMSInternalException", 500));
    await settle();
    expect(caller.take("kms-request")).toHaveLength(1);
  });

  it("answers in time: the deadline is off", async () => {
    const waiting = cache.forSealing(caller.sealing());
    caller.keyring.asked[0]?.answer();
    const lease = await waiting;
    await new Promise((resolve) => {
      setTimeout(resolve, 40);
    });
    expect(caller.keyring.asked[0]?.signal.aborted).toBe(false);
    expect(keyOf(lease)).toEqual(caller.keyring.handedOut[0]?.bytes);
    expect(cache.size).toBe(1);
  });
});

describe("leases", () => {
  it("keep the key until the last of them is given back", async () => {
    const first = await cache.forSealing(caller.sealing());
    const second = await cache.forSealing(caller.sealing());
    const memory = memoryOf(first);
    const bytes = Uint8Array.from(memory);
    cache.evict();
    expect(cache.size).toBe(0);
    first.release();
    first.release();
    expect(keyOf(second)).toEqual(bytes);
    second.release();
    expect(memory).toEqual(ZEROS);
  });

  it("leave the key with the cache when they are given back", async () => {
    const lease = await cache.forSealing(caller.sealing());
    const memory = memoryOf(lease);
    const bytes = Uint8Array.from(memory);
    lease.release();
    expect(memory).toEqual(bytes);
    cache.evict();
    expect(memory).toEqual(ZEROS);
  });

  it("refuse to work once given back", async () => {
    const lease = await cache.forSealing(caller.sealing());
    lease.release();
    expect(() => lease.use(() => 1)).toThrow(
      expect.objectContaining({
        code: "ERR_BUCKET_KEY_ENVELOPE_REFUSED",
        problem: "closed",
        message:
          "The bucket key was given back, or the sealer was closed: its keys are gone from memory. Make a new sealer, " +
          "and close() it only when its calls and uploads have ended.",
      }),
    );
  });

  it("leave no memory behind, though the key was evicted while it was on loan", async () => {
    const memory = await evictedWhileLent();
    await settle();
    collectGarbage();
    expect(memory.deref()).toBeUndefined();
  });

  it("refuse to work once the cache is closed, and every key is zero", async () => {
    const kept = await cache.forSealing(caller.sealing());
    const evicted = await cache.forSealing(caller.sealing({ partition: "evicted" }));
    const opening = await cache.forOpening(caller.opening(caller.keyring.wrap()));
    const bypassing = await cache.forOpening(
      caller.opening(caller.keyring.wrap(), { suite: "v2", policy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" }),
    );
    const leases = [kept, evicted, opening, bypassing];
    const memories = leases.map(memoryOf);
    cache.evict();
    cache.close();
    expect(memories).toEqual([ZEROS, ZEROS, ZEROS, ZEROS]);
    for (const lease of leases) {
      expect(() => lease.use(() => 1)).toThrow(expect.objectContaining({ problem: "closed" }));
      lease.release();
    }
  });

  it("never show zeros to a derivation during which the cache is closed", async () => {
    const lease = await cache.forSealing(caller.sealing());
    const expected = keyOf(lease);
    const [outer, inner, memory] = lease.use((key) => {
      const nested = lease.use((again) => {
        cache.close();
        return Uint8Array.from(again);
      });
      return [Uint8Array.from(key), nested, key] as const;
    });
    expect(outer).toEqual(expected);
    expect(inner).toEqual(expected);
    expect(memory).toEqual(ZEROS);
  });

  it("let errors of a derivation through, and work on", async () => {
    const lease = await cache.forSealing(caller.sealing());
    expect(() =>
      lease.use(() => {
        throw new RangeError("mine");
      }),
    ).toThrow("mine");
    expect(keyOf(lease)).toEqual(caller.keyring.handedOut[0]?.bytes);
    const memory = memoryOf(lease);
    cache.close();
    expect(memory).toEqual(ZEROS);
  });
});

describe("evict", () => {
  it("forgets all keys", async () => {
    const first = await sealOnce();
    await openOnce(first);
    cache.evict();
    expect(cache.size).toBe(0);
    expect(caller.reasons()).toEqual(["error", "error"]);
    expect(caller.take("entries").map(({ change }) => change)).toEqual([1, 1, -1, -1]);
    expect(await sealOnce()).not.toEqual(first);
    expect(caller.results()).toEqual(["miss", "miss", "miss"]);
  });

  it("makes those who wait ask anew, together, and lets nothing from before in", async () => {
    caller.keyring.held = true;
    const waiting = [1, 2, 3].map(() => cache.forSealing(caller.sealing()));
    cache.evict();
    expect(caller.keyring.asked[0]?.signal.aborted).toBe(true);
    expect(caller.keyring.count("generate")).toBe(2);
    caller.keyring.asked[0]?.answer();
    await settle();
    expect(caller.keyring.handedOut[0]?.array).toEqual(ZEROS);
    expect(cache.size).toBe(0);
    caller.keyring.asked[1]?.answer();
    for (const lease of await Promise.all(waiting)) {
      expect(keyOf(lease)).toEqual(caller.keyring.handedOut[1]?.bytes);
    }
    expect(caller.keyring.count("generate")).toBe(2);
    expect(caller.results()).toEqual(["miss", "miss", "miss"]);
    expect(caller.take("kms-request")).toHaveLength(1);
  });

  it("lets a caller give up who was made to ask anew", async () => {
    caller.keyring.held = true;
    const aborter = new AbortController();
    const waiting = cache.forSealing(caller.sealing({ signal: aborter.signal }));
    cache.evict();
    aborter.abort();
    await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
  });

  it("ignores how requests from before fail", async () => {
    caller.keyring.held = true;
    const waiting = cache.forSealing(caller.sealing());
    cache.evict();
    caller.keyring.asked[0]?.fail(kmsError("AccessDeniedException"));
    await settle();
    caller.keyring.asked[1]?.answer();
    expect(keyOf(await waiting)).toEqual(caller.keyring.handedOut[0]?.bytes);
    expect(caller.take("kms-request").map(({ errorType }) => errorType)).toEqual([undefined]);
  });

  it("ends a renewal that nobody waits for", async () => {
    limited({ maxAgeSeconds: 100 });
    await sealOnce();
    clock.advance(72 * SECOND);
    caller.keyring.held = true;
    await sealOnce();
    cache.evict();
    caller.keyring.asked[1]?.answer();
    await settle();
    expect(cache.size).toBe(0);
    expect(caller.keyring.handedOut[1]?.array).toEqual(ZEROS);
    expect(caller.keyring.count("generate")).toBe(2);
  });

  it("forgets failures as well", async () => {
    caller.keyring.error = kmsError("AccessDeniedException");
    await expect(sealOnce()).rejects.toThrow(KeyringError);
    caller.keyring.error = undefined;
    cache.evict();
    await sealOnce();
    expect(cache.size).toBe(1);
  });
});

describe("close", () => {
  it("fails those who wait, and those who come later", async () => {
    caller.keyring.held = true;
    const waiting = [cache.forSealing(caller.sealing()), cache.forSealing(caller.sealing())];
    cache.close();
    for (const call of waiting) {
      await expect(call).rejects.toThrow(EnvelopeRefusedError);
      await expect(call).rejects.toMatchObject({ problem: "closed" });
    }
    await expect(sealOnce()).rejects.toMatchObject({ problem: "closed" });
    await expect(openOnce(caller.keyring.wrap())).rejects.toMatchObject({ problem: "closed" });
    expect(caller.keyring.asked[0]?.signal.aborted).toBe(true);
    expect(caller.keyring.count("generate")).toBe(1);
    expect(caller.take("failed")).toEqual([]);
  });

  it("lets no late key in", async () => {
    const keys = watchedKeys();
    caller.keyring.held = true;
    const waiting = cache.forSealing(caller.sealing());
    cache.close();
    caller.keyring.asked[0]?.answer();
    await expect(waiting).rejects.toMatchObject({ problem: "closed" });
    await settle();
    expect(caller.keyring.handedOut[0]?.array).toEqual(ZEROS);
    expect(keys()).toEqual([ZEROS]);
    expect(cache.size).toBe(0);
    expect(caller.take("entries")).toEqual([]);
  });

  it("may be called again", async () => {
    await sealOnce();
    cache.close();
    cache.close();
    expect(cache.size).toBe(0);
    expect(caller.reasons()).toEqual(["error"]);
  });

  it("retires what it drops with its age and uses", async () => {
    await sealOnce();
    await sealOnce();
    clock.advance(7 * SECOND);
    cache.close();
    expect(caller.take("retired")).toEqual([{ kind: "retired", reason: "error", ageSeconds: 7, uses: 2 }]);
  });
});

describe("evict and close at every await of a call", () => {
  const moments = Array.from({ length: 12 }, (_, turn) => turn);

  it.each(moments)("evict after %s turns: the call gets a live key", async (turns) => {
    const waiting = cache.forSealing(caller.sealing());
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    cache.evict();
    const lease = await waiting;
    expect(keyOf(lease)).not.toEqual(ZEROS);
    const memory = memoryOf(lease);
    lease.release();
    cache.evict();
    expect(memory).toEqual(ZEROS);
  });

  it.each(moments)("close after %s turns: no key stays, and none is handed out", async (turns) => {
    const keys = watchedKeys();
    const waiting = cache.forSealing(caller.sealing());
    waiting.catch(() => {});
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    cache.close();
    const use = async (): Promise<unknown> => (await waiting).use(() => "handed out");
    await expect(use()).rejects.toMatchObject({ problem: "closed" });
    await settle();
    expect(cache.size).toBe(0);
    for (const { array } of caller.keyring.handedOut) expect(array).toEqual(ZEROS);
    for (const memory of keys()) expect(memory).toEqual(ZEROS);
  });
});

describe("failures", () => {
  it("are remembered for a second, and for up to another one at random", async () => {
    caller.keyring.error = kmsError("AccessDeniedException");
    clock.dice = 0.5;
    const first = await sealOnce().catch((error: unknown) => error);
    clock.advance(1.5 * SECOND - 1);
    const second = await sealOnce().catch((error: unknown) => error);
    expect(caller.keyring.count("generate")).toBe(1);
    expect(first).toBeInstanceOf(KeyringError);
    const { kmsError: name, code, cause, message } = first as KeyringError;
    expect(second).toBeInstanceOf(KeyringError);
    expect(second).toMatchObject({
      kmsError: name,
      code,
      cause,
      message:
        `${message} Remembered from a moment ago: KMS was not asked for this call. It is asked again within 2 s, or at ` +
        "once after evict().",
    });
    expect(caller.results()).toEqual(["miss", "miss"]);
    expect(caller.take("failed")).toEqual([
      { kind: "failed", phase: "kms", errorType: "AccessDeniedException" },
      { kind: "failed", phase: "kms", errorType: "AccessDeniedException" },
    ]);
    clock.advance(1);
    caller.keyring.error = undefined;
    await sealOnce();
    expect(caller.keyring.count("generate")).toBe(2);
  });

  it("say so each time, and only once, until evict() has them forgotten", async () => {
    caller.keyring.error = kmsError("AccessDeniedException");
    const messages: string[] = [];
    for (const evicts of [false, false, false, true]) {
      if (evicts) cache.evict();
      await sealOnce().catch(({ message }: Error) => messages.push(message));
    }
    expect(messages[1]).toMatch(/^KMS: AccessDeniedException Remembered [^R]*$/);
    expect(messages).toEqual([messages[0], messages[1], messages[1], messages[0]]);
    expect(messages[0]).not.toContain("Remembered");
    expect(caller.keyring.count("generate")).toBe(2);
  });

  it("that fail verification say the same, remembered or not", async () => {
    const blob = new Uint8Array(184);
    const [first, second] = [
      await openOnce(blob).catch((error: unknown) => error),
      await openOnce(blob).catch((error: unknown) => error),
    ];
    expect(caller.keyring.count("unwrap")).toBe(1);
    expect(first).toBeInstanceOf(EnvelopeIntegrityError);
    expect(second).toEqual(first);
    expect(second).not.toBe(first);
  });

  it("are those of one key alone", async () => {
    caller.keyring.error = kmsError("AccessDeniedException");
    await expect(sealOnce()).rejects.toThrow(KeyringError);
    caller.keyring.error = undefined;
    await sealOnce({ partition: "other" });
    expect(cache.size).toBe(1);
  });

  it("reach everybody who waits, as errors of their own", async () => {
    caller.keyring.error = kmsError("KMSInternalException", 500);
    const errors = await Promise.all(
      [1, 2].map(() => sealOnce().then(String, (error: unknown) => error as KeyringError)),
    );
    expect(errors[0]).toEqual(errors[1]);
    expect(errors[0]).not.toBe(errors[1]);
    expect(errors[0]).toMatchObject({ kmsError: "KMSInternalException" });
    expect(caller.keyring.count("generate")).toBe(1);
  });

  it("of a first request leave other keys alone", async () => {
    await sealOnce();
    await openOnce(caller.keyring.wrap());
    caller.keyring.error = kmsError("AccessDeniedException");
    await expect(sealOnce({ partition: "other" })).rejects.toThrow(KeyringError);
    expect(cache.size).toBe(2);
  });

  it.each([
    ["not 32 bytes", new Uint8Array(16).fill(1)],
    ["longer", new Uint8Array(33).fill(1)],
    ["all zeros", new Uint8Array(32)],
  ])("are data keys that are %s", async (_name, key) => {
    caller.keyring.key = key;
    await expect(sealOnce()).rejects.toMatchObject({
      code: "ERR_BUCKET_KEY_ENVELOPE_REFUSED",
      problem: "key-unusable",
      message: expect.stringContaining("all zeros, not 32 bytes long, or without its wrapped form"),
    });
    await expect(sealOnce()).rejects.toMatchObject({ problem: "key-unusable" });
    await expect(openOnce(caller.keyring.wrap())).rejects.toThrow(EnvelopeIntegrityError);
    expect(cache.size).toBe(0);
    for (const { array } of caller.keyring.handedOut) expect(array.some((byte) => byte !== 0)).toBe(false);
    expect(caller.take("failed").map(({ errorType }) => errorType)).toEqual([
      "EnvelopeRefusedError",
      "EnvelopeRefusedError",
      "EnvelopeIntegrityError",
    ]);
  });

  it("are keys of which only the last byte is not zero no more", async () => {
    caller.keyring.key = new Uint8Array(32).fill(1, 31);
    expect(keyOf(await cache.forSealing(caller.sealing()))).toEqual(caller.keyring.key);
  });

  it("are data keys without their wrapped form", async () => {
    const plaintext = new Uint8Array(32).fill(1);
    caller.keyring.generate = async () => ({ plaintext, blob: new Uint8Array() });
    await expect(sealOnce()).rejects.toMatchObject({ problem: "key-unusable" });
    expect(plaintext).toEqual(ZEROS);
    caller.keyring.generate = async () => ({ plaintext: new Uint8Array(), blob: new Uint8Array() });
    await expect(sealOnce({ partition: "other" })).rejects.toMatchObject({ problem: "key-unusable" });
  });

  it("are keyrings that break their promise", async () => {
    caller.keyring.generate = () => {
      throw new TypeError("at once");
    };
    await expect(sealOnce()).rejects.toMatchObject({ kmsError: "TypeError" });
    caller.keyring.unwrap = async () => undefined as unknown as Uint8Array;
    await expect(openOnce(caller.keyring.wrap())).rejects.toMatchObject({ kmsError: "TypeError" });
  });
});

describe("a renewal that KMS denies", () => {
  beforeEach(() => {
    limited({ maxAgeSeconds: 100, staleIfErrorSeconds: 60 });
  });

  it.each(["AccessDeniedException", "DisabledException", "KMSInvalidStateException", "NotFoundException"])(
    "with %s ends the keys of that KMS key in both directions, and no others",
    async (name) => {
      const other = new StubKeyring();
      await sealOnce({ keyring: other });
      const sealing = await cache.forSealing(caller.sealing());
      await openOnce(caller.keyring.wrap());
      await openOnce(caller.keyring.wrap());
      const memory = memoryOf(sealing);
      sealing.release();
      caller.reasons();
      clock.advance(72 * SECOND);
      caller.keyring.error = kmsError(name);
      await sealOnce();
      await settle();
      expect(cache.size).toBe(1);
      expect(memory).toEqual(ZEROS);
      expect(caller.reasons()).toEqual(["error", "error", "error"]);
      await expect(sealOnce()).rejects.toMatchObject({ kmsError: name });
      caller.results();
      await sealOnce({ keyring: other });
      expect(caller.results()).toEqual(["hit"]);
    },
  );

  it("ends keys that had outlived their age just the same", async () => {
    const blob = caller.keyring.wrap();
    await openOnce(blob);
    clock.advance(50 * SECOND);
    await sealOnce();
    clock.advance(50 * SECOND);
    caller.keyring.error = kmsError("AccessDeniedException");
    await expect(openOnce(blob)).rejects.toMatchObject({ kmsError: "AccessDeniedException" });
    expect(cache.size).toBe(0);
  });

  it("makes those ask anew who wait for another key of that KMS key", async () => {
    const blob = caller.keyring.wrap();
    await sealOnce();
    clock.advance(72 * SECOND);
    caller.keyring.held = true;
    await sealOnce();
    const opening = cache.forOpening(caller.opening(blob));
    const elsewhere = new StubKeyring();
    elsewhere.held = true;
    const other = cache.forSealing(caller.sealing({ keyring: elsewhere }));
    caller.keyring.asked[1]?.fail(kmsError("AccessDeniedException"));
    await settle();
    expect(caller.keyring.asked.map(({ operation }) => operation)).toEqual([
      "generate",
      "generate",
      "unwrap",
      "unwrap",
    ]);
    expect(caller.keyring.asked[2]?.signal.aborted).toBe(true);
    caller.keyring.asked[2]?.answer();
    await settle();
    expect(cache.size).toBe(0);
    caller.keyring.asked[3]?.answer();
    expect(keyOf(await opening)).toEqual(caller.keyring.handedOut[2]?.bytes);
    expect(elsewhere.asked[0]?.signal.aborted).toBe(false);
    elsewhere.asked[0]?.answer();
    await other;
    expect(elsewhere.count("generate")).toBe(1);
  });

  it("that is not a denial leaves them alone", async () => {
    await openOnce(caller.keyring.wrap());
    await sealOnce();
    clock.advance(72 * SECOND);
    caller.keyring.error = kmsError("InvalidKeyUsageException");
    await sealOnce();
    await settle();
    expect(cache.size).toBe(2);
  });
});

describe("a KMS key that nobody can use", () => {
  const GONE = ["DisabledException", "KMSInvalidStateException", "NotFoundException"];

  it.each(GONE)("ends all its keys when a first request is told %s, and no others", async (name) => {
    const other = new StubKeyring();
    await sealOnce({ keyring: other });
    const sealing = await cache.forSealing(caller.sealing());
    const memory = memoryOf(sealing);
    sealing.release();
    await openOnce(caller.keyring.wrap());
    caller.keyring.error = kmsError(name);
    await expect(openOnce(caller.keyring.wrap())).rejects.toMatchObject({ kmsError: name });
    expect(cache.size).toBe(1);
    expect(memory).toEqual(ZEROS);
    expect(caller.reasons()).toEqual(["error", "error"]);
    caller.results();
    await sealOnce({ keyring: other });
    expect(caller.results()).toEqual(["hit"]);
    await expect(sealOnce()).rejects.toMatchObject({ kmsError: name });
    caller.keyring.error = undefined;
    cache.evict();
    await sealOnce();
    expect(cache.size).toBe(1);
  });

  it("ends them upon a request whose key would not have been kept, too", async () => {
    await sealOnce();
    caller.keyring.error = kmsError("DisabledException");
    const policy = "REQUIRE_ENCRYPT_ALLOW_DECRYPT";
    const opening = cache.forOpening(caller.opening(caller.keyring.wrap(), { suite: "v2", policy }));
    await expect(opening).rejects.toMatchObject({ kmsError: "DisabledException" });
    expect(cache.size).toBe(0);
  });

  it("fails those who wait for another of its keys, instead of asking once more for each", async () => {
    caller.keyring.held = true;
    const calls = Array.from({ length: 50 }, () =>
      cache.forOpening(caller.opening(caller.keyring.wrap())).catch((error: unknown) => error),
    );
    const elsewhere = new StubKeyring();
    elsewhere.held = true;
    const other = cache.forSealing(caller.sealing({ keyring: elsewhere }));
    caller.keyring.asked[7]?.fail(kmsError("DisabledException"));
    const errors = await Promise.all(calls);
    expect(errors.map((error) => (error as KeyringError).kmsError)).toEqual(
      Array.from({ length: 50 }, () => "DisabledException"),
    );
    expect(new Set(errors).size).toBe(50);
    expect(caller.take("failed")).toHaveLength(50);
    expect(caller.keyring.asked.map(({ signal }) => signal.aborted)).toEqual(
      Array.from({ length: 50 }, (_, n) => n !== 7),
    );
    // What KMS had said before comes too late.
    caller.keyring.asked[8]?.answer();
    await settle();
    expect(cache.size).toBe(0);
    expect(caller.keyring.handedOut.map(({ array }) => array)).toEqual([ZEROS]);
    elsewhere.asked[0]?.answer();
    await other;
    expect(cache.size).toBe(1);
  });

  it("ends nothing when it only unwraps what is old", async () => {
    await sealOnce();
    await openOnce(caller.keyring.wrap());
    caller.keyring.error = ofFormerKey(kmsError("DisabledException"));
    await expect(openOnce(caller.keyring.wrap())).rejects.toMatchObject({ kmsError: "DisabledException" });
    expect(cache.size).toBe(2);
  });

  it("has its keys forgotten once: later failures don't look for any", async () => {
    const other = new StubKeyring();
    await sealOnce({ keyring: other });
    await sealOnce();
    await openOnce(caller.keyring.wrap());
    caller.keyring.error = kmsError("DisabledException");
    const all = vi.spyOn(Shelf.prototype, "all");
    await expect(sealOnce({ partition: "a" })).rejects.toThrow(KeyringError);
    expect(all).toHaveBeenCalledTimes(2);
    await expect(sealOnce({ partition: "b" })).rejects.toThrow(KeyringError);
    expect(all).toHaveBeenCalledTimes(2);
    expect(cache.size).toBe(1);
  });
});

describe("staleIfError", () => {
  it("is off: a key whose age is over serves nobody", async () => {
    limited({ maxAgeSeconds: 100 });
    const blob = caller.keyring.wrap();
    await openOnce(blob);
    clock.advance(100 * SECOND);
    caller.keyring.error = kmsError("ThrottlingException");
    await expect(openOnce(blob)).rejects.toMatchObject({ kmsError: "ThrottlingException" });
    expect(caller.reasons()).toEqual(["ttl"]);
    expect(cache.size).toBe(0);
  });

  it.each([
    ["a timeout", kmsError("TimeoutError")],
    ["5xx", kmsError("KMSInternalException", 500)],
    ["throttling", kmsError("ThrottlingException")],
  ])("extends a key upon %s, until its time is over", async (_name, error) => {
    limited({ maxAgeSeconds: 100, staleIfErrorSeconds: 60 });
    const blob = caller.keyring.wrap();
    await openOnce(blob);
    clock.advance(100 * SECOND);
    caller.keyring.error = error;
    // KMS is asked first.
    await openOnce(blob);
    expect(caller.keyring.count("unwrap")).toBe(2);
    clock.advance(60 * SECOND - 1);
    // From now on in the background.
    caller.keyring.held = true;
    await openOnce(blob);
    expect(caller.keyring.count("unwrap")).toBe(3);
    caller.keyring.asked[2]?.fail(error);
    await settle();
    await openOnce(blob);
    expect(caller.keyring.count("unwrap")).toBe(3);
    expect(caller.reasons()).toEqual([]);
    clock.advance(1);
    await expect(openOnce(blob)).rejects.toThrow(KeyringError);
    expect(caller.take("retired")).toEqual([{ kind: "retired", reason: "stale", ageSeconds: 160, uses: 4 }]);
    expect(caller.results()).toEqual(["miss", "expired", "hit", "hit", "expired"]);
  });

  it("extends it as well upon a failure that is remembered from a renewal", async () => {
    limited({ maxAgeSeconds: 100, staleIfErrorSeconds: 60 });
    const first = await sealOnce();
    clock.advance(100 * SECOND - 1);
    caller.keyring.error = kmsError("ThrottlingException");
    await sealOnce();
    await settle();
    clock.advance(1);
    expect(await sealOnce()).toBe(first);
    expect(caller.keyring.count("generate")).toBe(2);
    expect(caller.results()).toEqual(["miss", "hit", "expired"]);
  });

  it("ends when KMS answers: the new key takes over", async () => {
    limited({ maxAgeSeconds: 100, staleIfErrorSeconds: 60 });
    const first = await sealOnce();
    clock.advance(100 * SECOND);
    caller.keyring.error = kmsError("ThrottlingException");
    expect(await sealOnce()).toBe(first);
    caller.keyring.error = undefined;
    clock.advance(2 * SECOND);
    expect(await sealOnce()).toBe(first);
    await settle();
    expect(await sealOnce()).not.toEqual(first);
    expect(caller.reasons()).toEqual(["stale"]);
  });

  it("lets a new key take over at once when KMS answers the first call", async () => {
    limited({ maxAgeSeconds: 100, staleIfErrorSeconds: 60 });
    const first = await sealOnce();
    clock.advance(100 * SECOND);
    expect(await sealOnce()).not.toEqual(first);
    expect(caller.reasons()).toEqual(["ttl"]);
    expect(caller.results()).toEqual(["miss", "expired"]);
  });

  it("is nothing for other failures", async () => {
    limited({ maxAgeSeconds: 100, staleIfErrorSeconds: 60 });
    const blob = caller.keyring.wrap();
    await openOnce(blob);
    clock.advance(100 * SECOND);
    caller.keyring.error = kmsError("InvalidKeyUsageException");
    await expect(openOnce(blob)).rejects.toMatchObject({ kmsError: "InvalidKeyUsageException" });
    expect(caller.reasons()).toEqual(["ttl"]);
    expect(cache.size).toBe(0);
  });

  it("ends with the first other failure", async () => {
    limited({ maxAgeSeconds: 100, staleIfErrorSeconds: 60 });
    const blob = caller.keyring.wrap();
    await openOnce(blob);
    clock.advance(100 * SECOND);
    caller.keyring.error = kmsError("ThrottlingException");
    await openOnce(blob);
    clock.advance(2 * SECOND);
    caller.keyring.error = kmsError("InvalidKeyUsageException");
    await openOnce(blob);
    await settle();
    expect(caller.reasons()).toEqual(["stale"]);
    expect(cache.size).toBe(0);
  });

  it("does not extend a key that KMS failed to renew ahead, before its age is over", async () => {
    limited({ maxAgeSeconds: 100, staleIfErrorSeconds: 60 });
    await sealOnce();
    clock.advance(72 * SECOND);
    caller.keyring.error = kmsError("ThrottlingException");
    await sealOnce();
    await settle();
    clock.advance(28 * SECOND);
    await sealOnce();
    expect(caller.keyring.count("generate")).toBe(3);
    expect(caller.results()).toEqual(["miss", "hit", "expired"]);
  });

  it("is nothing for a key whose age nobody knows, the wall clock having gone back", async () => {
    limited({ maxAgeSeconds: 100, staleIfErrorSeconds: 60 });
    const blob = caller.keyring.wrap();
    await openOnce(blob);
    clock.wall -= 1;
    caller.keyring.error = kmsError("ThrottlingException");
    await expect(openOnce(blob)).rejects.toThrow(KeyringError);
    expect(caller.reasons()).toEqual(["ttl"]);
  });

  it("is nothing for a key whose time went by while KMS was asked", async () => {
    limited({ maxAgeSeconds: 100, staleIfErrorSeconds: 60 });
    const blob = caller.keyring.wrap();
    await openOnce(blob);
    clock.advance(100 * SECOND);
    caller.keyring.held = true;
    const waiting = [openOnce(blob), openOnce(blob)];
    clock.advance(60 * SECOND);
    caller.keyring.asked[1]?.fail(kmsError("ThrottlingException"));
    for (const call of waiting) await expect(call).rejects.toThrow(KeyringError);
    expect(caller.reasons()).toEqual(["ttl"]);
  });

  it("keeps to the limits of what is sealed", async () => {
    limited({ maxAgeSeconds: 100, staleIfErrorSeconds: 60, maxUses: 2 });
    await sealOnce();
    clock.advance(100 * SECOND);
    caller.keyring.error = kmsError("ThrottlingException");
    await sealOnce();
    await expect(sealOnce()).rejects.toThrow(KeyringError);
    expect(caller.reasons()).toEqual(["uses"]);
  });
});

describe("suites that are not key-committing", () => {
  const policy = "REQUIRE_ENCRYPT_ALLOW_DECRYPT";

  it.each(["v2", "legacy"] as const)("%s is never cached", async (suite) => {
    const blob = caller.keyring.wrap();
    for (let call = 0; call < 2; call++) {
      const lease = await cache.forOpening(caller.opening(blob, { suite, policy }));
      expect(keyOf(lease)).toEqual(caller.keyring.handedOut[call]?.bytes);
      expect(cache.size).toBe(0);
      const memory = memoryOf(lease);
      lease.release();
      expect(memory).toEqual(ZEROS);
    }
    expect(caller.results()).toEqual(["bypass", "bypass"]);
    expect(caller.take("entries")).toEqual([]);
    expect(caller.take("retired")).toEqual([]);
    expect(caller.take("kms-request")).toHaveLength(2);
  });

  it("don't share a request, nor a failure", async () => {
    const blob = caller.keyring.wrap();
    const ask = caller.opening(blob, { suite: "v2", policy });
    await Promise.all([cache.forOpening(ask), cache.forOpening(ask)]);
    expect(caller.keyring.count("unwrap")).toBe(2);
    caller.keyring.error = kmsError("ThrottlingException");
    await expect(cache.forOpening(ask)).rejects.toThrow(KeyringError);
    await expect(cache.forOpening(ask)).rejects.toThrow(KeyringError);
    expect(caller.keyring.count("unwrap")).toBe(4);
  });

  it.each(["v2", "legacy"] as const)(
    "%s needs a policy that allows it, before KMS is asked",
    async (suite) => {
      const blob = caller.keyring.wrap();
      await expect(cache.forOpening(caller.opening(blob, { suite }))).rejects.toMatchObject({
        code: "ERR_BUCKET_KEY_ENVELOPE_REFUSED",
        problem: "commitment-policy",
        message: expect.stringMatching(/^The object has no key commitment, .* set commitmentPolicy to /u),
      });
      expect(caller.keyring.asked).toEqual([]);
    },
  );
});

describe("room", () => {
  it("is made by forgetting the key unused for longest", async () => {
    limited({ maxCachedBytes: 65_536 });
    const blobs = Array.from({ length: 65 }, () => caller.keyring.wrap());
    for (const blob of blobs.slice(0, 64)) await openOnce(blob);
    expect(cache.size).toBe(64);
    await openOnce(blobs[0] as Uint8Array);
    await openOnce(blobs[64] as Uint8Array);
    expect(cache.size).toBe(64);
    expect(caller.reasons()).toEqual(["lru"]);
    const asked = caller.keyring.count("unwrap");
    await openOnce(blobs[0] as Uint8Array);
    expect(caller.keyring.count("unwrap")).toBe(asked);
    await openOnce(blobs[1] as Uint8Array);
    expect(caller.keyring.count("unwrap")).toBe(asked + 1);
  });

  it("is taken by keys that open at 1,024 bytes each", async () => {
    limited({ maxCachedBytes: 102_400 });
    for (let number = 0; number < 101; number++) await openOnce(caller.keyring.wrap());
    expect(cache.size).toBe(100);
  });

  it("is bounded for keys that seal, too", async () => {
    const { keyring } = caller;
    keyring.generate = async () => ({ plaintext: new Uint8Array(32).fill(1), blob: new Uint8Array(2 ** 20) });
    for (let tenant = 0; tenant < 17; tenant++) await sealOnce({ partition: `${tenant}` });
    expect(cache.size).toBe(15);
    expect(caller.reasons()).toEqual(["lru", "lru"]);
  });

  it("is given back by keys whose age is over, a few at a time, when others come", async () => {
    limited({ maxAgeSeconds: 100 });
    for (let number = 0; number < 6; number++) await openOnce(caller.keyring.wrap());
    clock.advance(100 * SECOND);
    await openOnce(caller.keyring.wrap());
    expect(cache.size).toBe(3);
    expect(caller.reasons()).toEqual(["ttl", "ttl", "ttl", "ttl"]);
    await openOnce(caller.keyring.wrap());
    expect(cache.size).toBe(2);
    expect(caller.reasons()).toEqual(["ttl", "ttl"]);
  });

  it("is not given back by keys that may yet serve if KMS can't be reached", async () => {
    limited({ maxAgeSeconds: 100, staleIfErrorSeconds: 60 });
    await openOnce(caller.keyring.wrap());
    clock.advance(159 * SECOND);
    await openOnce(caller.keyring.wrap());
    expect(cache.size).toBe(2);
    clock.advance(SECOND);
    await openOnce(caller.keyring.wrap());
    expect(cache.size).toBe(2);
  });
});

describe("the process", () => {
  it("is not kept alive by a deadline", async () => {
    const before = timers();
    caller.keyring.held = true;
    const waiting = cache.forSealing(caller.sealing());
    expect(timers()).toBe(before);
    caller.keyring.asked[0]?.answer();
    await waiting;
  });

  it("goes by the system's clocks when none is given", async () => {
    cache = new BucketKeyCache({});
    await sealOnce();
    await sealOnce();
    expect(caller.results()).toEqual(["miss", "hit"]);
    cache.close();
  });
});
