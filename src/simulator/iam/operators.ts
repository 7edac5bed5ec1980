import {
  matches,
  matchesEverything,
  matchesIgnoringCase,
  parsePattern,
  PolicyProblem,
  splitPattern,
  variablesOf,
  type Pattern,
} from "./pattern.ts";
import type { RequestContext } from "./request-context.ts";

/** Whether one value of a request is what one value of a policy says. */
export type Test = (value: string, context: RequestContext) => boolean;

export interface Operator {
  /**
   * @param written - The value in the policy.
   * @param variables - Whether the policy's version knows policy variables.
   * @throws `PolicyProblem` for a value that such an operator cannot take.
   */
  readonly test: (written: string, variables: boolean) => Test;
  /** The condition holds when no value of the policy fits. */
  readonly negated: boolean;
}

/** `Null` asks whether a key is there, and is no comparison: `conditions.ts` knows it. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  StringEquals: { test: text(matches, false), negated: false },
  StringNotEquals: { test: text(matches, false), negated: true },
  StringEqualsIgnoreCase: { test: text(matchesIgnoringCase, false), negated: false },
  StringNotEqualsIgnoreCase: { test: text(matchesIgnoringCase, false), negated: true },
  StringLike: { test: text(matches, true), negated: false },
  StringNotLike: { test: text(matches, true), negated: true },
  // AWS: both behave the same.
  ArnEquals: { test: arn, negated: false },
  ArnNotEquals: { test: arn, negated: true },
  ArnLike: { test: arn, negated: false },
  ArnNotLike: { test: arn, negated: true },
  Bool: { test: bool, negated: false },
  NumericEquals: { test: number((value, written) => value === written), negated: false },
  NumericNotEquals: { test: number((value, written) => value === written), negated: true },
  NumericLessThan: { test: number((value, written) => value < written), negated: false },
  NumericLessThanEquals: { test: number((value, written) => value <= written), negated: false },
  NumericGreaterThan: { test: number((value, written) => value > written), negated: false },
  NumericGreaterThanEquals: { test: number((value, written) => value >= written), negated: false },
  DateEquals: { test: date((value, written) => value === written), negated: false },
  DateNotEquals: { test: date((value, written) => value === written), negated: true },
  DateLessThan: { test: date((value, written) => value < written), negated: false },
  DateLessThanEquals: { test: date((value, written) => value <= written), negated: false },
  DateGreaterThan: { test: date((value, written) => value > written), negated: false },
  DateGreaterThanEquals: { test: date((value, written) => value >= written), negated: false },
};

function text(fits: typeof matches, wildcards: boolean): Operator["test"] {
  return (written, variables) => {
    const pattern = parsePattern(written, { wildcards, variables });
    return (value, context) => fits(pattern, value, context);
  };
}

function arn(written: string, variables: boolean): Test {
  const pattern = parsePattern(written, { wildcards: true, variables });
  const parts = arnParts(pattern);
  if (parts === undefined) throw new PolicyProblem(`'${written}' is no ARN of six parts`);
  return (value, context) => matchesArn(parts, value, context);
}

/** The six parts of an ARN, the last with whatever colons it has; undefined for less. */
export function arnParts(pattern: Pattern): readonly Pattern[] | undefined {
  const parts = splitPattern(pattern, ":", 6);
  return parts.length === 6 ? parts : undefined;
}

/** Part by part: a wildcard never reaches over a colon before the last part. */
function matchesArn(parts: readonly Pattern[], value: string, context: RequestContext): boolean {
  const [first = "", second = "", third = "", fourth = "", fifth = "", ...rest] = value.split(":");
  if (rest.length === 0) return false;
  const values = [first, second, third, fourth, fifth, rest.join(":")];
  return parts.every((part, at) => matches(part, values[at] as string, context));
}

/** A `Resource`: `*`, or an ARN. */
export function matchesResource(pattern: Pattern, resource: string, context: RequestContext): boolean {
  if (matchesEverything(pattern)) return true;
  const parts = arnParts(pattern);
  return parts !== undefined && matchesArn(parts, resource, context);
}

function bool(written: string, variables: boolean): Test {
  refuseVariables(written, variables);
  if (written !== "true" && written !== "false") throw new PolicyProblem(`'${written}' is not true or false`);
  return (value) => value === written;
}

function number(compare: (value: number, written: number) => boolean): Operator["test"] {
  return (written, variables) => {
    refuseVariables(written, variables);
    const limit = Number(written);
    if (written.trim() === "" || !Number.isFinite(limit))
      throw new PolicyProblem(`'${written}' is no number`);
    return (value) => value !== "" && Number.isFinite(Number(value)) && compare(Number(value), limit);
  };
}

/** ISO 8601, or seconds since 1970. */
function date(compare: (value: number, written: number) => boolean): Operator["test"] {
  return (written, variables) => {
    refuseVariables(written, variables);
    const limit = timeOf(written);
    if (Number.isNaN(limit)) throw new PolicyProblem(`'${written}' is no date`);
    return (value) => !Number.isNaN(timeOf(value)) && compare(timeOf(value), limit);
  };
}

function timeOf(value: string): number {
  if (/^\d+$/.test(value)) return Number(value) * 1_000;
  return /^\d{4}-\d\d/.test(value) ? Date.parse(value) : Number.NaN;
}

/** AWS takes policy variables in comparisons of texts and ARNs only. */
function refuseVariables(written: string, variables: boolean): void {
  if (variables && variablesOf(parsePattern(written, { wildcards: false, variables })).length > 0) {
    throw new PolicyProblem(`policy variables are for String and Arn operators: '${written}'`);
  }
}
