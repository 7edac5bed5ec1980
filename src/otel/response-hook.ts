import { OPERATIONS } from "../operations.ts";
import type { ResponseState } from "../policy/policy.ts";
import { SPAN_ATTRIBUTES } from "./names.ts";

/**
 * What the hook uses of a span.
 *
 * @public
 */
export interface SpanView {
  /** Sets one attribute. */
  setAttribute(name: string, value: string): unknown;
}

/**
 * What the hook uses of an answer, as `AwsInstrumentation` hands it over.
 *
 * @public
 */
export interface ResponseView {
  /** One answer of any AWS service. */
  readonly response: {
    /** The command's output. */
    readonly data: unknown;
    /** What was asked, and of whom: `S3`, `PutObject`. */
    readonly request: { readonly serviceName: string; readonly commandName: string };
  };
}

/**
 * A `responseHook` for `AwsInstrumentation` of `@opentelemetry/instrumentation-aws-sdk`: writes on the span of
 * each S3 call that shows encryption whether there was a bucket key (`s3_bucket_key.state`), and the algorithm
 * (`s3_bucket_key.sse.algorithm`).
 *
 * It needs no plugin on the client, and knows no decision: `otel({ spanAttributes: true })` writes those. Calls of
 * other services, and S3 calls that show no encryption, stay as they are. Never throws.
 *
 * @example
 * ```ts
 * new AwsInstrumentation({ responseHook: bucketKeyResponseHook });
 * ```
 * @public
 */
export function bucketKeyResponseHook(span: SpanView, { response }: ResponseView): void {
  try {
    const { serviceName, commandName } = response.request;
    if (serviceName !== "S3" || !Object.hasOwn(OPERATIONS, commandName)) return;
    const { sse, flag } = encryptionIn(response.data);
    span.setAttribute(SPAN_ATTRIBUTES.state, stateOf(sse, flag));
    span.setAttribute(SPAN_ATTRIBUTES.sse, sse);
  } catch {
    // A span without these attributes is all that is lost.
  }
}

function encryptionIn(data: unknown): { sse: string; flag: unknown } {
  const output = (data ?? {}) as Readonly<Record<string, unknown>>;
  const sse = output["ServerSideEncryption"];
  const fallback = output["SSECustomerAlgorithm"] === undefined ? "none" : "SSE-C";
  return { sse: typeof sse === "string" ? sse : fallback, flag: output["BucketKeyEnabled"] };
}

/** As the plugin reads the header: S3 leaves it out where there is no bucket key. */
function stateOf(sse: string, flag: unknown): ResponseState {
  if (flag === true) return "enabled";
  if (sse === "aws:kms") return "disabled";
  return sse === "none" ? "unknown" : "not-applicable";
}
