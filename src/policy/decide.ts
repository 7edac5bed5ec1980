import { isApplicable, isDecided } from "./applicable.ts";
import { compilePolicy, isExpired, type CompiledPolicy, type CompiledRule } from "./compile.ts";
import { OBJECT_WRITES } from "./match.ts";
import {
  WHY_DECISION,
  type Decision,
  type DecisionSet,
  type Mode,
  type Note,
  type Policy,
  type RequestFacts,
  type Seal,
  type Why,
} from "./policy.ts";
import { sealPlace } from "./seal.ts";

const KMS = "aws:kms";
const NO_NOTES: readonly Note[] = [];

/**
 * What one request becomes under a policy, and why, in one word.
 *
 * Pure and total: it reads no clock and no environment, and never throws on a valid policy. Where no rule
 * matches on `sse` or `kmsKeys`, deciding about the amended request passes.
 *
 * @param policy - A valid policy (see `definePolicy`); it is compiled once and remembered.
 * @param facts - What the caller wrote. Without `now`, nothing expires.
 * @example
 * ```ts
 * decide({ version: 1, defaults: { bucketKey: "on", mode: "enforce" } },
 *   { operation: "PutObject", bucket: "b", key: "k", sse: "aws:kms" });
 * // { decision: "amend", why: "set", set: { bucketKey: true }, rule: "defaults", mode: "enforce", ... }
 * ```
 * @public
 */
export function decide(policy: Policy, facts: RequestFacts): Decision {
  return decideCompiled(compiledOnce(policy), facts);
}

const compiled = new WeakMap<Policy, CompiledPolicy>();

/** The compiled form of a policy; compiled on first use, so a policy must not be edited afterwards. */
export function compiledOnce(policy: Policy): CompiledPolicy {
  const known = compiled.get(policy);
  if (known !== undefined) return known;
  const fresh = compilePolicy(policy);
  compiled.set(policy, fresh);
  return fresh;
}

/** `decide` for a policy that is compiled already. The steps stand in the order in which they count. */
export function decideCompiled(policy: CompiledPolicy, facts: RequestFacts): Decision {
  const place = sealPlace(policy, facts);
  const matched = isDecided(facts.operation) ? policy.firstMatch(facts) : undefined;
  const rule = matched ?? policy.defaults;
  const answer = new Answer(rule, facts, place.seal);

  if (place.rule !== undefined && place.seal === "seal" && !canBeSealed(policy, facts)) {
    return new Answer(place.rule, facts, place.seal).is("refused-seal");
  }
  if (!isApplicable(facts)) return answer.is("not-applicable");
  if (matched === undefined && statesNothing(rule, facts)) return answer.is("no-rule");
  if (rule.mode === "off") return answer.is("off");
  if (facts.presigning === true && rule.presigned !== "header") {
    return answer.is(rule.presigned === "skip" ? "presigned" : "refused-presigned");
  }
  return decideEncryption(policy, rule, facts, answer);
}

/** D3: what happens to a write when the policy never loaded; only what could have been amended is refused. */
export function decideUnloaded(
  failure: "fail-open" | "fail-closed",
  mode: Mode,
  facts: RequestFacts,
): Decision {
  const amendable = mode === "enforce" && isApplicable(facts) && OBJECT_WRITES.has(facts.operation);
  const why: Why = !isApplicable(facts)
    ? "not-applicable"
    : failure === "fail-closed" && amendable && facts.presigning !== true
      ? "refused-policy"
      : "no-rule";
  return { decision: WHY_DECISION[why], why, rule: "defaults", mode, seal: "leave", notes: NO_NOTES };
}

function canBeSealed(policy: CompiledPolicy, facts: RequestFacts): boolean {
  const { operation, presigning } = facts;
  const beyondReach = operation === "PostObject" || operation === "UploadPartCopy";
  // A presigned read hands out what is stored, sealed; a presigned write would store what is sent, plain.
  const presignedWrite = presigning === true && operation !== "GetObject" && operation !== "HeadObject";
  return policy.canSeal && !presignedWrite && !beyondReach;
}

/** D4: no rule matched and the defaults don't mind; but a flag on another algorithm is still looked at. */
function statesNothing(defaults: CompiledRule, facts: RequestFacts): boolean {
  if (facts.operation === "PutBucketEncryption") return true;
  const flagElsewhere = facts.bucketKey !== undefined && facts.sse !== undefined && facts.sse !== KMS;
  return defaults.bucketKey === undefined && !flagElsewhere;
}

/** Key and algorithm, SSE unset, other algorithms, and last the flag: D7 to D20. */
function decideEncryption(
  policy: CompiledPolicy,
  rule: CompiledRule,
  facts: RequestFacts,
  answer: Answer,
): Decision {
  const { sse, kmsKey } = facts;
  const silentOrKms = sse === undefined || sse === KMS;
  const elsewhere = !silentOrKms && facts.operation === "UpdateObjectEncryption";

  if (rule.kmsKey !== undefined && !elsewhere) {
    if (!silentOrKms) return decideOtherAlgorithm(rule, facts, answer); // D11, D12
    const comparison = kmsKey === undefined ? "same" : policy.compareKeys(kmsKey, rule.kmsKey);
    switch (comparison) {
      case "same": {
        const complete = sse === KMS && kmsKey !== undefined; // D8, else D7
        if (!complete) answer.write("completed", { sse: KMS, kmsKey: rule.kmsKey.arn });
        break;
      }
      case "unknown": // D9
        answer.note("unknown-key").add("unknown-key");
        break;
      case "other": // D10
        if (rule.onKeyConflict === "refuse") return answer.is("refused-key");
        if (rule.onKeyConflict === "override") {
          answer.write("overridden", { sse: KMS, kmsKey: rule.kmsKey.arn });
        } else {
          answer.note("kept-key").add("kept-caller");
        }
        break;
    }
    return decideFlag(rule, facts, answer);
  }
  if (sse === undefined) return decideUnset(rule, facts, answer);
  return silentOrKms ? decideFlag(rule, facts, answer) : decideUnproven(rule, facts, answer);
}

/** D11 and D12: the rule wants a KMS key, the caller named another algorithm. */
function decideOtherAlgorithm(rule: CompiledRule, facts: RequestFacts, answer: Answer): Decision {
  if (rule.onKeyConflict === "keep-caller") return decideUnproven(rule, facts, answer.add("kept-caller"));
  // Only SSE-S3 is replaced: what the others mean to the caller is not ours to undo.
  if (rule.onKeyConflict === "refuse" || facts.sse !== "AES256" || rule.kmsKey === undefined) {
    return answer.is("refused-key");
  }
  answer.write("overridden", { sse: KMS, kmsKey: rule.kmsKey.arn });
  return decideFlag(rule, facts, answer);
}

/** D13 to D16: the request names no algorithm and the rule no key. */
function decideUnset(rule: CompiledRule, facts: RequestFacts, answer: Answer): Decision {
  if (rule.bucketKey === undefined) return answer.is("left");
  if (rule.whenSseUnset === "send") return decideFlag(rule, facts, answer);
  const found = rule.whenSseUnset === "lookup" ? (facts.bucketDefault ?? "lookup-failed") : undefined;
  if (found === "lookup-failed" && rule.onLookupFailure === "refuse") return answer.is("refused-lookup");
  if (found === undefined || found === "lookup-failed") return decideUnknownDefault(rule, facts, answer);
  if (found.sse !== KMS) return decideUnproven(rule, facts, answer);
  // What the bucket does by itself needn't be written.
  const alreadyDefault = facts.bucketKey === undefined && found.bucketKey === rule.bucketKey;
  return decideFlag(rule, alreadyDefault ? { ...facts, bucketKey: found.bucketKey } : facts, answer);
}

/** D14: nothing is added to a request whose algorithm nobody knows; the opposite flag can be taken away. */
function decideUnknownDefault(rule: CompiledRule, facts: RequestFacts, answer: Answer): Decision {
  if (facts.bucketKey === undefined) return answer.is("unenforced");
  return decideFlag(rule, facts, answer, "remove");
}

/** D17 and D18: an algorithm without bucket keys; nobody knows what AWS does with a flag there. */
function decideUnproven(rule: CompiledRule, facts: RequestFacts, answer: Answer): Decision {
  if (facts.bucketKey === undefined) return answer.is("other-algorithm");
  switch (rule.onUnproven) {
    case "pass":
      return answer.is("unproven");
    case "strip":
      return answer.write("stripped", { bucketKey: null }).decision();
    case "refuse":
      return answer.is("refused-unproven");
  }
}

/**
 * D19 and D20, where the algorithm is `aws:kms`.
 *
 * @param opposite - What `override` does with an opposite flag: write the wanted one, or none (D14).
 */
function decideFlag(
  rule: CompiledRule,
  facts: RequestFacts,
  answer: Answer,
  opposite: "replace" | "remove" = "replace",
): Decision {
  const wanted = rule.bucketKey;
  if (wanted === undefined) return answer.is("left");
  if (wanted && facts.ownContext === true) answer.note("own-context");
  // UpdateObjectEncryption turns bucket keys off when the flag is absent.
  const flag = facts.operation === "UpdateObjectEncryption" ? (facts.bucketKey ?? false) : facts.bucketKey;
  if (flag === undefined) return answer.write("set", { bucketKey: wanted }).decision();
  if (flag === wanted) return answer.is("already-set");
  switch (rule.onConflict) {
    case "refuse":
      return answer.is("refused-flag");
    case "keep-caller":
      return answer.is("kept-caller");
    case "override":
      return answer.write("overridden", { bucketKey: opposite === "remove" ? null : wanted }).decision();
  }
}

/** When two words fit, the earlier one is said; words not listed come last. */
const RANK: readonly Why[] = ["overridden", "completed", "stripped", "set", "unknown-key", "kept-caller"];

/** Gathers what the steps find until one of them ends the matter. */
class Answer {
  readonly #rule: CompiledRule;
  readonly #seal: Seal;
  #notes: readonly Note[];
  #why: Why | undefined;
  #set: DecisionSet | undefined;

  constructor(rule: CompiledRule, facts: RequestFacts, seal: Seal) {
    this.#rule = rule;
    this.#seal = seal;
    this.#notes = isExpired(rule, facts.now) ? ["expired-rule"] : NO_NOTES;
  }

  note(note: Note): this {
    this.#notes = [...this.#notes, note];
    return this;
  }

  /** Adds a word; the strongest so far is kept. */
  add(why: Why): this {
    if (this.#why === undefined || rank(why) < rank(this.#why)) this.#why = why;
    return this;
  }

  /** Adds a word together with what `enforce` writes for it. */
  write(why: Why, set: DecisionSet): this {
    this.#set = this.#set === undefined ? set : { ...this.#set, ...set };
    return this.add(why);
  }

  /** The decision, with one more word; a refusal outranks all and writes nothing. */
  is(why: Why): Decision {
    if (WHY_DECISION[why] === "refuse") {
      this.#why = why;
      this.#set = undefined;
      return this.decision();
    }
    return this.add(why).decision();
  }

  decision(): Decision {
    const why = this.#why as Why;
    const { id: rule, mode } = this.#rule;
    const set = this.#set;
    const seal = this.#seal;
    const notes = this.#notes;
    const decision = WHY_DECISION[why];
    return set === undefined
      ? { decision, why, rule, mode, seal, notes }
      : { decision, why, rule, mode, set, seal, notes };
  }
}

function rank(why: Why): number {
  const at = RANK.indexOf(why);
  return at < 0 ? RANK.length : at;
}
