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

/**
 * The facts of an answer, or undefined when there is none, as when the SDK presigns.
 *
 * @param response - The raw response the SDK attaches: duck-typed, since several copies of its class exist.
 */
export function responseFacts(response: unknown): ResponseFacts | undefined {
  const headers = answeredHeaders(response);
  if (headers === undefined) return undefined;
  const sse = headers[SSE] ?? (headers[CUSTOMER] === undefined ? "none" : "SSE-C");
  return { state: stateOf(sse, headers[FLAG]), sse, kmsKey: headers[KEY_ID] };
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

function answeredHeaders(response: unknown): Readonly<Record<string, string | undefined>> | undefined {
  if (typeof response !== "object" || response === null || !("statusCode" in response)) return undefined;
  if (typeof response.statusCode !== "number") return undefined;
  const headers = "headers" in response ? response.headers : undefined;
  return typeof headers === "object" && headers !== null
    ? (headers as Record<string, string | undefined>)
    : {};
}
