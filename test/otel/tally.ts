import fc from "fast-check";
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
