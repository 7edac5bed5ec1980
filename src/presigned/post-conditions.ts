/** The conditions of a POST policy that speak of one form field, in all the forms that the SDK takes. */
import type { Fields } from "./post-fields.ts";

/** What a form must say in one field to be taken. */
export interface FieldCondition {
  /** Name of the field, in lower case. */
  readonly field: string;
  readonly operator: "eq" | "starts-with";
  readonly value: string;
}

/** Reads `{ name: value }`, `["eq", "$name", value]` and `["starts-with", "$name", start]`; all else is not about a field. */
export function fieldConditions(conditions: unknown): readonly FieldCondition[] {
  return Array.isArray(conditions) ? conditions.flatMap(conditionsIn) : [];
}

function conditionsIn(condition: unknown): FieldCondition[] {
  if (typeof condition !== "object" || condition === null) return [];
  if (!Array.isArray(condition)) {
    return Object.entries(condition).map(([name, value]) => ({
      field: fieldOf(name),
      operator: "eq",
      value: String(value),
    }));
  }
  const [operator, name, value] = condition as unknown[];
  if (typeof operator !== "string" || typeof name !== "string") return [];
  const known = operator.toLowerCase();
  if (known !== "eq" && known !== "starts-with") return [];
  return [{ field: fieldOf(name), operator: known, value: String(value) }];
}

function fieldOf(name: string): string {
  return name.replace(/^\$/, "").toLowerCase();
}

/** The values that conditions fix: a page that adds these fields by itself can write nothing else. */
export function pinnedFields(conditions: readonly FieldCondition[]): Fields {
  return Object.fromEntries(
    conditions.filter(({ operator }) => operator === "eq").map(({ field, value }) => [field, value]),
  );
}

/** @param value - What the form says; undefined: the form doesn't have the field, so no condition on it holds. */
export function isMet({ operator, value: wanted }: FieldCondition, value: string | undefined): boolean {
  if (value === undefined) return false;
  return operator === "eq" ? value === wanted : value.startsWith(wanted);
}

/** A condition as a person would write it. */
export function formatCondition({ operator, field, value }: FieldCondition): string {
  return JSON.stringify([operator, `$${field}`, value]);
}
