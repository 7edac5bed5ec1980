import { ranked } from "./advice.ts";
import { barChart, columnChart, shareChart, type BarRow, type Series } from "./charts.ts";
import type { Pencil } from "./drawing.ts";
import { html, type Markup } from "./html.ts";
import type { Increment } from "./read.ts";
import { openTable, tableOf } from "./table.ts";
import {
  attribute,
  numeral,
  coverageOf,
  groups,
  of,
  percent,
  roleOf,
  sum,
  tally,
  type AttributeKey,
} from "./tally.ts";
import type { Timeline } from "./timeline.ts";

/** What every section is made from. */
export interface Given {
  readonly pencil: Pencil;
  readonly increments: readonly Increment[];
  readonly timeline: Timeline;
}

type Section = Markup;
const WITH: Series = { name: "with a bucket key", colour: "blue" };
const WITHOUT: Series = { name: "without", colour: "orange" };
/** Rows that a chart has room for; the table has all. */
const MOST_ROWS = 15;

function section(title: string, ...content: readonly Markup[]): Section {
  return html`<section>
    <h2>${title}</h2>
    ${content}
  </section> `;
}

export function byOperation({ pencil, increments }: Given): Section {
  const apart = groups(of(increments, "responses"), (one) => attribute(one, "operation"));
  const rows = [...apart].map(([operation, answers]) => ({ operation, answers, ...coverageOf(answers) }));
  const shown = rows.filter(({ all }) => all > 0).toSorted((a, b) => b.all - a.all);
  if (rows.length === 0) return section("Coverage by operation", html`<p>No answer was seen.</p>`);
  const chart = barChart(
    pencil,
    "Bars: answers with a KMS key by operation, with and without a bucket key.",
    [WITH, WITHOUT],
    shown.map((row) => ({
      name: row.operation,
      values: [row.covered, row.all - row.covered],
      note: percent(row),
    })),
  );
  return section(
    "Coverage by operation",
    html`<p>
      Of the answers that name a KMS key (SSE-KMS): how many have a bucket key. Without one, S3 asks KMS for
      every object.
    </p>`,
    shown.length > 0 ? chart : html`<p>No answer named a KMS key.</p>`,
    tableOf({
      caption: "answers by operation",
      columns: ["Operation", "With bucket key", "Without", "Other encryption", "Coverage"],
      rows: rows.map((row) => [
        row.operation,
        row.covered,
        row.all - row.covered,
        sum(row.answers) - row.all,
        percent(row),
      ]),
    }),
  );
}

export function overTime({ pencil, increments, timeline }: Given): Section {
  const kinds = [
    { name: "writes", colour: "blue", role: "write" },
    { name: "reads", colour: "purple", role: "read" },
  ] as const;
  const covers = kinds.map(({ role }) => {
    const answers = of(increments, "responses").filter((one) => roleOf(one) === role);
    return pieces(answers, timeline).map(coverageOf);
  });
  const shares = covers.map((row) => row.map(({ covered, all }) => (all === 0 ? undefined : covered / all)));
  const title = "Coverage over time";
  if (shares.flat().every((share) => share === undefined)) {
    return section(title, html`<p>No answer to a write or a read named a KMS key.</p>`);
  }
  return section(
    title,
    shareChart(
      pencil,
      `Lines: coverage of writes and of reads in each ${timeline.stepName}.`,
      kinds,
      timeline,
      shares,
    ),
    tableOf({
      caption: "coverage over time",
      columns: [
        `From (UTC), each ${timeline.stepName}`,
        "Writes with KMS key",
        "Coverage",
        "Reads with KMS key",
        "Coverage",
      ],
      rows: timeline.startsMs.map((startMs, i) => [
        timeText(startMs),
        ...covers.flatMap((row) => {
          const cover = row[i] ?? { covered: 0, all: 0 };
          return [cover.all, percent(cover)];
        }),
      ]),
    }),
  );
}

/** Verdicts on writes that something was enforced on; drifts are counted apart. */
const ENFORCED: ReadonlySet<string> = new Set(["honoured", "unverified"]);

export function drifts({ pencil, increments, timeline }: Given): Section {
  const found = of(increments, "drifts");
  if (found.length === 0) {
    const enforced = of(increments, "responses").filter((one) =>
      ENFORCED.has(attribute(one, "verdict") ?? ""),
    );
    const none =
      enforced.length === 0
        ? "Nothing was enforced, so nothing could drift."
        : "None: S3 took every enforced write as the policy wanted it.";
    return section("Drifts", html`<p>${none}</p>`);
  }
  const series = seriesOf(found, "driftKind", ["orange", "purple", "blue"]);
  const apart = groups(found, (one) =>
    JSON.stringify([attribute(one, "operation"), attribute(one, "driftKind")]),
  );
  return section(
    "Drifts",
    html`<p>Writes that S3 answered with something else than the policy had enforced, by what differed.</p>`,
    stacked(pencil, timeline, found, "driftKind", series, "drifts"),
    tableOf({
      caption: "drifts by operation",
      columns: ["Operation", "What differed", "Drifts"],
      rows: [...apart.values()].map((some) => [
        attribute(some[0] as Increment, "operation") ?? "",
        attribute(some[0] as Increment, "driftKind") ?? "",
        sum(some),
      ]),
    }),
  );
}

export function who({ pencil, increments }: Given): Section {
  const rules = groups(of(increments, "ruleResponses"), (one) => attribute(one, "rule"));
  const buckets = groups(
    of(increments, "responses").filter((one) => attribute(one, "sse") === "aws:kms"),
    (one) => attribute(one, "bucket"),
  );
  const one = (title: string, apart: ReadonlyMap<string, readonly Increment[]>): Markup => {
    const rows = [...apart]
      .map(([name, answers]) => {
        const states = tally(answers, (answer) => attribute(answer, "state"));
        const [covered, disabled] = [states.get("enabled") ?? 0, states.get("disabled") ?? 0];
        return { name, covered, disabled, other: sum(answers) - covered - disabled };
      })
      .toSorted((a, b) => b.disabled - a.disabled || b.covered - a.covered);
    const shown = rows.filter(({ covered, disabled }) => covered + disabled > 0);
    const bars = shown.slice(0, MOST_ROWS).map(({ name, covered, disabled }): BarRow => ({
      name,
      values: [covered, disabled],
      note: percent({ covered, all: covered + disabled }),
    }));
    const rest = shown.length - bars.length;
    return html`<h3>By ${title}</h3>
      ${
        bars.length > 0
          ? barChart(
              pencil,
              `Bars: answers by ${title}, with and without a bucket key.`,
              [WITH, WITHOUT],
              bars,
            )
          : html`<p>None has an answer with or without a bucket key.</p>`
      }
      ${rest > 0 ? html`<p>${numeral(rest)} more in the table.</p>` : html``}
      ${tableOf({
        caption: `answers by ${title}`,
        columns: [title === "rule" ? "Rule" : "Bucket", "With bucket key", "Without", "Neither", "Coverage"],
        rows: rows.map(({ name, covered, disabled, other }) => [
          name,
          covered,
          disabled,
          other,
          percent({ covered, all: covered + disabled }),
        ]),
      })}`;
  };
  return section(
    "Who writes and reads without bucket keys",
    rules.size > 0 ? one("rule", rules) : html`<p>No answer was held against a rule.</p>`,
    buckets.size > 0
      ? one("bucket", buckets)
      : html`<p>
          Buckets: only in a metrics file of a program with <code>otel({ bucketAttribute })</code>.
        </p>`,
  );
}

const DECISIONS = [
  { name: "pass", colour: "grey" },
  { name: "amend", colour: "blue" },
  { name: "refuse", colour: "orange" },
] as const;

export function decisions({ pencil, increments }: Given): Section {
  const found = of(increments, "requests");
  if (found.length === 0) return section("Decisions", html`<p>No write was decided.</p>`);
  const rows = ranked(
    tally(found, (one) =>
      JSON.stringify((["decision", "why", "mode"] as const).map((key) => attribute(one, key) ?? "")),
    ),
  ).map(([key, times]) => ({ times, words: JSON.parse(key) as [string, string, string] }));
  const bars = rows.slice(0, MOST_ROWS).map(({ times, words: [decision, why, mode] }): BarRow => ({
    name: why,
    ...(mode !== "enforce" && { aside: `(${mode})` }),
    values: DECISIONS.map(({ name }) => (name === decision ? times : 0)),
    note: numeral(times),
  }));
  return section(
    "Decisions",
    html`<p>What the policy made of each write, and why. In mode audit: what it would have made.</p>`,
    barChart(pencil, "Bars: decisions by reason.", DECISIONS, bars),
    tableOf({
      caption: "decisions",
      columns: ["Decision", "Why", "Mode", "Writes"],
      rows: rows.map(({ times, words }) => [...words, times]),
    }),
  );
}

export function avoided({ pencil, increments, timeline }: Given): Section {
  const found = of(increments, "avoidedRequests");
  const title = "KMS requests avoided (a model)";
  const model = html`<p>
    <strong>A model, not a measurement.</strong> It counts the requests that S3 would have made without bucket
    keys, less those it is thought to make with them. Take the truth from CloudTrail's KMS events, or from the
    bill.
  </p>`;
  if (found.length === 0) return section(title, model, html`<p>None so far.</p>`);
  const series = seriesOf(found, "kmsOperation", ["blue", "purple", "grey"]);
  return section(
    title,
    model,
    stacked(pencil, timeline, found, "kmsOperation", series, "KMS requests estimated as avoided"),
    timeTable(timeline, found, "kmsOperation", series, "KMS requests estimated as avoided"),
  );
}

export function envelope({ pencil, increments, timeline }: Given, cacheEntries: number | undefined): Markup {
  const [cache, kms] = [of(increments, "cacheRequests"), of(increments, "kmsRequestDuration")];
  if (cacheEntries === undefined && cache.length === 0 && kms.length === 0) return html``;
  const share = pieces(cache, timeline).map((some) => {
    const all = sum(some);
    return all === 0 ? undefined : sum(some.filter((one) => attribute(one, "cacheResult") === "hit")) / all;
  });
  const seconds = of(increments, "kmsSeconds");
  const mean = (errorType: string | undefined, operation: string): string => {
    const same = (one: Increment): boolean =>
      attribute(one, "errorType") === errorType && attribute(one, "operation") === operation;
    return `${((sum(seconds.filter(same)) / sum(kms.filter(same))) * 1000).toFixed(1)} ms`;
  };
  const kmsSeries = seriesOf(kms, "operation", ["blue", "purple", "grey"]);
  const io = tally(of(increments, "envelopeIo"), (one) => attribute(one, "ioDirection"));
  return section(
    "Client-side encryption",
    html`<h3>Bucket keys in the cache</h3>
      <p>
        The share of look-ups that found a bucket key. Each of the others asked KMS, or waited for one that
        did.
      </p>
      ${shareChart(pencil, `A line: share of hits in each ${timeline.stepName}.`, [{ name: "hits", colour: "blue" }], timeline, [share])}
      ${timeTable(timeline, cache, "cacheResult", seriesOf(cache, "cacheResult", ["blue"]), "look-ups of bucket keys")}
      ${tableOf({
        caption: "state of the cache",
        columns: ["What", "How much"],
        rows: [
          ["Bucket keys in the caches at the end", cacheEntries ?? 0],
          ...ranked(tally(of(increments, "dataKeyAge"), (one) => attribute(one, "retireReason"))).map(
            ([reason, times]) => [`Bucket keys retired: ${reason}`, times] as const,
          ),
          ["Bytes sealed", io.get("seal") ?? 0],
          ["Bytes opened", io.get("open") ?? 0],
          ["Plain objects read where sealed ones are expected", sum(of(increments, "plainReads"))],
        ],
      })}
      <h3>Requests to KMS</h3>
      ${
        kms.length === 0
          ? html`<p>None.</p>`
          : html`${stacked(pencil, timeline, kms, "operation", kmsSeries, "requests of client-side encryption to KMS")}
            ${tableOf({
              caption: "requests to KMS by result",
              columns: ["Operation", "Result", "Requests", "Mean duration"],
              rows: ranked(
                tally(kms, (one) =>
                  JSON.stringify([attribute(one, "operation"), attribute(one, "errorType") ?? null]),
                ),
              ).map(([key, times]) => {
                const [operation, errorType] = JSON.parse(key) as [string, string | null];
                return [operation, errorType ?? "succeeded", times, mean(errorType ?? undefined, operation)];
              }),
            })}`
      } `,
  );
}

export function errors({ increments }: Given): Markup {
  const rows = [
    ...ranked(
      tally(of(increments, "errors"), (one) =>
        JSON.stringify([attribute(one, "errorType"), attribute(one, "phase")]),
      ),
    ).map(([key, times]) => [...(JSON.parse(key) as [string, string]), times] as const),
    ...ranked(tally(of(increments, "notes"), (one) => attribute(one, "note"))).map(
      ([note, times]) => [note, "note", times] as const,
    ),
  ];
  if (rows.length === 0) return section("Errors and notes", html`<p>None.</p>`);
  return section(
    "Errors and notes",
    openTable({ caption: "errors and notes", columns: ["What", "Where", "Times"], rows }),
  );
}

/** Increments by the piece of time they fell into. */
function pieces(increments: readonly Increment[], timeline: Timeline): Increment[][] {
  const found = timeline.startsMs.map((): Increment[] => []);
  for (const increment of increments) found[timeline.pieceOf(increment.atMs)]?.push(increment);
  return found;
}

/** One series for each word, the most frequent first; the last colour stands for all that are left. */
function seriesOf(
  increments: readonly Increment[],
  key: AttributeKey,
  colours: readonly Series["colour"][],
): Series[] {
  return ranked(tally(increments, (one) => attribute(one, key))).map(([name], i) => ({
    name,
    colour: colours[Math.min(i, colours.length - 1)] as Series["colour"],
  }));
}

function amounts(
  timeline: Timeline,
  increments: readonly Increment[],
  key: AttributeKey,
  series: readonly Series[],
): number[][] {
  return pieces(increments, timeline).map((some) => {
    const counts = tally(some, (one) => attribute(one, key));
    return series.map(({ name }) => counts.get(name) ?? 0);
  });
}

function stacked(
  pencil: Pencil,
  timeline: Timeline,
  increments: readonly Increment[],
  key: AttributeKey,
  series: readonly Series[],
  what: string,
): Markup {
  const says = `Columns: ${what} in each ${timeline.stepName}.`;
  return columnChart(pencil, says, series, timeline, amounts(timeline, increments, key, series));
}

function timeTable(
  timeline: Timeline,
  increments: readonly Increment[],
  key: AttributeKey,
  series: readonly Series[],
  what: string,
): Markup {
  const values = amounts(timeline, increments, key, series);
  return tableOf({
    caption: what,
    columns: [`From (UTC), each ${timeline.stepName}`, ...series.map(({ name }) => name)],
    rows: timeline.startsMs.map((startMs, i) => [timeText(startMs), ...(values[i] ?? [])]),
  });
}

/** To the minute, in UTC. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace("T", " ");
}
