import { OPERATORS, type Test } from "./operators.ts";
import { parsePattern, PolicyProblem, variablesOf } from "./pattern.ts";
import { conditionKeyKind, type RequestContext } from "./request-context.ts";

/** One operator and one key of a `Condition`, ready to be asked. */
export type Condition = (context: RequestContext) => boolean;

type Quantifier = "ForAllValues" | "ForAnyValue";

/** An operator as it is written: `ForAllValues:StringLikeIfExists`. */
interface Asked {
  readonly name: string;
  readonly quantifier: Quantifier | undefined;
  readonly ifExists: boolean;
}

const WRITTEN = /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/;

/**
 * @param operator - As written, with what stands before and after it.
 * @param values - The texts of the policy.
 * @param variables - Whether the policy's version knows policy variables.
 * @throws `PolicyProblem` naming an operator, a key or a value that cannot be evaluated here.
 */
export function parseCondition(
  operator: string,
  key: string,
  values: readonly string[],
  variables: boolean,
): Condition {
  const asked = parseOperator(operator);
  checkKey(key, asked);
  const name = key.toLowerCase();
  if (asked.name === "Null") return isAbsent(name, values);
  const { test, negated } = OPERATORS[asked.name] as (typeof OPERATORS)[string];
  const tests = values.map((value) => {
    if (variables) checkVariables(value);
    return test(value, variables);
  });
  return (context) => holds(asked, negated, tests, context.get(name), context);
}

function parseOperator(operator: string): Asked {
  const [, quantifier, name = "", ifExists] = WRITTEN.exec(operator) ?? [];
  if (name === "Null") {
    if (quantifier !== undefined || ifExists !== undefined) {
      throw new PolicyProblem("Null takes neither ForAllValues, ForAnyValue nor IfExists");
    }
  } else if (!Object.hasOwn(OPERATORS, name)) {
    throw new PolicyProblem(`the operator ${operator} is not simulated`);
  }
  return { name, quantifier: quantifier as Quantifier | undefined, ifExists: ifExists !== undefined };
}

function checkKey(key: string, { name, quantifier }: Asked): void {
  const kind = conditionKeyKind(key);
  if (kind === "unknown") throw new PolicyProblem(`the condition key ${key} is not simulated`);
  if (kind === "multi" && quantifier === undefined && name !== "Null") {
    throw new PolicyProblem(`${key} has many values: it needs ForAllValues or ForAnyValue`);
  }
}

/** @throws `PolicyProblem` for a policy variable whose value nobody knows here. */
export function checkVariables(text: string): void {
  for (const key of variablesOf(parsePattern(text, { wildcards: false, variables: true }))) {
    if (conditionKeyKind(key) !== "single") {
      throw new PolicyProblem(`the policy variable \${${key}} is not simulated`);
    }
  }
}

function isAbsent(key: string, values: readonly string[]): Condition {
  const odd = values.find((value) => value !== "true" && value !== "false");
  if (odd !== undefined) throw new PolicyProblem(`'${odd}' is not true or false`);
  return (context) => values.includes(String(!context.has(key)));
}

/**
 * Values of the policy are alternatives; under a negated operator none of them may fit. A key that the request
 * does not have fits nothing, so that negated operators hold.
 */
function holds(
  { quantifier, ifExists }: Asked,
  negated: boolean,
  tests: readonly Test[],
  values: readonly string[] | undefined,
  context: RequestContext,
): boolean {
  const one = (value: string): boolean => tests.some((test) => test(value, context)) !== negated;
  if (values === undefined || values.length === 0) {
    if (ifExists) return true;
    return quantifier === undefined ? negated : quantifier === "ForAllValues";
  }
  // Without a quantifier there is one value.
  return quantifier === "ForAllValues" ? values.every(one) : values.some(one);
}
