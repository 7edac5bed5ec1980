import type { Decision, DecisionKind, Mode, Note, Why } from "../../src/policy/policy.ts";
import { WHY_DECISION } from "../../src/policy/policy.ts";
import type { ClientInfo, Outcome } from "../../src/telemetry/telemetry.ts";

export const INFO: ClientInfo = { mode: "enforce", modeSource: "policy", policyDigest: "d1" };

type Response = NonNullable<Outcome["response"]>;

/** A write that the policy decided, as the middleware records it. */
export function write(
  over: { operation?: string; bucket?: string; why?: Why; mode?: Mode; notes?: readonly Note[] } = {},
  response: Partial<Response> | undefined = {},
): Outcome {
  const { operation = "PutObject", bucket = "lake", why = "set", mode = "enforce", notes = [] } = over;
  const kind: DecisionKind = WHY_DECISION[why];
  const decision: Decision = { decision: kind, why, mode, rule: "r", seal: "leave", notes };
  return { operation, bucket, decision, ...(response !== undefined && { response: answer(response) }) };
}

/** A read that S3 answered. */
export function read(operation: string, response: Partial<Response> = {}, bucket = "lake"): Outcome {
  return { operation, bucket, response: answer({ verdict: "compliant", ...response }) };
}

export function refused(why: Why = "refused-key"): Outcome {
  const { operation, bucket, decision } = write({ why });
  return { operation, bucket, ...(decision !== undefined && { decision }) };
}

function answer(over: Partial<Response>): Response {
  return { state: "enabled", sse: "aws:kms", verdict: "honoured", drifts: [], rule: "r", ...over };
}
