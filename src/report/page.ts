import { adviceOn } from "./advice.ts";
import type { Pencil } from "./drawing.ts";
import { html, trusted, type Markup } from "./html.ts";
import type { Reading } from "./read.ts";
import * as sections from "./sections.ts";
import { STYLE } from "./style.ts";
import { attribute, numeral, coverageOf, of, percent, plural, roleOf, sum } from "./tally.ts";
import { timelineOf } from "./timeline.ts";

export interface PageOptions {
  /** Heading and title. */
  readonly title: string;
  /** When the page is made. */
  readonly now: Date;
}

/** Scripts, pictures and connections are forbidden: even a mistake in escaping could reach nothing. */
const SECURITY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** One page with everything in it: no script, nothing to fetch. */
export function reportPage(reading: Reading, pencil: Pencil, { title, now }: PageOptions): string {
  const { increments, fromMs, toMs } = reading;
  const given = { pencil, increments, timeline: timelineOf(fromMs, toMs) };
  const { markup } = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${trusted(SECURITY)}" />
        <title>${title}</title>
        <style>
          ${trusted(STYLE)}
        </style>
      </head>
      <body>
        <main>
          <header>
            <h1>${title}</h1>
            <p class="soft">
              ${sections.timeText(fromMs)} to ${sections.timeText(toMs)} UTC, ${plural(reading.lines, "line")}
              of ${reading.sources === 1 ? "1 process" : `${numeral(reading.sources)} processes`}.
              ${wears(reading)}
            </p>
            ${leftOut(reading)}
          </header>
          <dl class="headlines">${headlines(reading)}</dl>
          <section>
            <h2>What to do</h2>
            <ul class="advice">
              ${adviceOn(reading).map(({ level, text }) => html`<li class="${level}"><strong>${LEVELS[level]}</strong> ${text}</li>`)}
            </ul>
          </section>
          ${sections.byOperation(given)}${sections.overTime(given)}${sections.drifts(given)}${sections.who(given)}${sections.decisions(given)}${sections.avoided(given)}${sections.envelope(given, reading.cacheEntries)}${sections.errors(given)}
          <footer>
            Made by s3-bucket-keys on ${sections.timeText(now.getTime())} UTC. All times are UTC. What a
            process counted before its first line stands at that line.
          </footer>
        </main>
      </body>
    </html> `;
  return `${markup.trim()}\n`;
}

const LEVELS = { act: "Now:", look: "Soon:", good: "All well." } as const;

function wears({ wears: worn }: Reading): string {
  const different = new Set(worn.map(({ mode, policyDigest }) => `mode ${mode} with policy ${policyDigest}`));
  return different.size === 0 ? "" : `At the end: ${[...different].slice(0, 5).join("; ")}.`;
}

function leftOut({ problems }: Reading): Markup {
  if (problems.length === 0) return html``;
  const first = problems
    .slice(0, 10)
    .map(({ line, message }) => html`<li>Line ${numeral(line)}: ${message}</li>`);
  return html`<p>
      <strong
        >${plural(problems.length, "line")} could not be used and ${problems.length === 1 ? "is" : "are"} left
        out.</strong
      >
    </p>
    <ul class="soft">
      ${first}
    </ul>`;
}

function headlines({ increments }: Reading): Markup[] {
  const responses = of(increments, "responses");
  const [writes, reads] = ["write", "read"].map((role) =>
    coverageOf(responses.filter((one) => roleOf(one) === role)),
  ) as [ReturnType<typeof coverageOf>, ReturnType<typeof coverageOf>];
  const requests = of(increments, "requests");
  const refused = sum(requests.filter((one) => attribute(one, "decision") === "refuse"));
  const cache = of(increments, "cacheRequests");
  const hits = {
    covered: sum(cache.filter((one) => attribute(one, "cacheResult") === "hit")),
    all: sum(cache),
  };
  const share = (what: string, cover: typeof writes): Markup => {
    const { covered, all } = cover;
    if (all === 0) return headline(`Coverage of ${what}`, "–", `no SSE-KMS ${what}`);
    return headline(
      `Coverage of ${what}`,
      percent(cover),
      `${numeral(covered)} of ${numeral(all)} with a KMS key`,
    );
  };
  return [
    share("writes", writes),
    share("reads", reads),
    headline("Drifts", numeral(sum(of(increments, "drifts"))), "answered otherwise than enforced"),
    headline("Writes refused", numeral(refused), `of ${numeral(sum(requests))} decided, audit included`),
    headline(
      "KMS requests avoided (estimate)",
      brief(sum(of(increments, "avoidedRequests"))),
      "a model, not a measurement",
    ),
    ...(hits.all > 0
      ? [headline("Cache hits", percent(hits), `of ${numeral(hits.all)} look-ups of bucket keys`)]
      : []),
  ];
}

function headline(name: string, value: string, says: string): Markup {
  return html`<div>
    <dt>${name}</dt>
    <dd class="value">${value}</dd>
    <dd class="says">${says}</dd>
  </div>`;
}

const LARGE = new Intl.NumberFormat("en", {
  notation: "compact",
  compactDisplay: "long",
  maximumSignificantDigits: 3,
});

/** An estimate in millions has no use for its last digits, and a small screen no room. */
function brief(value: number): string {
  return value < 10_000_000 ? numeral(value) : LARGE.format(value);
}
