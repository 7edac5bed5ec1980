import type { CompiledPolicy, CompiledRule } from "./compile.ts";
import { firstMismatch } from "./match.ts";
import type { RequestFacts, Seal } from "./policy.ts";

/** Where bodies are sealed: what holds for this place, and the rule that says so. */
export interface SealPlace {
  readonly seal: Seal;
  readonly rule: CompiledRule | undefined;
}

const LEAVE: SealPlace = { seal: "leave", rule: undefined };

/**
 * The seal pass: the first rule that names `envelope` and whose buckets, keys and prefixes match.
 *
 * It looks at neither mode nor operation, so it holds for reads, heads and parts too.
 */
export function sealPlace(policy: CompiledPolicy, facts: RequestFacts): SealPlace {
  if (!policy.hasEnvelope) return LEAVE;
  for (const { rule, place } of policy.sealing) {
    if (firstMismatch(place, facts) !== undefined) continue;
    if (rule.except !== undefined && firstMismatch(rule.except, facts) === undefined) continue;
    return { seal: rule.envelope as Seal, rule };
  }
  return LEAVE;
}
