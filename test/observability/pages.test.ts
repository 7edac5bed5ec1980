/** What has no tool of its own to be tried with: pages, CloudWatch's files and the Collector's, by their names. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { ATTRIBUTES, METRICS } from "../../src/otel/index.ts";
import { observabilityFile } from "./dashboard-queries.ts";
import { allRules, yamlFile } from "./rules-file.ts";
import { metricSeries, mistakes, vocabulary } from "./vocabulary.ts";

const METRIC_NAMES = new Map(Object.values(METRICS).map((metric) => [metric.name, metric]));
const dotted = new Set<string>([...METRIC_NAMES.keys(), ...Object.values(ATTRIBUTES)]);
const known = vocabulary(allRules());
const text = (name: string): string => readFileSync(observabilityFile(name), "utf8");
const telemetryPage = readFileSync(new URL("../../docs/telemetry.md", import.meta.url), "utf8");

describe("names in our own spelling, s3_bucket_key.drifts", () => {
  it.each(["cloudwatch-dashboard.json", "datadog.md", "collector/cloudwatch-emf.yaml", "README.md"])(
    "are metrics or attributes wherever %s has them",
    (file) => {
      const names = [
        ...text(file)
          .replaceAll("\\.", ".")
          .matchAll(/s3_bucket_key(?:\.\w+)+/g),
      ].map(([name]) => name);
      expect(names.filter((name) => !dotted.has(name))).toEqual([]);
    },
  );
});

describe("names in Prometheus's spelling", () => {
  it.each([
    ["docs/telemetry.md", telemetryPage],
    ["README.md", text("README.md")],
    ["prometheus-rules.yaml", text("prometheus-rules.yaml")],
  ])("are series wherever %s has them", (_, page) => {
    const names = [...page.matchAll(/\bs3_bucket_key_\w+/g)].map(([name]) => name);
    const labels = new Set(Object.values(ATTRIBUTES).map((name) => name.replaceAll(".", "_")));
    // "s3_bucket_key_kms_request_duration(_seconds)?_bucket" is read as a pattern, below.
    const whole = names.filter((name) => !page.includes(`${name}(_`));
    expect(whole.filter((name) => !metricSeries().has(name) && !labels.has(name))).toEqual([]);
  });

  it("stand in queries of docs/telemetry.md that Prometheus would understand", () => {
    const blocks = [...telemetryPage.matchAll(/```promql\n(.*?)```/gs)].map(([, block]) => block ?? "");
    expect(blocks.length).toBeGreaterThanOrEqual(4);
    expect(blocks.flatMap((block) => mistakes(known, block))).toEqual([]);
  });

  it("are recorded names where README.md says so", () => {
    const recorded = [...text("README.md").matchAll(/s3_bucket_key:\w+:\w+/g)].map(([name]) => name);
    expect(recorded.filter((name) => !known.has(name))).toEqual([]);
  });
});

describe("docs/telemetry.md", () => {
  it.each(Object.values(METRICS))("says what to do when $name moves", ({ name }) => {
    const section = telemetryPage.split(/^#{2,3} /m).find((part) => part.startsWith(`\`${name}\``));
    expect(section?.replaceAll("\n", " ")).toContain("What to do");
  });
});

interface Emf {
  readonly exporters: {
    readonly awsemf: {
      readonly namespace: string;
      readonly metric_declarations: readonly {
        readonly dimensions: readonly (readonly string[])[];
        readonly metric_name_selectors: readonly string[];
      }[];
    };
  };
}

describe("collector/cloudwatch-emf.yaml and cloudwatch-dashboard.json", () => {
  const { namespace, metric_declarations } = (yamlFile("collector/cloudwatch-emf.yaml") as Emf).exporters
    .awsemf;
  const declared = metric_declarations.flatMap(({ dimensions, metric_name_selectors }) =>
    metric_name_selectors.flatMap((selector) =>
      [...METRIC_NAMES.keys()]
        .filter((name) => new RegExp(selector).test(name))
        .flatMap((name) => dimensions.map((set) => ({ name, set }))),
    ),
  );

  it("declare each metric once, by dimensions that stand on all of its points", () => {
    expect(declared).toHaveLength(metric_declarations.length);
    for (const { name, set } of declared) {
      const { attributes = {}, onlyOnFailure } = METRIC_NAMES.get(name) ?? {};
      const always = Object.keys(attributes).filter((attribute) => attribute !== onlyOnFailure);
      expect(always).toEqual(expect.arrayContaining([...set]));
    }
  });

  it("chart what is declared, by its dimensions, and nothing else", () => {
    const searches = [
      ...text("cloudwatch-dashboard.json").matchAll(/SEARCH\('\{(\w+),(.*?)\} MetricName=\\"([\w.]+)\\"/g),
    ].map(([, space, dimensions = "", name]) => ({
      space,
      name,
      set: dimensions.replaceAll(/[\\"]/g, "").split(","),
    }));
    expect(searches.length).toBeGreaterThan(10);
    for (const { space, name, set } of searches) {
      expect(space).toBe(namespace);
      expect(declared).toContainEqual({ name, set });
    }
    const charted = new Set(searches.map(({ name }) => name));
    expect(declared.filter(({ name }) => !charted.has(name))).toEqual([]);
  });

  it("say that they were not run", () => {
    expect(text("collector/cloudwatch-emf.yaml")).toMatch(/^# NOT RUN/m);
    expect(text("collector/cloudwatch-otlp.yaml")).toMatch(/^# NOT RUN/m);
  });
});

describe("collector/prometheus.yaml and prometheus.yaml", () => {
  it("meet at one address, where job and instance are kept as they come", () => {
    const collector = parse(text("collector/prometheus.yaml")) as {
      exporters: { prometheus: { endpoint: string } };
    };
    const { scrape_configs } = parse(text("prometheus.yaml")) as {
      scrape_configs: { honor_labels?: boolean; static_configs: { targets: string[] }[] }[];
    };
    const job = scrape_configs.find(({ static_configs }) =>
      static_configs.some(({ targets }) => targets.includes(collector.exporters.prometheus.endpoint)),
    );
    expect(job?.honor_labels).toBe(true);
  });
});
