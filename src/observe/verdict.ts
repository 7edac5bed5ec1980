import type { OperationRole } from "../operations.ts";
import type { CompiledPolicy, CompiledRule } from "../policy/compile.ts";
import type { Decision, DriftKind, RequestFacts, Verdict } from "../policy/policy.ts";
import type { ResponseFacts } from "./response-facts.ts";

/** An answer held against what was wanted. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly drifts: readonly DriftKind[];
}

const NO_DRIFT: readonly DriftKind[] = [];
const judged = (verdict: Verdict): Judgement => ({ verdict, drifts: NO_DRIFT });

/** Operations that answer nothing about the bucket key. */
const UNVERIFIED: ReadonlySet<string> = new Set(["UpdateObjectEncryption", "PutBucketEncryption"]);

/**
 * Decision against answer, for writes.
 *
 * What an enforced decision fixed is honoured or has drifted; every other answered write is judged like a
 * read, against the rule that decided.
 */
export function judgeWrite(
  policy: CompiledPolicy,
  facts: RequestFacts,
  decision: Decision,
  answer: ResponseFacts,
): Judgement {
  if (UNVERIFIED.has(facts.operation)) return judged("unverified");
  const fixed = decision.decision === "amend" || decision.why === "already-set";
  if (decision.mode === "enforce" && fixed) return judgeFixed(policy, facts, decision, answer);
  if (decision.why === "no-rule" || decision.why === "not-applicable" || decision.mode === "off") {
    return judged("not-applicable");
  }
  return judgeRead(policy, policy.ruleById(decision.rule), answer);
}

/** Part against policy: some servers name no encryption there, which says nothing about the object. */
export function judgePart(policy: CompiledPolicy, rule: CompiledRule, answer: ResponseFacts): Judgement {
  return answer.sse === "none" ? judged("not-applicable") : judgeRead(policy, rule, answer);
}

/** Answer against policy; an old object is no drift. An object whose answer names no encryption has none. */
export function judgeRead(policy: CompiledPolicy, rule: CompiledRule, answer: ResponseFacts): Judgement {
  if (rule.mode === "off") return judged("not-applicable");
  if (answer.sse !== "aws:kms") return judged(rule.kmsKey === undefined ? "not-applicable" : "noncompliant");
  if (answer.state === "unknown" || (rule.bucketKey === undefined && rule.kmsKey === undefined)) {
    return judged("not-applicable");
  }
  const rightFlag = rule.bucketKey === undefined || (answer.state === "enabled") === rule.bucketKey;
  const rightKey =
    rule.kmsKey === undefined ||
    answer.kmsKey === undefined ||
    policy.compareKeys(answer.kmsKey, rule.kmsKey) !== "other";
  return judged(rightFlag && rightKey ? "compliant" : "noncompliant");
}

/** The roles of operations that are only observed. */
export type ObservedRole = Exclude<OperationRole, "write">;

/** How the answers to what is only observed are judged. A session of a directory bucket has nothing to be judged. */
export const JUDGES: Readonly<
  Record<ObservedRole, (policy: CompiledPolicy, rule: CompiledRule, answer: ResponseFacts) => Judgement>
> = { part: judgePart, read: judgeRead, session: () => judged("not-applicable") };

function judgeFixed(
  policy: CompiledPolicy,
  facts: RequestFacts,
  decision: Decision,
  answer: ResponseFacts,
): Judgement {
  const set = decision.set ?? {};
  const byDefault = typeof facts.bucketDefault === "object" ? facts.bucketDefault : undefined;
  const sse = set.sse ?? facts.sse ?? byDefault?.sse;
  const bucketKey = set.bucketKey === undefined ? (facts.bucketKey ?? byDefault?.bucketKey) : set.bucketKey;

  const drifts: DriftKind[] = [];
  if (sse !== undefined && answer.sse !== sse) drifts.push("algorithm");
  // Without SSE in the request, an answer with another algorithm says that there was nothing to honour.
  if (sse === undefined && answer.sse !== "aws:kms") return judged("not-applicable");
  if (answer.sse === "aws:kms") {
    if (typeof bucketKey === "boolean" && (answer.state === "enabled") !== bucketKey)
      drifts.push("bucket-key");
    if (keyDiffers(policy, set.kmsKey ?? facts.kmsKey, answer.kmsKey)) drifts.push("kms-key");
  }
  return drifts.length === 0 ? judged("honoured") : { verdict: "drift", drifts };
}

/** An alias that nobody listed can't be compared, nor can a key that the answer doesn't name. */
function keyDiffers(
  policy: CompiledPolicy,
  asked: string | undefined,
  answered: string | undefined,
): boolean {
  if (asked === undefined || answered === undefined || asked === answered) return false;
  return policy.keysDiffer(asked, answered);
}
