/** Conditions that leave to whoever uploads what the policy has to decide. */
import { BucketKeyFormError } from "../errors.ts";
import type { CompiledPolicy } from "../policy/compile.ts";
import type { Decision } from "../policy/policy.ts";
import { formatCondition, type FieldCondition } from "./post-conditions.ts";
import { CUSTOMER_ALGORITHM, FIELD_OF, valueOf, type Fields } from "./post-fields.ts";

const DECIDED_FIELDS: ReadonlySet<string> = new Set([...Object.values(FIELD_OF), CUSTOMER_ALGORITHM]);

/**
 * A start is no value: whoever uploads would write what nobody decided about.
 *
 * @param written - The fields of the form, and what conditions fix.
 * @throws `BucketKeyFormError` that names the condition.
 */
export function requireNothingOpen(
  bucket: string,
  compiled: CompiledPolicy | undefined,
  decision: Decision,
  conditions: readonly FieldCondition[],
  written: Fields,
): void {
  if (compiled === undefined) return;
  const open = conditions.find(
    ({ operator, field }) =>
      operator !== "eq" && valueOf(written, field) === undefined && matters(compiled, decision, field),
  );
  if (open === undefined) return;
  throw new BucketKeyFormError(
    { field: open.field, bucket },
    `The form for bucket ${bucket} has the condition ${formatCondition(open)} and no field ${open.field}: whoever ` +
      `uploads could write there what rule ${decision.rule} doesn't allow. Give the field in Fields, or leave the condition out.`,
  );
}

/** Whether what whoever uploads writes in this field could make a difference to the policy. */
function matters(compiled: CompiledPolicy, decision: Decision, field: string): boolean {
  const { policy, defaults } = compiled;
  if (!DECIDED_FIELDS.has(field) || decision.why === "not-applicable") return false;
  const matches = (policy.rules ?? []).flatMap(({ match, except }) => [match, except]);
  const testsKey = matches.some((match) => match?.kmsKeys !== undefined);
  if (field === FIELD_OF.kmsKey) return testsKey || compiled.ruleById(decision.rule).kmsKey !== undefined;
  if (decision.why !== "no-rule") return true;
  return testsKey || defaults.onUnproven !== "pass" || matches.some((match) => match?.sse !== undefined);
}
