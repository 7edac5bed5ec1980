/** Snapshots as a program would have written them: what two processes count in a day with a drift in it. */
import { readFileSync } from "node:fs";
import type { Stats } from "../../src/telemetry/telemetry.ts";

export type Snapshot = Stats & { readonly time: string; readonly instance?: string };

const NOTHING: Stats = {
  since: "2026-11-24T08:00:00.000Z",
  policyDigest: "0123456789abcdef",
  mode: "enforce",
  requests: [],
  responses: [],
  rules: [],
  drifts: [],
  notes: [],
  errors: [],
  policyReloads: { accepted: 0, rejected: 0 },
  estimatedKmsRequestsAvoided: { GenerateDataKey: 0, Decrypt: 0 },
};

/** One snapshot; what isn't given is zero. */
export function snapshot(time: string, counts: Partial<Snapshot> = {}): Snapshot {
  return { ...NOTHING, ...counts, time };
}

export function lines(snapshots: readonly object[]): string {
  return snapshots.map((one) => `${JSON.stringify(one)}\n`).join("");
}

/** Counts after `n` quarters of an hour. */
function after(n: number, instance: string): Snapshot {
  const drifted = n > 60 ? 3 : 0;
  const late = Math.max(n - 40, 0);
  return snapshot(new Date(Date.parse("2026-11-24T08:00:00Z") + n * 900_000).toISOString(), {
    instance,
    requests: [
      { operation: "PutObject", decision: "amend", why: "set", mode: "enforce", count: 900 * n },
      { operation: "PutObject", decision: "pass", why: "already-set", mode: "enforce", count: 410 * n },
      { operation: "CopyObject", decision: "amend", why: "completed", mode: "enforce", count: 35 * n },
      { operation: "PutObject", decision: "refuse", why: "refused-key", mode: "enforce", count: late },
      { operation: "PutObject", decision: "pass", why: "unenforced", mode: "audit", count: 12 * n },
    ],
    responses: [
      { operation: "PutObject", state: "enabled", sse: "aws:kms", verdict: "honoured", count: 1300 * n },
      {
        operation: "PutObject",
        state: "disabled",
        sse: "aws:kms",
        verdict: "noncompliant",
        count: 400 * Math.min(n, 30),
      },
      { operation: "PutObject", state: "disabled", sse: "aws:kms", verdict: "drift", count: drifted },
      { operation: "CopyObject", state: "enabled", sse: "aws:kms", verdict: "honoured", count: 35 * n },
      { operation: "GetObject", state: "enabled", sse: "aws:kms", verdict: "compliant", count: 30 * n * n },
      { operation: "GetObject", state: "disabled", sse: "aws:kms", verdict: "noncompliant", count: 2000 * n },
      {
        operation: "HeadObject",
        state: "not-applicable",
        sse: "AES256",
        verdict: "not-applicable",
        count: 77 * n,
      },
      {
        operation: "CompleteMultipartUpload",
        state: "enabled",
        sse: "aws:kms",
        verdict: "compliant",
        count: 4 * n,
      },
    ],
    rules: [
      { rule: "lake", state: "enabled", count: 1300 * n },
      { rule: "lake", state: "disabled", count: drifted },
      { rule: "reports-of-the-finance-department-by-month", state: "disabled", count: 400 * Math.min(n, 30) },
      { rule: "reports-of-the-finance-department-by-month", state: "enabled", count: 35 * n },
      { rule: "defaults", state: "disabled", count: 2000 * n },
      { rule: "defaults", state: "not-applicable", count: 77 * n },
    ],
    drifts: drifted > 0 ? [{ operation: "PutObject", kind: "bucket-key", count: drifted }] : [],
    notes: [{ note: "own-context", count: 5 * n }],
    errors: n > 50 ? [{ type: "AccessDenied", phase: "amended", count: n - 50 }] : [],
    estimatedKmsRequestsAvoided: { GenerateDataKey: 1200 * n, Decrypt: 29 * n * n },
    envelope: {
      kmsRequests: [
        { operation: "GenerateDataKey", count: 3 * n, seconds: 0.042 * n },
        { operation: "Decrypt", count: 8 * n, seconds: 0.07 * n },
        { operation: "Decrypt", errorType: "ThrottlingException", count: late, seconds: 0.2 * late },
      ],
      cacheRequests: [
        { result: "hit", count: 700 * n },
        { result: "miss", count: 11 * n + 60 * late },
        { result: "expired", count: 2 * n },
      ],
      cacheEntries: 12,
      retiredDataKeys: [{ reason: "ttl", count: 3 * n }],
      sealedBytes: 81_000_000 * n,
      openedBytes: 240_000_000 * n,
      plainReads: 3 * n,
    },
  });
}

/** A day of two processes. */
export function day(): Snapshot[] {
  return Array.from({ length: 96 }, (_none, i) => [after(i + 1, "a"), after(i + 1, "b")]).flat();
}

/** Written by the file exporter of an OpenTelemetry Collector 0.155.0: three rounds of puts and gets on two buckets. */
export function collected(): string {
  return readFileSync("test/report/collected.jsonl", "utf8");
}
