/** The queries of the committed dashboard, as Grafana would send them. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** `examples/observability/` and what stands in it. */
export function observabilityFile(name: string): string {
  return fileURLToPath(new URL(`../../examples/observability/${name}`, import.meta.url));
}

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat?: string;
  readonly instant?: boolean;
}

export interface PanelJson {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly targets?: readonly Target[];
  readonly panels?: readonly PanelJson[];
}

/** What this test needs to know of Grafana's classic model. */
export interface DashboardJson {
  readonly schemaVersion: number;
  readonly panels: readonly PanelJson[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
  readonly annotations: { readonly list: readonly { readonly expr?: string }[] };
}

/** One query of one panel. */
export interface PanelQuery {
  /** `Drifts (A)`. */
  readonly name: string;
  readonly panel: number;
  readonly type: string;
  readonly expression: string;
  readonly legend: string;
}

export function committedDashboard(): DashboardJson {
  return JSON.parse(readFileSync(observabilityFile("grafana-dashboard.json"), "utf8")) as DashboardJson;
}

/** All panels but rows, those of collapsed rows too. */
export function panelsOf({ panels }: DashboardJson): PanelJson[] {
  return panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]).filter(({ type }) => type !== "row");
}

export function panelQueries(dashboard: DashboardJson): PanelQuery[] {
  return panelsOf(dashboard).flatMap(({ id, type, title, targets = [] }) =>
    targets.map(({ refId, expr, legendFormat = "" }) => ({
      name: `${title} (${refId})`,
      panel: id,
      type,
      expression: expr,
      legend: legendFormat,
    })),
  );
}

/** Values for every variable and macro that the dashboard may use: all jobs, `5m` rates, the last hour. */
export const EVERYTHING: Readonly<Record<string, string>> = {
  job: ".*",
  instance: ".*",
  rate_interval: "5m",
  __range: "3600s",
  __rate_interval: "5m",
};

/** `$name` and `${name}` with what they stand for; a variable without a value stays. */
export function substituted(expression: string, values: Readonly<Record<string, string>>): string {
  return expression.replace(
    /\$(?:(\w+)|\{(\w+)(?::\w+)?\})/g,
    (whole, plain?: string, braced?: string) => values[plain ?? braced ?? ""] ?? whole,
  );
}
