import { describe, expect, it } from "vitest";
import type { EnvelopeEvent } from "../../src/body-sealer.ts";
import { Counts } from "../../src/telemetry/stats.ts";
import type { EnvelopeStats } from "../../src/telemetry/telemetry.ts";
import { EVENTS } from "./envelope-events.ts";
import { INFO, write } from "./outcomes.ts";

function counts(...events: readonly unknown[]): Counts {
  const some = new Counts(() => INFO);
  for (const event of events) some.envelope(event as EnvelopeEvent);
  return some;
}

function stats(...events: readonly unknown[]): EnvelopeStats | undefined {
  return counts(...events).stats().envelope;
}

const NOTHING: EnvelopeStats = {
  kmsRequests: [],
  cacheRequests: [],
  cacheEntries: 0,
  retiredDataKeys: [],
  sealedBytes: 0,
  openedBytes: 0,
  plainReads: 0,
};

describe("stats().envelope", () => {
  it("is absent where nothing is sealed or opened", () => {
    const some = counts();
    some.record(write(), 0);
    some.failed("AccessDenied", "amended");
    expect("envelope" in some.stats()).toBe(false);
  });

  it("is there with zeros once a sealer is, and a second sealer changes nothing", () => {
    const some = counts();
    some.sealerAdded();
    expect(some.stats().envelope).toEqual(NOTHING);
    some.envelope({ kind: "plain-read" });
    some.sealerAdded();
    expect(some.stats().envelope).toEqual({ ...NOTHING, plainReads: 1 });
  });

  it("counts each kind of event, failures among the errors", () => {
    const some = counts(...EVENTS);
    expect(some.stats().envelope).toEqual({
      kmsRequests: [
        { operation: "GenerateDataKey", count: 2, seconds: expect.closeTo(0.1, 10) as number },
        { operation: "Decrypt", errorType: "AccessDeniedException", count: 1, seconds: 2 },
        { operation: "Decrypt", count: 1, seconds: 0.004 },
      ],
      cacheRequests: [
        { result: "hit", count: 2 },
        { result: "miss", count: 1 },
        { result: "expired", count: 1 },
        { result: "bypass", count: 1 },
      ],
      cacheEntries: 1,
      retiredDataKeys: [{ reason: "ttl", count: 1 }],
      sealedBytes: 1_100,
      openedBytes: 1_000,
      plainReads: 1,
    });
    expect(some.stats().errors).toEqual([
      { type: "AccessDeniedException", phase: "kms", count: 1 },
      { type: "EnvelopeIntegrityError", phase: "crypto", count: 1 },
    ]);
  });

  it("is there after a failure alone", () => {
    const some = counts({ kind: "failed", phase: "crypto", errorType: "" });
    expect(some.stats()).toMatchObject({
      errors: [{ type: "_OTHER", phase: "crypto", count: 1 }],
      envelope: NOTHING,
    });
  });

  it("is JSON, and hands out copies", () => {
    const some = counts(...EVENTS);
    const { envelope } = some.stats();
    expect(JSON.parse(JSON.stringify(envelope))).toEqual(envelope);
    for (const request of envelope?.kmsRequests ?? []) request.count = 99;
    expect(some.stats().envelope?.kmsRequests[0]?.count).toBe(2);
  });

  it("keeps words outside their list as _OTHER", () => {
    expect(
      stats(
        { kind: "cache", result: "warm" },
        { kind: "retired", reason: "bored", ageSeconds: 1, uses: 1 },
        { kind: "kms-request", operation: "ReEncrypt", seconds: 1 },
        { kind: "kms-request", operation: "Encrypt", seconds: 2 },
        { kind: "kms-request", operation: "Decrypt", seconds: 4, errorType: "" },
      ),
    ).toMatchObject({
      cacheRequests: [{ result: "_OTHER", count: 1 }],
      retiredDataKeys: [{ reason: "_OTHER", count: 1 }],
      kmsRequests: [
        { operation: "_OTHER", count: 2, seconds: 3 },
        { operation: "Decrypt", errorType: "_OTHER", count: 1, seconds: 4 },
      ],
    });
  });

  it.each([NaN, Infinity, -Infinity, -1, undefined, "7"])("%s is no amount: it adds nothing", (bad) => {
    expect(
      stats(
        { kind: "io", direction: "seal", bytes: 5 },
        { kind: "io", direction: "seal", bytes: bad },
        { kind: "io", direction: "open", bytes: bad },
        { kind: "entries", change: 1 },
        ...(bad === -1 ? [] : [{ kind: "entries", change: bad }]),
        { kind: "kms-request", operation: "Decrypt", seconds: bad },
        { kind: "kms-request", operation: "Decrypt", seconds: 1 },
      ),
    ).toMatchObject({
      sealedBytes: 5,
      openedBytes: 0,
      cacheEntries: 1,
      kmsRequests: [{ operation: "Decrypt", count: 2, seconds: 1 }],
    });
  });

  it("never says fewer than no entries, and is right again when the rest has come", () => {
    const some = counts({ kind: "entries", change: -1 });
    expect(some.stats().envelope?.cacheEntries).toBe(0);
    some.envelope({ kind: "entries", change: 1 });
    some.envelope({ kind: "entries", change: 1 });
    expect(some.stats().envelope?.cacheEntries).toBe(1);
  });

  it("tells 50 kinds of KMS request apart, then _OTHER; what succeeds keeps its name", () => {
    const some = counts();
    for (let i = 0; i < 1_000; i++) {
      some.envelope({ kind: "kms-request", operation: "Decrypt", seconds: 1, errorType: `Error${i}` });
    }
    some.envelope({ kind: "kms-request", operation: "Decrypt", seconds: 1, errorType: "Error49" });
    some.envelope({ kind: "kms-request", operation: "Decrypt", seconds: 1, errorType: "Error50" });
    some.envelope({ kind: "kms-request", operation: "Decrypt", seconds: 1 });
    const requests = some.stats().envelope?.kmsRequests ?? [];
    expect(requests).toHaveLength(52);
    expect(requests.find(({ errorType }) => errorType === "Error49")?.count).toBe(2);
    expect(requests.slice(50)).toEqual([
      { operation: "Decrypt", errorType: "_OTHER", count: 951, seconds: 951 },
      { operation: "Decrypt", count: 1, seconds: 1 },
    ]);
  });
});
