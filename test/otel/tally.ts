import fc from "fast-check";
import type { EnvelopeEvent } from "../../src/body-sealer.ts";
import type { Note, Why } from "../../src/policy/policy.ts";
import type { Outcome } from "../../src/telemetry/telemetry.ts";
import { read, refused, write } from "../telemetry/outcomes.ts";
import { pointName, type Points } from "./harness.ts";

/** Plain counting of outcomes: what the exported sums must be. Knows nothing of the code under test. */
export function tally(outcomes: readonly Outcome[]): Points {
  const points: Points = {};
  const count = (metric: string, attributes: Record<string, string>): void => {
    const name = pointName(`s3_bucket_key.${metric}`, attributes);
    points[name] = (points[name] ?? 0) + 1;
  };
  for (const { operation, decision, response, error } of outcomes) {
    const op = { "rpc.method": operation };
    if (decision !== undefined) {
      count("requests", {
        ...op,
        "s3_bucket_key.decision": decision.decision,
        "s3_bucket_key.why": decision.why,
        "s3_bucket_key.mode": decision.mode,
      });
      for (const note of decision.notes) count("notes", { "s3_bucket_key.note": note });
    }
    if (response !== undefined) {
      count("responses", {
        ...op,
        "s3_bucket_key.state": response.state,
        "s3_bucket_key.sse.algorithm": response.sse,
        "s3_bucket_key.verdict": response.verdict,
      });
      count("rule.responses", {
        "s3_bucket_key.rule.id": response.rule,
        "s3_bucket_key.state": response.state,
      });
      for (const kind of response.drifts) count("drifts", { ...op, "s3_bucket_key.drift.kind": kind });
    }
    if (error !== undefined) {
      count("errors", { "error.type": error.type, "s3_bucket_key.phase": error.phase });
    }
  }
  return points;
}

/** The metrics that `tally` knows. */
export const TALLIED = ["requests", "responses", "rule.responses", "drifts", "notes", "errors"] as const;

/** Sums of `points` by the attributes that are left when some are dropped. */
export function withoutAttributes(points: Points, dropped: readonly string[]): Points {
  const sums: Points = {};
  for (const [name, value] of Object.entries(points)) {
    const [metric, pairs] = name.slice(0, -1).split("{") as [string, string];
    const kept = pairs.split(",").filter((pair) => !dropped.includes(pair.slice(0, pair.indexOf("="))));
    const left = `${metric}{${kept.join(",")}}`;
    sums[left] = (sums[left] ?? 0) + value;
  }
  return sums;
}

const operations = fc.constantFrom("PutObject", "CopyObject", "CreateMultipartUpload");
const answers = fc.record({
  state: fc.constantFrom("enabled", "disabled", "not-applicable", "unknown"),
  sse: fc.constantFrom("aws:kms", "AES256", "none"),
  rule: fc.constantFrom("lake", "evidence", "defaults"),
});
const drifts = fc.subarray(["bucket-key", "algorithm", "kms-key"] as const);
const notes = fc.subarray<Note>(["kept-key", "unknown-key", "expired-rule", "own-context"]);

/** Any stream of outcomes whose words stand in the closed lists. */
export const outcomeStreams: fc.Arbitrary<Outcome[]> = fc.array(
  fc.oneof(
    fc
      .record({
        operation: operations,
        why: fc.constantFrom<Why>("set", "completed", "already-set", "left", "no-rule"),
        mode: fc.constantFrom("enforce", "audit"),
        notes,
        answer: answers,
        drifts,
      })
      .map(({ answer, drifts: kinds, ...request }) =>
        write(request, { ...answer, drifts: kinds, verdict: kinds.length > 0 ? "drift" : "honoured" }),
      ),
    fc
      .record({ operation: fc.constantFrom("GetObject", "HeadObject", "UploadPart"), answer: answers })
      .map(({ operation, answer }) => read(operation, answer)),
    fc.constantFrom<Why>("refused-key", "refused-flag").map((why) => refused(why)),
    fc.constantFrom("AccessDenied", "KMS.DisabledException").map((type): Outcome => ({
      operation: "PutObject",
      bucket: "lake",
      error: { type, phase: "amended" },
    })),
  ),
  { maxLength: 60 },
);

/** Plain counting of a sealer's events; of a histogram, how often something was recorded. */
export function envelopeTally(events: readonly EnvelopeEvent[]): Points {
  const points: Points = {};
  const add = (metric: string, attributes: Record<string, string>, value = 1): void => {
    const name = pointName(`s3_bucket_key.${metric}`, attributes);
    points[name] = (points[name] ?? 0) + value;
  };
  for (const event of events) {
    if (event.kind === "kms-request") {
      const { operation, errorType } = event;
      const failure = errorType !== undefined && { "error.type": errorType };
      add("kms.request.duration", { "rpc.method": operation, ...failure });
    } else if (event.kind === "cache") {
      add("envelope.cache.requests", { "s3_bucket_key.envelope.cache.result": event.result });
    } else if (event.kind === "entries") {
      add("envelope.cache.entry.count", {}, event.change);
    } else if (event.kind === "retired") {
      const reason = { "s3_bucket_key.envelope.data_key.retire_reason": event.reason };
      add("envelope.data_key.age", reason);
      add("envelope.data_key.uses", reason);
    } else if (event.kind === "io") {
      add("envelope.io", { "s3_bucket_key.envelope.io.direction": event.direction }, event.bytes);
    } else if (event.kind === "failed") {
      add("errors", { "error.type": event.errorType, "s3_bucket_key.phase": event.phase });
    }
  }
  return Object.fromEntries(Object.entries(points).filter(([, value]) => value !== 0));
}

/** The metrics that `envelopeTally` knows. */
export const ENVELOPE_TALLIED = [
  "kms.request.duration",
  "envelope.cache.requests",
  "envelope.cache.entry.count",
  "envelope.data_key.age",
  "envelope.data_key.uses",
  "envelope.io",
  "errors",
] as const;

const KMS_ERRORS = ["AccessDeniedException", "ThrottlingException", "TimeoutError"] as const;

/** Any life of a sealer: keys come, are used and go. */
export const eventStreams: fc.Arbitrary<EnvelopeEvent[]> = fc
  .array(
    fc.oneof(
      fc.record(
        {
          kind: fc.constant("kms-request" as const),
          operation: fc.constantFrom("GenerateDataKey" as const, "Decrypt" as const),
          seconds: fc.double({ min: 0, max: 20, noNaN: true }),
          errorType: fc.constantFrom(...KMS_ERRORS),
        },
        { requiredKeys: ["kind", "operation", "seconds"] },
      ),
      fc.record({
        kind: fc.constant("cache" as const),
        result: fc.constantFrom("hit" as const, "miss" as const, "expired" as const, "bypass" as const),
      }),
      fc.constant({ kind: "entries" as const, change: 1 as const }),
      fc.record({
        kind: fc.constant("retired" as const),
        reason: fc.constantFrom("ttl" as const, "uses" as const, "lru" as const, "stale" as const),
        ageSeconds: fc.double({ min: 0, max: 100_000, noNaN: true }),
        uses: fc.nat(),
      }),
      fc.record({
        kind: fc.constant("io" as const),
        direction: fc.constantFrom("seal" as const, "open" as const),
        bytes: fc.nat(),
      }),
      fc.constant({ kind: "plain-read" as const }),
      fc.record({
        kind: fc.constant("failed" as const),
        phase: fc.constantFrom("kms" as const, "crypto" as const),
        errorType: fc.constantFrom(...KMS_ERRORS, "EnvelopeIntegrityError"),
      }),
    ),
    { maxLength: 40 },
  )
  .map((events) => events.flatMap((event): EnvelopeEvent[] => withRetirement(event)));

/** A key that goes was there, and takes its entry along. */
function withRetirement(event: EnvelopeEvent): EnvelopeEvent[] {
  if (event.kind !== "retired") return [event];
  return [{ kind: "entries", change: 1 }, event, { kind: "entries", change: -1 }];
}
