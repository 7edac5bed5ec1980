import { ATTRIBUTES, METRICS, OTHER } from "./names.ts";
import type { AttributeName, AttributeValues, MetricKey } from "./names.ts";

/** Attributes of one point. */
export type PointAttributes = Readonly<Partial<Record<AttributeName, string>>>;

/**
 * A filter from attributes as they were counted to all attributes of their metric, each with an allowed value;
 * what is missing or not allowed becomes `_OTHER`, but for what stands only on failures. It remembers the first names of capped attributes, so that a name
 * keeps its meaning for as long as the process lives.
 *
 * @param maxBuckets - Bucket names on `responses`; 0: the metric carries no bucket.
 */
export function closedAttributes(
  maxBuckets: number,
): (metric: MetricKey, counted: PointAttributes) => PointAttributes {
  const filters = new Map(
    Object.entries(METRICS).map(([metric, { attributes, onlyOnFailure }]) => {
      const closed = Object.entries<AttributeValues>(attributes);
      const capped = [ATTRIBUTES.bucket, { firstNames: maxBuckets }] as const;
      const all = metric === "responses" && maxBuckets > 0 ? [...closed, capped] : closed;
      return [
        metric,
        all.map(([name, values]) => {
          const isOptional = name === onlyOnFailure;
          return { name: name as AttributeName, allow: allowed(values), isOptional };
        }),
      ];
    }),
  );
  return (metric, counted) =>
    Object.fromEntries(
      (filters.get(metric) ?? [])
        .filter(({ name, isOptional }) => !isOptional || counted[name] !== undefined)
        .map(({ name, allow }) => [name, allow(counted[name])]),
    );
}

function allowed(values: AttributeValues): (value: string | undefined) => string {
  const isCapped = "firstNames" in values;
  const names = new Set(isCapped ? [] : values);
  const room = isCapped ? values.firstNames : names.size;
  return (value = OTHER) => {
    if (names.size < room) names.add(value);
    return names.has(value) ? value : OTHER;
  };
}
