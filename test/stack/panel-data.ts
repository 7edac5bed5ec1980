/** What the dashboard shows at a moment: each panel with the answers to its queries. */
import {
  committedDashboard,
  EVERYTHING,
  type PanelJson,
  substituted,
} from "../observability/dashboard-queries.ts";
import type { PrometheusApi, RangeSeries, Series } from "./prometheus.ts";

/** A panel as `page/panels.mjs` draws it. */
interface DrawnPanel extends PanelJson {
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly (readonly [number, number])[];
  }[];
  readonly rows: readonly Readonly<Record<string, string | number>>[];
}

export interface DashboardData {
  readonly width: number;
  /** Seconds since 1970. */
  readonly range: { readonly from: number; readonly to: number };
  readonly rows: readonly { readonly title: string; readonly panels: readonly DrawnPanel[] }[];
}

/**
 * Asks all of it.
 *
 * @param seconds - How far back the time range goes.
 */
export async function dashboardData(
  prometheus: PrometheusApi,
  { seconds, width }: Readonly<{ seconds: number; width: number }>,
): Promise<DashboardData> {
  const to = Math.floor(Date.now() / 1000);
  const range = { from: to - seconds, to };
  const rows: { title: string; panels: DrawnPanel[] }[] = [];
  for (const panel of committedDashboard().panels) {
    if (panel.type === "row") rows.push({ title: panel.title, panels: [] });
    for (const one of panel.type === "row" ? (panel.panels ?? []) : [panel]) {
      rows.at(-1)?.panels.push(await drawn(prometheus, one, range));
    }
  }
  return { width, range, rows };
}

async function drawn(
  prometheus: PrometheusApi,
  panel: PanelJson,
  range: DashboardData["range"],
): Promise<DrawnPanel> {
  // As Grafana would at a scrape interval of a few seconds; the rate interval is a minute, for there is no more.
  const values = { ...EVERYTHING, rate_interval: "1m", __range: `${range.to - range.from}s` };
  const series: RangeSeries[] = [];
  const rows: Record<string, string | number>[] = [];
  const named: { name: string; points: (readonly [number, number])[] }[] = [];
  for (const { expr, legendFormat = "", instant } of panel.targets ?? []) {
    const asked = substituted(expr, values);
    if (instant === true) {
      const answer = await prometheus.query(asked);
      rows.push(...answer.map(row));
      series.push(...answer.map(({ metric, value }) => ({ metric, values: [value] })));
      named.push(
        ...series.map(({ metric, values: points }) => ({
          name: legend("", metric),
          points: points.map(point),
        })),
      );
    } else {
      const answer = await prometheus.range(asked, { ...range, step: 2 });
      named.push(
        ...answer.map(({ metric, values: points }) => ({
          name: legend(legendFormat, metric),
          points: points.map(point),
        })),
      );
    }
  }
  return { ...panel, series: named, rows };
}

function point([at, value]: readonly [number, string]): readonly [number, number] {
  return [at, Number(value)];
}

function row({ metric, value }: Series): Record<string, string | number> {
  return { ...metric, Time: value[0] * 1000, Value: Number(value[1]) };
}

/** As Grafana: labels in the place of their names. */
function legend(format: string, metric: Readonly<Record<string, string>>): string {
  return format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label: string) => metric[label] ?? "");
}
