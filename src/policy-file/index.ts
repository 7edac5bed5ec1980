export { loadPolicy } from "./load.ts";
export type { LoadedPolicy, LoadPolicyOptions, PolicyText, PolicyTextSource } from "./load.ts";
export { parsePolicy } from "./parse.ts";
export type { ParsedPolicy, ParsePolicyOptions, PolicyFileIssue } from "./parse.ts";
export { POLICY_SCHEMA, policySchema } from "./schema.ts";
export { PolicyError } from "../errors.ts";
export type { PolicyIssue } from "../errors.ts";
export type { Policy } from "../policy/policy.ts";
export type { PolicyChange, PolicySnapshot, PolicySource } from "../policy/source.ts";
