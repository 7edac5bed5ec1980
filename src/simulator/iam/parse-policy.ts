import { checkVariables, parseCondition, type Condition } from "./conditions.ts";
import { arnParts } from "./operators.ts";
import {
  matchesEverything,
  matchesIgnoringCase,
  parsePattern,
  PolicyProblem,
  type Pattern,
} from "./pattern.ts";
import {
  PolicyDocumentError,
  type Policy,
  type PolicyDocument,
  type Selection,
  type Statement,
} from "./policy-document.ts";
import { parseAwsPrincipal, type PrincipalPattern } from "./principal.ts";

/** A key policy says whom it is about, an identity policy hangs on whom it is about. */
export type PolicyKind = "key" | "identity";

const VERSIONS = ["2012-10-17", "2008-10-17"];
const POLICY_MEMBERS = ["Version", "Id", "Statement"];
const STATEMENT_MEMBERS = [
  "Sid",
  "Effect",
  "Principal",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
];
const NO_CONTEXT: ReadonlyMap<string, readonly string[]> = new Map();

type Members = Readonly<Record<string, unknown>>;

/**
 * Reads a policy whole, or not at all.
 *
 * @throws `PolicyDocumentError` with every mistake, and with everything the simulator cannot evaluate.
 */
export function parsePolicy(document: PolicyDocument, kind: PolicyKind): Policy {
  const issues: string[] = [];
  const policy = typeof document === "string" ? parseJson(document) : document;
  if (!isMembers(policy)) throw new PolicyDocumentError(["the policy is not a JSON object"]);
  const report = (path: string, problem: string): void => void issues.push(`${path}: ${problem}`);
  refuseOthers(policy, POLICY_MEMBERS, "", report);
  const version = policy["Version"] ?? "2008-10-17";
  if (!VERSIONS.includes(version as string)) report("Version", `one of ${VERSIONS.join(", ")}`);
  const written = listOf(policy["Statement"]);
  if (written.length === 0) report("Statement", "at least one statement");
  const statements = written.flatMap((statement, at) => {
    const path = Array.isArray(policy["Statement"]) ? `Statement[${at}]` : "Statement";
    if (!isMembers(statement)) {
      report(path, "a statement is an object");
      return [];
    }
    return new StatementReader(statement, path, { kind, variables: version === "2012-10-17", report }).read();
  });
  if (issues.length > 0) throw new PolicyDocumentError(issues);
  return { statements, text: typeof document === "string" ? document : JSON.stringify(document) };
}

interface Reading {
  readonly kind: PolicyKind;
  readonly variables: boolean;
  readonly report: (path: string, problem: string) => void;
}

class StatementReader {
  readonly #members: Members;
  readonly #path: string;
  readonly #reading: Reading;

  constructor(members: Members, path: string, reading: Reading) {
    this.#members = members;
    this.#path = path;
    this.#reading = reading;
  }

  /** Nothing for a statement that can never be about a KMS request of a principal here. */
  read(): Statement[] {
    refuseOthers(this.#members, STATEMENT_MEMBERS, `${this.#path}.`, this.#reading.report);
    const { Effect: effect } = this.#members;
    if (effect !== "Allow" && effect !== "Deny") this.#report("Effect", "Allow or Deny");
    const principals = this.#principals();
    const actions = this.#selection("Action", (_pattern, text) => {
      if (!/^(\*|[\w-]+:[\w*?]+)$/.test(text)) throw new PolicyProblem(`'${text}' is no action`);
      if (maybeKms(text)) return;
      if (this.#reading.kind === "key") throw new PolicyProblem(`'${text}' is no action of KMS`);
      // S3 grants everything here: an Allow of its actions changes nothing, a Deny would be lost.
      if (effect === "Deny") {
        throw new PolicyProblem(`'${text}' is not decided here, only kms: actions are: leave its Deny out`);
      }
    });
    if (!actions.not && !this.#texts("Action").some(maybeKms)) return [];
    const resources = this.#selection("Resource", (pattern, text) => {
      if (!matchesEverything(pattern) && arnParts(pattern) === undefined) {
        throw new PolicyProblem(`'${text}' is neither an ARN nor *`);
      }
      if (this.#reading.variables) checkVariables(text);
    });
    if (principals?.every(({ kind }) => kind === "service") === true) return [];
    const conditions = this.#conditions();
    return [{ effect: effect as Statement["effect"], principals, actions, resources, conditions }];
  }

  #principals(): readonly PrincipalPattern[] | undefined {
    const principal = this.#members["Principal"];
    if (this.#reading.kind === "identity") {
      if (principal !== undefined) this.#report("Principal", "not in a policy of an identity");
      return undefined;
    }
    if (principal === "*") return [{ kind: "everyone" }];
    if (!isMembers(principal) || Object.keys(principal).length === 0) {
      this.#report("Principal", 'a key policy needs one: "*" or { "AWS": ... }');
      return [];
    }
    return Object.entries(principal).flatMap(([kind, value]) => {
      const names = listOf(value);
      if (names.length === 0 || !names.every((name) => typeof name === "string")) {
        this.#report(`Principal.${kind}`, "a text, or a list of texts");
        return [];
      }
      if (kind === "Service") return names.map((): PrincipalPattern => ({ kind: "service" }));
      if (kind !== "AWS") {
        this.#report(`Principal.${kind}`, "this kind of principal is not simulated");
        return [];
      }
      return names.flatMap((name) => {
        const pattern = parseAwsPrincipal(name);
        if (pattern === undefined) {
          this.#report("Principal.AWS", `'${name}' is neither *, an account, nor the ARN of a user or role`);
        }
        return pattern ?? [];
      });
    });
  }

  #selection(name: "Action" | "Resource", check: (pattern: Pattern, text: string) => void): Selection {
    const not = this.#members[`Not${name}`] !== undefined;
    if (not === (this.#members[name] !== undefined)) this.#report(name, `either ${name} or Not${name}`);
    const path = not ? `Not${name}` : name;
    const patterns = this.#texts(path).flatMap((text) => {
      try {
        // Policy variables stand in resources, never in actions.
        const variables = name === "Resource" && this.#reading.variables;
        const pattern = parsePattern(text, { wildcards: true, variables });
        check(pattern, text);
        return [pattern];
      } catch (error) {
        return this.#problem(path, error);
      }
    });
    return { not, patterns };
  }

  #texts(name: string): readonly string[] {
    const value = this.#members[name];
    if (value === undefined) return [];
    const texts = listOf(value);
    if (texts.length > 0 && texts.every((text) => typeof text === "string")) return texts;
    this.#report(name, "a text, or a list of texts");
    return [];
  }

  #conditions(): readonly Condition[] {
    const condition = this.#members["Condition"] ?? {};
    if (!isMembers(condition)) {
      this.#report("Condition", "an object of operators");
      return [];
    }
    return Object.entries(condition).flatMap(([operator, keys]) => {
      if (!isMembers(keys)) {
        this.#report(`Condition.${operator}`, "an object of condition keys");
        return [];
      }
      return Object.entries(keys).flatMap(([key, value]) => this.#condition(operator, key, listOf(value)));
    });
  }

  #condition(operator: string, key: string, values: readonly unknown[]): Condition[] {
    const path = `Condition.${operator}.${key}`;
    if (!values.every((value) => ["string", "number", "boolean"].includes(typeof value))) {
      this.#report(path, "a text, or a list of texts");
      return [];
    }
    try {
      return [parseCondition(operator, key, values.map(String), this.#reading.variables)];
    } catch (error) {
      return this.#problem(path, error);
    }
  }

  #problem(path: string, error: unknown): [] {
    if (!(error instanceof PolicyProblem)) throw error;
    this.#report(path, error.message);
    return [];
  }

  #report(path: string, problem: string): void {
    this.#reading.report(`${this.#path}.${path}`, problem);
  }
}

/** Whether an action of a policy can mean one of KMS. */
function maybeKms(action: string): boolean {
  const service = parsePattern(action.split(":", 1)[0] as string, { wildcards: true, variables: false });
  return matchesIgnoringCase(service, "kms", NO_CONTEXT);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PolicyDocumentError([`the policy is not JSON: ${(error as Error).message}`]);
  }
}

function refuseOthers(
  members: Members,
  known: readonly string[],
  path: string,
  report: (path: string, problem: string) => void,
): void {
  for (const name of Object.keys(members)) {
    if (!known.includes(name)) report(path + name, "this element is not simulated");
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
