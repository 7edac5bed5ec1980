import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { observabilityFile } from "./dashboard-queries.ts";
import { allRules, ruleGroups, ruleTests } from "./rules-file.ts";
import { metricSeries, mistakes, unaggregated, vocabulary } from "./vocabulary.ts";

const rules = allRules();
const alerts = rules.flatMap(({ alert, ...rule }) => (alert === undefined ? [] : [{ alert, ...rule }]));
const known = vocabulary(rules);
const telemetryPage = readFileSync(new URL("../../docs/telemetry.md", import.meta.url), "utf8");

/** The anchors of a page's headings, as GitHub makes them. */
function anchors(markdown: string): string[] {
  return [...markdown.matchAll(/^#{1,6} (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\- ]/gu, "")
      .replaceAll(" ", "-"),
  );
}

describe("prometheus-rules.yaml", () => {
  it.each(rules.map((rule) => ({ name: rule.record ?? rule.alert, ...rule })))(
    "$name names metrics, labels and values that exist, under both names where there are two",
    ({ expr }) => {
      expect(mistakes(known, expr)).toEqual([]);
    },
  );

  it("records nothing twice, and nothing under the name of a metric", () => {
    const recorded = rules.flatMap(({ record }) => (record === undefined ? [] : [record]));
    expect(new Set(recorded).size).toBe(recorded.length);
    expect(
      recorded.filter((name) => !/^s3_bucket_key:\w+:\w+$/.test(name) || metricSeries().has(name)),
    ).toEqual([]);
  });

  it("adds up over versions of the package", () => {
    const single = rules.filter(({ alert }) => alert !== "S3BucketKeyPluginMissing");
    expect(single.flatMap(({ expr }) => unaggregated(known, expr))).toEqual([]);
  });

  it("records before it reads, in the same group: an alert is no evaluation behind", () => {
    for (const { name, rules: inOrder } of ruleGroups()) {
      const here = new Set(inOrder.map(({ record }) => record));
      const seen = new Set<string>();
      for (const { record, expr } of inOrder) {
        const read = [...expr.matchAll(/s3_bucket_key:\w+:\w+/g)].map(([recorded]) => recorded);
        const early = read.filter((recorded) => !here.has(recorded) || !seen.has(recorded));
        expect({ name, early }).toEqual({ name, early: [] });
        if (record !== undefined) seen.add(record);
      }
    }
  });

  it("would be caught: a typo in a name, a label, a value; one name of two; broken PromQL", () => {
    const planted = [
      "sum(s3_bucket_key_drift_total)",
      "sum by (s3_bucket_key_whi) (s3_bucket_key_requests_total)",
      's3_bucket_key_requests_total{error_type="AccessDenied"}',
      'sum(s3_bucket_key_responses_total{s3_bucket_key_state="enable"})',
      "sum(s3_bucket_key_envelope_io_total)",
      "sum by (job (up)",
    ];
    expect(planted.map((expression) => mistakes(known, expression)[0])).toEqual([
      "no such metric: s3_bucket_key_drift_total",
      "s3_bucket_key_requests_total has no label s3_bucket_key_whi",
      "s3_bucket_key_requests_total has no label error_type",
      "s3_bucket_key_state of s3_bucket_key_responses_total is never enable",
      "does not see s3_bucket_key_envelope_io_bytes_total",
      expect.stringMatching(/^no PromQL/),
    ]);
  });
});

describe("the alerts", () => {
  it.each(alerts)("$alert has a severity, a summary and says what to do", ({ labels, annotations }) => {
    expect(labels?.["severity"]).toMatch(/^(critical|warning)$/);
    expect(annotations?.["summary"]?.length).toBeGreaterThan(20);
    expect(annotations?.["description"]?.length).toBeGreaterThan(80);
  });

  it.each(alerts)(
    "$alert sends its reader to a heading of docs/telemetry.md that is there",
    ({ annotations }) => {
      const [page, anchor] = (annotations?.["runbook_url"] ?? "").split("#");
      expect(page).toBe("docs/telemetry.md");
      expect(anchors(telemetryPage)).toContain(anchor);
    },
  );

  it.each(alerts)("$alert puts only labels into its words that it has", ({ expr, annotations = {} }) => {
    const words = Object.values(annotations).join(" ");
    const named = [...words.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label ?? "");
    const alert = vocabulary([...rules, { record: "planted:alert:labels", expr }]).get(
      "planted:alert:labels",
    );
    // A ratio that is recorded by job has no aggregation of its own.
    const has = new Set([...(alert?.labels.keys() ?? []), "job"]);
    expect(named.filter((label) => !has.has(label))).toEqual([]);
  });
});

describe("examples/observability/README.md", () => {
  it("lists every alert with its severity, and no other", () => {
    const page = readFileSync(observabilityFile("README.md"), "utf8");
    const listed = [...page.matchAll(/^\| `(S3BucketKey\w+)` \| (\w+) \|/gm)].map(([, name, severity]) => [
      name,
      severity,
    ]);
    const expected = alerts.map(({ alert, labels }) => [alert, labels?.["severity"]]);
    expect(listed).toHaveLength(alerts.length);
    expect(listed).toEqual(expect.arrayContaining(expected));
  });
});

describe("prometheus-rules.test.yaml", () => {
  const tests = ruleTests();
  const cases = tests.flatMap(({ alert_rule_test = [] }) => alert_rule_test);

  it.each(alerts)("sees $alert fire, and sees it stay quiet", ({ alert }) => {
    const own = cases.filter(({ alertname }) => alertname === alert);
    expect(own.some(({ exp_alerts }) => exp_alerts.length > 0)).toBe(true);
    expect(own.some(({ exp_alerts }) => exp_alerts.length === 0)).toBe(true);
  });

  it("tests no alert that isn't there", () => {
    const names = new Set(alerts.map(({ alert }) => alert));
    expect(cases.filter(({ alertname }) => !names.has(alertname))).toEqual([]);
  });

  it.each(tests)("feeds series that the exporters write: $name", ({ input_series }) => {
    const wrong = input_series.flatMap(({ series }) => mistakes(known, series));
    expect(wrong.filter((mistake) => !mistake.startsWith("does not see"))).toEqual([]);
  });
});
