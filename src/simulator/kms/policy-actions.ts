import { parsePolicy } from "../iam/parse-policy.ts";
import { PolicyDocumentError, type Policy } from "../iam/policy-document.ts";
import type { KmsAction } from "./action.ts";
import type { KmsCaller } from "./caller.ts";
import type { KmsInput } from "./input.ts";
import type { KeyStore, KmsKey } from "./key-store.ts";
import { KmsFault } from "./kms-fault.ts";

/** The only name that a key policy can have. */
const POLICY_NAME = "default";

export const POLICY_ACTIONS: Readonly<Record<string, KmsAction>> = {
  PutKeyPolicy(store, input, caller) {
    const key = caller.changeable("PutKeyPolicy", input.text("KeyId"));
    input.optionalText("PolicyName", [POLICY_NAME]);
    putPolicy(store, input, caller, key, input.text("Policy"));
    return undefined;
  },
  GetKeyPolicy(store, input, caller) {
    const key = caller.key("GetKeyPolicy", input.text("KeyId"));
    input.optionalText("PolicyName", [POLICY_NAME]);
    return { Policy: store.access.keyPolicyText(key), PolicyName: POLICY_NAME };
  },
  ListKeyPolicies(_store, input, caller) {
    caller.key("ListKeyPolicies", input.text("KeyId"));
    return { PolicyNames: [POLICY_NAME], Truncated: false };
  },
};

/** @throws `KmsFault` with `MalformedPolicyDocumentException`, also for a policy that locks out who puts it. */
export function putPolicy(
  store: KeyStore,
  input: KmsInput,
  caller: KmsCaller,
  key: KmsKey,
  text: string,
): void {
  const policy = parsed(text);
  const bypass = input.flag("BypassPolicyLockoutSafetyCheck");
  if (!bypass && !store.access.couldPutAgain(caller.arn, key, policy)) {
    throw malformed("The new key policy will not allow you to update the key policy in the future.");
  }
  store.access.putKeyPolicy(key, policy);
}

function parsed(text: string): Policy {
  try {
    return parsePolicy(text, "key");
  } catch (error) {
    if (error instanceof PolicyDocumentError) throw malformed(error.message);
    throw error;
  }
}

function malformed(message: string): KmsFault {
  return new KmsFault("MalformedPolicyDocumentException", message);
}
