export { bucketKeys } from "./plugin.ts";
export type { BucketKeysPlugin, MiddlewareStackView } from "./plugin.ts";
export type { BucketKeysOptions } from "./options.ts";
export type { BucketDefaults } from "./bucket-defaults.ts";
export type { Logger } from "./log.ts";
export { bucketKeyPostOptions } from "./presigned/post.ts";
export type { PostFacts, PostOptions } from "./presigned/post.ts";
export { readPostAnswer } from "./presigned/post-answer.ts";
export type { AnsweredHeaders, PostAnswer } from "./presigned/post-answer.ts";
export { definePolicy } from "./policy/define.ts";
export { decide } from "./policy/decide.ts";
export { explain } from "./policy/explain.ts";
export type { Explanation, ExplainedRule } from "./policy/explain.ts";
export type { PolicyChange, PolicySnapshot, PolicySource } from "./policy/source.ts";
export type {
  BucketDefault,
  BucketKeySetting,
  BucketType,
  Decision,
  DecisionKind,
  DecisionSet,
  DriftKind,
  Mode,
  NamedKmsKey,
  Note,
  Policy,
  PolicyDefaults,
  PolicyRule,
  PolicyTest,
  PolicyTestRequest,
  RefusedWhy,
  RequestFacts,
  ResponseState,
  RuleMatch,
  Seal,
  Verdict,
  Why,
} from "./policy/policy.ts";
export {
  BucketKeyError,
  BucketKeyFormError,
  BucketKeyRefusedError,
  BucketKeySetupError,
  PolicyError,
} from "./errors.ts";
export type { PolicyIssue } from "./errors.ts";
export type {
  BodySealer,
  CacheResult,
  EnvelopeEvent,
  RetireReason,
  SealedCall,
  SealedResult,
} from "./body-sealer.ts";
export type {
  ClientInfo,
  CountSource,
  EnvelopeStats,
  ErrorPhase,
  Outcome,
  Stats,
  Telemetry,
} from "./telemetry/telemetry.ts";
