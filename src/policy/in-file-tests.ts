/** A policy's own tests: checked, read as facts, and run. */
import type { PolicyIssue } from "../errors.ts";
import { decide } from "./decide.ts";
import { keyArnOf } from "./kms-keys.ts";
import { POLICY_WITH_TESTS, REQUEST } from "./test-fields.ts";
import type { Decision, DecisionSet, Policy, PolicyTest, PolicyTestRequest, RequestFacts } from "./policy.ts";
import { checkKeyName, checkMeaning, checkShape } from "./validate.ts";

/**
 * Every mistake of a policy and of its tests, as far as they can be seen without running them: those of
 * shape, or when there are none, those of meaning.
 */
export function checkPolicyAndTests(policy: unknown): readonly PolicyIssue[] {
  const shape = checkShape(policy, POLICY_WITH_TESTS);
  if (shape.length > 0) return shape;
  const { kmsKeys, tests = [] } = policy as Policy;
  const ofTests = tests.flatMap(({ request, expect }, i) => [
    ...checkKeyName(kmsKeys, request.kmsKey, ["tests", i, "request", "kmsKey"]),
    ...checkKeyName(kmsKeys, expect.set?.kmsKey, ["tests", i, "expect", "set", "kmsKey"]),
  ]);
  return [...checkMeaning(policy as Policy), ...ofTests];
}

/** The mistakes of one request that people wrote for a valid policy. */
export function checkRequest(policy: Policy, request: unknown): readonly PolicyIssue[] {
  const shape = checkShape(request, REQUEST);
  if (shape.length > 0) return shape;
  return checkKeyName(policy.kmsKeys, (request as PolicyTestRequest).kmsKey, ["kmsKey"]);
}

/** What one test came to. */
export interface PolicyTestResult {
  readonly name: string;
  readonly decision: Decision;
  /** The fields of `expect` that came out otherwise; empty: the test passed. */
  readonly failures: readonly TestFailure[];
}

export interface TestFailure {
  readonly field: keyof PolicyTest["expect"];
  readonly expected: unknown;
  readonly actual: unknown;
}

/** Runs the tests of a valid policy. */
export function runPolicyTests(policy: Policy): readonly PolicyTestResult[] {
  return (policy.tests ?? []).map(({ name, request, expect }) => {
    const decision = decide(policy, factsOfRequest(policy, request));
    const failures = Object.entries(expect).flatMap(([member, wanted]): TestFailure[] => {
      if (wanted === undefined) return [];
      const field = member as TestFailure["field"];
      const expected = field === "set" ? withKeyArn(policy, wanted as DecisionSet) : wanted;
      const actual = decision[field];
      return comparable(expected) === comparable(actual) ? [] : [{ field, expected, actual }];
    });
    return { name, decision, failures };
  });
}

/** The failed tests as issues, each at the field that came out otherwise. */
export function testIssues(policy: Policy): readonly PolicyIssue[] {
  return runPolicyTests(policy).flatMap(({ name, decision, failures }, i) =>
    failures.map(({ field, expected, actual }): PolicyIssue => ({
      code: "failed-test",
      path: ["tests", i, "expect", field],
      message:
        `Test "${name}" expects ${field} ${shown(expected)} and gets ${shown(actual)} ` +
        `(${decision.decision}, ${decision.why}, rule ${decision.rule}): change the rule or the test.`,
    })),
  );
}

/** A request as people write it, as facts: `@name` becomes the key's ARN and `now` a point in time. */
export function factsOfRequest(policy: Policy, request: PolicyTestRequest): RequestFacts {
  const { now, ...facts } = withKeyArn(policy, request);
  return now === undefined ? facts : { ...facts, now: new Date(now) };
}

function withKeyArn<T extends { readonly kmsKey?: string | undefined }>(policy: Policy, value: T): T {
  const named = value.kmsKey?.startsWith("@") === true ? policy.kmsKeys?.[value.kmsKey.slice(1)] : undefined;
  return named === undefined ? value : { ...value, kmsKey: keyArnOf(named) };
}

/** The same text for the same value, whatever the order of fields and of notes. */
function comparable(value: unknown): string {
  if (Array.isArray(value)) return JSON.stringify(value.map(String).toSorted());
  if (typeof value !== "object" || value === null) return String(value);
  return JSON.stringify(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  return typeof value === "string" ? value : JSON.stringify(value);
}
