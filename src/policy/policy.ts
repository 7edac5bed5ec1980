/**
 * The policy room decides what every write becomes; it touches nothing.
 *
 * This file is its vocabulary: the policy a user writes, the facts about one request, and the decision.
 */

/**
 * What a rule wants of the bucket key of SSE-KMS writes; `true` and `false` mean `on` and `off` (YAML 1.1
 * tools turn one into the other).
 *
 * @public
 */
export type BucketKeySetting = "on" | "off" | "leave" | boolean;

/**
 * How far a decision goes: `enforce` changes and refuses, `audit` only reports, `off` does neither.
 *
 * @public
 */
export type Mode = "enforce" | "audit" | "off";

/**
 * Kinds of bucket, told apart by the name or ARN the caller gave.
 *
 * @public
 */
export type BucketType =
  | "general-purpose"
  | "directory"
  | "access-point"
  | "outposts"
  | "object-lambda"
  | "unknown";

/**
 * Fields are AND, list items OR, an absent field matches all. In `buckets`, `keys` and `kmsKeys` only `*` and
 * `?` are special and `*` crosses `/`; `prefixes` are literal.
 *
 * @public
 */
export interface RuleMatch {
  /** Globs of bucket names. */
  readonly buckets?: readonly string[];
  /** Globs of whole object keys. */
  readonly keys?: readonly string[];
  /** Literal starts of object keys. */
  readonly prefixes?: readonly string[];
  /** Operations; absent: the object writes. `PutBucketEncryption` matches only when listed. */
  readonly operations?: readonly string[];
  /** Algorithms as the caller wrote them; `unset` for none, `SSE-C` for customer keys. */
  readonly sse?: readonly string[];
  /** Globs of the key as the caller wrote it. */
  readonly kmsKeys?: readonly string[];
  /** Kinds of bucket. */
  readonly bucketType?: readonly BucketType[];
  /** Needs the plugin option `region`. */
  readonly regions?: readonly string[];
  /** Needs the plugin option `account`. */
  readonly accounts?: readonly string[];
}

/**
 * What rules inherit, and what holds where no rule matches. A rule inherits all but `bucketKey`.
 *
 * @public
 */
export interface PolicyDefaults {
  /** Default `leave`. */
  readonly bucketKey?: BucketKeySetting;
  /** Default `audit`. */
  readonly mode?: Mode;
  /** What to do when the request names no SSE and the rule no `kmsKey`. Default `leave`. */
  readonly whenSseUnset?: "leave" | "lookup" | "send";
  /** What a failed lookup of the bucket's default encryption means. Default `leave`. */
  readonly onLookupFailure?: "leave" | "refuse";
  /** What to do with a caller's flag on an algorithm where AWS's answer is not known. Default `pass`. */
  readonly onUnproven?: "pass" | "strip" | "refuse";
  /** What happens when the SDK presigns a write. Default `skip`. */
  readonly presigned?: "skip" | "header" | "refuse";
}

/**
 * A desired state for the writes it matches. The first matching rule decides.
 *
 * @public
 */
export interface PolicyRule extends PolicyDefaults {
  /** Unique in the policy; stands in refusals, explanations and one metric. */
  readonly id: string;
  /** Why the rule exists; stands in every refusal. */
  readonly reason: string;
  /** What the rule speaks of; absent: all object writes. */
  readonly match?: RuleMatch;
  /** Same shape as `match`; what matches here goes on to the next rule. */
  readonly except?: RuleMatch;
  /** SSE-KMS under exactly this key: a key ARN, or `@name` of `kmsKeys`. */
  readonly kmsKey?: string;
  /** The caller wrote the opposite flag. Default `override`. */
  readonly onConflict?: "override" | "keep-caller" | "refuse";
  /** The caller named another key or algorithm than `kmsKey`. Default `refuse`. */
  readonly onKeyConflict?: "refuse" | "keep-caller" | "override";
  /** Client-side encryption of this place, for every operation and in every mode. */
  readonly envelope?: "leave" | "seal" | "unseal";
  /** Last day of the rule, `YYYY-MM-DD`, to its end in UTC. */
  readonly expires?: string;
  /** `keep` (default): an expired rule still decides, and is reported. `drop`: it is skipped. */
  readonly onExpiry?: "keep" | "drop";
}

/**
 * A named KMS key: its ARN, and the aliases under which callers may name it.
 *
 * @public
 */
export type NamedKmsKey = string | { readonly arn: string; readonly aliases?: readonly string[] };

/**
 * One in-file test: a request, and what must be decided about it.
 *
 * @public
 */
export interface PolicyTest {
  /** What the test is about; stands in the report. */
  readonly name: string;
  /** Facts; `kmsKey` may be `@name`, `now` an ISO date. */
  readonly request: PolicyTestRequest;
  /** What must be decided; only the fields that stand here are held against the decision. */
  readonly expect: {
    readonly rule?: string;
    readonly decision?: DecisionKind;
    readonly why?: Why;
    readonly mode?: Mode;
    readonly seal?: Seal;
    readonly set?: DecisionSet;
    readonly notes?: readonly Note[];
  };
}

/**
 * The request of an in-file test or of `explain`: `RequestFacts` as plain data, with `now` as an ISO date.
 *
 * @public
 */
export type PolicyTestRequest = Omit<RequestFacts, "now"> & { readonly now?: string };

/**
 * A policy, as a person writes it.
 *
 * @public
 */
export interface Policy {
  /** Version of the format. */
  readonly version: 1;
  /** What rules inherit, and what holds where none matches. */
  readonly defaults?: PolicyDefaults;
  /** Keys by the names that rules use, as `@name`. */
  readonly kmsKeys?: Readonly<Record<string, NamedKmsKey>>;
  /** Ordered: the FIRST match decides; none: `defaults`. */
  readonly rules?: readonly PolicyRule[];
  /** Requests and what must be decided about them; `parsePolicy`, `loadPolicy` and `check` run them. */
  readonly tests?: readonly PolicyTest[];
}

/**
 * What was seen of one request, as plain data.
 *
 * @public
 */
export interface RequestFacts {
  /** The S3 operation, such as `PutObject`. */
  readonly operation: string;
  /** Bucket name, or what `resolveBucket` made of it. */
  readonly bucket: string;
  /** Object key; absent for operations on buckets. */
  readonly key?: string | undefined;
  /** Kind of the bucket; absent: general purpose. */
  readonly bucketType?: BucketType | undefined;
  /** As the caller wrote it; `SSE-C` for customer keys; absent: none named. */
  readonly sse?: string | undefined;
  /** Key id, key ARN or alias, as the caller wrote it. */
  readonly kmsKey?: string | undefined;
  /** The flag, as the caller wrote it. */
  readonly bucketKey?: boolean | undefined;
  /** The caller gave an encryption context. */
  readonly ownContext?: boolean | undefined;
  /** Where a copy comes from. */
  readonly copySource?: { readonly bucket: string; readonly bucketType?: BucketType } | undefined;
  /** Default encryption of the bucket, only under `whenSseUnset: lookup`. */
  readonly bucketDefault?: BucketDefault | "lookup-failed" | undefined;
  /** The request is being presigned, not sent. */
  readonly presigning?: boolean | undefined;
  /** As the plugin option `region` says. */
  readonly region?: string | undefined;
  /** As the plugin option `account` says. */
  readonly account?: string | undefined;
  /** No `now`: nothing expires. */
  readonly now?: Date | undefined;
}

/**
 * Default encryption of a bucket, as GetBucketEncryption tells it.
 *
 * @public
 */
export interface BucketDefault {
  /** Algorithm, such as `AES256` or `aws:kms`. */
  readonly sse: string;
  /** Key of the default; absent with `aws:kms`: the AWS managed key. */
  readonly kmsKey?: string;
  /** Whether writes that say nothing get a bucket key. */
  readonly bucketKey: boolean;
}

/**
 * Let a request pass, change it, or refuse it.
 *
 * @public
 */
export type DecisionKind = "pass" | "amend" | "refuse";

/**
 * The one word that says why; each belongs to exactly one decision.
 *
 * @public
 */
export type Why =
  | "already-set"
  | "left"
  | "kept-caller"
  | "unenforced"
  | "other-algorithm"
  | "unproven"
  | "unknown-key"
  | "not-applicable"
  | "no-rule"
  | "presigned"
  | "off"
  | "set"
  | "completed"
  | "overridden"
  | "stripped"
  | RefusedWhy;

/**
 * The words of a refusal.
 *
 * @public
 */
export type RefusedWhy =
  | "refused-flag"
  | "refused-key"
  | "refused-unproven"
  | "refused-presigned"
  | "refused-seal"
  | "refused-lookup"
  | "refused-policy";

/** Each word belongs to exactly one decision. */
export const WHY_DECISION: Readonly<Record<Why, DecisionKind>> = {
  "already-set": "pass",
  left: "pass",
  "kept-caller": "pass",
  unenforced: "pass",
  "other-algorithm": "pass",
  unproven: "pass",
  "unknown-key": "pass",
  "not-applicable": "pass",
  "no-rule": "pass",
  presigned: "pass",
  off: "pass",
  set: "amend",
  completed: "amend",
  overridden: "amend",
  stripped: "amend",
  "refused-flag": "refuse",
  "refused-key": "refuse",
  "refused-unproven": "refuse",
  "refused-presigned": "refuse",
  "refused-seal": "refuse",
  "refused-lookup": "refuse",
  "refused-policy": "refuse",
};

/**
 * Things to know that change nothing.
 *
 * @public
 */
export type Note = "kept-key" | "unknown-key" | "expired-rule" | "own-context";

/**
 * What happens to the body.
 *
 * @public
 */
export type Seal = "seal" | "unseal" | "leave";

/**
 * What `enforce` writes into the request; `bucketKey: null` removes the caller's flag.
 *
 * @public
 */
export interface DecisionSet {
  /** Algorithm to write. */
  readonly sse?: string;
  /** Key ARN to write. */
  readonly kmsKey?: string;
  /** Flag to write; `null` removes it. */
  readonly bucketKey?: boolean | null;
}

/**
 * What one request becomes, and why.
 *
 * @public
 */
export interface Decision {
  /** Let it pass, change it, or send nothing. */
  readonly decision: DecisionKind;
  /** The one word that says why. */
  readonly why: Why;
  /** Id of the rule that decided; `defaults` when none matched. */
  readonly rule: string;
  /** The mode in force: only `enforce` carries the decision out. */
  readonly mode: Mode;
  /** What changes; only with `amend`. */
  readonly set?: DecisionSet;
  /** What happens to the body. */
  readonly seal: Seal;
  /** Things to know that change nothing. */
  readonly notes: readonly Note[];
}

/**
 * What an answer of S3 says about the bucket key.
 *
 * @public
 */
export type ResponseState = "enabled" | "disabled" | "not-applicable" | "unknown";

/**
 * The answer against what was asked (writes), or against the policy (reads and parts).
 *
 * @public
 */
export type Verdict = "honoured" | "drift" | "unverified" | "compliant" | "noncompliant" | "not-applicable";

/**
 * What differed in a drift.
 *
 * @public
 */
export type DriftKind = "bucket-key" | "algorithm" | "kms-key";
