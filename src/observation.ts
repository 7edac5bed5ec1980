/** What the middleware does with an answer or an error: judge, log, record. It never touches the call's result. */
import { bucketOf, type Arguments, type Call } from "./call.ts";
import { shownName } from "./errors.ts";
import { knownOutcome, keepOutcome, type Course } from "./courses.ts";
import {
  encryptionHeaders,
  factsIn,
  responseFacts,
  type EncryptionHeaders,
  type ResponseFacts,
} from "./observe/response-facts.ts";
import { JUDGES, judgeWrite, type Judgement, type ObservedRole } from "./observe/verdict.ts";
import { OPERATIONS, type Operation } from "./operations.ts";
import type { CompiledPolicy } from "./policy/compile.ts";
import type { Decision, RequestFacts } from "./policy/policy.ts";
import type { Outcome } from "./telemetry/telemetry.ts";

/** What an answer came to: as an equal one to an equal request did, or found out and kept. */
export function observeAnswer(call: Call, args: Arguments, course: Course, response: unknown): void {
  const { decision } = course;
  const headers = encryptionHeaders(response);
  const outcome =
    headers === undefined
      ? decision && { operation: call.operation, bucket: bucketOf(args), decision }
      : (knownOutcome(course, headers) ?? judgeAnswer(call, args, course, headers));
  if (outcome === undefined) return;
  call.runtime.record(outcome, call.context);
  if (outcome.response !== undefined && outcome.response.drifts.length > 0) sayDrift(call, outcome);
}

function sayDrift({ runtime, context }: Call, { operation, bucket, response }: Outcome): void {
  const { drifts, sse, state, rule } = response as Response;
  runtime.sayLimited(
    `drift ${rule} ${operation} ${bucket}`,
    () =>
      `${operation} to bucket ${shownName(bucket)} succeeded, but the answer differs from what rule ${rule} ` +
      `asked for (${drifts.join(", ")}): it says ${sse}, bucket key ${state}. ` +
      "A server that isn't AWS may not know S3 Bucket Keys.",
    context,
  );
}

function judgeAnswer(
  call: Call,
  args: Arguments,
  course: Course,
  headers: EncryptionHeaders,
): Outcome | undefined {
  const { policy, facts, decision } = course;
  const { operation } = call;
  const bucket = bucketOf(args);
  if (policy === undefined) return decision && { operation, bucket, decision };
  const answer = factsIn(headers);
  const outcome =
    decision === undefined
      ? { operation, bucket, response: readJudged(operation, policy, facts, answer) }
      : { operation, bucket, decision, response: writeJudged(call, policy, facts, decision, answer) };
  keepOutcome(course, headers, outcome);
  return outcome;
}

type Response = NonNullable<Outcome["response"]>;

function writeJudged(
  { runtime, context }: Call,
  policy: CompiledPolicy,
  facts: RequestFacts,
  decision: Decision,
  answer: ResponseFacts,
): Response {
  if (facts.presigning === true) {
    runtime.sayOnce(
      "hidden-command",
      "Another middleware of this client passes requests on without the command that the SDK put there, so " +
        "they look like presigning and the policy's `presigned` setting decides about them. Let that " +
        "middleware call next({ ...args, input }).",
      context,
    );
  }
  const judgement = judgeWrite(policy, facts, decision, answer);
  return judged(answer, judgement, decision.rule);
}

function readJudged(
  operation: Operation,
  policy: CompiledPolicy,
  facts: RequestFacts,
  answer: ResponseFacts,
): Response {
  const rule = policy.firstMatch(asAnswered(facts, answer), true) ?? policy.defaults;
  const judge = JUDGES[OPERATIONS[operation] as ObservedRole];
  return judged(answer, judge(policy, rule, answer), rule.id);
}

/** @param decision - Absent for reads and parts. */
export function observeFailure(
  call: Call,
  args: Arguments,
  error: unknown,
  decision: Decision | undefined,
): void {
  const { runtime, operation, context } = call;
  const bucket = bucketOf(args);
  const { name, status, message, response } = describeError(error);
  const amended = decision?.decision === "amend" && decision.mode === "enforce";
  const outcome: { -readonly [K in keyof Outcome]: Outcome[K] } = { operation, bucket };
  if (decision !== undefined) {
    outcome.decision = decision;
    const answer = responseFacts(response);
    if (answer !== undefined) {
      outcome.response = judged(answer, { verdict: "unverified", drifts: [] }, decision.rule);
    }
  }
  const advice = amended ? adviceOnDenial(name, status) : undefined;
  if (advice !== undefined) {
    outcome.error = { type: name, phase: "amended" };
    runtime.sayLimited(
      `denied ${decision?.rule} ${operation} ${bucket}`,
      () =>
        `${operation} to bucket ${shownName(bucket)} was denied (${name}) after rule ${decision?.rule} wrote ` +
        `${JSON.stringify(decision?.set)} into it. ${advice}`,
      context,
    );
  } else if (isOfKms(name, message)) {
    outcome.error = { type: name, phase: "response" };
  }
  if (decision !== undefined || outcome.error !== undefined) runtime.record(outcome, context);
}

function judged(answer: ResponseFacts, { verdict, drifts }: Judgement, rule: string): Response {
  const { state, sse, kmsKey } = answer;
  return kmsKey === undefined
    ? { state, sse, verdict, drifts, rule }
    : { state, sse, kmsKey, verdict, drifts, rule };
}

/** The facts that reads are held against: algorithm and key as the answer has them. */
function asAnswered(asked: RequestFacts, { sse, kmsKey }: ResponseFacts): RequestFacts {
  const { operation, bucket, bucketType, key, region, account, now } = asked;
  const answered = sse === "none" ? undefined : sse;
  return { operation, bucket, bucketType, key, sse: answered, kmsKey, region, account, now };
}

function describeError(error: unknown): { name: string; status: number; message: string; response: unknown } {
  if (typeof error !== "object" || error === null)
    return { name: "_OTHER", status: 0, message: "", response: undefined };
  const { name, message, $response, $metadata } = error as Partial<Record<string, unknown>>;
  const status = ($metadata as { httpStatusCode?: unknown } | undefined)?.httpStatusCode;
  return {
    name: typeof name === "string" && name !== "" ? name : "_OTHER",
    status: typeof status === "number" ? status : 0,
    message: typeof message === "string" ? message : "",
    response: $response,
  };
}

/** 403s that speak of who asks, not of what is asked for. */
const OF_CREDENTIALS: ReadonlySet<string> = new Set([
  "ExpiredToken",
  "InvalidAccessKeyId",
  "InvalidToken",
  "RequestTimeTooSkewed",
  "SignatureDoesNotMatch",
]);

/** What to look at when S3 or KMS said no to what the request asks for; undefined: it said no to something else. */
function adviceOnDenial(name: string, status: number): string | undefined {
  if (name.startsWith("KMS.")) return "Check the rule's KMS key: its ARN, Region, account and state.";
  if (name === "InvalidArgument" || name === "InvalidRequest") {
    return "The server does not take these settings together.";
  }
  if (status !== 403 || OF_CREDENTIALS.has(name)) return undefined;
  return (
    "Check that this principal may use the KMS key with the bucket's ARN as encryption context " +
    "(kms:GenerateDataKey and kms:Decrypt)."
  );
}

function isOfKms(name: string, message: string): boolean {
  return name.startsWith("KMS.") || (name === "SlowDown" && message.includes("KMS"));
}
