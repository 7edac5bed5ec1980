import type { Policy, PolicyRule } from "./policy.ts";

/**
 * What a new policy would change about sealing in silence, or undefined when it may take the old one's place.
 *
 * The ordered `envelope` rules must be the same, widened by `seal` rules at the end, or changed by an explicit
 * `unseal`: in place of a `seal`, or as a rule of its own.
 */
export function silentSealingChange(before: Policy, after: Policy): string | undefined {
  const old = sealingRules(before);
  let kept = 0;
  for (const rule of sealingRules(after)) {
    const expected = old[kept];
    if (expected !== undefined && isKept(expected, rule)) kept++;
    else if (rule.envelope === "seal" && expected !== undefined) return changed(expected);
    else if (rule.envelope === "leave")
      return `Rule ${rule.id} is new and says envelope: leave, which could end sealing.`;
  }
  const lost = old[kept];
  return lost === undefined ? undefined : changed(lost);
}

function changed({ id, envelope }: PolicyRule): string {
  return `Rule ${id} (envelope: ${envelope}) was removed, moved or matches other places now.`;
}

function sealingRules(policy: Policy): readonly PolicyRule[] {
  return (policy.rules ?? []).filter((rule) => rule.envelope !== undefined);
}

function isKept(before: PolicyRule, after: PolicyRule): boolean {
  const unsealed = before.envelope === "seal" && after.envelope === "unseal";
  return (before.envelope === after.envelope || unsealed) && placeOf(before) === placeOf(after);
}

/** The same text for the same places, whatever the order of fields and items. */
function placeOf({ match, except }: PolicyRule): string {
  return JSON.stringify(
    [match, except].map((part) =>
      Object.entries(part ?? {})
        .map(([field, items]: [string, readonly string[]]) => [field, items.toSorted()] as const)
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ),
  );
}
