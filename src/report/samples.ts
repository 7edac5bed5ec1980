/**
 * The report room makes one page out of counts that were written down: lines into samples, samples into increments,
 * increments into charts and tables. This file is its vocabulary.
 */
import type { MetricKey } from "../otel/names.ts";

/** What is counted, by the keys of the metrics; two things that only `stats()` and sums of histograms know. */
export type Counted = MetricKey | "kmsSeconds" | "plainReads";

export type Attributes = Readonly<Record<string, string>>;

/** One number of one line. */
export interface Sample {
  readonly what: Counted;
  readonly attributes: Attributes;
  readonly value: number;
  /** `total`: since the counting began. `change`: since the sample before. `level`: now. */
  readonly kind: "total" | "change" | "level";
  /** Whose count it is: totals of different lives are added, totals of one life replace each other. */
  readonly life: string;
  readonly atMs: number;
}

/** What one line says. */
export interface LineReading {
  readonly atMs: number;
  readonly samples: readonly Sample[];
  /** Who wrote it; one for each process. */
  readonly source: string;
  /** Mode and policy that were in force. */
  readonly wears: readonly { readonly mode: string; readonly policyDigest: string }[];
}

/** A line that can't be used, and why, for the person who made the file. */
export class BadLine extends Error {
  override readonly name = "BadLine";
}

/** A JSON object, not a list. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
