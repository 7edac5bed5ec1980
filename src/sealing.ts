/** Hands calls of places that seal or unseal to the sealer; without one, such a place refuses. */
import { isPresigning, type Arguments, type Call, type Result, type SealingCall } from "./call.ts";
import type { CompiledPolicy } from "./policy/compile.ts";
import type { Decision, RequestFacts, Seal } from "./policy/policy.ts";
import { sealPlace } from "./policy/seal.ts";

/** Sends `args`, through the sealer where the place or the upload under way asks for it. */
export function sendSealed(call: Call | SealingCall, args: Arguments, place: Seal): Promise<Result> {
  const { sealer } = call.runtime;
  if (sealer === undefined) return call.next(args);
  const { operation, scope } = call;
  // Without `args` in the closures below: a sealer may keep `next` for a while, and its plaintext must not stay.
  const { input, request } = args;
  if (place === "leave" && !sealer.ownsUpload({ operation, input, scope })) {
    return call.next(args);
  }
  return sealer.send({
    operation,
    input,
    // An upload that was begun sealed stays so, whatever the policy of the day says.
    place: place === "leave" ? "seal" : place,
    scope,
    presigning: isPresigning(args),
    next: (sealed) => call.next({ input: sealed, request }),
    observe: (event) => call.runtime.observeEnvelope(event),
  });
}

/** What holds for an operation that only sealing is concerned with. */
export function placeOf(
  { operation }: SealingCall,
  policy: CompiledPolicy,
  facts: RequestFacts,
): { readonly seal: Seal; readonly rule: string } {
  // It names no bucket, only the request it answers.
  const anySeals = policy.sealing.find(({ rule }) => rule.envelope === "seal");
  if (operation === "WriteGetObjectResponse") {
    return { seal: anySeals === undefined ? "leave" : "seal", rule: anySeals?.rule.id ?? "defaults" };
  }
  const { seal, rule } = sealPlace(policy, facts);
  return { seal, rule: rule?.id ?? "defaults" };
}

/** The refusal of a call whose place seals, or may seal, where nothing can seal. */
export function refusedSeal(why: "refused-seal" | "refused-policy", rule: string): Decision {
  return { decision: "refuse", why, rule, mode: "enforce", seal: "seal", notes: [] };
}
