export { otel } from "./otel.ts";
export type { OtelOptions } from "./options.ts";
export { bucketKeyResponseHook } from "./response-hook.ts";
export type { ResponseView, SpanView } from "./response-hook.ts";
export { ATTRIBUTES, METRICS, OTHER, SPAN_ATTRIBUTES } from "./names.ts";
export type { AttributeName, AttributeValues, MetricDefinition, MetricKey } from "./names.ts";
export type { CacheResult, EnvelopeEvent, RetireReason } from "../body-sealer.ts";
export type {
  ClientInfo,
  CountSource,
  EnvelopeStats,
  ErrorPhase,
  Outcome,
  Stats,
  Telemetry,
} from "../telemetry/telemetry.ts";
