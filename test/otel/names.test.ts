import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ATTRIBUTES, METRICS, OTHER, SPAN_ATTRIBUTES, type AttributeValues } from "../../src/otel/index.ts";
import { METER_NAME, METER_VERSION } from "../../src/otel/names.ts";
import { collectorName, prometheusName } from "./prometheus-name.ts";

const text = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const words = (line: string): string[] => [...line.matchAll(/`([^`]+)`/g)].map(([, word]) => String(word));

describe("the meter", () => {
  it("has the name and version of the package", () => {
    const { name, version } = JSON.parse(text("package.json")) as { name: string; version: string };
    expect({ name: METER_NAME, version: METER_VERSION }).toEqual({ name, version });
  });
});

describe("names", () => {
  it.each(Object.values(METRICS))("$name follows the rules for metric names", ({ name, unit }) => {
    expect(name).toMatch(/^s3_bucket_key(\.[a-z][a-z_]*[a-z])+$/);
    expect(name).not.toMatch(/total$/);
    // An annotation adds nothing to the name, so Prometheus knows it by one name on every road; the docs name
    // both where the unit is real.
    expect(unit).toMatch(/^(\{\w+\}|s|By)$/);
  });

  it("has bounds of buckets, in order, for histograms and for nothing else", () => {
    for (const { instrument, buckets } of Object.values(METRICS)) {
      expect(buckets !== undefined).toBe(instrument === "histogram");
      expect(buckets).toEqual(buckets?.toSorted((a, b) => a - b));
    }
  });

  it("uses each attribute of the table, and no other", () => {
    const used = Object.values(METRICS).flatMap(({ attributes }) => Object.keys(attributes));
    expect(new Set([...used, ATTRIBUTES.bucket])).toEqual(new Set(Object.values(ATTRIBUTES)));
  });
});

/** The values that a table cell names: a closed list, or a cap with the word for the rest. */
function valuesOf(cell: string): AttributeValues {
  const cap = new RegExp(`^ the first (\\d+) .*, then \`${OTHER}\``).exec(cell)?.[1];
  return cap === undefined ? words(cell) : { firstNames: Number(cap) };
}

describe("docs/telemetry.md", () => {
  const page = text("docs/telemetry.md");
  const section = (name: string): string =>
    page.split(/^#{2,3} /m).find((part) => part.startsWith(`\`${name}\``)) ?? "";

  it("has a section for every metric, and none for another", () => {
    const documented = [...page.matchAll(/^### `([^`]+)`/gm)].map(([, name]) => String(name));
    const names = Object.values(METRICS).map(({ name }) => name);
    expect(new Set(documented)).toEqual(new Set(names));
    expect(documented).toHaveLength(names.length);
  });

  it.each(Object.values(METRICS))("tells what $name is", (metric) => {
    const lines = section(metric.name).split("\n");
    const kinds = { counter: "Counter", "up-down-counter": "UpDownCounter", histogram: "Histogram" };
    const kind = kinds[metric.instrument];
    const [exporter, collector] = [prometheusName(metric), collectorName(metric)];
    const other = collector === exporter ? "" : `; through a Collector: \`${collector}\``;
    expect(lines).toContain(`- Prometheus: \`${exporter}\`${other}`);
    expect(lines.find((line) => line.startsWith(`- ${kind}, `))).toContain(`unit \`${metric.unit}\``);
    const says = (claim: string): boolean => section(metric.name).includes(claim);
    expect(says("stand at 0 from the start")).toBe(metric.startsAtZero === true);
    expect(says(`; at most ${metric.maxSeries} series`)).toBe(true);
    expect(says("only with the option")).toBe(metric.optIn !== undefined);
    expect(says("with fractions")).toBe(metric.valueType === "double");
    expect(says("only on failures")).toBe(metric.onlyOnFailure !== undefined);
    const bounds = lines.find((line) => line.startsWith(`- ${kind}, `))?.split("; buckets up to ")[1];
    expect(bounds).toBe(metric.buckets?.join(", "));
  });

  it("tells which metrics only a program has that seals", () => {
    const ofSealing = page.slice(
      page.indexOf("\n## Metrics of client-side encryption"),
      page.indexOf("\n## How avoided"),
    );
    const documented = [...ofSealing.matchAll(/^### `([^`]+)`/gm)].map(([, name]) => String(name));
    const names = Object.values(METRICS).filter(({ onlyWhenSealing }) => onlyWhenSealing);
    expect(documented).toEqual(names.map(({ name }) => name));
    let ofSealingSeries = 0;
    for (const { name, attributes, onlyOnFailure, maxSeries } of names) {
      const bound = Object.entries<AttributeValues>(attributes).reduce((series, [attribute, values]) => {
        const listed = "firstNames" in values ? values.firstNames : values.length;
        return series * (listed + (attribute === onlyOnFailure ? 2 : 1));
      }, 1);
      expect([name, maxSeries]).toEqual([name, bound]);
      ofSealingSeries += maxSeries;
    }
    expect(page).toContain(`encryption adds at most ${ofSealingSeries}, `);
  });

  it("tells how many series there are at defaults", () => {
    const sum = Object.values(METRICS)
      .filter(({ onlyWhenSealing, optIn }) => onlyWhenSealing !== true && optIn === undefined)
      .reduce((series, { maxSeries }) => series + maxSeries, 0);
    expect(page).toContain(`at most **${sum}** series at defaults`);
  });

  it("tells the attributes of spans", () => {
    const traces = page.slice(page.indexOf("\n## Traces"), page.indexOf("\n## The SDK's metrics recorder"));
    const rows = [...traces.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => String(name));
    expect(rows).toEqual(Object.values(SPAN_ATTRIBUTES));
  });

  it.each(Object.values(METRICS))("lists the attributes of $name with all their values", (metric) => {
    const rows = section(metric.name)
      .split("\n")
      .filter((line) => line.startsWith("| `"))
      .map((line) => line.split("|").slice(1, 3))
      .map(([name = "", values = ""]) => [words(name).join(), values] as const);
    expect(rows.map(([name]) => name)).toEqual(Object.keys(metric.attributes));
    const kmsErrors = /^### KMS's errors\n[^:]*:(.*?)\n\n/ms.exec(page)?.[1] ?? "";
    const whole = (cell: string): string => cell.replace("[KMS's errors](#kmss-errors)", kmsErrors);
    expect(rows.map(([, cell]) => valuesOf(whole(cell)))).toEqual(Object.values(metric.attributes));
  });

  it("lists the attributes that stand nowhere else", () => {
    for (const name of Object.values(ATTRIBUTES)) expect(page).toContain(`\`${name}\``);
  });
});
