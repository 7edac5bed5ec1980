import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { RealTimeClock, VirtualClock } from "../../src/simulator/clock.ts";
import { KmsLedger, type ObjectAccess } from "../../src/simulator/ledger/ledger.ts";

const ACCOUNT = "111122223333";
const TRAIL = { region: "eu-west-1", accountId: ACCOUNT };
const KEY_A = `arn:aws:kms:eu-west-1:${ACCOUNT}:key/aaaaaaaa-12ab-34cd-56ef-1234567890ab`;
const KEY_B = `arn:aws:kms:eu-west-1:${ACCOUNT}:key/bbbbbbbb-12ab-34cd-56ef-1234567890ab`;
const ALICE = `arn:aws:iam::${ACCOUNT}:user/alice`;
const BOB = `arn:aws:iam::${ACCOUNT}:user/bob`;
const LIFETIME_MS = 300_000;

let clock: VirtualClock;
let ledger: KmsLedger;

const object = (changes: Partial<ObjectAccess> = {}): ObjectAccess => ({
  bucket: "lake",
  key: "a",
  kmsKeyArn: KEY_A,
  requester: ALICE,
  bucketKey: true,
  ...changes,
});

beforeEach(() => {
  clock = new VirtualClock();
  ledger = new KmsLedger({ ...TRAIL, clock, bucketKeyLifetimeSeconds: LIFETIME_MS / 1_000 });
});

describe("without a bucket key", () => {
  it("asks KMS for every write and every read, with the object's ARN", () => {
    for (let i = 0; i < 3; i++) expect(ledger.encrypt(object({ bucketKey: false }))).toBeUndefined();
    ledger.decrypt(object({ bucketKey: false }));
    ledger.decrypt(object({ bucketKey: false, key: "b/c" }));
    const common = { bucket: "lake", kmsKeyArn: KEY_A, requester: ALICE, bucketLevel: false };
    const context = { "aws:s3:arn": "arn:aws:s3:::lake/a" };
    expect(ledger.requests()).toEqual([
      { ...common, action: "GenerateDataKey", context, count: 3 },
      { ...common, action: "Decrypt", context, count: 1 },
      { ...common, action: "Decrypt", context: { "aws:s3:arn": "arn:aws:s3:::lake/b/c" }, count: 1 },
    ]);
    expect(ledger.totals()).toEqual({ GenerateDataKey: 3, Decrypt: 2 });
  });
});

describe("with a bucket key", () => {
  it("asks KMS once per lifetime for writes, with the bucket's ARN", () => {
    const first = ledger.encrypt(object());
    expect(ledger.encrypt(object({ key: "b" }))).toBe(first);
    clock.advance(LIFETIME_MS - 1);
    expect(ledger.encrypt(object())).toBe(first);
    clock.advance(1);
    expect(ledger.encrypt(object())).not.toBe(first);
    expect(ledger.requests()).toEqual([
      {
        action: "GenerateDataKey",
        bucket: "lake",
        kmsKeyArn: KEY_A,
        requester: ALICE,
        context: { "aws:s3:arn": "arn:aws:s3:::lake" },
        bucketLevel: true,
        count: 2,
      },
    ]);
  });

  it("does not prolong a lifetime by use", () => {
    ledger.encrypt(object());
    for (let i = 0; i < 10; i++) {
      clock.advance(LIFETIME_MS / 10);
      ledger.encrypt(object());
    }
    expect(ledger.totals().GenerateDataKey).toBe(2);
  });

  it.each<[string, Partial<ObjectAccess>]>([
    ["requester", { requester: BOB }],
    ["bucket", { bucket: "pond" }],
    ["KMS key", { kmsKeyArn: KEY_B }],
    ["own encryption context", { context: { tenant: "a" } }],
  ])("asks again for another %s", (_, changes) => {
    const first = ledger.encrypt(object());
    const generation = ledger.encrypt(object(changes));
    expect(generation).not.toBe(first);
    ledger.decrypt({ ...object(), ...(first !== undefined && { generation: first }) });
    ledger.decrypt({ ...object(changes), ...(generation !== undefined && { generation }) });
    expect(ledger.totals()).toEqual({ GenerateDataKey: 2, Decrypt: 2 });
  });

  it("shares bucket keys among equal contexts, in whatever order their entries stand", () => {
    ledger.encrypt(object({ context: { a: "1", b: "2" } }));
    ledger.encrypt(object({ context: { b: "2", a: "1" } }));
    ledger.encrypt(object({ context: { a: "1,b" } }));
    ledger.encrypt(object({ context: {} }));
    ledger.encrypt(object());
    expect(ledger.requests().map(({ context, count }) => [context, count])).toEqual([
      [{ a: "1", b: "2", "aws:s3:arn": "arn:aws:s3:::lake" }, 1],
      [{ a: "1,b", "aws:s3:arn": "arn:aws:s3:::lake" }, 1],
      [{ "aws:s3:arn": "arn:aws:s3:::lake" }, 1],
    ]);
  });

  it("shares bucket keys among the sessions of one role", () => {
    const session = (name: string): string => `arn:aws:sts::${ACCOUNT}:assumed-role/writer/${name}`;
    ledger.encrypt(object({ requester: session("one") }));
    ledger.encrypt(object({ requester: session("two") }));
    expect(ledger.requests()).toMatchObject([{ requester: `arn:aws:iam::${ACCOUNT}:role/writer`, count: 1 }]);
  });

  it("opens each bucket key once per requester and lifetime, whoever wrote under it", () => {
    const generations: string[] = [];
    for (let i = 0; i < 4; i++) {
      generations.push(ledger.encrypt(object())!);
      clock.advance(LIFETIME_MS);
    }
    ledger.reset();
    const readAll = (requester: string): void => {
      for (const generation of generations) {
        ledger.decrypt({ ...object({ requester }), generation });
        ledger.decrypt({ ...object({ requester }), generation });
      }
    };
    readAll(ALICE);
    expect(ledger.totals()).toEqual({ GenerateDataKey: 0, Decrypt: 4 });
    readAll(BOB);
    expect(ledger.totals().Decrypt).toBe(8);
    clock.advance(LIFETIME_MS);
    readAll(ALICE);
    expect(ledger.totals().Decrypt).toBe(12);
  });

  it("keeps what it generated for writes apart from what it opens for reads", () => {
    const generation = ledger.encrypt(object())!;
    ledger.decrypt({ ...object(), generation });
    expect(ledger.totals()).toEqual({ GenerateDataKey: 1, Decrypt: 1 });
  });

  it("treats objects whose bucket key nobody remembers as one", () => {
    ledger.decrypt(object());
    ledger.decrypt(object({ key: "b" }));
    expect(ledger.totals().Decrypt).toBe(1);
  });

  it("keeps no bucket key with a lifetime of zero", () => {
    const none = new KmsLedger({ ...TRAIL, clock, bucketKeyLifetimeSeconds: 0 });
    const generation = none.encrypt(object())!;
    none.encrypt(object());
    none.decrypt({ ...object(), generation });
    none.decrypt({ ...object(), generation });
    expect(none.totals()).toEqual({ GenerateDataKey: 2, Decrypt: 2 });
  });

  it("never makes more requests than without one, and at least one per kind that was used", () => {
    const step = fc.record({
      write: fc.boolean(),
      requester: fc.constantFrom(ALICE, BOB),
      bucket: fc.constantFrom("lake", "pond"),
      advanceMs: fc.integer({ min: 0, max: LIFETIME_MS }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const time = new VirtualClock(0);
        const options = { ...TRAIL, clock: time, bucketKeyLifetimeSeconds: LIFETIME_MS / 1_000 };
        const withKey = new KmsLedger(options);
        const windows = new Set<string>();
        for (const { write, requester, bucket, advanceMs } of steps) {
          const access = object({ requester, bucket });
          if (write) withKey.encrypt(access);
          else withKey.decrypt(access);
          windows.add(`${write} ${requester} ${bucket}`);
          time.advance(advanceMs);
        }
        const { GenerateDataKey, Decrypt } = withKey.totals();
        const lifetimes = Math.ceil((time.nowMs() + 1) / LIFETIME_MS);
        expect(GenerateDataKey + Decrypt).toBeLessThanOrEqual(
          Math.min(steps.length, windows.size * lifetimes),
        );
        expect(GenerateDataKey + Decrypt).toBeGreaterThanOrEqual(windows.size);
      }),
    );
  });
});

describe("a KMS that denies", () => {
  it("stops the access, counts nothing, and is not asked while a bucket key is in memory", () => {
    let denied = false;
    const asked: string[] = [];
    const strict = new KmsLedger({
      ...TRAIL,
      clock,
      bucketKeyLifetimeSeconds: LIFETIME_MS / 1_000,
      beforeRequest: (arn, action) => {
        asked.push(`${action} ${arn}`);
        if (denied) throw new Error("the key is disabled");
      },
    });
    const generation = strict.encrypt(object())!;
    denied = true;
    expect(strict.encrypt(object())).toBe(generation);
    expect(() => strict.decrypt({ ...object(), generation })).toThrow("the key is disabled");
    clock.advance(LIFETIME_MS);
    expect(() => strict.encrypt(object())).toThrow("the key is disabled");
    expect(strict.totals()).toEqual({ GenerateDataKey: 1, Decrypt: 0 });
    expect(strict.events()).toHaveLength(1);
    denied = false;
    expect(strict.encrypt(object())).not.toBe(generation);
    const GENERATE = `GenerateDataKey ${KEY_A}`;
    expect(asked).toEqual([GENERATE, `Decrypt ${KEY_A}`, GENERATE, GENERATE]);
  });
});

describe("the record", () => {
  it("is forgotten by reset, while bucket keys stay in memory", () => {
    ledger.encrypt(object());
    ledger.encrypt(object({ bucketKey: false }));
    ledger.reset();
    ledger.encrypt(object());
    expect(ledger.requests()).toEqual([]);
    expect(ledger.events()).toEqual([]);
    clock.advance(LIFETIME_MS);
    ledger.encrypt(object());
    ledger.encrypt(object({ bucketKey: false }));
    expect(ledger.requests().map(({ count }) => count)).toEqual([1, 1]);
    expect(ledger.events()).toHaveLength(2);
  });

  it("is a copy: changing it changes nothing", () => {
    ledger.encrypt(object());
    const [request] = ledger.requests();
    Object.assign(request!, { count: 99 });
    expect(ledger.requests()[0]!.count).toBe(1);
  });

  it("copies the caller's context", () => {
    const context: Record<string, string> = { tenant: "a" };
    ledger.encrypt(object({ context }));
    context["tenant"] = "b";
    clock.advance(LIFETIME_MS);
    ledger.encrypt(object({ context: { tenant: "a" } }));
    expect(ledger.requests()).toMatchObject([{ context: { tenant: "a" }, count: 2 }]);
  });

  it("refuses a lifetime that is none", () => {
    for (const bucketKeyLifetimeSeconds of [-1, Number.NaN]) {
      expect(() => new KmsLedger({ ...TRAIL, clock, bucketKeyLifetimeSeconds })).toThrow(RangeError);
    }
  });
});

describe("the clock", () => {
  it("stands still until it is moved, and never moves back", async () => {
    const startMs = clock.nowMs();
    expect(Math.abs(startMs - Date.now())).toBeLessThan(60_000);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(clock.nowMs()).toBe(startMs);
    clock.advance(1_500);
    expect(clock.nowMs()).toBe(startMs + 1_500);
    for (const ms of [-1, Number.NaN, Infinity]) expect(() => clock.advance(ms)).toThrow(RangeError);
  });

  it.each([VirtualClock, RealTimeClock])(
    "%o goes up to the year 9999, and stays where it is instead of beyond",
    (Clock) => {
      const time = new Clock();
      const before = time.nowMs();
      for (const ms of [1e17, 8.64e15, Date.UTC(10_000, 0) - before]) {
        expect(() => time.advance(ms)).toThrow(RangeError);
      }
      expect(time.nowMs() - before).toBeLessThan(10_000);
      time.advance(Date.UTC(9_999, 11, 31) - before);
      expect(new Date(time.nowMs()).toISOString()).toMatch(/^9999-12-31T/);
    },
  );
});

/** Best of several runs, in milliseconds: the one that other processes disturbed least. */
function bestMs(run: () => void): number {
  let best = Infinity;
  for (let round = 0; round < 7; round++) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

describe("size and speed", () => {
  it("costs less than writing the request down as JSON twice, however many it has seen", () => {
    const writes = Array.from({ length: 50_000 }, (_, i) => object({ key: `k${i % 1_000}` }));
    const plain = writes.map((access) => ({ ...access, bucketKey: false }));
    const reads = writes.map((access, i) => ({ ...access, generation: `bk-${i % 50}` }));
    const yardstickMs = bestMs(() => writes.forEach((access) => JSON.stringify(access)));
    for (const run of [
      () => writes.forEach((access) => ledger.encrypt(access)),
      () => plain.forEach((access) => ledger.encrypt(access)),
      () => reads.forEach((access) => ledger.decrypt(access)),
      () => plain.forEach((access) => ledger.decrypt(access)),
    ]) {
      expect(bestMs(run)).toBeLessThan(2 * yardstickMs);
    }
  });

  it("keeps only the newest events, and one row per distinct request", () => {
    const small = new KmsLedger({ ...TRAIL, clock, bucketKeyLifetimeSeconds: 300, maxEvents: 10 });
    for (let i = 0; i < 1_000; i++) small.encrypt(object({ bucketKey: false, key: `k${i % 3}` }));
    expect(small.requests()).toHaveLength(3);
    const ids = small.events().map((event) => Number.parseInt(event.eventID.slice(-12), 16));
    expect(ids).toEqual([991, 992, 993, 994, 995, 996, 997, 998, 999, 1_000]);
    const none = new KmsLedger({ ...TRAIL, clock, maxEvents: 0 });
    none.encrypt(object());
    expect(none.events()).toEqual([]);
    expect(none.totals().GenerateDataKey).toBe(1);
  });

  it("drops opened bucket keys when their lifetime is over, and reads of them ask again", () => {
    for (let i = 0; i < 5_000; i++) {
      ledger.decrypt({ ...object(), generation: `bk-${i}` });
      if (i % 1_000 === 999) clock.advance(LIFETIME_MS);
    }
    ledger.reset();
    ledger.decrypt({ ...object(), generation: "bk-0" });
    ledger.decrypt({ ...object(), generation: "bk-0" });
    expect(ledger.totals().Decrypt).toBe(1);
  });
});
