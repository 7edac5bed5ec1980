import { short, type Pencil } from "./drawing.ts";
import { html, type Markup } from "./html.ts";
import { numeral } from "./tally.ts";
import type { Timeline } from "./timeline.ts";

/** One colour and what it stands for; the colours are variables of the page's style, for light and for dark. */
export interface Series {
  readonly name: string;
  readonly colour: "blue" | "orange" | "grey" | "purple" | "green";
}

/** A row of bars laid end to end, in the order of the series. */
export interface BarRow {
  readonly name: string;
  /** Stands after the name, or below it where there is little room. */
  readonly aside?: string;
  readonly values: readonly number[];
  /** Said at the end of the bar. */
  readonly note: string;
}

/** Pictures are drawn twice: letters of a wide one could not be read on a telephone. */
const WIDTHS = { wide: 720, narrow: 340 } as const;
type Size = keyof typeof WIDTHS;

/** Bars from the left, one row each. */
export function barChart(
  pencil: Pencil,
  says: string,
  series: readonly Series[],
  rows: readonly BarRow[],
): Markup {
  const bars = rows.flatMap(({ values }, row) => {
    let end = 0;
    return values.map((value, i) => ({
      row,
      from: end,
      to: (end += value),
      fill: paint(series[i] as Series),
    }));
  });
  const ends = rows.map(({ values, note }, row) => ({ row, x: values.reduce((a, b) => a + b, 0), note }));
  const picture = (size: Size): Markup => {
    const letters = size === "wide" ? 30 : 17;
    const names = rows.map(({ name, aside }) => {
      if (aside === undefined) return short(name, letters);
      return size === "wide"
        ? short(`${name} ${aside}`, letters)
        : `${short(name, letters)}\n${short(aside, letters)}`;
    });
    const longest = Math.max(
      ...names.flatMap((name) => name.split("\n").map((line) => Array.from(line).length)),
    );
    const marginRight = 16 + Math.max(...rows.map(({ note }) => note.length)) * 6.6;
    return pencil.draw({
      width: WIDTHS[size],
      height: rows.length * (names.some((name) => name.includes("\n")) ? 34 : 26) + 44,
      marginLeft: 20 + longest * 6.6,
      marginRight,
      marginTop: 4,
      marginBottom: 36,
      style: STYLE,
      x: { label: null, ticks: size === "wide" ? 6 : 2, tickFormat: brief, grid: true },
      y: { label: null, tickSize: 0, tickFormat: (row: number) => names[row] ?? "" },
      marks: [
        pencil.plot.barX(bars, { x1: "from", x2: "to", y: "row", fill: "fill", insetTop: 2, insetBottom: 2 }),
        pencil.plot.text(ends, { x: "x", y: "row", text: "note", textAnchor: "start", dx: 6 }),
        pencil.plot.ruleX([0]),
      ],
    });
  };
  return figure(says, series, picture);
}

/** Columns over time, each as tall as its series together; `values[piece][series]`. */
export function columnChart(
  pencil: Pencil,
  says: string,
  series: readonly Series[],
  timeline: Timeline,
  values: readonly (readonly number[])[],
): Markup {
  const boxes = values.flatMap((piece, i) => {
    let end = 0;
    const startMs = timeline.startsMs[i] as number;
    const [x1, x2] = [new Date(startMs), new Date(startMs + timeline.stepMs)];
    return piece.map((value, j) => ({
      x1,
      x2,
      y1: end,
      y2: (end += value),
      fill: paint(series[j] as Series),
    }));
  });
  const picture = (size: Size): Markup =>
    pencil.draw({
      ...overTime(size, timeline),
      y: { label: null, ticks: 4, tickFormat: brief, grid: true, zero: true },
      marks: [
        pencil.plot.rect(boxes, { x1: "x1", x2: "x2", y1: "y1", y2: "y2", fill: "fill", inset: 0.5 }),
        pencil.plot.ruleY([0]),
      ],
    });
  return figure(says, series, picture);
}

/** Shares over time, from 0 to 1; absent where there was nothing to share. `values[series][piece]`. */
export function shareChart(
  pencil: Pencil,
  says: string,
  series: readonly Series[],
  timeline: Timeline,
  values: readonly (readonly (number | undefined)[])[],
): Markup {
  const isFirstOfTwo = (i: number): boolean => i === 0 && series.length > 1;
  const picture = (size: Size): Markup =>
    pencil.draw({
      ...overTime(size, timeline),
      y: { label: null, domain: [0, 100], ticks: 4, tickFormat: (y: number) => `${y} %`, grid: true },
      marks: [
        pencil.plot.ruleY([0]),
        ...values.flatMap((shares, i) => {
          const colour = paint(series[i] as Series);
          const points = shares.map((share, piece) => ({
            x: new Date((timeline.startsMs[piece] as number) + timeline.stepMs / 2),
            y: share === undefined ? Number.NaN : share * 100,
          }));
          return [
            // Dashes, and another kind of point, tell the second line from the first without colours; a wide first
            // line with large points shows beneath a second one that says the same.
            pencil.plot.line(points, {
              x: "x",
              y: "y",
              stroke: colour,
              strokeWidth: isFirstOfTwo(i) ? 4 : 2,
              ...(i > 0 && { strokeDasharray: "6 5" }),
            }),
            pencil.plot.dot(points, {
              x: "x",
              y: "y",
              fill: colour,
              r: isFirstOfTwo(i) ? 5 : 3,
              symbol: i > 0 ? "square" : "circle",
            }),
          ];
        }),
      ],
    });
  return figure(says, series, picture);
}

const STYLE = { background: "none", fontSize: "12px", fontFamily: "inherit", overflow: "visible" } as const;

const LEAST_PIECES = 8;

function overTime(size: Size, { startsMs, stepMs }: Timeline): object {
  // A few pieces don't fill the picture, or one minute would look like an age.
  const roomMs = (Math.max(LEAST_PIECES - startsMs.length, 0) / 2) * stepMs;
  const first = (startsMs[0] ?? 0) - roomMs;
  const end = (startsMs.at(-1) ?? 0) + stepMs + roomMs;
  return {
    width: WIDTHS[size],
    height: 190,
    marginLeft: 48,
    marginRight: 20,
    marginTop: 12,
    marginBottom: 40,
    style: STYLE,
    x: {
      type: "utc",
      label: null,
      domain: [new Date(first), new Date(end)],
      ticks: size === "wide" ? 7 : 3,
      tickFormat: moment,
    },
  };
}

const DAY = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", timeZone: "UTC" });
const YEAR = new Intl.DateTimeFormat("en", { month: "short", year: "numeric", timeZone: "UTC" });

/** Hours, with the day below where it is another than before; or days, or months of many. */
function moment(at: Date, i: number, all: readonly Date[]): string {
  const between = (all[1]?.getTime() ?? 0) - (all[0]?.getTime() ?? 0);
  if (between >= 27 * 86_400_000) return YEAR.format(at);
  if (between >= 86_400_000) return DAY.format(at);
  const before = all[i - 1];
  const isNewDay = before === undefined || DAY.format(before) !== DAY.format(at);
  return `${at.toISOString().slice(11, 16)}${isNewDay ? `\n${DAY.format(at)}` : ""}`;
}

/** An assistive technology gets one picture with one description; the table below it has the numbers. */
function figure(says: string, series: readonly Series[], picture: (size: Size) => Markup): Markup {
  const legend = series.map(({ name, colour }) => html`<li><span class="${colour}"></span>${name}</li>`);
  const drawings = (["wide", "narrow"] as const).map(
    (size) => html`<div class="${size}" role="img" aria-label="${says}">${picture(size)}</div>`,
  );
  return html`<figure>
    <ul class="legend">
      ${legend}
    </ul>
    ${drawings}
  </figure>`;
}

function paint({ colour }: Series): string {
  return `var(--${colour})`;
}

const BRIEF = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** 12,000 as 12K; nothing between whole things. */
function brief(value: number): string {
  if (!Number.isInteger(value)) return "";
  return value < 10_000 ? numeral(value) : BRIEF.format(value);
}
