import { trace, type Span } from "@opentelemetry/api";
import type { Outcome } from "../telemetry/telemetry.ts";
import { SPAN_ATTRIBUTES } from "./names.ts";

/**
 * Writes what became of a request on the span that the AWS SDK's own instrumentation has open for it.
 *
 * Any other active span is the user's: several uploads under it would overwrite each other there, and nobody asked
 * for it.
 */
export function describeOnSpan(outcome: Outcome): void {
  const span = trace.getActiveSpan();
  if (span?.isRecording() === true && isOfCall(span, outcome.operation)) {
    span.setAttributes(spanAttributes(outcome));
  }
}

/**
 * A span tells its attributes only by a field of the SDK's. That of 2.x and 3.x has it; where it is missing,
 * nothing is written.
 */
function isOfCall(span: Span, operation: string): boolean {
  const { attributes } = span as { attributes?: Readonly<Record<string, unknown>> };
  const system = attributes?.["rpc.system"] ?? attributes?.["rpc.system.name"];
  const method = attributes?.["rpc.method"];
  // The stable convention wants `Service/Operation`, which the instrumentation doesn't write yet.
  return system === "aws-api" && typeof method === "string" && method.split("/").at(-1) === operation;
}

type SpanAttributeName = (typeof SPAN_ATTRIBUTES)[keyof typeof SPAN_ATTRIBUTES];

function spanAttributes({ decision, response, error }: Outcome): Record<string, string | string[]> {
  const attributes: Partial<Record<SpanAttributeName, string | string[]>> = {};
  if (decision !== undefined) {
    attributes[SPAN_ATTRIBUTES.decision] = decision.decision;
    attributes[SPAN_ATTRIBUTES.why] = decision.why;
    attributes[SPAN_ATTRIBUTES.mode] = decision.mode;
    attributes[SPAN_ATTRIBUTES.rule] = decision.rule;
  }
  if (response !== undefined) {
    attributes[SPAN_ATTRIBUTES.rule] = response.rule;
    attributes[SPAN_ATTRIBUTES.state] = response.state;
    attributes[SPAN_ATTRIBUTES.sse] = response.sse;
    attributes[SPAN_ATTRIBUTES.verdict] = response.verdict;
    if (response.drifts.length > 0) attributes[SPAN_ATTRIBUTES.driftKinds] = [...response.drifts];
  }
  // `error.type` is the instrumentation's to write.
  if (error !== undefined) attributes[SPAN_ATTRIBUTES.phase] = error.phase;
  return attributes;
}
