import type { PolicyIssue } from "../errors.ts";
import { DEFAULTS, POLICY, RULE, type FieldsShape, type Shape } from "./fields.ts";
import { nearest } from "./nearest.ts";
import type { Policy, PolicyRule, RuleMatch } from "./policy.ts";

type Path = PolicyIssue["path"];
type Report = (code: string, path: Path, message: string) => void;

/**
 * Every mistake in a policy: those of shape, or when there are none, those of meaning.
 *
 * @param policy - Anything; a policy without mistakes is a `Policy`.
 */
export function checkPolicy(policy: unknown): readonly PolicyIssue[] {
  const issues: PolicyIssue[] = [];
  const report: Report = (code, path, message) => issues.push({ code, path, message });
  checkShape(POLICY, policy, [], report);
  if (issues.length === 0) checkMeaning(policy as Policy, report);
  return issues;
}

function checkShape(shape: Shape, value: unknown, path: Path, report: Report): void {
  const wrongType = (wanted: string, hint = ""): void =>
    report("wrong-type", path, `Expected ${wanted}, found ${kindOf(value)}.${hint}`);

  switch (shape.is) {
    case "text":
      if (typeof value !== "string") {
        const hint = typeof value === "number" ? ` Put it in quotes: "${value}".` : "";
        wrongType("text", hint);
      } else if (value.trim() === "") {
        report("empty-text", path, `Expected ${shape.write ?? "text"}, found an empty one.`);
      } else if (shape.like?.test(value) === false || shape.ok?.(value) === false) {
        report(shape.code ?? "", path, `${quote(value)} doesn't fit: write ${shape.write}.`);
      }
      return;
    case "flag":
      if (typeof value !== "boolean") wrongType("true or false");
      return;
    case "one": {
      if (shape.of.includes(value as string)) return;
      const code = shape.code ?? "unknown-value";
      report(
        code,
        path,
        `${quote(value)} isn't known here: write ${anyOf(shape.of)}.${meant(value, shape.of)}`,
      );
      return;
    }
    case "list":
      if (!Array.isArray(value)) {
        wrongType("a list", typeof value === "string" ? ` Write [${quote(value)}].` : "");
      } else if (value.length === 0 && !shape.mayBeEmpty) {
        report("empty-list", path, "An empty list matches nothing: fill it, or leave the field out.");
      } else {
        for (const [i, item] of value.entries()) checkShape(shape.of, item, [...path, i], report);
      }
      return;
    case "either":
      checkShape(shape.of[isRecord(value) ? 1 : 0], value, path, report);
      return;
    case "map":
      if (!isRecord(value)) wrongType("names, each with its value");
      else for (const name of Object.keys(value)) checkShape(shape.of, value[name], [...path, name], report);
      return;
    case "fields":
      if (isRecord(value)) checkFields(shape, value, path, report);
      else wrongType(`fields (${Object.keys(shape.need ?? shape.of).join(", ")} ...)`);
  }
}

function checkFields(
  shape: FieldsShape,
  value: Readonly<Record<string, unknown>>,
  path: Path,
  report: Report,
): void {
  const names = Object.keys(value);
  for (const name of names) {
    const field = own(shape.of, name);
    if (field === undefined) reportUnknownField(shape, name, [...path, name], report);
    // A member that is undefined, as TypeScript writes it, is an absent one.
    else if (value[name] !== undefined) checkShape(field, value[name], [...path, name], report);
  }
  for (const [name, write] of Object.entries(shape.need ?? {})) {
    if (value[name] === undefined)
      report("missing-field", path, `${name} is missing: write ${name}: ${write}.`);
  }
  if (names.length === 0 && !shape.need && !shape.mayBeEmpty) {
    report(
      "empty-fields",
      path,
      `Nothing stands here: write ${anyOf(Object.keys(shape.of))}, or leave it out.`,
    );
  }
}

function reportUnknownField(shape: FieldsShape, name: string, path: Path, report: Report): void {
  if (shape === DEFAULTS && own(RULE.of, name)) {
    report("not-a-default", path, `defaults don't take ${name}: write it in each rule that needs it.`);
    return;
  }
  const names = Object.keys(shape.of);
  const parent = names.find((child) => {
    const inner = shape.of[child] as Shape;
    return inner.is === "fields" && own(inner.of, name);
  });
  const hint = parent ? ` Write it under ${parent}.` : meant(name, names) || ` Write ${anyOf(names)}.`;
  report("unknown-field", path, `${quote(name)} isn't a field here.${hint}`);
}

/** What a rule's fields must not say together: the code, where, and what to write instead. */
const RULE_MISTAKES: readonly (readonly [
  code: string,
  where: (rule: PolicyRule) => readonly Path[],
  message: string,
])[] = [
  [
    "reserved-id",
    (rule) => (rule.id === "defaults" ? [["id"]] : []),
    "The id defaults stands for what holds where no rule matches: write another id.",
  ],
  [
    "expiry-without-date",
    (rule) => (rule.onExpiry && !rule.expires ? [["onExpiry"]] : []),
    "onExpiry needs a date: write expires too, or leave onExpiry out.",
  ],
  [
    "seal-that-expires",
    (rule) => (rule.onExpiry === "drop" && rule.envelope === "seal" ? [["onExpiry"]] : []),
    "Sealing must not end in silence: write onExpiry: keep, and change envelope to unseal when the day comes.",
  ],
  [
    "bucket-operation-with-keys",
    ({ match, except }) =>
      match?.operations?.every((operation) => operation === "PutBucketEncryption")
        ? namedFields({ match, except }, (field) => field === "keys" || field === "prefixes")
        : [],
    "PutBucketEncryption has no key to match: leave this out, or list operations on objects.",
  ],
  [
    "envelope-match",
    ({ match, except, envelope }) =>
      envelope ? namedFields({ match, except }, (field) => !/^(buckets|keys|prefixes)$/.test(field)) : [],
    "A place is sealed for every operation: with envelope, match by buckets, keys and prefixes only.",
  ],
  [
    "contradiction",
    ({ match, except }) => (except && isCoveredBy(match ?? {}, except) ? [["except"]] : []),
    "except takes away all that match takes, so the rule never applies: write a narrower except.",
  ],
];

function namedFields(
  parts: Readonly<Record<string, RuleMatch | undefined>>,
  isWrong: (field: string) => boolean,
): readonly Path[] {
  return Object.entries(parts).flatMap(([part, match]) =>
    Object.keys(match ?? {})
      .filter(isWrong)
      .map((field) => [part, field]),
  );
}

/** Whether each field of `except` lists all that `match` lists there. */
function isCoveredBy(match: RuleMatch, except: RuleMatch): boolean {
  return (Object.keys(except) as (keyof RuleMatch)[]).every((field) => {
    const excepted: readonly string[] = except[field] ?? [];
    return match[field]?.every((item) => excepted.includes(item));
  });
}

function checkMeaning(policy: Policy, report: Report): void {
  const { kmsKeys = {}, rules = [], tests = [] } = policy;
  const checkKeyName = (key: string | undefined, path: Path): void => {
    if (!key?.startsWith("@") || own(kmsKeys, key.slice(1))) return;
    const names = Object.keys(kmsKeys).map((name) => `@${name}`);
    report("undefined-key", path, `kmsKeys has no ${key}: add it there.${meant(key, names)}`);
  };

  const aliases = new Map<string, string>();
  for (const [name, key] of Object.entries(kmsKeys)) {
    for (const [i, alias] of (typeof key === "string" ? [] : (key.aliases ?? [])).entries()) {
      const other = aliases.get(alias);
      const path = ["kmsKeys", name, "aliases", i];
      if (other)
        report("duplicate-alias", path, `${alias} is listed for ${other} already: an alias has one key.`);
      aliases.set(alias, name);
    }
  }

  const ids = new Set<string>();
  for (const [i, rule] of rules.entries()) {
    const path = ["rules", i];
    if (ids.has(rule.id)) {
      report("duplicate-id", [...path, "id"], `Another rule has the id ${quote(rule.id)}: write a new one.`);
    }
    ids.add(rule.id);
    checkKeyName(rule.kmsKey, [...path, "kmsKey"]);
    for (const [code, where, message] of RULE_MISTAKES) {
      for (const field of where(rule)) report(code, [...path, ...field], message);
    }
  }

  for (const [i, { request, expect }] of tests.entries()) {
    checkKeyName(request.kmsKey, ["tests", i, "request", "kmsKey"]);
    checkKeyName(expect.set?.kmsKey, ["tests", i, "expect", "set", "kmsKey"]);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A member of its own: `constructor` is no field of anything. */
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "fields" : quote(value);
}

function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function anyOf(values: readonly unknown[]): string {
  const texts = values.map(String);
  return texts.length < 2 ? texts.join() : `${texts.slice(0, -1).join(", ")} or ${texts.at(-1)}`;
}

function meant(written: unknown, values: readonly unknown[]): string {
  const near = typeof written === "string" && nearest(written, values.map(String));
  return near ? ` Did you mean ${near}?` : "";
}
