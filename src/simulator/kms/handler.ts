import { randomUUID } from "node:crypto";
import { ACTIONS, CRYPTOGRAPHIC } from "./actions.ts";
import { KmsCaller } from "./caller.ts";
import { KmsInput } from "./input.ts";
import type { KeyStore } from "./key-store.ts";
import { KmsFault } from "./kms-fault.ts";

export interface KmsHttpRequest {
  /** Value of the header `x-amz-target`, such as `TrentService.Decrypt`. */
  readonly target: string;
  readonly body: Uint8Array;
  /** ARN of the caller. */
  readonly requester: string;
}

export interface KmsHttpResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

const TARGET_PREFIX = "TrentService.";

/**
 * Answers one request to the KMS endpoint (AWS JSON 1.1) and counts it in `store.calls`.
 *
 * Encryption is real: AES-256-GCM under a secret of the key, bound to the encryption context.
 * A mistake of the request is an answer in AWS's form, never an exception.
 */
export function handleKms(store: KeyStore, request: KmsHttpRequest): KmsHttpResponse {
  const action = actionOf(request.target);
  const call = { action: action ?? "unknown", requester: request.requester };
  let input: KmsInput | undefined;
  try {
    if (action === undefined) throw unknownOperation(request.target);
    input = KmsInput.parse(request.body);
    if (CRYPTOGRAPHIC.has(action)) store.throttle.take(request.requester);
    const output = ACTIONS[action]?.(store, input, new KmsCaller(store, request.requester));
    store.calls.record({ ...call, ...usedKey(store, output, input) });
    return answer(200, output === undefined ? "" : JSON.stringify(output));
  } catch (error) {
    if (!(error instanceof KmsFault)) throw error;
    store.calls.record({ ...call, ...usedKey(store, undefined, input), errorCode: error.code });
    return kmsFaultAnswer(error);
  }
}

/** A fault on the wire; for what stands before the operation too, such as an access key that nobody knows. */
export function kmsFaultAnswer({ status, code, message }: KmsFault): KmsHttpResponse {
  return answer(status, JSON.stringify({ __type: code, message }));
}

function answer(status: number, body: string): KmsHttpResponse {
  const headers = { "content-type": "application/x-amz-json-1.1", "x-amzn-requestid": randomUUID() };
  return { status, headers, body };
}

function actionOf(target: string): string | undefined {
  const action = target.startsWith(TARGET_PREFIX) ? target.slice(TARGET_PREFIX.length) : "";
  return Object.hasOwn(ACTIONS, action) ? action : undefined;
}

function unknownOperation(target: string): KmsFault {
  const known = Object.keys(ACTIONS).join(", ");
  return new KmsFault(
    "UnknownOperationException",
    `The simulator knows no KMS operation '${target}'; it knows ${TARGET_PREFIX}X for X of ${known}`,
  );
}

/** The key that the answer names, else the one that the request names, if there is one of that name. */
function usedKey(
  store: KeyStore,
  output: Readonly<Record<string, unknown>> | undefined,
  input: KmsInput | undefined,
): { kmsKeyArn?: string } {
  try {
    const name = output?.["KeyId"] ?? input?.optionalText("KeyId") ?? input?.optionalText("TargetKeyId");
    return typeof name === "string" ? { kmsKeyArn: store.resolve(name).arn } : {};
  } catch {
    return {};
  }
}
