import { ATTRIBUTES, METRICS, OTHER } from "./names.ts";
import type { AttributeName, AttributeValues, MetricKey } from "./names.ts";

/** Attributes of one point. */
export type PointAttributes = Readonly<Partial<Record<AttributeName, string>>>;

/** Series of `responses` with bucket names: the SDK keeps 2,000 of one metric, and one of them for its overflow. */
const MAX_SERIES_BY_BUCKET = 1_999;

/**
 * A filter from attributes as they were counted to all attributes of their metric, each with an allowed value;
 * what is missing or not allowed becomes `_OTHER`, but for what stands only on failures. It remembers the first names
 * of capped attributes and the first series of each metric, so that a name keeps its meaning for as long as the
 * process lives.
 *
 * @param maxBuckets - Bucket names on `responses`; 0: the metric carries no bucket.
 */
export function closedAttributes(
  maxBuckets: number,
): (metric: MetricKey, counted: PointAttributes) => PointAttributes {
  const filters = new Map(
    (Object.keys(METRICS) as MetricKey[]).map((metric) => {
      const { attributes, onlyOnFailure, maxSeries } = METRICS[metric];
      const closed = Object.entries<AttributeValues>(attributes);
      const isByBucket = metric === "responses" && maxBuckets > 0;
      const capped = [ATTRIBUTES.bucket, { firstNames: maxBuckets }] as const;
      const all = (isByBucket ? [...closed, capped] : closed).map(([name, values]) => {
        const isOptional = name === onlyOnFailure;
        return { name: name as AttributeName, allow: allowed(values), isOptional };
      });
      const bound = bounded(isByBucket ? MAX_SERIES_BY_BUCKET : maxSeries, startingPoints(metric));
      return [metric, { all, bound }];
    }),
  );
  return (metric, counted) => {
    const { all, bound } = filters.get(metric) as NonNullable<ReturnType<typeof filters.get>>;
    const present = all.filter(({ name, isOptional }) => !isOptional || counted[name] !== undefined);
    return bound(Object.fromEntries(present.map(({ name, allow }) => [name, allow(counted[name])])));
  };
}

/** Every combination of the attribute values of a metric that starts at zero. */
export function startingPoints(metric: MetricKey): readonly PointAttributes[] {
  const { startsAtZero, attributes } = METRICS[metric];
  if (startsAtZero === undefined) return [];
  return Object.entries<AttributeValues>(attributes).reduce<PointAttributes[]>(
    (partial, [name, values]) =>
      partial.flatMap((given) =>
        "firstNames" in values ? [] : values.map((value) => ({ ...given, [name]: value })),
      ),
    [{}],
  );
}

/** The first points as they are, all but one; then the one of which every attribute is `_OTHER`. */
function bounded(
  max: number,
  first: readonly PointAttributes[],
): (point: PointAttributes) => PointAttributes {
  const keyOf = (point: PointAttributes): string => Object.values(point).join("\0");
  const seen = new Set(first.map((point) => keyOf(point)));
  return (point) => {
    const key = keyOf(point);
    if (seen.has(key)) return point;
    if (seen.size >= max - 1) return Object.fromEntries(Object.keys(point).map((name) => [name, OTHER]));
    seen.add(key);
    return point;
  };
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
