import { ATTRIBUTES, METRICS, type MetricKey } from "../otel/names.ts";
import {
  BadLine,
  isObject,
  type Attributes,
  type Counted,
  type LineReading,
  type Sample,
} from "./samples.ts";

/** Keys of the metrics by the names they are exported under. */
const KEYS: ReadonlyMap<unknown, MetricKey> = new Map(
  Object.entries(METRICS).map(([key, { name }]) => [name, key as MetricKey]),
);

/**
 * Reads one export in OTLP's JSON encoding, as the Collector's file exporter writes it (specification: OTLP 1.x,
 * JSON Protobuf encoding). Metrics that aren't ours are passed over.
 *
 * @returns one reading for each process that has metrics of ours in it.
 * @throws `BadLine` when one of ours can't be read.
 */
export function readOtlpLine(line: Readonly<Record<string, unknown>>): LineReading[] {
  return list(line["resourceMetrics"]).flatMap(({ resource, scopeMetrics }): LineReading[] => {
    const source = JSON.stringify(isObject(resource) ? attributesOf(resource["attributes"]) : {});
    const samples = list(scopeMetrics)
      .flatMap((scope) => list(scope["metrics"]))
      .flatMap((metric) => {
        const what = KEYS.get(metric["name"]);
        return what === undefined ? [] : samplesOf(metric, what, source);
      });
    if (samples.length === 0) return [];
    const atMs = samples.reduce((latest, sample) => Math.max(latest, sample.atMs), 0);
    return [{ atMs, samples, source, wears: wearsOf(samples) }];
  });
}

function samplesOf(metric: Readonly<Record<string, unknown>>, what: MetricKey, from: string): Sample[] {
  const { sum, gauge, histogram } = metric;
  const data = [sum, histogram, gauge].find(isObject);
  if (data === undefined) throw new BadLine(`\`${METRICS[what].name}\` is neither sum, gauge nor histogram.`);
  const isDelta = [1, "AGGREGATION_TEMPORALITY_DELTA"].includes(data["aggregationTemporality"] as number);
  const kind = METRICS[what].instrument === "up-down-counter" ? "level" : isDelta ? "change" : "total";
  return list(data["dataPoints"]).flatMap((point) => {
    const attributes = attributesOf(point["attributes"]);
    const life = JSON.stringify([from, String(point["startTimeUnixNano"])]);
    const atMs = number(point["timeUnixNano"], what) / 1e6;
    const sample = (counted: Counted, value: unknown): Sample => {
      return { what: counted, attributes, value: number(value, what), kind, life, atMs };
    };
    if (!isObject(histogram)) return [sample(what, point["asInt"] ?? point["asDouble"])];
    if (what !== "kmsRequestDuration") return [sample(what, point["count"])];
    return [sample(what, point["count"]), sample("kmsSeconds", point["sum"] ?? 0)];
  });
}

/** 64-bit numbers are texts in this encoding. */
function number(value: unknown, what: MetricKey): number {
  const given = typeof value === "string" && value !== "" ? Number(value) : value;
  if (typeof given === "number" && Number.isFinite(given) && given >= 0) return given;
  throw new BadLine(`\`${METRICS[what].name}\` has a point without a time or a number.`);
}

function list(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function attributesOf(value: unknown): Attributes {
  const entries = list(value).map(({ key, value: given }) => {
    const [text] = isObject(given) ? Object.values(given) : [];
    return [String(key), typeof text === "string" ? text : JSON.stringify(text)] as const;
  });
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function wearsOf(samples: readonly Sample[]): LineReading["wears"] {
  return samples
    .filter(({ what, value }) => what === "clientCount" && value > 0)
    .map(({ attributes }) => ({
      mode: attributes[ATTRIBUTES.mode] ?? "",
      policyDigest: attributes[ATTRIBUTES.policyDigest] ?? "",
    }));
}
