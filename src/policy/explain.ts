import { isDecided } from "./applicable.ts";
import { ruleMismatch, type CompiledRule, type RuleMismatch } from "./compile.ts";
import { compiledOnce, decideCompiled } from "./decide.ts";
import type { Decision, Policy, PolicyRule, RequestFacts, Why } from "./policy.ts";
import { remarksOn } from "./remarks.ts";

/**
 * How one rule took part: it decided, it didn't match (and on which field it failed first), or it stood
 * behind the one that decided.
 *
 * @public
 */
export interface ExplainedRule {
  /** Id of the rule; `defaults` when no rule matched. */
  readonly rule: string;
  /** `not-reached`: an earlier rule decided. */
  readonly result: "decided" | "no-match" | "not-reached";
  /** The first field that failed; `excepted` and `expired` when `match` itself fits. */
  readonly failed?: string;
}

/**
 * A decision with the way to it.
 *
 * @public
 */
export interface Explanation {
  /** As `decide` gives it. */
  readonly decision: Decision;
  /** Every rule in file order; `defaults` last, when no rule matched. */
  readonly trace: readonly ExplainedRule[];
  /** What surprises people when such a request is sent, about S3 or about sealing; empty for most. */
  readonly remarks: readonly string[];
  /** The same in plain words, one line per rule, one for the decision and one per remark. */
  readonly text: string;
}

/** What each word means, completing "the request ...". */
export const WHY_TEXT: Readonly<Record<Why, string>> = {
  "already-set": "already says what the rule wants",
  left: "is left as it is: the rule states no flag",
  "kept-caller": "keeps what the caller wrote, as the rule allows",
  unenforced: "names no SSE and the rule no kmsKey, so the bucket's default encryption decides",
  "other-algorithm": "uses an algorithm that has no bucket keys",
  unproven: "combines the flag with an algorithm for which AWS's answer is not known; it passes as it is",
  "unknown-key": "names its key by an alias that the policy doesn't list",
  "not-applicable": "can't be given a bucket key here",
  "no-rule": "meets no rule, and the defaults state nothing",
  presigned: "is being presigned; nothing is added that every uploader would have to send",
  off: "meets a rule whose mode is off",
  set: "gets the rule's flag",
  completed: "gets the rule's algorithm and key together",
  overridden: "has what it says replaced by what the rule wants",
  stripped: "loses a flag whose effect is not known",
  "refused-flag": "says the opposite flag, which the rule refuses",
  "refused-key": "names another key or algorithm than the rule's, which the rule refuses",
  "refused-unproven":
    "combines the flag with an algorithm for which AWS's answer is not known, which the rule refuses",
  "refused-presigned": "is being presigned, which the rule refuses",
  "refused-seal": "can't be sealed, and the policy seals this place",
  "refused-lookup": "names no SSE, and the bucket's default encryption could not be looked up",
  "refused-policy": "can't be decided: the policy was never loaded, and loading fails closed",
};

/**
 * What `decide` says about a request, and which rule failed on what.
 *
 * @param policy - A valid policy.
 * @param facts - What the caller wrote.
 * @example
 * ```ts
 * console.log(explain(policy, { operation: "PutObject", bucket: "acme-lake-raw", key: "a/b" }).text);
 * ```
 * @public
 */
export function explain(policy: Policy, facts: RequestFacts): Explanation {
  const compiled = compiledOnce(policy);
  const decision = decideCompiled(compiled, facts);
  const matched = isDecided(facts.operation) ? compiled.firstMatch(facts) : undefined;
  const trace = compiled.rules.map((rule, i): ExplainedRule => {
    if (rule === matched) return { rule: rule.id, result: "decided" };
    const failed = ruleMismatch(rule, policy.rules?.[i] as PolicyRule, facts);
    return failed === undefined
      ? { rule: rule.id, result: "not-reached" }
      : { rule: rule.id, result: "no-match", failed };
  });
  if (matched === undefined) trace.push({ rule: "defaults", result: "decided" });
  const decider = compiled.rules.find((rule) => rule.id === decision.rule) ?? compiled.defaults;
  const remarks = remarksOn(facts, decision);
  const lines = [...trace.map(traceLine), decisionLine(decision, decider), ...remarks];
  return { decision, trace, remarks, text: lines.join("\n") };
}

function traceLine({ rule, result, failed }: ExplainedRule): string {
  switch (result) {
    case "decided":
      return `${rule}: matches`;
    case "not-reached":
      return `${rule}: would match, but an earlier rule decided`;
    case "no-match":
      return `${rule}: no, ${failureText(failed as RuleMismatch)}`;
  }
}

function failureText(failed: RuleMismatch): string {
  if (failed === "excepted") return "excepted";
  if (failed === "expired") return "expired";
  return `${failed} differ`;
}

function decisionLine({ decision, why, mode, set, seal, notes }: Decision, rule: CompiledRule): string {
  const written = set === undefined ? "" : ` Enforcing writes ${JSON.stringify(set)}.`;
  // No mode weakens sealing.
  const onlyReports = mode === "audit" && decision !== "pass" && seal !== "seal";
  const effect = onlyReports ? ": nothing is changed or refused" : "";
  const notice = notes.length === 0 ? "" : ` Notes: ${notes.join(", ")}.`;
  return `${decision} (${why}): the request ${WHY_TEXT[why]}.${written} The mode is ${mode}${effect}.${notice} Rule ${rule.id}: ${rule.reason}`;
}
