import { parseArn, parseKmsKeyName } from "../arn.ts";
import type { NamedKmsKey, Policy } from "./policy.ts";

/** The KMS key of a rule, ready to compare. */
export interface RuleKey {
  readonly arn: string;
  readonly id: string;
  readonly region: string;
  readonly account: string;
}

/** Key ids by alias, for the aliases that the policy lists. */
export type ListedAliases = ReadonlyMap<string, RuleKey>;

export function keyArnOf(named: NamedKmsKey): string {
  return typeof named === "string" ? named : named.arn;
}

/** The rule's `kmsKey`, with `@name` looked up. The policy is valid, so the name exists. */
export function ruleKey(policy: Policy, kmsKey: string): RuleKey {
  const arn = kmsKey.startsWith("@") ? keyArnOf(policy.kmsKeys?.[kmsKey.slice(1)] ?? kmsKey) : kmsKey;
  const parsed = parseArn(arn);
  return {
    arn,
    id: (parsed?.resource ?? arn).replace(/^key\//, ""),
    region: parsed?.region ?? "",
    account: parsed?.account ?? "",
  };
}

export function listedAliases(policy: Policy): ListedAliases {
  const aliases = new Map<string, RuleKey>();
  for (const [name, named] of Object.entries(policy.kmsKeys ?? {})) {
    if (typeof named === "string") continue;
    for (const alias of named.aliases ?? []) aliases.set(alias, ruleKey(policy, `@${name}`));
  }
  return aliases;
}

/**
 * Whether the caller's key is the rule's. Keys compare by id, so an ARN, a bare id, a listed alias and a
 * multi-Region replica of one key are the same key; an alias that nobody listed is `unknown`.
 */
export function compareKmsKeys(
  callers: string,
  wanted: RuleKey,
  aliases: ListedAliases,
): "same" | "other" | "unknown" {
  if (callers === wanted.arn) return "same";
  const name = parseKmsKeyName(callers);
  if (name.kind === "key") return name.id === wanted.id ? "same" : "other";
  const listed = aliases.get(name.alias);
  if (listed === undefined) return "unknown";
  // A full alias ARN speaks of one account and Region; the list speaks of the key's own.
  const elsewhere = name.account !== "" && (name.account !== listed.account || name.region !== listed.region);
  if (elsewhere) return "unknown";
  return listed.id === wanted.id ? "same" : "other";
}

/** Whether two keys are known to be different ones; an alias that nobody listed is not known to be. */
export function keysDiffer(a: string, b: string, aliases: ListedAliases): boolean {
  const wanted = keyOf(a, aliases);
  return wanted !== undefined && compareKmsKeys(b, wanted, aliases) === "other";
}

function keyOf(text: string, aliases: ListedAliases): RuleKey | undefined {
  const name = parseKmsKeyName(text);
  return name.kind === "alias"
    ? aliases.get(name.alias)
    : { arn: text, id: name.id, region: "", account: "" };
}
