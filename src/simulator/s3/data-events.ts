/** What a request for an object leaves in CloudTrail, when data events were asked for. */
import type { DataRequestFacts, SseApplied } from "../cloudtrail/data-event.ts";
import { header, type Answer, type S3Call } from "./call.ts";
import { SSE, SSE_CUSTOMER_ALGORITHM, SSE_KEY_ID } from "./header-names.ts";
import { S3Error } from "./s3-error.ts";
import type { S3State } from "./state.ts";

type Handler = (state: S3State, call: S3Call) => Answer | Promise<Answer>;

/** Operations that show how they encrypted. */
const ENCRYPTING = new Set(["PutObject", "CopyObject", "CreateMultipartUpload"]);

/** The same handler, and an event for each request to it; nothing is done when nobody asked for data events. */
export function recording<Route extends { readonly operation: string; readonly handle: Handler }>(
  state: S3State,
  route: Route,
): Pick<Route, "operation"> & { readonly handle: Handler } {
  const { dataTrail } = state;
  if (dataTrail === undefined) return route;
  const { operation, handle } = route;
  return {
    operation,
    handle: async (_state, call) => {
      if (call.key === "" && operation !== "DeleteObjects") return handle(state, call);
      try {
        const answer = await handle(state, call);
        dataTrail.add(factsOf(state, operation, call, answer));
        return answer;
      } catch (error) {
        dataTrail.add(factsOf(state, operation, call, error));
        throw error;
      }
    },
  };
}

/** @param outcome - An answer, or what was thrown. */
function factsOf(state: S3State, operation: string, call: S3Call, outcome: unknown): DataRequestFacts {
  const answer = isAnswer(outcome) ? outcome : undefined;
  const writes = ENCRYPTING.has(operation);
  const answered = writes && answer !== undefined ? picked(answer.headers ?? {}) : undefined;
  return {
    timeMs: state.clock.nowMs(),
    operation,
    requester: call.requester.principalArn,
    userAgent: header(call, "user-agent") ?? "",
    bucket: call.bucket,
    key: call.key,
    isRead: call.method === "GET" || call.method === "HEAD",
    asked: picked(call.headers),
    answered,
    sseApplied: answered && sseApplied(call, answered[SSE]),
    error: answer === undefined ? errorOf(outcome) : undefined,
  };
}

function isAnswer(outcome: unknown): outcome is Answer {
  return !(outcome instanceof Error);
}

function errorOf(thrown: unknown): { code: string; message: string } {
  return thrown instanceof S3Error
    ? { code: thrown.code, message: thrown.message }
    : { code: "InternalError", message: "We encountered an internal error. Please try again." };
}

/** K5: algorithm and KMS key, never the flag. */
function picked(headers: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of [SSE, SSE_KEY_ID]) {
    const value = headers[name];
    if (typeof value === "string") found[name] = value;
  }
  return found;
}

/** Algorithms of which nobody has shown a record have no word. */
function sseApplied(call: S3Call, algorithm: string | undefined): SseApplied | undefined {
  if (call.headers[SSE_CUSTOMER_ALGORITHM] !== undefined) return "SSE_C";
  const word = algorithm === undefined ? undefined : WORDS[algorithm];
  if (word === undefined) return undefined;
  return call.headers[SSE] === undefined ? `Default_${word}` : word;
}

const WORDS: Readonly<Record<string, "SSE_S3" | "SSE_KMS" | "DSSE_KMS">> = {
  AES256: "SSE_S3",
  "aws:kms": "SSE_KMS",
  "aws:kms:dsse": "DSSE_KMS",
};
