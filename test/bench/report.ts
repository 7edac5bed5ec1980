/** The table, for people: on the terminal and in the pages of docs/. */
import { cpus, release, totalmem, type } from "node:os";
import { createRequire } from "node:module";
import { verdictOf, type Row } from "./bench.ts";
import type { Estimate } from "./statistics.ts";

const HEADERS = ["what", "measured", "95 % interval", "bar", "met", "A/A control", "yardstick"];

/** One line per row, in columns. */
export function formatTable(rows: readonly Row[]): string {
  return alignColumns([HEADERS, ...rows.map(cellsOf)]);
}

/** The pages: what they are called, the command that writes them, and what helps reading them beside the rest. */
export const PAGES = {
  main: {
    title: "Benchmarks",
    file: "benchmarks.md",
    command: "npm run bench -- --write",
    notes: `- **memo warm**: 16 buckets, all remembered. **memo cold**: 4,000 buckets in turn, so that every request finds
  its bucket forgotten.
- Handlers of the PutObject and HeadObject rows answer at once. Against a network the same microseconds are a
  far smaller share.
- Envelope mode has [a page of its own](benchmarks-envelope.md).

\`npm run bench -- --only put,decide\` runs some; \`--quick\` shows that they run.`,
  },
  envelope: {
    title: "Benchmarks of envelope mode",
    file: "benchmarks-envelope.md",
    command: "npm run bench -- --only envelope --write",
    notes: `- *Rate against* and *times as fast* are above 1 where ours is faster.
- \`seal()\` and \`open()\` by themselves have a key source that answers at once, the Encryption SDK a raw AES keyring:
  neither asks KMS. Whole calls go to the simulator or to moto in a process of its own, over HTTP on this machine, so
  server and client share its cores.
- The official clients run in processes of their own and time each call themselves; every round has one call of each.
  All gets end with the whole object in memory, and 64 MiB are less the 16 bytes of the tag there: the client for Java
  holds no more by default.
- Memory that a body of 64 MiB is sealed into is new each time. On this machine the kernel takes more time to hand it
  out than the cipher takes to fill it; streams do without.
- Rows without a bar say what there is to reach: the same calls of \`node:crypto\`, or of a client that doesn't seal.

\`npm run bench -- --only envelope\` runs all but the official clients, \`--only envelope-clients\` those.`,
  },
} as const;

/** A page, made anew from one run. */
export function formatPage(
  page: (typeof PAGES)[keyof typeof PAGES],
  rows: readonly Row[],
  date: Date,
): string {
  return `# ${page.title}

Written by \`${page.command}\`; edit \`test/bench/report.ts\`, not this page.

${machine(date)}

| ${HEADERS.join(" | ")} |
| ${HEADERS.map(() => "---").join(" | ")} |
${rows.map((row) => `| ${cellsOf(row).join(" | ")} |`).join("\n")}

## How to read it

- **Ratios** compare arms in one process: every iteration times one operation of every arm, in a freshly
  shuffled order, and the figure is the median of the ratios within the iterations. Clients are made anew for
  every block of iterations; the interval comes from a bootstrap over whole blocks, so it includes what
  differs from one client to the next.
- **A/A control**: a second, equal floor in the same run. Where it is further than 0.5 % from 1 the run can't
  tell small differences, and a row whose bar is one says \`unresolved\`.
- **met**: the unfavourable end of the interval holds the bar. Nothing here gates CI.
- **Yardstick**: something well known, timed in the same run. Absolute figures are of this machine: read them
  by it.
${page.notes}
`;
}

function cellsOf(row: Row): string[] {
  const { what, measured, unit, bar, control, yardstick = "" } = row;
  const digits = unit === "ratio" ? 4 : 3;
  const format = (value: number): string => `${value.toFixed(digits)}${unit === "ratio" ? "" : ` ${unit}`}`;
  const limit = bar === undefined ? "" : "atMost" in bar ? `≤ ${bar.atMost}` : `≥ ${bar.atLeast}`;
  return [
    what,
    format(measured.value),
    measured.low === measured.high ? "exact" : interval(measured, digits),
    limit === "" || unit === "ratio" ? limit : `${limit} ${unit}`,
    verdictOf(row),
    control === undefined ? "" : `${control.value.toFixed(4)} (${interval(control, 4)})`,
    yardstick,
  ];
}

function interval({ low, high }: Estimate, digits: number): string {
  return `${low.toFixed(digits)} to ${high.toFixed(digits)}`;
}

function machine(date: Date): string {
  const cores = cpus();
  const versions = [
    "@aws-sdk/client-s3",
    "@aws-sdk/client-kms",
    "@smithy/core",
    "@opentelemetry/api",
    "@opentelemetry/sdk-metrics",
  ];
  const lines = [
    `${date.toISOString().slice(0, 10)}; ${cores[0]?.model.trim() ?? "unknown CPU"}, ${cores.length} cores, ` +
      `${(totalmem() / 2 ** 30).toFixed(0)} GiB; ${type()} ${release().split("-")[0]}; Node ${process.versions.node}.`,
    `${versions.map((name) => `${name} ${installedVersion(name)}`).join(", ")}.`,
  ];
  return lines.join("\n");
}

/** Read from its file: not every package exports its package.json. */
function installedVersion(name: string): string {
  const require = createRequire(import.meta.url);
  const { version } = require(`../../node_modules/${name}/package.json`) as { version: string };
  return version;
}

function alignColumns(lines: readonly (readonly string[])[]): string {
  const widths = HEADERS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
