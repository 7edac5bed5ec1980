/**
 * Generates `grafana-dashboard.json`: `npm run dashboard` writes it, a test fails when it is not what this says.
 *
 * Import the file into Grafana and choose a Prometheus data source that has evaluated `prometheus-rules.yaml`.
 */
import { writeFileSync } from "node:fs";
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  IntervalVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DATASOURCE } from "./dashboard/panels.ts";
import { ROWS } from "./dashboard/rows.ts";

const FILE = new URL("grafana-dashboard.json", import.meta.url);
const ALL = { selected: true, text: "All", value: "$__all" };

/** Values of a label that is chosen on top. */
function labelVariable(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query({ query, refId: name })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .multi(true)
    .includeAll(true)
    .allValue(".*")
    .current(ALL);
}

/** The dashboard, as Grafana's classic model. */
export function dashboard(): Dashboard {
  const builder = new DashboardBuilder("S3 Bucket Keys")
    .uid("s3-bucket-keys")
    .description("Who writes to S3 with bucket keys, who doesn't, and what the plugin did about it.")
    .tags(["s3", "kms", "s3-bucket-keys"])
    .timezone("browser")
    .editable()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: "now-1h", to: "now" })
    .refresh("30s")
    .variables([
      new DatasourceVariableBuilder("datasource").label("Data source").type("prometheus"),
      labelVariable("job", "Job", "label_values(s3_bucket_key_client_count, job)"),
      labelVariable(
        "instance",
        "Instance",
        'label_values(s3_bucket_key_client_count{job=~"$job"}, instance)',
      ),
      new IntervalVariableBuilder("rate_interval")
        .label("Rate interval")
        .values("1m,5m,15m,1h,6h,1d")
        .current({ selected: true, text: "5m", value: "5m" }),
    ])
    .annotation(
      new AnnotationQueryBuilder()
        .name("Alerts")
        .datasource(DATASOURCE)
        .enable(true)
        .iconColor("red")
        .expr('ALERTS{alertname=~"S3BucketKey.*", alertstate="firing", job=~"$job|"}')
        .titleFormat("{{alertname}}")
        .textFormat("{{job}}"),
    );
  for (const { title, isCollapsed, panels } of ROWS) {
    const row = new RowBuilder(title).collapsed(isCollapsed === true);
    // The panels of a collapsed row stand in it, those of an open one behind it.
    if (isCollapsed) for (const panel of panels) row.withPanel(panel);
    builder.withRow(row);
    if (!isCollapsed) for (const panel of panels) builder.withPanel(panel);
  }
  return numbered(builder.build());
}

/** Ids in the order of the page, so that a panel's link stays while nothing above it moves. */
function numbered(built: Dashboard): Dashboard {
  let id = 0;
  for (const panel of built.panels ?? []) {
    panel.id = ++id;
    for (const inner of "panels" in panel ? panel.panels : []) inner.id = ++id;
  }
  return built;
}

/** The text of `grafana-dashboard.json`. */
export function dashboardText(): string {
  return `${JSON.stringify(dashboard(), null, 2)}\n`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(FILE, dashboardText());
