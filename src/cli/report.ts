import type { PolicyFileIssue } from "../policy-file/parse.ts";

export type Place = Pick<PolicyFileIssue, "line" | "column" | "at">;

/** A mistake or a finding, at its place in a file. */
export type Problem = Pick<PolicyFileIssue, "code" | "message" | "path"> &
  Place & {
    readonly severity: "error" | "warning";
  };

/** What there is to say about one file. */
export interface FileReport {
  readonly file: string;
  /** Whether `loadPolicy` would take it. */
  readonly valid: boolean;
  readonly policyDigest?: string;
  readonly rules: number;
  readonly tests: { readonly passed: number; readonly failed: number };
  readonly problems: readonly Problem[];
}
