import type { RequestContext } from "./request-context.ts";

/** What a mistake in a policy is called while it is read; the reader knows where it stands. */
export class PolicyProblem extends Error {
  override readonly name = "PolicyProblem";
}

const ANY_TEXT: unique symbol = Symbol("*");
const ANY_CHARACTER: unique symbol = Symbol("?");

/** One character, or a wildcard. */
type Atom = string | typeof ANY_TEXT | typeof ANY_CHARACTER;

/** A policy variable: its value in the request, else the text after the comma, if any. */
interface Variable {
  readonly key: string;
  readonly otherwise: string | undefined;
}

/** Text of a policy, taken apart: characters, wildcards and policy variables. */
export type Pattern = readonly (Atom | Variable)[];

/** How the text of a policy is read. */
export interface Reading {
  readonly wildcards: boolean;
  /** Policy variables exist in policies of 2012-10-17; elsewhere `${` is plain text. */
  readonly variables: boolean;
}

const VARIABLE = /^\$\{\s*([^},\s][^},]*?)\s*(?:,\s*'([^']*)'\s*)?\}/;
/** `${*}`, `${?}` and `${$}` are those characters themselves. */
const LITERALS = new Set(["*", "?", "$"]);

/** @throws `PolicyProblem` for a policy variable that is malformed. */
export function parsePattern(text: string, reading: Reading): Pattern {
  const pattern: (Atom | Variable)[] = [];
  for (let rest = text; rest !== "";) {
    if (reading.variables && rest.startsWith("${")) {
      const found = VARIABLE.exec(rest);
      if (found === null) throw new PolicyProblem(`a malformed policy variable in '${text}'`);
      const [whole, key = "", otherwise] = found;
      pattern.push(LITERALS.has(key) ? key : { key: key.toLowerCase(), otherwise });
      rest = rest.slice(whole.length);
      continue;
    }
    const character = String.fromCodePoint(rest.codePointAt(0) as number);
    pattern.push(reading.wildcards ? atomOf(character) : character);
    rest = rest.slice(character.length);
  }
  return pattern;
}

function atomOf(character: string): Atom {
  if (character === "*") return ANY_TEXT;
  return character === "?" ? ANY_CHARACTER : character;
}

/** The condition keys that a pattern asks for as variables. */
export function variablesOf(pattern: Pattern): readonly string[] {
  return pattern.flatMap((part) => (typeof part === "object" ? [part.key] : []));
}

/** Whether a pattern is `*` and nothing else. */
export function matchesEverything(pattern: Pattern): boolean {
  return pattern.length === 1 && pattern[0] === ANY_TEXT;
}

/** A pattern divided at a character that stands in it as plain text, at most into so many parts. */
export function splitPattern(pattern: Pattern, at: string, parts: number): readonly Pattern[] {
  const found: (Atom | Variable)[][] = [[]];
  for (const part of pattern) {
    if (part === at && found.length < parts) found.push([]);
    else found.at(-1)?.push(part);
  }
  return found;
}

/**
 * Whether a text matches. `*` is any text, `?` one character. A variable without a value matches nothing: AWS
 * calls it effectively null.
 */
export function matches(pattern: Pattern, text: string, context: RequestContext): boolean {
  const atoms = resolve(pattern, context);
  return atoms !== undefined && matchesAtoms(atoms, Array.from(text));
}

/** The same, whatever the case of the letters. */
export function matchesIgnoringCase(pattern: Pattern, text: string, context: RequestContext): boolean {
  const atoms = resolve(pattern, context)?.map((atom) =>
    typeof atom === "string" ? atom.toLowerCase() : atom,
  );
  return atoms !== undefined && matchesAtoms(atoms, Array.from(text.toLowerCase()));
}

/** Values of variables are plain text, wildcards in them included. */
function resolve(pattern: Pattern, context: RequestContext): readonly Atom[] | undefined {
  if (!pattern.some((part) => typeof part === "object")) return pattern as readonly Atom[];
  const atoms: Atom[] = [];
  for (const part of pattern) {
    if (typeof part !== "object") {
      atoms.push(part);
      continue;
    }
    const value = context.get(part.key)?.[0] ?? part.otherwise;
    if (value === undefined) return undefined;
    atoms.push(...Array.from(value));
  }
  return atoms;
}

/** Two pointers, never more than pattern x text steps: after a mismatch the last `*` takes one character more. */
function matchesAtoms(atoms: readonly Atom[], text: readonly string[]): boolean {
  let at = 0;
  let star = -1;
  let retry = 0;
  for (let i = 0; i < text.length;) {
    const atom = atoms[at];
    if (atom === ANY_TEXT) {
      star = at++;
      retry = i;
    } else if (atom === ANY_CHARACTER || atom === text[i]) {
      at++;
      i++;
    } else if (star !== -1) {
      at = star + 1;
      i = ++retry;
    } else {
      return false;
    }
  }
  while (atoms[at] === ANY_TEXT) at++;
  return at === atoms.length;
}
