import { ATTRIBUTES } from "../otel/names.ts";
import { OPERATIONS, type Operation, type OperationRole } from "../operations.ts";
import type { Counted } from "./samples.ts";
import type { Increment } from "./read.ts";

/** Counts under a name, in the order they came. */
export type Tally = ReadonlyMap<string, number>;

/** The increments of one metric. */
export function of(increments: readonly Increment[], what: Counted): Increment[] {
  return increments.filter((increment) => increment.what === what);
}

export function sum(increments: readonly Increment[]): number {
  return increments.reduce((total, { count }) => total + count, 0);
}

/** Sums by a name; increments without one are left out. */
export function tally(
  increments: readonly Increment[],
  nameOf: (increment: Increment) => string | undefined,
): Tally {
  const counts = new Map<string, number>();
  for (const increment of increments) {
    const name = nameOf(increment);
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + increment.count);
  }
  return counts;
}

/** Increments apart by a name. */
export function groups(
  increments: readonly Increment[],
  nameOf: (increment: Increment) => string | undefined,
): Map<string, Increment[]> {
  const found = new Map<string, Increment[]>();
  for (const increment of increments) {
    const name = nameOf(increment);
    if (name === undefined) continue;
    const group = found.get(name);
    if (group === undefined) found.set(name, [increment]);
    else group.push(increment);
  }
  return found;
}

export type AttributeKey = keyof typeof ATTRIBUTES;

export function attribute(increment: Increment, key: AttributeKey): string | undefined {
  return increment.attributes[ATTRIBUTES[key]];
}

/** What an operation is to the plugin; `other` for words we don't know. */
export function roleOf(increment: Increment): OperationRole | "other" {
  const operation = attribute(increment, "operation") ?? "";
  return Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation as Operation] : "other";
}

/** Answers that were encrypted with a KMS key: with a bucket key, and in all. */
export interface Coverage {
  readonly covered: number;
  readonly all: number;
}

export function coverageOf(responses: readonly Increment[]): Coverage {
  const kms = responses.filter((one) => attribute(one, "sse") === "aws:kms");
  return { covered: sum(kms.filter((one) => attribute(one, "state") === "enabled")), all: sum(kms) };
}

const COUNT = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export function numeral(value: number): string {
  return COUNT.format(value);
}

/** A share in per cent; never 100 % while something is missing, nor 0 % while there is something. */
export function percent({ covered, all }: Coverage): string {
  if (all === 0) return "none";
  const tenths = Math.round((covered / all) * 1000);
  const honest = covered < all ? Math.min(tenths, 999) : tenths;
  return `${((covered > 0 ? Math.max(honest, 1) : honest) / 10).toFixed(1)} %`;
}

export function plural(value: number, noun: string): string {
  return `${numeral(value)} ${noun}${value === 1 ? "" : "s"}`;
}
