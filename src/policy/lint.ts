import { compilePolicy, isExpired, type CompiledRule } from "./compile.ts";
import { ruleCovers } from "./cover.ts";
import { keyArnOf } from "./kms-keys.ts";
import type { Policy, PolicyRule, RuleMatch } from "./policy.ts";
import { RuleIndex } from "./rule-index.ts";

/**
 * Something in a valid policy that is hardly meant.
 */
export interface PolicyFinding {
  /** A stable word for the kind of finding, such as `unreachable`. */
  readonly code: FindingCode;
  /** `error`: something written never applies, or stops all work. `warning`: it may not do what it seems to. */
  readonly severity: "error" | "warning";
  /** Where in the policy, as property names and list positions. */
  readonly path: readonly (string | number)[];
  /** A sentence that says what is odd and what to do about it. */
  readonly message: string;
}

/** Each kind of finding. */
export type FindingCode =
  | "unreachable"
  | "duplicate"
  | "expired"
  | "unused-key"
  | "duplicate-key"
  | "no-effect"
  | "states-nothing"
  | "unenforceable"
  | "literal-wildcard"
  | "leading-slash";

type Path = PolicyFinding["path"];

/** One rule as written and as compiled, and where it stands. */
interface Linted {
  readonly rule: PolicyRule;
  readonly compiled: CompiledRule;
}

/**
 * Findings about a valid policy, in the order of the file.
 *
 * A rule is called unreachable only where that is proved: one earlier rule takes everything it could take.
 *
 * @param now - The day to hold `expires` against; nothing here reads a clock.
 */
export function lintPolicy(policy: Policy, { now }: Readonly<{ now: Date }>): readonly PolicyFinding[] {
  const rules = policy.rules ?? [];
  const compiled = compilePolicy(policy).rules;
  const index = new RuleIndex(rules.map(({ match }) => match));
  return [
    ...keyFindings(policy),
    ...defaultsFindings(policy, compiled),
    ...rules.flatMap((rule, i) => {
      const linted = { rule, compiled: compiled[i] as CompiledRule };
      const found = [
        ...reachFindings(rules, index, i),
        ...expiryFindings(linted, now),
        ...FIELD_CHECKS.filter(({ when }) => when(linted)).map(({ code, at, message }): PolicyFinding => ({
          code,
          severity: "warning",
          path: at,
          message,
        })),
        ...prefixFindings(rule),
        ...slashFindings(rule),
      ];
      return found.map((finding) => ({ ...finding, path: ["rules", i, ...finding.path] }));
    }),
  ];
}

function warning(code: FindingCode, path: Path, message: string): PolicyFinding {
  return { code, severity: "warning", path, message };
}

function reachFindings(rules: readonly PolicyRule[], index: RuleIndex, at: number): PolicyFinding[] {
  const rule = rules[at] as PolicyRule;
  const takesAll = (i: number): boolean => {
    const other = rules[i] as PolicyRule;
    // The seal pass looks at the rules that name `envelope` only, so only such a rule stands before another there.
    const isBefore = i < at && (rule.envelope === undefined || other.envelope !== undefined);
    return isBefore && ruleCovers(other, rule);
  };
  // A rule that takes all takes any sample, so the index finds it without trying every pair.
  const found = sampleKeys(rule.match)
    .map((key) => index.first(sampleOf(rule.match?.buckets), key, takesAll))
    .filter((i) => i >= 0);
  if (found.length === 0) return [];
  const earlier = rules[Math.min(...found)] as PolicyRule;
  const same = ruleCovers(rule, earlier);
  return [
    {
      code: same ? "duplicate" : "unreachable",
      severity: "error",
      path: [],
      message: same
        ? `Rule ${rule.id} matches the same requests as ${earlier.id}, which stands before it and decides: merge them.`
        : `Rule ${rule.id} never decides: ${earlier.id} stands before it and takes all it matches. Move it up, or narrow ${earlier.id}.`,
    },
  ];
}

/** A text that fits the first pattern. */
function sampleOf(patterns: readonly string[] | undefined): string {
  return (patterns?.[0] ?? "").replaceAll("*", "").replaceAll("?", "x");
}

/** A key for each field that says something of keys: the rule that takes all may look at either. */
function sampleKeys(match: RuleMatch | undefined): readonly string[] {
  const prefix = match?.prefixes?.[0];
  return prefix === undefined ? [sampleOf(match?.keys)] : [prefix, sampleOf(match?.keys)];
}

function expiryFindings({ rule, compiled }: Linted, now: Date): PolicyFinding[] {
  if (!isExpired(compiled, now)) return [];
  const effect = compiled.dropWhenExpired
    ? "and is skipped: remove it"
    : "but still decides: remove or renew it";
  return [warning("expired", ["expires"], `Rule ${rule.id} ended with ${rule.expires}, ${effect}.`)];
}

/** Operations whose requests always name an algorithm. */
const ALWAYS_NAMED: readonly string[] = ["UpdateObjectEncryption", "PutBucketEncryption"];
/** Kinds of bucket where the setting has no meaning. */
const NEVER_APPLICABLE: readonly string[] = ["directory", "outposts", "object-lambda"];

const FIELD_CHECKS: readonly {
  readonly code: FindingCode;
  readonly at: Path;
  readonly when: (linted: Linted) => boolean;
  readonly message: string;
}[] = [
  {
    code: "no-effect",
    at: ["onConflict"],
    when: ({ rule, compiled }) => rule.onConflict !== undefined && compiled.bucketKey === undefined,
    message:
      "onConflict has no effect where the rule states no flag: add bucketKey: on or off, or remove it.",
  },
  {
    code: "no-effect",
    at: ["onKeyConflict"],
    when: ({ rule }) => rule.onKeyConflict !== undefined && rule.kmsKey === undefined,
    message: "onKeyConflict has no effect without kmsKey: add the key, or remove it.",
  },
  {
    code: "no-effect",
    at: ["whenSseUnset"],
    when: ({ rule, compiled }) =>
      rule.whenSseUnset !== undefined && (rule.kmsKey !== undefined || compiled.bucketKey === undefined),
    message: "whenSseUnset has no effect with kmsKey, or where the rule states no flag: remove it.",
  },
  {
    code: "no-effect",
    at: ["onLookupFailure"],
    when: ({ rule, compiled }) =>
      rule.onLookupFailure !== undefined &&
      (compiled.whenSseUnset !== "lookup" || rule.kmsKey !== undefined || compiled.bucketKey === undefined),
    message:
      "onLookupFailure has no effect where nothing is looked up: write whenSseUnset: lookup, or remove it.",
  },
  {
    code: "no-effect",
    at: ["match", "bucketType"],
    when: ({ rule }) =>
      rule.envelope === undefined &&
      rule.match?.bucketType?.every((type) => NEVER_APPLICABLE.includes(type)) === true,
    message:
      "A bucket key can't be asked for in buckets of this type: remove the rule, or match other types.",
  },
  {
    code: "no-effect",
    at: ["match", "kmsKeys"],
    when: ({ rule }) => rule.match?.kmsKeys?.some((key) => key.startsWith("@")) === true,
    message:
      "kmsKeys holds the caller's own words against patterns, and looks up no @name: write the ARN or a pattern.",
  },
  {
    code: "states-nothing",
    at: [],
    when: ({ rule }) =>
      [rule.bucketKey, rule.kmsKey, rule.envelope, rule.presigned, rule.onUnproven].every(
        (field) => field === undefined,
      ) && rule.mode !== "off",
    message:
      "The rule states nothing (bucketKey isn't inherited): write bucketKey: on, or leave for an exemption.",
  },
  {
    code: "unenforceable",
    at: ["bucketKey"],
    when: ({ rule, compiled }) =>
      compiled.bucketKey !== undefined &&
      rule.kmsKey === undefined &&
      compiled.mode !== "off" &&
      compiled.whenSseUnset === "leave" &&
      rule.match?.sse?.includes("unset") !== false &&
      rule.match?.operations?.every((operation) => ALWAYS_NAMED.includes(operation)) !== true,
    message:
      "Requests that name no encryption stay as they are: add kmsKey, or whenSseUnset: lookup or send, to reach them too.",
  },
];

function prefixFindings({ match, except }: PolicyRule): PolicyFinding[] {
  return Object.entries({ match, except }).flatMap(([part, fields]: [string, RuleMatch | undefined]) =>
    (fields?.prefixes ?? []).flatMap((prefix, i) =>
      /[*?]/.test(prefix)
        ? [
            warning(
              "literal-wildcard",
              [part, "prefixes", i],
              `In prefixes, * and ? stand for themselves: write ${prefix.replace(/[*?].*$/s, "")} here, or the pattern under keys.`,
            ),
          ]
        : [],
    ),
  );
}

/** What a file system's root is to paths, S3 hasn't got: such a key has a first part without a name. */
function slashFindings({ match, except }: PolicyRule): PolicyFinding[] {
  return Object.entries({ match, except }).flatMap(([part, fields]: [string, RuleMatch | undefined]) =>
    (["prefixes", "keys"] as const).flatMap((field) =>
      (fields?.[field] ?? []).flatMap((text, i) => {
        if (!text.startsWith("/")) return [];
        const bare = text.replace(/^\/+/, "");
        const instead = bare === "" ? "leave it out" : `write ${bare}`;
        const message = `Object keys don't begin with a slash by themselves: ${instead}, unless the callers' keys do.`;
        return [warning("leading-slash", [part, field, i], message)];
      }),
    ),
  );
}

function defaultsFindings(policy: Policy, rules: readonly CompiledRule[]): PolicyFinding[] {
  const looksUp = [policy.defaults, ...rules].some((settings) => settings?.whenSseUnset === "lookup");
  if (policy.defaults?.onLookupFailure === undefined || looksUp) return [];
  return [
    warning(
      "no-effect",
      ["defaults", "onLookupFailure"],
      "onLookupFailure has no effect where nothing is looked up: write whenSseUnset: lookup, or remove it.",
    ),
  ];
}

function keyFindings({ kmsKeys = {}, rules = [], tests = [] }: Policy): PolicyFinding[] {
  const named = rules.map((rule) => rule.kmsKey).filter((key) => key !== undefined);
  const used = new Set([
    ...named,
    ...tests.flatMap(({ request, expect }) => [request.kmsKey, expect.set?.kmsKey]),
  ]);
  const nameOfArn = new Map<string, string>();
  const findings: PolicyFinding[] = [];
  for (const [name, key] of Object.entries(kmsKeys)) {
    const path = ["kmsKeys", name];
    const twin = nameOfArn.get(keyArnOf(key));
    nameOfArn.set(keyArnOf(key), name);
    if (twin !== undefined) {
      findings.push(warning("duplicate-key", path, `${name} and ${twin} are the same key: keep one name.`));
    }
    // Listed aliases tell a caller's key from another rule's key, so they are of use on their own.
    const tellsKeysApart = typeof key !== "string" && key.aliases !== undefined && named.length > 0;
    if (!used.has(`@${name}`) && !tellsKeysApart) {
      findings.push(
        warning("unused-key", path, `No rule uses @${name}: remove it, or name it as a rule's kmsKey.`),
      );
    }
  }
  return findings;
}
