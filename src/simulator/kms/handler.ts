import { randomUUID } from "node:crypto";
import type { KeyStore } from "./key-store.ts";
import { KmsFault } from "./kms-fault.ts";

export interface KmsHttpRequest {
  /** Value of the header `x-amz-target`. */
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

/** Answers one request to the KMS endpoint (AWS JSON 1.1). Never throws. */
export function handleKms(store: KeyStore, request: KmsHttpRequest): KmsHttpResponse {
  const fault = new KmsFault("UnknownOperationException", `Not built yet: ${request.target}`);
  store.calls.record({ action: "unknown", requester: request.requester, errorCode: fault.code });
  return {
    status: fault.status,
    headers: { "content-type": "application/x-amz-json-1.1", "x-amzn-requestid": randomUUID() },
    body: JSON.stringify({ __type: fault.code, message: fault.message }),
  };
}
