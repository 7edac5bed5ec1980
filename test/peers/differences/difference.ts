import type { CaseId } from "../cases.ts";

export interface Difference {
  readonly why: string;
  /** AWS's line, and the line or lines that come in its place. */
  readonly instead: Readonly<Record<string, string | readonly string[]>>;
}

export interface Differences<Id extends string = CaseId> {
  /** Hold in every case that has the line, unless `cases` says otherwise. */
  readonly everywhere: readonly Difference[];
  readonly cases: Readonly<Partial<Record<Id, Difference>>>;
}
