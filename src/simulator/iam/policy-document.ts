/**
 * Who may use a KMS key: policies as AWS documents their grammar and their evaluation, read here on its own.
 *
 * Text becomes a `Policy` once (`parse-policy.ts`) and is then held against requests (`evaluate.ts`). What cannot
 * be evaluated is refused when the policy is given: a policy is never half understood.
 */
import type { Condition } from "./conditions.ts";
import type { Pattern } from "./pattern.ts";
import type { PrincipalPattern } from "./principal.ts";

/**
 * A policy as it is written for AWS: the JSON text, or the object.
 *
 * @example
 * ```ts
 * const policy: PolicyDocument = {
 *   Version: "2012-10-17",
 *   Statement: { Effect: "Allow", Action: "kms:Decrypt", Resource: "*" },
 * };
 * ```
 * @public
 */
export type PolicyDocument =
  | string
  | {
      /** `2012-10-17`; without it, or with `2008-10-17`, policy variables are plain text, as on AWS. */
      readonly Version?: string;
      /** A name; has no effect. */
      readonly Id?: string;
      /** One statement or several. */
      readonly Statement: PolicyStatement | readonly PolicyStatement[];
    };

/**
 * One statement. `Principal` stands in key policies and only there. `NotPrincipal` is not simulated.
 *
 * @public
 */
export interface PolicyStatement {
  /** A name; has no effect. */
  readonly Sid?: string;
  /** `Allow` or `Deny`. */
  readonly Effect: string;
  /** `*`, or `{ AWS: ... }` with account ids and ARNs; `{ Service: ... }` is read and matches nobody here. */
  readonly Principal?: string | { readonly [kind: string]: string | readonly string[] };
  /** `kms:Decrypt`, `kms:*`, ...; either this or `NotAction`. */
  readonly Action?: string | readonly string[];
  /** All actions but these. */
  readonly NotAction?: string | readonly string[];
  /** ARNs of KMS keys, or `*`; either this or `NotResource`. */
  readonly Resource?: string | readonly string[];
  /** All resources but these. */
  readonly NotResource?: string | readonly string[];
  /** Operator, condition key, values. */
  readonly Condition?: {
    readonly [operator: string]: {
      readonly [key: string]: PolicyValue | readonly PolicyValue[];
    };
  };
}

/**
 * A value in a condition.
 *
 * @public
 */
export type PolicyValue = string | number | boolean;

/** A policy that was understood whole. */
export interface Policy {
  readonly statements: readonly Statement[];
  /** As it was given, in JSON. */
  readonly text: string;
}

export interface Statement {
  readonly effect: "Allow" | "Deny";
  /** Whom the statement is about; undefined in identity policies: whoever has the policy. */
  readonly principals: readonly PrincipalPattern[] | undefined;
  readonly actions: Selection;
  readonly resources: Selection;
  readonly conditions: readonly Condition[];
}

/** What one of the patterns matches; under `not`, what none of them does. */
export interface Selection {
  readonly not: boolean;
  readonly patterns: readonly Pattern[];
}

/**
 * A policy that AWS would not take, or that the simulator cannot evaluate. Thrown when the policy is given.
 *
 * @public
 */
export class PolicyDocumentError extends Error {
  /** The class, for logs. */
  override readonly name = "PolicyDocumentError";
  /** Tells this error from others. */
  readonly code = "ERR_POLICY_DOCUMENT";
  /** Every mistake, each with the place where it stands: `Statement[0].Condition.StringLikes: ...`. */
  readonly issues: readonly string[];

  /** @internal */
  constructor(issues: readonly string[]) {
    super(`The policy was not taken: ${issues.join("; ")}`);
    this.issues = issues;
  }
}
