/** The policy-file room turns text into a policy, or into issues with line and column. */
import type { PolicyIssue } from "../errors.ts";
import { deepFreeze } from "../policy/define.ts";
import { checkPolicyAndTests, testIssues } from "../policy/in-file-tests.ts";
import type { Policy } from "../policy/policy.ts";
import { readYaml, type YamlText } from "./yaml-text.ts";

/**
 * A mistake in a policy's text.
 *
 * @public
 */
export interface PolicyFileIssue extends PolicyIssue {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** `file:line:column`. */
  readonly at: string;
}

/**
 * A policy, or every mistake of the first stage that found any.
 *
 * @public
 */
export type ParsedPolicy =
  | { readonly policy: Policy; readonly issues?: undefined }
  | { readonly policy?: undefined; readonly issues: readonly PolicyFileIssue[] };

/**
 * Options of `parsePolicy`.
 *
 * @public
 */
export interface ParsePolicyOptions {
  /** How issues name the text. Default `policy`. */
  readonly file?: string;
}

/**
 * Reads a policy from YAML or JSON text, and runs the tests in it.
 *
 * Four stages, each of which reports all it finds: syntax, shape, meaning, and the policy's own tests. Both
 * `on`/`off` and what YAML 1.1 tools make of them (`true`/`false`) are fine.
 *
 * @param text - Below 10 MB.
 * @returns Never throws on bad text.
 * @example
 * ```ts
 * const { policy, issues } = parsePolicy("version: 1\ndefaults: { bucketKye: on }");
 * // issues[0]: { code: "unknown-field", at: "policy:2:13", message: '"bucketKye" isn\'t a field here. Did you mean bucketKey?', ... }
 * ```
 * @public
 */
export function parsePolicy(text: string, { file = "policy" }: ParsePolicyOptions = {}): ParsedPolicy {
  const { policy, issues } = readPolicy(text, file);
  return issues.length === 0 ? { policy: policy as Policy } : { issues };
}

type Place = Pick<PolicyFileIssue, "line" | "column" | "at">;

/** What the text came to, with the way back from a path to a place in the text. */
export interface ReadPolicy {
  readonly policy: Policy | undefined;
  readonly issues: readonly PolicyFileIssue[];
  /** Puts a place into an issue or finding. */
  readonly locate: <T extends Pick<PolicyIssue, "code" | "path">>(found: T) => T & Place;
}

/** `parsePolicy` for those who have more to say about places in the text. A policy whose tests fail is returned too. */
export function readPolicy(text: string, file: string): ReadPolicy {
  const yaml = readYaml(text);
  const locate: ReadPolicy["locate"] = (found) => ({ ...found, ...placeOf(yaml, found, file) });
  if (yaml.mistakes.length > 0) {
    const issues = yaml.mistakes.map(({ code, message, offset }) => ({
      code,
      path: [],
      message,
      ...atOffset(yaml, offset, file),
    }));
    return { policy: undefined, issues, locate };
  }
  const mistakes = checkPolicyAndTests(yaml.value);
  if (mistakes.length > 0) return { policy: undefined, issues: mistakes.map(locate), locate };
  const { $schema: _forEditors, ...policy } = yaml.value as Policy & { $schema?: string };
  deepFreeze(policy);
  return { policy, issues: testIssues(policy).map(locate), locate };
}

/** Unknown fields are shown at their name, all else at the value. */
const AT_NAME: ReadonlySet<string> = new Set(["unknown-field", "not-a-default", "envelope-match"]);

function placeOf(yaml: YamlText, { code, path }: Pick<PolicyIssue, "code" | "path">, file: string): Place {
  return atOffset(yaml, yaml.offsetOf(path, AT_NAME.has(code) ? "name" : "value"), file);
}

function atOffset(yaml: YamlText, offset: number, file: string): Place {
  const { line, column } = yaml.position(offset);
  return { line, column, at: `${file}:${line}:${column}` };
}
