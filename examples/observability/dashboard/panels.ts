/** The kinds of panels that the dashboard is made of, all alike: one data source, one look, a description each. */
import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  FieldColorBuilder,
  FieldColorModeId,
  type Panel,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as TimeSeriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";

/** Each panel and query asks the data source that is chosen on top. */
export const DATASOURCE = { type: "prometheus", uid: "${datasource}" };

/** A panel as the dashboard's builder takes it. */
export interface PanelSource {
  build(): Panel;
}

interface Common {
  readonly title: string;
  /** What it shows and what to do when it moves. */
  readonly description: string;
  readonly unit: string;
  /** Columns of 24. */
  readonly span: number;
  readonly decimals?: number;
}

/** A query and how its series are called. */
export type Query = readonly [expression: string, legend: string];

/** Colours of words that mean the same in every panel, by what the legend is made of. */
const COLOURS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  decision: {
    pass: "green",
    amend: "blue",
    refuse: "red",
    "pass (audit)": "super-light-green",
    "amend (audit)": "super-light-blue",
    "refuse (audit)": "orange",
  },
  verdict: {
    honoured: "green",
    compliant: "blue",
    noncompliant: "orange",
    unverified: "yellow",
    drift: "red",
    "not-applicable": "#8e8e8e",
  },
  reload_result: { accepted: "green", rejected: "red" },
  cache_result: { hit: "green", miss: "orange", expired: "yellow", bypass: "purple" },
};

/** Series over time. */
export function timeSeries(
  panel: Common & {
    readonly queries: readonly Query[];
    /** Series that add up to something. */
    readonly stacked?: true;
    /** Top of the axis, where there is one. */
    readonly max?: number;
    /** Events, few and far between. */
    readonly bars?: true;
  },
): PanelSource {
  const builder = new TimeSeriesBuilder()
    .title(panel.title)
    .description(panel.description)
    .datasource(DATASOURCE)
    .unit(panel.unit)
    .min(0)
    .span(panel.span)
    .height(8)
    // A line on top of an area would also be drawn for what is 0, in the colour of something that isn't there.
    .lineWidth(panel.stacked ? 0 : 2)
    .fillOpacity(panel.bars ? 80 : panel.stacked ? 60 : 0)
    .showPoints(panel.stacked ? VisibilityMode.Never : VisibilityMode.Auto)
    .drawStyle(panel.bars ? GraphDrawStyle.Bars : GraphDrawStyle.Line)
    .colorScheme(
      panel.bars
        ? new FieldColorBuilder().mode(FieldColorModeId.Shades).fixedColor("red")
        : new FieldColorBuilder().mode(FieldColorModeId.PaletteClassic),
    )
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([]),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi))
    .targets(
      panel.queries.map(([expression, legend], at) =>
        query(expression, at).range().legendFormat(legend).format(PromQueryFormat.TimeSeries),
      ),
    );
  if (panel.max !== undefined) builder.max(panel.max);
  if (panel.decimals !== undefined) builder.decimals(panel.decimals);
  if (panel.stacked) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group("A"));
  for (const [word, colours] of Object.entries(COLOURS)) {
    if (!panel.queries.some(([, legend]) => legend.includes(`_${word}}}`))) continue;
    for (const [name, fixedColor] of Object.entries(colours))
      builder.overrideByName(name, [{ id: "color", value: { mode: "fixed", fixedColor } }]);
  }
  return builder;
}

/** One number for the time range that is shown. */
export function stat(
  panel: Common & {
    readonly expression: string;
    /** From which value on which colour; the first stands from the start on. */
    readonly colours: readonly [Omit<Threshold, "value">, ...Threshold[]];
  },
): PanelSource {
  const [first, ...rest] = panel.colours;
  const builder = new StatBuilder()
    .title(panel.title)
    .description(panel.description)
    .datasource(DATASOURCE)
    .unit(panel.unit)
    .span(panel.span)
    .height(4)
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false).fields(""))
    .thresholds(
      new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([{ ...first, value: null }, ...rest]),
    )
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .withTarget(query(panel.expression, 0).instant().format(PromQueryFormat.TimeSeries));
  if (panel.decimals !== undefined) builder.decimals(panel.decimals);
  return builder;
}

/** Rows, one for each series: labels as columns, the value last. */
export function table(
  panel: Common & {
    readonly expression: string;
    /** Labels, in the order of their columns, and what stands above them; the value is "Value". */
    readonly columns: Readonly<Record<string, string>>;
  },
): PanelSource {
  const order = Object.keys(panel.columns);
  return (
    new TableBuilder()
      .title(panel.title)
      .description(panel.description)
      .datasource(DATASOURCE)
      .unit(panel.unit)
      .decimals(panel.decimals ?? 0)
      // Grafana's own, 150 pixels, puts the last columns out of sight.
      .minWidth(80)
      .overrideByName(panel.columns["Value"] ?? "Value", [{ id: "custom.width", value: 90 }])
      .span(panel.span)
      .height(8)
      .withTarget(query(panel.expression, 0).instant().format(PromQueryFormat.Table))
      .withTransformation({
        id: "organize",
        options: {
          excludeByName: { Time: true },
          indexByName: Object.fromEntries(order.map((name, at) => [name, at])),
          renameByName: panel.columns,
        },
      })
  );
}

function query(expression: string, at: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .refId(String.fromCharCode(65 + at))
    .datasource(DATASOURCE)
    .expr(expression);
}
