import { globMatches, isLiteral, literalPrefix } from "./globs.ts";
import type { RuleMatch } from "./policy.ts";
import { PrefixIndex } from "./prefix-index.ts";

/** Below this many rules a plain walk is faster than an index of their key prefixes. */
const INDEX_KEYS_FROM = 16;
/** Buckets remembered, and rules remembered for all of them together. */
const MEMO_BUCKETS = 1_000;
const MEMO_RULES = 200_000;

/** Rules that fit one bucket, by position in the file: those to try always, and those found by key prefix. */
interface Candidates {
  readonly always: readonly number[];
  readonly byKey: PrefixIndex | undefined;
  readonly size: number;
  /** Whether any of them looks at the object key. */
  readonly testsKey: boolean;
}

/**
 * Finds the few rules that can match a bucket and key, whatever the number of rules.
 *
 * Exact bucket names stand in a map, globs under their literal prefix, and only globs that start with a
 * wildcard are tried one by one; what a bucket came to is remembered. Rules that name no bucket are kept
 * apart, since they are the same for all.
 */
export class RuleIndex {
  readonly #matches: readonly (RuleMatch | undefined)[];
  readonly #excepts: readonly (RuleMatch | undefined)[];
  readonly #anyBucket: Candidates;
  readonly #exact = new Map<string, number[]>();
  readonly #globs: PrefixIndex;
  readonly #memo = new Map<string, Candidates>();
  #memoRules = 0;

  constructor(matches: readonly (RuleMatch | undefined)[], excepts: readonly (RuleMatch | undefined)[] = []) {
    this.#matches = matches;
    this.#excepts = excepts;
    const anyBucket: number[] = [];
    const globs: [prefix: string, rule: number][] = [];
    for (const [rule, match] of matches.entries()) {
      if (match?.buckets === undefined) anyBucket.push(rule);
      for (const bucket of match?.buckets ?? []) {
        if (isLiteral(bucket)) this.#addExact(bucket, rule);
        else globs.push([literalPrefix(bucket), rule]);
      }
    }
    this.#globs = new PrefixIndex(globs);
    this.#anyBucket = this.#candidatesOf(anyBucket);
  }

  /**
   * The lowest position that `accepts`, or -1, among the rules whose bucket fits and whose key can fit.
   *
   * `accepts` is asked about rules that may fail on any field but `buckets`.
   */
  first(bucket: string, key: string | undefined, accepts: (rule: number) => boolean): number {
    const unbound = firstOf(this.#anyBucket, key, accepts, Infinity);
    const first = firstOf(this.#forBucket(bucket), key, accepts, unbound);
    return first === Infinity ? -1 : first;
  }

  /** Whether any rule whose bucket fits looks at the object key. */
  testsKey(bucket: string): boolean {
    return this.#anyBucket.testsKey || this.#forBucket(bucket).testsKey;
  }

  #addExact(bucket: string, rule: number): void {
    const rules = this.#exact.get(bucket);
    if (rules === undefined) this.#exact.set(bucket, [rule]);
    else rules.push(rule);
  }

  #forBucket(bucket: string): Candidates {
    const known = this.#memo.get(bucket);
    if (known !== undefined) return known;
    const rules = new Set(this.#exact.get(bucket));
    this.#globs.visit(bucket, (found) => {
      for (const rule of found) {
        if (this.#matches[rule]?.buckets?.some((glob) => globMatches(glob, bucket)) === true) rules.add(rule);
      }
    });
    const candidates = this.#candidatesOf([...rules].toSorted((a, b) => a - b));
    this.#remember(bucket, candidates);
    return candidates;
  }

  #remember(bucket: string, candidates: Candidates): void {
    this.#memo.set(bucket, candidates);
    this.#memoRules += candidates.size;
    for (const [oldest, { size }] of this.#memo) {
      if (this.#memo.size <= MEMO_BUCKETS && this.#memoRules <= MEMO_RULES) break;
      this.#memo.delete(oldest);
      this.#memoRules -= size;
    }
  }

  #candidatesOf(rules: readonly number[]): Candidates {
    const size = rules.length;
    const testsKey = rules.some((rule) => looksAtKey(this.#matches[rule]) || looksAtKey(this.#excepts[rule]));
    if (size < INDEX_KEYS_FROM) return { always: rules, byKey: undefined, size, testsKey };
    const always: number[] = [];
    const byKey: [prefix: string, rule: number][] = [];
    for (const rule of rules) {
      const prefixes = keyPrefixes(this.#matches[rule]);
      if (prefixes === undefined) always.push(rule);
      else for (const prefix of prefixes) byKey.push([prefix, rule]);
    }
    return { always, byKey: new PrefixIndex(byKey), size, testsKey };
  }
}

function looksAtKey(match: RuleMatch | undefined): boolean {
  return match?.prefixes !== undefined || match?.keys !== undefined;
}

/** What every key of the rule starts with, or undefined when it can start with anything. */
function keyPrefixes(match: RuleMatch | undefined): readonly string[] | undefined {
  const prefixes = match?.prefixes ?? match?.keys?.map(literalPrefix);
  return prefixes === undefined || prefixes.includes("") ? undefined : prefixes;
}

/** The lowest accepted rule below `before`, or `before`. */
function firstOf(
  candidates: Candidates,
  key: string | undefined,
  accepts: (rule: number) => boolean,
  before: number,
): number {
  let first = firstAccepted(candidates.always, accepts, before);
  if (key !== undefined && candidates.byKey !== undefined) {
    candidates.byKey.visit(key, (rules) => {
      first = firstAccepted(rules, accepts, first);
    });
  }
  return first;
}

function firstAccepted(rules: readonly number[], accepts: (rule: number) => boolean, before: number): number {
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i] as number;
    if (rule >= before) return before;
    if (accepts(rule)) return rule;
  }
  return before;
}
