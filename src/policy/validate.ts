import type { PolicyIssue } from "../errors.ts";
import { DEFAULTS, POLICY, RULE, type FieldsShape, type Shape } from "./fields.ts";
import { nearest } from "./nearest.ts";
import type { Policy, PolicyRule, RuleMatch } from "./policy.ts";

type Path = PolicyIssue["path"];
type Report = (code: string, path: Path, message: string) => void;

/**
 * Every mistake in a policy: those of shape, or when there are none, those of meaning.
 *
 * Its tests are left to those who run them.
 *
 * @param policy - Anything; a policy without mistakes is a `Policy`.
 */
export function checkPolicy(policy: unknown): readonly PolicyIssue[] {
  const issues = checkShape(policy, POLICY);
  return issues.length > 0 ? issues : checkMeaning(policy as Policy);
}

/** The mistakes that can be seen without knowing what the fields mean. */
export function checkShape(value: unknown, shape: Shape): PolicyIssue[] {
  const issues: PolicyIssue[] = [];
  look(shape, value, [], (code, path, message) => issues.push({ code, path, message }));
  return issues;
}

function look(shape: Shape, value: unknown, path: Path, report: Report): void {
  const wrongType = (wanted: string, hint = ""): void =>
    report("wrong-type", path, `Expected ${wanted}, found ${shown(value)}.${hint}`);

  switch (shape.is) {
    case "any":
      return;
    case "text":
      if (typeof value !== "string") {
        wrongType("text", typeof value === "number" ? ` Put it in quotes: "${value}".` : "");
      } else if (!value.trim()) {
        report("empty-text", path, `Expected ${shape.write ?? "text"}, found an empty one.`);
      } else if (shape.like?.test(value) === false || shape.ok?.(value) === false) {
        report(shape.code as string, path, `${shown(value)} doesn't fit: write ${shape.write}.`);
      }
      return;
    case "flag":
      if (typeof value !== "boolean") wrongType("true or false", unquoted(value, [true, false]));
      return;
    case "one":
      if (!shape.of.includes(value as string)) {
        report(
          shape.code ?? "unknown-value",
          path,
          `${shown(value)} isn't known here: write ${anyOf(shape.of)}.${unquoted(value, shape.of) || meant(value, shape.of)}`,
        );
      }
      return;
    case "list":
      if (!Array.isArray(value)) {
        wrongType("a list", typeof value === "string" ? ` Write [${shown(value)}].` : "");
      } else if (value.length === 0 && !shape.mayBeEmpty) {
        report("empty-list", path, "An empty list matches nothing: fill it, or leave the field out.");
      } else {
        value.forEach((item, i) => look(shape.of, item, [...path, i], report));
      }
      return;
    case "either":
      look(shape.of[isRecord(value) ? 1 : 0], value, path, report);
      return;
    case "map":
      if (!isRecord(value)) wrongType("names, each with its value");
      else for (const name of Object.keys(value)) look(shape.of, value[name], [...path, name], report);
      return;
    case "fields":
      if (isRecord(value)) lookAtFields(shape, value, path, report);
      else wrongType(`fields such as ${Object.keys(shape.need ?? shape.of)[0]}`);
  }
}

function lookAtFields(
  { of, need, mayBeEmpty, elsewhere = {} }: FieldsShape,
  value: Readonly<Record<string, unknown>>,
  path: Path,
  report: Report,
): void {
  // A member that is undefined, as TypeScript writes it, is an absent one.
  const names = Object.keys(value).filter((name) => value[name] !== undefined);
  for (const name of names) {
    const field = own(of, name);
    if (field) look(field, value[name], [...path, name], report);
    else reportUnknownField(of, name, own(elsewhere, name), [...path, name], report);
  }
  for (const [name, write] of Object.entries(need ?? {})) {
    if (!names.includes(name)) report("missing-field", path, `${name} is missing: write ${name}: ${write}.`);
  }
  if (names.length === 0 && !need && !mayBeEmpty) {
    report("empty-fields", path, `Nothing stands here: write ${anyOf(Object.keys(of))}, or leave it out.`);
  }
}

function reportUnknownField(
  of: FieldsShape["of"],
  name: string,
  calledHere: string | undefined,
  path: Path,
  report: Report,
): void {
  const names = Object.keys(of);
  const parent = names.find((child) => {
    const inner = of[child] as Shape;
    return inner.is === "fields" && own(inner.of, name);
  });
  const misplaced = of === DEFAULTS.of && own(RULE.of, name);
  const hint = misplaced
    ? "defaults don't take it: write it in each rule that needs it."
    : calledHere
      ? `Write ${calledHere}.`
      : parent
        ? `Write it under ${parent}.`
        : meant(name, names) || `Write ${anyOf(names)}.`;
  report(
    misplaced ? "not-a-default" : "unknown-field",
    path,
    `${shown(name)} isn't a field here. ${hint.trim()}`,
  );
}

/** What the fields of a rule must not say together: the code, where, and what to write instead. */
const RULE_MISTAKES: readonly (readonly [
  code: string,
  where: (rule: PolicyRule) => readonly Path[],
  message: string,
])[] = [
  [
    "reserved-id",
    ({ id }) => (id === "defaults" ? [["id"]] : []),
    "defaults stands for what holds where no rule matches: write another id.",
  ],
  [
    "expiry-without-date",
    ({ onExpiry, expires }) => (onExpiry && !expires ? [["onExpiry"]] : []),
    "onExpiry needs a date: write expires too, or leave it out.",
  ],
  [
    "seal-that-expires",
    ({ onExpiry, envelope }) => (onExpiry === "drop" && envelope === "seal" ? [["onExpiry"]] : []),
    "Sealing must not end in silence: write onExpiry: keep, and envelope: unseal when the day comes.",
  ],
  [
    "bucket-operation-with-keys",
    (rule) =>
      rule.match?.operations?.every((operation) => operation === "PutBucketEncryption")
        ? matchFields(rule, /^(keys|prefixes)$/, true)
        : [],
    "PutBucketEncryption has no key to match: leave this out, or list operations on objects.",
  ],
  [
    "envelope-match",
    (rule) => (rule.envelope ? matchFields(rule, /^(buckets|keys|prefixes)$/, false) : []),
    "A place is sealed for every operation: with envelope, match buckets, keys and prefixes only.",
  ],
  [
    "contradiction",
    ({ match = {}, except }) => (except && isCoveredBy(match, except) ? [["except"]] : []),
    "except takes away all that match takes: write a narrower one.",
  ],
];

/** Where `match` and `except` name fields that are, or aren't, among some. */
function matchFields({ match, except }: PolicyRule, some: RegExp, among: boolean): readonly Path[] {
  return Object.entries({ match, except }).flatMap(([part, fields = {}]) =>
    Object.keys(fields)
      .filter((field) => some.test(field) === among)
      .map((field) => [part, field]),
  );
}

/** Whether each field of `except` lists all that `match` lists there. */
function isCoveredBy(match: RuleMatch, except: RuleMatch): boolean {
  return (Object.keys(except) as (keyof RuleMatch)[]).every((field) => {
    const excepted: readonly string[] | undefined = except[field];
    return match[field]?.every((item) => excepted?.includes(item));
  });
}

/** The mistakes of a policy whose shape is right. */
export function checkMeaning({ kmsKeys = {}, rules = [] }: Policy): PolicyIssue[] {
  const issues: PolicyIssue[] = [];
  const report: Report = (code, path, message) => issues.push({ code, path, message });

  const keyOfAlias = new Map<string, string>();
  for (const [name, key] of Object.entries(kmsKeys)) {
    if (typeof key === "string") continue;
    key.aliases?.forEach((alias, i) => {
      const other = keyOfAlias.get(alias);
      const message = `${alias} stands for ${other} already: an alias has one key.`;
      if (other) report("duplicate-alias", ["kmsKeys", name, "aliases", i], message);
      keyOfAlias.set(alias, name);
    });
  }

  const ids = new Set<string>();
  rules.forEach((rule, i) => {
    const path = ["rules", i];
    if (ids.has(rule.id))
      report("duplicate-id", [...path, "id"], "Another rule has this id: write a new one.");
    ids.add(rule.id);
    issues.push(...checkKeyName(kmsKeys, rule.kmsKey, [...path, "kmsKey"]));
    for (const [code, where, message] of RULE_MISTAKES) {
      for (const field of where(rule)) report(code, [...path, ...field], message);
    }
  });
  return issues;
}

/** The mistake of naming a key, `@name`, that `kmsKeys` hasn't got. */
export function checkKeyName(
  kmsKeys: Policy["kmsKeys"] = {},
  key: string | undefined,
  path: Path,
): readonly PolicyIssue[] {
  if (!key?.startsWith("@") || own(kmsKeys, key.slice(1))) return [];
  const hint = meant(
    key,
    Object.keys(kmsKeys).map((name) => `@${name}`),
  );
  return [{ code: "undefined-key", path, message: `${key} isn't in kmsKeys: add it there.${hint}` }];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A member of its own: `constructor` is no field of anything. */
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** A value in a sentence: its kind, or at most 80 characters of itself. */
function shown(value: unknown): string {
  if (value == null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "fields";
  // What JSON can't say (a bigint, a function) is called by its type.
  return /^(string|number|boolean)$/.test(typeof value) ? JSON.stringify(value).slice(0, 80) : typeof value;
}

function anyOf(values: readonly unknown[]): string {
  return values
    .map(String)
    .join(", ")
    .replace(/, (?=[^,]*$)/, " or ");
}

/** What was text, and is known without the quotes: `"true"`, `"1"`. */
function unquoted(written: unknown, values: readonly unknown[]): string {
  if (typeof written !== "string") return "";
  const word = written.toLowerCase();
  const isKnown = values.some((value) => typeof value !== "string" && String(value) === word);
  return isKnown ? ` Write ${word} without quotes.` : "";
}

/** Words of YAML 1.1 that YAML 1.2 takes for text. */
const SAME_WORDS: Readonly<Record<string, string>> = { yes: "on", no: "off" };

function meant(written: unknown, values: readonly unknown[]): string {
  if (typeof written !== "string") return "";
  const same = own(SAME_WORDS, written.toLowerCase());
  const near = same !== undefined && values.includes(same) ? same : nearest(written, values.map(String));
  return near ? ` Did you mean ${near}?` : "";
}
