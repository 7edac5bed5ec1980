import type { ResponseState } from "../policy/policy.ts";

/** What one answer of S3 says. */
export interface ResponseFacts {
  readonly state: ResponseState;
  /** Algorithm; `SSE-C` for customer keys, `none` when the answer names none. */
  readonly sse: string;
  readonly kmsKey: string | undefined;
}

const SSE = "x-amz-server-side-encryption";
const FLAG = `${SSE}-bucket-key-enabled`;
const KEY_ID = `${SSE}-aws-kms-key-id`;
const CUSTOMER = `${SSE}-customer-algorithm`;

/** What an answer says about encryption, as it stands in its headers. */
export interface EncryptionHeaders {
  readonly sse: string | undefined;
  readonly flag: string | undefined;
  readonly kmsKey: string | undefined;
  readonly customer: string | undefined;
}

/**
 * The facts of an answer, or undefined when there is none, as when the SDK presigns.
 *
 * @param response - The raw response the SDK attaches: duck-typed, since several copies of its class exist.
 */
export function responseFacts(response: unknown): ResponseFacts | undefined {
  const headers = encryptionHeaders(response);
  return headers && factsIn(headers);
}

/** The same, one step before: equal headers come to equal facts. */
export function encryptionHeaders(response: unknown): EncryptionHeaders | undefined {
  if (typeof response !== "object" || response === null) return undefined;
  const { statusCode, headers } = response as { statusCode?: unknown; headers?: unknown };
  if (typeof statusCode !== "number") return undefined;
  if (typeof headers !== "object" || headers === null) return NO_HEADERS;
  const named = headers as Readonly<Record<string, string | undefined>>;
  return { sse: named[SSE], flag: named[FLAG], kmsKey: named[KEY_ID], customer: named[CUSTOMER] };
}

const NO_HEADERS: EncryptionHeaders = {
  sse: undefined,
  flag: undefined,
  kmsKey: undefined,
  customer: undefined,
};

export function factsIn({ sse, flag, kmsKey, customer }: EncryptionHeaders): ResponseFacts {
  const algorithm = sse ?? (customer === undefined ? "none" : "SSE-C");
  return { state: stateOf(algorithm, flag), sse: algorithm, kmsKey };
}

/**
 * `true` is the only positive. Without it there is no bucket key only under SSE-KMS, where S3 leaves the
 * header out; anything else in the header is nothing to build on.
 */
function stateOf(sse: string, flag: string | undefined): ResponseState {
  const said = flag?.toLowerCase();
  if (said === "true") return "enabled";
  if (said !== undefined && said !== "false") return "unknown";
  if (sse === "aws:kms") return "disabled";
  return sse === "none" ? "unknown" : "not-applicable";
}
