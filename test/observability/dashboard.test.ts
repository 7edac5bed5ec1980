import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { dashboardText } from "../../examples/observability/dashboard.ts";
import { METRICS } from "../../src/otel/index.ts";
import {
  committedDashboard,
  type DashboardJson,
  EVERYTHING,
  observabilityFile,
  panelQueries,
  panelsOf,
  substituted,
} from "./dashboard-queries.ts";
import { readPromql } from "./promql.ts";
import { allRules } from "./rules-file.ts";
import { metricsIn, mistakes, unaggregated, vocabulary } from "./vocabulary.ts";

const committed = committedDashboard();
const queries = panelQueries(committed);
const known = vocabulary(allRules());
const asked = (expression: string): string => substituted(expression, EVERYTHING);

describe("grafana-dashboard.json", () => {
  it("is what `npm run dashboard` writes", () => {
    expect(readFileSync(observabilityFile("grafana-dashboard.json"), "utf8")).toBe(dashboardText());
  });

  it("is of Grafana's classic model, and no panel is without a query and words on what to do", () => {
    expect(committed.schemaVersion).toBe(42);
    const wanting = panelsOf(committed).filter(
      ({ description = "", targets = [] }) => targets.length === 0 || description.length < 40,
    );
    expect(wanting.map(({ title }) => title)).toEqual([]);
  });

  it("numbers its panels, each once", () => {
    const ids = queries.map(({ panel }) => panel);
    expect(new Set(ids).size).toBe(panelsOf(committed).length);
  });

  it("calls every estimate one", () => {
    const estimates = queries.filter(({ expression }) => /estimate/.test(expression));
    expect(estimates.length).toBeGreaterThanOrEqual(4);
    for (const { name } of estimates) expect(name).toContain("(estimated)");
  });

  it("shows every metric", () => {
    const shown = new Set(queries.flatMap(({ expression }) => metricsIn(known, asked(expression))));
    expect(Object.values(METRICS).filter(({ name }) => !shown.has(name))).toEqual([]);
  });
});

describe("the queries of the dashboard", () => {
  it.each(queries)("$name names metrics, labels and values that exist", ({ expression }) => {
    expect(mistakes(known, asked(expression))).toEqual([]);
  });

  it.each(queries)("$name adds up over versions of the package", ({ expression }) => {
    expect(unaggregated(known, asked(expression))).toEqual([]);
  });

  it.each(queries.filter(({ legend }) => legend.includes("{{")))(
    "$name says in its legend what it sums by",
    (query) => {
      const by = readPromql(asked(query.expression)).aggregations.flatMap((each) => each.by ?? []);
      const named = [...query.legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
      expect(named.filter((label) => !by.includes(label ?? ""))).toEqual([]);
    },
  );

  it("filter by the chosen jobs and instances, all of them", () => {
    const unfiltered = queries.filter(({ expression }) => {
      const ours = readPromql(asked(expression)).selectors.filter(
        ({ name }) => name.value !== "s3_bucket_key:kms_price:usd_per_request",
      );
      return ours.some(
        ({ matchers }) =>
          !["job", "instance"].every((label) => matchers.some((each) => each.label === label)),
      );
    });
    expect(unfiltered.map(({ name }) => name)).toEqual([]);
  });

  it("in the table's columns, too, name what it sums by", () => {
    const tables = panelsOf(committed).filter(({ type }) => type === "table");
    expect(tables.length).toBeGreaterThan(0);
    for (const panel of tables) {
      const [{ options }] = (panel as unknown as { transformations: [{ options: { renameByName: object } }] })
        .transformations;
      const by = readPromql(asked(panel.targets?.[0]?.expr ?? "")).aggregations.flatMap(
        (each) => each.by ?? [],
      );
      expect(new Set(Object.keys(options.renameByName))).toEqual(new Set([...by, "Value"]));
    }
  });
});

/** Variables that stand somewhere in the dashboard and are neither its own nor Grafana's. */
function undefinedVariables(dashboard: DashboardJson): string[] {
  const defined = new Set(dashboard.templating.list.map(({ name }) => name));
  return usedVariables(dashboard).filter(
    (name) => !defined.has(name) && !["__range", "__rate_interval", "__interval", "__all"].includes(name),
  );
}

function usedVariables(dashboard: unknown): string[] {
  const used = JSON.stringify(dashboard).matchAll(/\$(\w+)|\$\{(\w+)[^}]*\}|\[\[(\w+)[^\]]*\]\]/g);
  return [...new Set([...used].map(([, plain, braced, old]) => plain ?? braced ?? old ?? ""))];
}

describe("the variables of the dashboard", () => {
  it("are defined, each that is used", () => {
    expect(undefinedVariables(committed)).toEqual([]);
  });

  it("are used, each that is defined", () => {
    const used = usedVariables(committed);
    expect(committed.templating.list.map(({ name }) => name).filter((name) => !used.includes(name))).toEqual(
      [],
    );
  });

  it.each(["$planted", "${planted}", "${planted:regex}", "[[planted]]"])("would be missed: %s", (text) => {
    const [first, ...rest] = committed.panels;
    const planted = {
      ...committed,
      panels: [{ ...first, title: `Drifts of ${text}` } as typeof first & object, ...rest],
    };
    expect(undefinedVariables(planted)).toEqual(["planted"]);
  });
});
