import { isApplicable } from "./applicable.ts";
import {
  compareKmsKeys,
  keysDiffer,
  listedAliases,
  ruleKey,
  type ListedAliases,
  type RuleKey,
} from "./kms-keys.ts";
import { compileMatch, firstMismatch, OBJECT_WRITES, type CompiledMatch, type MatchField } from "./match.ts";
import { policyDigest } from "./digest.ts";
import type {
  BucketKeySetting,
  Mode,
  Policy,
  PolicyDefaults,
  PolicyRule,
  RequestFacts,
  Seal,
} from "./policy.ts";
import { RuleIndex } from "./rule-index.ts";

/** What the surroundings of a policy allow. */
export interface CompileOptions {
  /** Whether bodies can be sealed; without it a place that seals refuses. Default true. */
  readonly canSeal?: boolean;
  /** The strongest mode any rule may have. Default `enforce`. */
  readonly ceiling?: Mode;
}

/** One rule with everything inherited and looked up. */
export interface CompiledRule {
  readonly id: string;
  readonly reason: string;
  /** The wanted flag; undefined: `leave`. */
  readonly bucketKey: boolean | undefined;
  readonly kmsKey: RuleKey | undefined;
  readonly mode: Mode;
  readonly whenSseUnset: NonNullable<PolicyDefaults["whenSseUnset"]>;
  readonly onLookupFailure: NonNullable<PolicyDefaults["onLookupFailure"]>;
  readonly onUnproven: NonNullable<PolicyDefaults["onUnproven"]>;
  readonly presigned: NonNullable<PolicyDefaults["presigned"]>;
  readonly onConflict: NonNullable<PolicyRule["onConflict"]>;
  readonly onKeyConflict: NonNullable<PolicyRule["onKeyConflict"]>;
  readonly envelope: Seal | undefined;
  readonly operations: ReadonlySet<string>;
  readonly match: CompiledMatch;
  readonly except: CompiledMatch | undefined;
  /** First instant after the rule's last day, in milliseconds; undefined: never. */
  readonly expiresAt: number | undefined;
  readonly dropWhenExpired: boolean;
}

/** Why a rule didn't match: a field of `match`, or that it was excepted or dropped as expired. */
export type RuleMismatch = MatchField | "excepted" | "expired";

/** A policy made ready to decide. Immutable, but for the memo of its index. */
export interface CompiledPolicy {
  readonly policy: Policy;
  readonly digest: string;
  readonly canSeal: boolean;
  readonly rules: readonly CompiledRule[];
  readonly defaults: CompiledRule;
  /** The rules that name `envelope`, in order, and where they hold. */
  readonly sealing: readonly { readonly rule: CompiledRule; readonly place: CompiledMatch }[];
  /** Whether there are any. */
  readonly hasEnvelope: boolean;
  /** Whether any rule expires, so that the time of a request matters. */
  readonly hasExpiry: boolean;
  /** The first rule that matches, if any. Reads are held against rules whatever their `operations`. */
  firstMatch(facts: RequestFacts, ignoreOperations?: boolean): CompiledRule | undefined;
  /** Whether the object key can make a difference in this bucket. */
  testsKey(bucket: string): boolean;
  /** The rule of that id, or the defaults. */
  ruleById(id: string): CompiledRule;
  compareKeys(callers: string, wanted: RuleKey): "same" | "other" | "unknown";
  /** Whether two keys are known to be different ones. */
  keysDiffer(a: string, b: string): boolean;
  /** Whether deciding about these facts needs the bucket's default encryption. */
  needsLookup(facts: RequestFacts): boolean;
}

const STRENGTH: readonly Mode[] = ["off", "audit", "enforce"];

/** The weaker of two modes: `off` < `audit` < `enforce`. */
export function weakerMode(a: Mode, b: Mode): Mode {
  return STRENGTH.indexOf(a) < STRENGTH.indexOf(b) ? a : b;
}

/** Makes a valid policy ready to decide: inheritance, key names, dates and indexes are worked out once. */
export function compilePolicy(policy: Policy, options: CompileOptions = {}): CompiledPolicy {
  const { canSeal = true, ceiling = "enforce" } = options;
  const source = policy.rules ?? [];
  const rules = source.map((rule) => compileRule(policy, rule, ceiling));
  const defaults = compileRule(policy, { ...DEFAULT_RULE, ...policy.defaults }, ceiling);
  const sealing = rules.flatMap((rule, i) =>
    rule.envelope === undefined
      ? []
      : [{ rule, place: compileMatch(source[i]?.match ?? {}, ["operations"]) }],
  );
  const index = new RuleIndex(
    source.map((rule) => rule.match),
    source.map((rule) => rule.except),
  );
  const aliases: ListedAliases = listedAliases(policy);
  const byId = new Map(rules.map((rule) => [rule.id, rule]));
  const firstMatch: CompiledPolicy["firstMatch"] = (facts, ignoreOperations = false) => {
    const at = index.first(facts.bucket, facts.key, (i) => {
      const rule = rules[i] as CompiledRule;
      if (!ignoreOperations && !rule.operations.has(facts.operation)) return false;
      return mismatchBeyondOperation(rule, facts) === undefined;
    });
    return at < 0 ? undefined : rules[at];
  };
  const looksUp = [defaults, ...rules].some((rule) => rule.whenSseUnset === "lookup");
  return {
    policy,
    digest: policyDigest(policy),
    canSeal,
    rules,
    defaults,
    sealing,
    hasEnvelope: sealing.length > 0,
    hasExpiry: rules.some((rule) => rule.expiresAt !== undefined),
    firstMatch,
    testsKey: (bucket) => index.testsKey(bucket),
    ruleById: (id) => byId.get(id) ?? defaults,
    compareKeys: (callers, wanted) => compareKmsKeys(callers, wanted, aliases),
    keysDiffer: (a, b) => keysDiffer(a, b, aliases),
    needsLookup(facts) {
      if (!looksUp || facts.sse !== undefined || !isApplicable(facts)) return false;
      const rule = firstMatch(facts) ?? defaults;
      if (rule.mode === "off" || (facts.presigning === true && rule.presigned !== "header")) return false;
      return rule.whenSseUnset === "lookup" && rule.kmsKey === undefined && rule.bucketKey !== undefined;
    },
  };
}

/** Why `rule` doesn't match, or undefined when it does; the slow road, for explanations. */
export function ruleMismatch(
  rule: CompiledRule,
  source: PolicyRule,
  facts: RequestFacts,
): RuleMismatch | undefined {
  if (!rule.operations.has(facts.operation)) return "operations";
  const buckets = compileMatch({ ...(source.match?.buckets && { buckets: source.match.buckets }) });
  return firstMismatch(buckets, facts) ?? mismatchBeyondOperation(rule, facts);
}

/** Whether the rule's last day is over; without a `now` nothing expires. */
export function isExpired(rule: CompiledRule, now: Date | undefined): boolean {
  return rule.expiresAt !== undefined && now !== undefined && now.getTime() >= rule.expiresAt;
}

function mismatchBeyondOperation(rule: CompiledRule, facts: RequestFacts): RuleMismatch | undefined {
  const field = firstMismatch(rule.match, facts);
  if (field !== undefined) return field;
  if (rule.except !== undefined && firstMismatch(rule.except, facts) === undefined) return "excepted";
  return rule.dropWhenExpired && isExpired(rule, facts.now) ? "expired" : undefined;
}

const DEFAULT_RULE: PolicyRule = {
  id: "defaults",
  reason: "No rule matched, so the policy's defaults decide.",
};

function compileRule(policy: Policy, rule: PolicyRule, ceiling: Mode): CompiledRule {
  const { defaults } = policy;
  return {
    id: rule.id,
    reason: rule.reason,
    bucketKey: wantedFlag(rule.bucketKey),
    kmsKey: rule.kmsKey === undefined ? undefined : ruleKey(policy, rule.kmsKey),
    mode: weakerMode(rule.mode ?? defaults?.mode ?? "audit", ceiling),
    whenSseUnset: rule.whenSseUnset ?? defaults?.whenSseUnset ?? "leave",
    onLookupFailure: rule.onLookupFailure ?? defaults?.onLookupFailure ?? "leave",
    onUnproven: rule.onUnproven ?? defaults?.onUnproven ?? "pass",
    presigned: rule.presigned ?? defaults?.presigned ?? "skip",
    onConflict: rule.onConflict ?? "override",
    onKeyConflict: rule.onKeyConflict ?? "refuse",
    envelope: rule.envelope,
    operations: rule.match?.operations === undefined ? OBJECT_WRITES : new Set(rule.match.operations),
    match: compileMatch(rule.match ?? {}, ["buckets", "operations"]),
    except: rule.except === undefined ? undefined : compileMatch(rule.except),
    expiresAt: rule.expires === undefined ? undefined : dayAfter(rule.expires),
    dropWhenExpired: rule.onExpiry === "drop",
  };
}

function wantedFlag(setting: BucketKeySetting | undefined): boolean | undefined {
  if (setting === undefined || setting === "leave") return undefined;
  return setting === "on" || setting === true;
}

function dayAfter(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) + 24 * 60 * 60 * 1_000;
}
