import type { RefusedWhy } from "./policy/policy.ts";

/**
 * Base of every error this package throws; narrow it by its literal `code`.
 *
 * @public
 */
export abstract class BucketKeyError extends Error {
  /** A stable literal, `ERR_BUCKET_KEY_...`. */
  abstract readonly code: string;
}

/**
 * One mistake in a policy: where it is, what kind it is, and what to write instead.
 *
 * @public
 */
export interface PolicyIssue {
  /** A stable word for the kind of mistake, such as `unknown-field`. */
  readonly code: string;
  /** Where in the policy, as property names and list positions: `["rules", 0, "kmsKey"]`. */
  readonly path: readonly (string | number)[];
  /** A sentence that says what is wrong and what to write instead. */
  readonly message: string;
  /** Where in the file, as `file:line:column`; only for policies that were read from text. */
  readonly at?: string;
}

/**
 * A policy that can't be used, with every mistake of the stage that failed.
 *
 * @public
 */
export class PolicyError extends BucketKeyError {
  /** The name of the class, whatever a minifier makes of it. */
  override readonly name = "PolicyError";
  /** Narrows `BucketKeyError` to this class. */
  readonly code = "ERR_BUCKET_KEY_POLICY";
  /** All mistakes of the stage that failed: syntax, shape, meaning or in-file tests. */
  readonly issues: readonly PolicyIssue[];

  constructor(issues: readonly PolicyIssue[], options?: ErrorOptions) {
    super(issues.map(formatIssue).join("\n"), options);
    this.issues = issues;
  }
}

/**
 * A request that the policy refused before anything was sent.
 *
 * The message names the rule, its reason and the two ways out: what to change in the request, and where a
 * rule or an `except` would allow it.
 *
 * @public
 */
export class BucketKeyRefusedError extends BucketKeyError {
  /** The name of the class, whatever a minifier makes of it. */
  override readonly name = "BucketKeyRefusedError";
  /** Narrows `BucketKeyError` to this class. */
  readonly code = "ERR_BUCKET_KEY_REFUSED";
  /** Why, in one word of the `why` vocabulary. */
  readonly why: RefusedWhy;
  /** Id of the rule that refused; `defaults` when no rule matched. */
  readonly rule: string;
  /** The rule's own `reason`. */
  readonly reason: string;
  /** The S3 operation, such as `PutObject`. */
  readonly operation: string;
  /** The bucket as the caller named it. */
  readonly bucket: string;
  /** Digest of the policy that decided. */
  readonly policyDigest: string;

  constructor(
    details: Readonly<{
      why: RefusedWhy;
      rule: string;
      reason: string;
      operation: string;
      bucket: string;
      policyDigest: string;
    }>,
    message: string,
  ) {
    super(message);
    this.why = details.why;
    this.rule = details.rule;
    this.reason = details.reason;
    this.operation = details.operation;
    this.bucket = details.bucket;
    this.policyDigest = details.policyDigest;
  }
}

/**
 * A browser form that can't be what the policy wants: its own conditions forbid it or leave it to whoever uploads,
 * or one of its fields is there twice.
 *
 * @public
 */
export class BucketKeyFormError extends BucketKeyError {
  /** The name of the class, whatever a minifier makes of it. */
  override readonly name = "BucketKeyFormError";
  /** Narrows `BucketKeyError` to this class. */
  readonly code = "ERR_BUCKET_KEY_FORM";
  /** The field in question, in lower case. */
  readonly field: string;
  /** The bucket as the caller named it. */
  readonly bucket: string;

  constructor(details: Readonly<{ field: string; bucket: string }>, message: string) {
    super(message);
    this.field = details.field;
    this.bucket = details.bucket;
  }
}

/**
 * A plugin that can't be made or attached as asked, such as a second plugin on one client.
 *
 * @public
 */
export class BucketKeySetupError extends BucketKeyError {
  /** The name of the class, whatever a minifier makes of it. */
  override readonly name = "BucketKeySetupError";
  /** Narrows `BucketKeyError` to this class. */
  readonly code = "ERR_BUCKET_KEY_SETUP";
}

/** A bucket's name as messages show it: one from outside must not put lines of its own into a log. */
export function shownName(bucket: string): string {
  return /^[\w.:/-]*$/.test(bucket) ? bucket : JSON.stringify(bucket);
}

function formatIssue({ at, path, message }: PolicyIssue): string {
  return (at === undefined ? formatPath(path) : `${at}: `) + message;
}

/** `rules[0].kmsKey: `, or nothing for the policy itself. */
function formatPath(path: readonly (string | number)[]): string {
  if (path.length === 0) return "";
  return `${path.map((step, i) => (typeof step === "number" ? `[${step}]` : i === 0 ? step : `.${step}`)).join("")}: `;
}
