import { describe, expect, it } from "vitest";
import { adviceOn, type Advice } from "../../src/report/advice.ts";
import { readCounts } from "../../src/report/read.ts";
import { lines, snapshot, type Snapshot } from "./snapshots.ts";

function advice(...counts: readonly Partial<Snapshot>[]): readonly Advice[] {
  return adviceOn(readCounts(lines(counts.map((one) => snapshot("2026-11-24T09:00:00Z", one)))));
}

const ANSWER = { operation: "PutObject", state: "enabled", sse: "aws:kms", verdict: "honoured" } as const;
const READ = { operation: "GetObject", state: "disabled", sse: "aws:kms", verdict: "noncompliant" } as const;
const ENVELOPE = {
  kmsRequests: [],
  cacheRequests: [],
  cacheEntries: 0,
  retiredDataKeys: [],
  sealedBytes: 0,
  openedBytes: 0,
  plainReads: 0,
};
const WRITE = { operation: "PutObject", mode: "enforce" } as const;

describe("advice", () => {
  it("is that nothing needs doing, when nothing does", () => {
    expect(advice({ responses: [{ ...ANSWER, count: 5 }], notes: [{ note: "kept-key", count: 1 }] })).toEqual(
      [{ level: "good", text: "Nothing needs doing." }],
    );
  });

  it.each<[Advice["level"], string, Partial<Snapshot>]>([
    ["act", "(1 drift)", { drifts: [{ operation: "PutObject", kind: "bucket-key", count: 1 }] }],
    [
      "act",
      "2 sealed objects could not be opened",
      { errors: [{ type: "EnvelopeIntegrityError", phase: "crypto", count: 2 }] },
    ],
    [
      "act",
      "denied 1 request that the plugin had changed",
      { errors: [{ type: "AccessDenied", phase: "amended", count: 1 }] },
    ],
    [
      "act",
      "could not get a data key 3 times",
      { errors: [{ type: "TimeoutError", phase: "kms", count: 3 }] },
    ],
    [
      "look",
      "Telemetry itself failed 1 time:",
      { errors: [{ type: "_OTHER", phase: "telemetry", count: 1 }] },
    ],
    [
      "act",
      "4 writes refused (refused-key: 3, refused-flag: 1)",
      {
        requests: [
          { ...WRITE, decision: "refuse", why: "refused-flag", count: 1 },
          { ...WRITE, decision: "refuse", why: "refused-key", count: 3 },
        ],
      },
    ],
    [
      "look",
      "1 write will be refused when you enforce (refused-key: 1)",
      { requests: [{ ...WRITE, mode: "audit", decision: "refuse", why: "refused-key", count: 1 }] },
    ],
    [
      "look",
      "1 write with a KMS key had no bucket key. The rules below",
      {
        responses: [
          { ...ANSWER, count: 9 },
          { ...ANSWER, state: "disabled", count: 1 },
        ],
      },
    ],
    [
      "look",
      "2 writes named no encryption",
      { requests: [{ ...WRITE, decision: "pass", why: "unenforced", count: 2 }] },
    ],
    ["look", "0.0 % of the objects read with a KMS key", { responses: [{ ...READ, count: 20 }] }],
    ["look", "1 write named an alias", { notes: [{ note: "unknown-key", count: 1 }] }],
    ["look", "1 write fell under a rule past its date", { notes: [{ note: "expired-rule", count: 1 }] }],
    [
      "look",
      "Only 50.0 % of the look-ups",
      {
        envelope: {
          ...ENVELOPE,
          cacheRequests: [
            { result: "hit", count: 10 },
            { result: "miss", count: 10 },
          ],
        },
      },
    ],
    [
      "act",
      "1 bucket key lived past maxAgeSeconds",
      { envelope: { ...ENVELOPE, retiredDataKeys: [{ reason: "stale", count: 1 }] } },
    ],
    ["look", "1 plain object read", { envelope: { ...ENVELOPE, plainReads: 1 } }],
    ["act", "1 policy reload rejected", { policyReloads: { accepted: 1, rejected: 1 } }],
    ["act", "ended in mode off", { mode: "off" }],
    [
      "look",
      "is in mode audit: writes are only watched. Enforce when you have seen its writes.",
      { mode: "audit" },
    ],
    [
      "look",
      "is in mode audit: writes are only watched. Nothing would have been refused: enforce.",
      { mode: "audit", requests: [{ ...WRITE, mode: "audit", decision: "amend", why: "set", count: 3 }] },
    ],
  ])("%s: %s", (level, text, counts) => {
    expect(advice(counts)).toEqual([{ level, text: expect.stringContaining(text) }]);
  });

  it("is to settle refusals before enforcing, when there are some", () => {
    const refused = { ...WRITE, mode: "audit", decision: "refuse", why: "refused-key", count: 1 } as const;
    const set = { ...refused, decision: "amend", why: "set" } as const;
    expect(advice({ mode: "audit", requests: [set, refused] }).map(({ text }) => text)).toContainEqual(
      expect.stringContaining("only watched. Enforce when the refusals are settled."),
    );
  });

  const SEALS = { ...ENVELOPE, cacheRequests: [{ result: "hit", count: 3 }] };
  const unenforced = [{ ...WRITE, mode: "audit", decision: "pass", why: "unenforced", count: 3 }] as const;
  const sealed = { rule: "sealed", state: "not-applicable", count: 3 } as const;

  it("gives an application that only seals no advice on keys of S3", () => {
    expect(
      advice({ mode: "audit", requests: unenforced, rules: [sealed], envelope: SEALS }).map(
        ({ text }) => text,
      ),
    ).toEqual([
      "A process is in mode audit: sealing goes on, all else is only watched. Nothing would have been refused: enforce.",
    ]);
  });

  it.each<[string, Partial<Snapshot>, string]>([
    ["no sealer", { rules: [sealed] }, "give the rule a kmsKey."],
    ["no answer", { envelope: SEALS }, "give the rule a kmsKey, unless it seals."],
    [
      "another rule",
      { rules: [sealed, { ...sealed, rule: "lake" }], envelope: SEALS },
      "give the rule a kmsKey, unless it seals.",
    ],
  ])("asks for a kmsKey where sealing isn't all there is: %s", (_what, counts, end) => {
    expect(advice({ requests: unenforced, ...counts }).map(({ text }) => text)).toEqual([
      `3 writes named no encryption, and neither did the rule: ${end}`,
    ]);
  });

  it("says nothing of a share of too few", () => {
    const cacheRequests = [{ result: "miss", count: 19 }];
    expect(
      advice({ responses: [{ ...READ, count: 19 }], envelope: { ...ENVELOPE, cacheRequests } }),
    ).toMatchObject([{ level: "good" }]);
  });

  it("puts first what is urgent, and sees two policies at once", () => {
    expect(
      advice(
        { instance: "a", notes: [{ note: "own-context", count: 1 }] },
        { instance: "b", policyDigest: "other", policyReloads: { accepted: 0, rejected: 1 } },
      ).map(({ text }) => text.slice(0, 30)),
    ).toEqual([
      "1 policy reload rejected: the ",
      "1 write brought an encryption ",
      "Processes ended with 2 differe",
    ]);
  });
});
