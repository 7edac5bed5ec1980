/** Hands calls of places that seal or unseal to the sealer; without one, such a place refuses. */
import { nameIn } from "./observe/request-facts.ts";
import type { Arguments, Call, Context, Result, SealingCall } from "./call.ts";
import type { CompiledPolicy } from "./policy/compile.ts";
import type { Decision, RequestFacts, Seal } from "./policy/policy.ts";
import { sealPlace } from "./policy/seal.ts";

/**
 * Sends `args`, through the sealer where the place or the upload under way asks for it.
 *
 * @param presigning - Of the call as it came: what is sent may no longer show it.
 */
export function sendSealed(
  call: Call | SealingCall,
  args: Arguments,
  place: Seal,
  presigning: boolean,
): Promise<Result> {
  const { sealer } = call.runtime;
  if (sealer === undefined) return call.next(args);
  const { operation, scope } = call;
  // Without `args` in the closures below: a sealer may keep `next` for a while, and its plaintext must not stay.
  const { request } = args;
  const input = snapshot(args.input);
  if (place === "leave" && !sealer.ownsUpload({ operation, input, scope })) {
    return call.next(args);
  }
  const sent = sealer.send({
    operation,
    input,
    // An upload that was begun sealed stays so, whatever the policy of the day says.
    place: place === "leave" ? "seal" : place,
    scope,
    presigning,
    next: (sealed) => call.next({ input: sealed, request }),
    // The same function for every call of a plugin: a sealer may keep it with the keys it caches.
    observe: call.runtime.observeEnvelope,
  });
  if (operation !== "UploadPart") return sent;
  return sent.then((result) => {
    forgetInput(call.context);
    return result;
  });
}

/**
 * Takes the input off the command in a context, which lives for as long as a sealer keeps the way of a part: its
 * plaintext must not. The SDK asks that command for its class, and for nothing else.
 */
function forgetInput({ __smithy_context: kept }: Context): void {
  const command = kept?.commandInstance;
  if (command === undefined) return;
  Reflect.set(kept as object, "commandInstance", Object.create(Object.getPrototypeOf(command) as object));
}

/**
 * The input as it is now, with names as the SDK will write them: a caller may use the same object for the next call
 * while this one waits for a key.
 */
export function snapshot(input: Arguments["input"]): Arguments["input"] {
  const copy: Record<string, unknown> = { ...input };
  for (const name of ["Bucket", "Key", "UploadId"])
    if (copy[name] !== undefined) copy[name] = nameIn(input, name);
  const metadata = copy["Metadata"];
  if (typeof metadata === "object" && metadata !== null) copy["Metadata"] = { ...metadata };
  return copy;
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
