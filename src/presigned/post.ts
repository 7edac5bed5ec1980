/**
 * The presigned room serves the uploads that others carry out: browser forms here, presigned URLs in `url.ts`.
 *
 * `createPresignedPost` never runs a client's middleware, so a form is decided by this function over its options.
 */
import { BucketKeyFormError, BucketKeySetupError } from "../errors.ts";
import { checkOptionNames } from "../option-names.ts";
import { requestFacts } from "../observe/request-facts.ts";
import { weakerMode, type CompiledPolicy } from "../policy/compile.ts";
import { compiledOnce, decideCompiled, decideUnloaded } from "../policy/decide.ts";
import type { Decision, DecisionSet, Mode, Policy, RequestFacts } from "../policy/policy.ts";
import type { PolicySnapshot, PolicySource } from "../policy/source.ts";
import { refusal } from "../refusal.ts";
import {
  fieldConditions,
  formatCondition,
  isMet,
  pinnedFields,
  type FieldCondition,
} from "./post-conditions.ts";
import { knownText, refusedSeal } from "./post-filename.ts";
import { amendFields, asMembers, FIELD_OF, spelledTwice, valueOf, type Fields } from "./post-fields.ts";
import { requireNothingOpen } from "./post-open.ts";

/**
 * The options of `createPresignedPost` that `bucketKeyPostOptions` reads; any others pass through.
 *
 * @public
 */
export interface PostOptions {
  /** Name, ARN or alias of the bucket. */
  readonly Bucket: string;
  /** Object key; behind a `${filename}` at its end whoever uploads can put any text. */
  readonly Key: string;
  /** Form fields; the SDK makes an exact-match condition of each. */
  readonly Fields?: Readonly<Record<string, string>> | undefined;
  /** Conditions of the caller's own, in any form the SDK takes. */
  readonly Conditions?: readonly unknown[] | undefined;
}

/**
 * What a form's options don't tell. Nothing is read from a clock or the environment.
 *
 * @public
 */
export interface PostFacts {
  /** The strongest mode allowed, such as that of the incident switch. Default `enforce`. */
  readonly mode?: Mode | undefined;
  /** Region that rules with `regions` are held against. */
  readonly region?: string | undefined;
  /** Account id that rules with `accounts` are held against. */
  readonly account?: string | undefined;
  /** For rules that expire; no `now`: nothing expires. */
  readonly now?: Date | undefined;
  /** For rules with `whenSseUnset: lookup`; absent counts as a failed lookup. */
  readonly bucketDefault?: RequestFacts["bucketDefault"];
  /** Maps the name, ARN or alias of an access point to its bucket. */
  readonly resolveBucket?: ((bucket: string) => string | undefined) | undefined;
  /** Told what was decided, in every mode: what `audit` would have done, too. */
  readonly onDecision?: ((decision: Decision) => void) | undefined;
}

/**
 * Options for `createPresignedPost` under which the form uploads what the policy wants.
 *
 * The form is decided as operation `PostObject` from its bucket, key and fields. Under `enforce` the flag, and
 * the algorithm and key when the rule completes them, become fields, and the SDK makes each field a condition:
 * a form that was tampered with is turned down by S3. A value that the caller's own `eq` condition fixes counts
 * as written by the caller. Of a key with `${filename}` only the text before it is known, and is matched; any text
 * can follow, so where that could lead to a place that seals, the form is refused. `Conditions` are kept as they are;
 * under `enforce` none may leave open what an encryption field says.
 *
 * @param policy - A valid policy, or what `loadPolicy` gave.
 * @param options - Never touched; the answer is a copy, unchanged under `audit` and `off`.
 * @throws `BucketKeyRefusedError` when an enforced rule refuses, or the place seals. `BucketKeyFormError` when
 * the wanted fields contradict the caller's conditions, one of these leaves an encryption field to whoever uploads,
 * or one field is there in two spellings.
 * `BucketKeySetupError` when there is no policy, or it matches regions or accounts and `facts` has none,
 * or `facts` has a name that isn't one.
 * @example
 * ```ts
 * const { url, fields } = await createPresignedPost(
 *   s3,
 *   bucketKeyPostOptions(policy, { Bucket: "acme-lake-raw", Key: "uploads/${filename}" }, { now: new Date() }),
 * );
 * ```
 * @public
 */
export function bucketKeyPostOptions<T extends PostOptions>(
  policy: Policy | PolicySource,
  options: T,
  facts: PostFacts = {},
): T & { Fields: Record<string, string> } {
  requirePolicy(policy);
  const call = "bucketKeyPostOptions(policy, { Bucket, Key }, { now: new Date() })";
  if (typeof options !== "object" || options === null) {
    throw new BucketKeySetupError(`bucketKeyPostOptions takes the form's options as an object: ${call}.`);
  }
  checkOptionNames({ of: "bucketKeyPostOptions", noun: "fact", table: FACTS, call }, facts);
  const fields = options.Fields ?? {};
  const conditions = fieldConditions(options.Conditions);
  const named: Fields = { ...pinnedFields(conditions), ...lowerCased(fields) };
  const snapshot = "subscribe" in policy ? policy.current() : { policy };
  const compiled = snapshot.policy === undefined ? undefined : compiledFor(snapshot.policy, facts);
  const asked = askedBy(options, named, facts);
  const decision = decidePost(compiled, snapshot, asked, options.Key, facts.mode ?? "enforce");
  facts.onDecision?.(decision);

  const { mode, set, why } = decision;
  const enforced = mode === "enforce" || why === "refused-seal";
  if (enforced && decision.decision === "refuse") {
    const reason = compiled?.ruleById(decision.rule).reason ?? "The policy was never loaded.";
    throw refusal(decision, { ...asked, bucket: options.Bucket }, reason, compiled?.digest ?? "none");
  }
  if (!enforced) return { ...options, Fields: { ...fields } };
  requireOneSpelling(options.Bucket, fields);
  if (set === undefined && why !== "already-set") {
    requireNothingOpen(options.Bucket, compiled, decision, conditions, named);
    return { ...options, Fields: { ...fields } };
  }
  // A flag that only a condition fixed is written too: without the field the condition couldn't hold.
  const pinned: DecisionSet = asked.bucketKey === undefined ? {} : { bucketKey: asked.bucketKey };
  const amended = amendFields(fields, { ...pinned, ...set });
  const written = { ...named, ...lowerCased(amended) };
  requireNoContradiction(options.Bucket, decision, conditions, written, set);
  requireNothingOpen(options.Bucket, compiled, decision, conditions, written);
  return { ...options, Fields: amended };
}

/** Their names. Any option passes through to `createPresignedPost`, but a fact is for nobody else. */
const FACTS: { readonly [F in keyof PostFacts]-?: true } = {
  mode: true,
  region: true,
  account: true,
  now: true,
  bucketDefault: true,
  resolveBucket: true,
  onDecision: true,
};

function requirePolicy(policy: unknown): void {
  const isObject = typeof policy === "object" && policy !== null;
  if (isObject && ("subscribe" in policy || "version" in policy)) return;
  throw new BucketKeySetupError(
    "bucketKeyPostOptions needs a policy: give a policy (definePolicy), or what loadPolicy resolves to.",
  );
}

function lowerCased(fields: Fields): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]));
}

/** What rules match, and the fact that tells it. */
const NEEDED = { regions: "region", accounts: "account" } as const;

function compiledFor(policy: Policy, facts: PostFacts): CompiledPolicy {
  const matches = (policy.rules ?? []).flatMap((rule) => [rule.match, rule.except]);
  for (const field of ["regions", "accounts"] as const) {
    const fact = NEEDED[field];
    if (facts[fact] === undefined && matches.some((match) => match?.[field] !== undefined)) {
      throw new BucketKeySetupError(
        `The policy matches ${field}: give bucketKeyPostOptions the fact ${fact}.`,
      );
    }
  }
  return compiledOnce(policy);
}

function askedBy(options: PostOptions, named: Fields, facts: PostFacts): RequestFacts {
  const { region, account, now, bucketDefault, resolveBucket } = facts;
  const input = { ...asMembers(named), Bucket: options.Bucket, Key: knownText(options.Key) };
  const around = { presigning: false, region, account, now, resolveBucket };
  return { ...requestFacts("PostObject", input, around), bucketDefault };
}

function decidePost(
  compiled: CompiledPolicy | undefined,
  { failure = "fail-open" }: PolicySnapshot,
  asked: RequestFacts,
  key: string,
  ceiling: Mode,
): Decision {
  if (compiled === undefined) return decideUnloaded(failure, ceiling, asked);
  const decision = refusedSeal(compiled, asked, key) ?? decideCompiled(compiled, asked);
  return { ...decision, mode: weakerMode(decision.mode, ceiling) };
}

function requireOneSpelling(bucket: string, fields: Fields): void {
  const twice = spelledTwice(fields);
  if (twice === undefined) return;
  throw new BucketKeyFormError(
    { field: twice[0].toLowerCase(), bucket },
    `The form for bucket ${bucket} has one field in two spellings, ${twice[0]} and ${twice[1]}. S3 compares ` +
      "names without case: keep one of them.",
  );
}

/** The caller's conditions stay; where they can't hold together with what the rule wants, no upload could succeed. */
function requireNoContradiction(
  bucket: string,
  { rule }: Decision,
  conditions: readonly FieldCondition[],
  written: Fields,
  set: DecisionSet | undefined,
): void {
  for (const part of ["sse", "kmsKey", "bucketKey"] as const) {
    const field = FIELD_OF[part];
    const value = set?.[part] === null ? undefined : valueOf(written, field);
    if (value === undefined && set?.[part] === undefined) continue;
    const broken = conditions.find((condition) => condition.field === field && !isMet(condition, value));
    if (broken === undefined) continue;
    throw new BucketKeyFormError(
      { field, bucket },
      `The form for bucket ${bucket} has the condition ${formatCondition(broken)}, and rule ${rule} wants ` +
        `${value === undefined ? `no field ${field}` : `${field} to be ${JSON.stringify(value)}`}: S3 would turn ` +
        "down every upload. Take the condition out, or change what the rule says about this place.",
    );
  }
}
