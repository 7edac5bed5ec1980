import { matchesResource } from "./operators.ts";
import { matchesIgnoringCase } from "./pattern.ts";
import type { Policy, Statement } from "./policy-document.ts";
import { namesPrincipal } from "./principal.ts";
import type { AccessRequest } from "./request-context.ts";

/** What one set of policies says of a request, in AWS's order: a Deny counts whatever else is allowed. */
export type Answer = "denies" | "allows" | "silent";

/** What a key policy says; `delegates`: it allows the account, so its identity policies decide. */
export type KeyPolicyAnswer = Answer | "delegates";

/** The identity policies of the principal. */
export function askIdentityPolicies(policies: readonly Policy[], request: AccessRequest): Answer {
  const effects = policies.flatMap(({ statements }) =>
    statements.filter((statement) => isAbout(statement, request)).map(({ effect }) => effect),
  );
  if (effects.includes("Deny")) return "denies";
  return effects.includes("Allow") ? "allows" : "silent";
}

export function askKeyPolicy(policy: Policy, request: AccessRequest): KeyPolicyAnswer {
  const said = new Set<KeyPolicyAnswer>();
  for (const statement of policy.statements) {
    const named = namesPrincipal(statement.principals ?? [], request.principal);
    if (named === "not" || !isAbout(statement, request)) continue;
    if (statement.effect === "Deny") return "denies";
    said.add(named === "itself" ? "allows" : "delegates");
  }
  if (said.has("allows")) return "allows";
  return said.has("delegates") ? "delegates" : "silent";
}

/** Action, resource and every condition; whom a key policy names is asked apart. */
function isAbout({ actions, resources, conditions }: Statement, request: AccessRequest): boolean {
  const { action, resource, context } = request;
  return (
    actions.patterns.some((pattern) => matchesIgnoringCase(pattern, action, context)) !== actions.not &&
    resources.patterns.some((pattern) => matchesResource(pattern, resource, context)) !== resources.not &&
    conditions.every((condition) => condition(context))
  );
}
