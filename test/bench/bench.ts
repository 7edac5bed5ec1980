import type { Estimate } from "./statistics.ts";

/** One line of the table. */
export interface Row {
  readonly what: string;
  readonly measured: Estimate;
  readonly unit: "ratio" | "µs" | "ms" | "KB" | "MB" | "requests";
  /** Absent: shown, and held against nothing. */
  readonly bar?: { readonly atMost: number } | { readonly atLeast: number };
  /** Two equal arms of the same run: how far the method is from 1 where there is no difference. */
  readonly control?: Estimate;
  /** Something well known, timed in the same run, to read absolute figures by. */
  readonly yardstick?: string;
}

export interface Scale {
  /** Few samples: shows that a benchmark runs, not what it finds. */
  readonly quick: boolean;
  /** Where the built package stands, as a URL that ends in `/`. */
  readonly dist: URL;
}

/** One benchmark; each gives one or more rows. */
export type Bench = (scale: Scale) => Promise<readonly Row[]>;

/** Equal arms further apart than this: the run can't tell. */
const RESOLUTION = 0.005;

export type Verdict = "met" | "not met" | "unresolved" | "";

/** The unfavourable end of the interval counts. A control that is off spoils only bars close to 1. */
export function verdictOf({ unit, bar, measured, control }: Row): Verdict {
  if (bar === undefined) return "";
  const isFine = unit === "ratio" && "atMost" in bar && bar.atMost < 1.1;
  if (isFine && control !== undefined && Math.abs(control.value - 1) > RESOLUTION) return "unresolved";
  return ("atMost" in bar ? measured.high <= bar.atMost : measured.low >= bar.atLeast) ? "met" : "not met";
}

/** A module of the built package, with the types of its source. */
export async function built<Module>(dist: URL, path: string): Promise<Module> {
  return (await import(new URL(path, dist).href)) as Module;
}
