/**
 * The dashboard's panels, drawn with Grafana's own components from data that was asked for beforehand: what a person
 * would see, as near as one gets without a Grafana. Bundled for a browser; `window.dashboard` is the data.
 */
// What places the charts; the bundler makes a file of it.
// oxlint-disable-next-line import/no-unassigned-import
import "uplot/dist/uPlot.min.css";
import {
  createDataFrame,
  createTheme,
  dateTime,
  EventBusSrv,
  FieldType,
  getDisplayProcessor,
  ThemeContext,
} from "@grafana/data";
import { BigValue, GlobalStyles, PanelChrome, PanelContextProvider, Table, TimeSeries } from "@grafana/ui";
import { createElement as h } from "react";
import { createRoot } from "react-dom/client";

const GAP = 8;
const CELL_HEIGHT = 30;
const COLUMNS = 24;

/** What Grafana's panel would fill in by itself. */
const TIME_SERIES_DEFAULTS = {
  drawStyle: "line",
  lineInterpolation: "linear",
  lineWidth: 1,
  fillOpacity: 0,
  gradientMode: "none",
  barAlignment: 0,
  barWidthFactor: 0.6,
  spanNulls: false,
  showPoints: "auto",
  pointSize: 5,
  axisPlacement: "auto",
  axisLabel: "",
  scaleDistribution: { type: "linear" },
  stacking: { mode: "none", group: "A" },
  hideFrom: { tooltip: false, viz: false, legend: false },
  thresholdsStyle: { mode: "off" },
};

/** The panel's defaults, and overrides by the name of a series. */
function configOf({ fieldConfig }, name, custom) {
  const config = { ...fieldConfig.defaults, custom: { ...custom, ...fieldConfig.defaults.custom } };
  for (const { matcher, properties } of fieldConfig.overrides) {
    if (matcher.id !== "byName" || matcher.options !== name) continue;
    for (const { id, value } of properties) {
      if (id.startsWith("custom.")) config.custom[id.slice("custom.".length)] = value;
      else config[id] = value;
    }
  }
  return config;
}

/** Grafana names series by their legend. */
function timeSeriesFrames(panel, theme) {
  return panel.series.map(({ name, points }, seriesIndex) => {
    const value = {
      name,
      type: FieldType.number,
      config: { ...configOf(panel, name, TIME_SERIES_DEFAULTS), displayNameFromDS: name },
      values: points.map(([, number]) => number),
      state: { seriesIndex, displayName: name },
      labels: {},
    };
    value.display = getDisplayProcessor({ field: value, theme, timeZone: "utc" });
    const time = { name: "Time", type: FieldType.time, config: {}, values: points.map(([at]) => at * 1000) };
    time.display = getDisplayProcessor({ field: time, theme, timeZone: "utc" });
    return { ...createDataFrame({ fields: [] }), name, fields: [time, value], length: points.length };
  });
}

function TimeSeriesPanel({ panel, theme, width, height, range }) {
  const frames = timeSeriesFrames(panel, theme);
  const timeRange = { from: dateTime(range.from * 1000), to: dateTime(range.to * 1000), raw: {} };
  const props = { frames, timeRange, timeZone: "utc", width, height, structureRev: 1 };
  return h(PanelContextProvider, {
    value: { eventsScope: "panel", eventBus: new EventBusSrv() },
    children: h(TimeSeries, {
      ...props,
      legend: panel.options.legend,
      options: panel.options,
      children: () => null,
    }),
  });
}

function StatPanel({ panel, theme, width, height }) {
  const field = { name: "Value", type: FieldType.number, config: configOf(panel, "Value", {}), values: [] };
  const value = getDisplayProcessor({ field, theme })(panel.series[0]?.points.at(-1)?.[1]);
  const { colorMode, graphMode, justifyMode } = panel.options;
  return h(BigValue, { value, width, height, theme, colorMode, graphMode, justifyMode, textMode: "auto" });
}

/** Columns as the transformation "organize" orders and names them. */
function TablePanel({ panel, theme, width, height }) {
  const { excludeByName, indexByName, renameByName } = panel.transformations[0].options;
  const names = Object.keys(panel.rows[0] ?? {}).filter((name) => !excludeByName[name]);
  const place = (name) => indexByName[name] ?? names.length;
  names.sort((a, b) => place(a) - place(b));
  const fields = names.map((name) => {
    const isValue = name === "Value";
    const field = {
      name: renameByName[name] ?? name,
      type: isValue ? FieldType.number : FieldType.string,
      config: isValue
        ? configOf(panel, renameByName[name] ?? name, {})
        : { custom: panel.fieldConfig.defaults.custom },
      values: panel.rows.map((row) => row[name]),
      state: {},
    };
    field.display = getDisplayProcessor({ field, theme });
    return field;
  });
  const data = { ...createDataFrame({ fields: [] }), fields, length: panel.rows.length };
  return h(Table, { data, width, height, ariaLabel: panel.title });
}

const KINDS = { timeseries: TimeSeriesPanel, stat: StatPanel, table: TablePanel };

function Panel({ panel, theme, pageWidth, range }) {
  const { w, h: rows } = panel.gridPos;
  const width = Math.floor(((pageWidth - GAP * (COLUMNS - 1)) / COLUMNS) * w + GAP * (w - 1));
  const height = rows * (CELL_HEIGHT + GAP) - GAP;
  const draw = (innerWidth, innerHeight) =>
    h(KINDS[panel.type], { panel, theme, width: innerWidth, height: innerHeight, range });
  return h(
    "section",
    { "data-panel": panel.title },
    h(PanelChrome, { title: panel.title, description: panel.description, width, height, children: draw }),
  );
}

function Dashboard({ dashboard, theme }) {
  const { width, rows, range } = dashboard;
  const style = { display: "flex", flexWrap: "wrap", gap: GAP, width };
  return h(
    "main",
    null,
    ...rows.map(({ title, panels }) =>
      h(
        "div",
        { key: title, "data-row": title, style: { padding: `${GAP}px 0` } },
        h("h2", { style: { ...theme.typography.h6, margin: `${GAP}px 0` } }, title),
        h(
          "div",
          { style },
          ...panels.map((panel) => h(Panel, { key: panel.id, panel, theme, pageWidth: width, range })),
        ),
      ),
    ),
  );
}

const mode = globalThis.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
const theme = createTheme({ colors: { mode } });
document.body.style.background = theme.colors.background.canvas;
document.body.style.color = theme.colors.text.primary;
createRoot(document.querySelector("#root")).render(
  h(
    ThemeContext.Provider,
    { value: theme },
    h(GlobalStyles, { isExtensionSidebarOpen: false }),
    h(Dashboard, { dashboard: globalThis.dashboard, theme }),
  ),
);
