/** What dashboards and rules may name: our metrics as Prometheus shows them, and what the rules record. */
import {
  ATTRIBUTES,
  type AttributeName,
  type AttributeValues,
  type MetricDefinition,
  METRICS,
  OTHER,
} from "../../src/otel/index.ts";
import { collectorName, prometheusName } from "../otel/prometheus-name.ts";
import { type Matcher, readPromql, type Selector } from "./promql.ts";

/** A series name, with its labels and the values they may have. */
export interface Series {
  readonly labels: ReadonlyMap<string, AttributeValues>;
  /** Our metrics that stand behind it. */
  readonly metrics: ReadonlySet<string>;
  /** The same by the other road, where the name differs. */
  readonly twin?: string;
  readonly isRecorded: boolean;
}

export type Vocabulary = ReadonlyMap<string, Series>;

const ANY: AttributeValues = { firstNames: Infinity };
const OF_EVERY_SERIES = ["job", "instance"];
/** Prometheus's own, and what OpenTelemetry says of the process. */
const FOREIGN: Readonly<Record<string, readonly string[]>> = {
  up: OF_EVERY_SERIES,
  target_info: OF_EVERY_SERIES,
  ALERTS: ["alertname", "alertstate", "job"],
};

/** Labels of a metric, by their Prometheus names. */
function labelsOf(metric: MetricDefinition): Map<string, AttributeValues> {
  const attributes = Object.entries(metric.attributes) as [AttributeName, AttributeValues][];
  if (metric === METRICS.responses) attributes.push([ATTRIBUTES.bucket, ANY]);
  return new Map([
    ...[...OF_EVERY_SERIES, "otel_scope_name", "otel_scope_version"].map((name) => [name, ANY] as const),
    ...attributes.map(([name, values]) => [name.replaceAll(".", "_"), values] as const),
  ]);
}

/** Our metrics under every name they can have. */
export function metricSeries(): Map<string, Series> {
  const known = new Map<string, Series>();
  for (const metric of Object.values(METRICS)) {
    const endings = metric.instrument === "histogram" ? ["_bucket", "_count", "_sum"] : [""];
    for (const ending of endings) {
      const [name, other] = [prometheusName(metric), collectorName(metric)].map((form) =>
        ending === "" ? form : form.replace(/_bucket$/, ending),
      ) as [string, string];
      const labels = labelsOf(metric);
      if (ending === "_bucket") labels.set("le", ANY);
      const series = { labels, metrics: new Set([metric.name]), isRecorded: false };
      known.set(name, name === other ? series : { ...series, twin: other });
      if (name !== other) known.set(other, { ...series, twin: name });
    }
  }
  for (const [name, labels] of Object.entries(FOREIGN)) {
    const own = new Map(labels.map((label) => [label, ANY] as const));
    known.set(name, { labels: own, metrics: new Set(), isRecorded: true });
  }
  return known;
}

/** With what the rules record, in their order: one may build on those before it. */
export function vocabulary(
  rules: readonly { readonly record?: string; readonly expr: string }[],
): Vocabulary {
  const known = metricSeries();
  for (const { record, expr } of rules) {
    if (record === undefined) continue;
    const { selectors, aggregations } = readPromql(expr);
    const behind = selectors.flatMap(({ name }) => seriesNamed(known, name).map(([, series]) => series));
    const by = aggregations.filter(({ isOutermost }) => isOutermost).flatMap((each) => each.by ?? []);
    known.set(record, {
      labels: new Map(by.map((label) => [label, valuesOf(behind, label)])),
      metrics: new Set(behind.flatMap(({ metrics }) => [...metrics])),
      isRecorded: true,
    });
  }
  return known;
}

function valuesOf(behind: readonly Series[], label: string): AttributeValues {
  return behind.map(({ labels }) => labels.get(label)).find((values) => values !== undefined) ?? ANY;
}

/** Names that a selector's name stands for. */
function seriesNamed(known: Vocabulary, { operator, value }: Matcher): [string, Series][] {
  const pattern = operator === "=~" ? new RegExp(`^(?:${value})$`) : undefined;
  return [...known].filter(([name]) => (pattern ? pattern.test(name) : name === value));
}

/** What is wrong with the names and labels of an expression; empty when nothing is. */
export function mistakes(known: Vocabulary, expression: string): string[] {
  const { errors, selectors, aggregations } = readPromql(expression);
  return [
    ...errors.map((error) => `no PromQL: ${error}`),
    ...selectors.flatMap((selector) => mistakesOfSelector(known, selector)),
    ...aggregations.flatMap(({ by, selectors: inner }) => {
      if (by === undefined) return ["aggregates without labels, not by labels"];
      return by.flatMap((label) => inner.flatMap((each) => missingLabel(known, each, label)));
    }),
  ];
}

function mistakesOfSelector(known: Vocabulary, selector: Selector): string[] {
  const named = seriesNamed(known, selector.name);
  if (named.length === 0) return [`no such metric: ${selector.name.value}`];
  const names = new Set(named.map(([name]) => name));
  const lacking = named.flatMap(([, { twin }]) => (twin === undefined || names.has(twin) ? [] : [twin]));
  return [
    ...lacking.map((twin) => `does not see ${twin}`),
    ...selector.matchers.flatMap(({ label }) => missingLabel(known, selector, label)),
    ...selector.matchers.flatMap((matcher) => impossibleValues(named, matcher)),
  ];
}

function missingLabel(known: Vocabulary, { name }: Selector, label: string): string[] {
  return seriesNamed(known, name)
    .filter(([, { labels }]) => !labels.has(label))
    .map(([series]) => `${series} has no label ${label}`);
}

/** Values that a closed list doesn't have. Alternatives of a pattern count one by one; the empty one is "none". */
function impossibleValues(named: readonly [string, Series][], { label, operator, value }: Matcher): string[] {
  const values = operator.endsWith("~") ? value.split("|") : [value];
  return named.flatMap(([series, { labels }]) => {
    const allowed = labels.get(label);
    if (allowed === undefined || "firstNames" in allowed) return [];
    return values
      .filter((one) => one !== "" && one !== ".*" && one !== OTHER && !allowed.includes(one))
      .map((one) => `${label} of ${series} is never ${one}`);
  });
}

/** Our metrics that an expression asks for, through what the rules record too. */
export function metricsIn(known: Vocabulary, expression: string): string[] {
  const { selectors } = readPromql(expression);
  return selectors.flatMap(({ name }) => seriesNamed(known, name).flatMap(([, { metrics }]) => [...metrics]));
}

/** Series of ours that an expression shows one by one: each new version of the package would make new ones. */
export function unaggregated(known: Vocabulary, expression: string): string[] {
  return readPromql(expression)
    .selectors.filter(({ isAggregated }) => !isAggregated)
    .flatMap(({ name }) => seriesNamed(known, name))
    .filter(([, { isRecorded }]) => !isRecorded)
    .map(([name]) => name);
}
