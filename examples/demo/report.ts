/** Prints what the demo found. */

/** One run of the workload. */
export interface Row {
  readonly name: string;
  /** Requests sent to S3. */
  readonly requests: number;
  /** Stored SSE-KMS objects with a bucket key. */
  readonly withKey: number;
  readonly without: number;
  /** Undefined: nobody looked. */
  readonly drifts: number | undefined;
  /** KMS requests that S3 made, simulated. */
  readonly kmsRequests: number;
}

/** AWS's published figures differ by region and over time: put your own price here. */
const USD_PER_10_000_KMS_REQUESTS = 0.03;
/** The cost column is for this many requests to S3, in the same mix. */
const SCALE = 1_000_000_000;

const COLUMNS: readonly (readonly [title: string, cell: (row: Row, first: Row) => string])[] = [
  ["", ({ name }) => name],
  ["S3 requests", ({ requests }) => `${requests}`],
  ["with bucket key", ({ withKey }) => `${withKey}`],
  ["without", ({ without }) => `${without}`],
  ["drifts", ({ drifts }) => (drifts === undefined ? "-" : `${drifts}`)],
  ["KMS requests*", ({ kmsRequests }) => `${kmsRequests}`],
  ["saved", (row, first) => `${Math.round(100 * (1 - row.kmsRequests / first.kmsRequests))} %`],
  ["cost**", ({ kmsRequests, requests }) => usd((kmsRequests / requests) * SCALE)],
];

export function printTable(rows: readonly Row[]): void {
  const first = rows[0] as Row;
  const cells = [
    COLUMNS.map(([title]) => title),
    ...rows.map((row) => COLUMNS.map(([, cell]) => cell(row, first))),
  ];
  const widths = COLUMNS.map((_, at) => Math.max(...cells.map((line) => (line[at] as string).length)));
  const lines = cells.map((line) =>
    line
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] as number) : cell.padStart(widths[at] as number)))
      .join("  "),
  );
  lines.splice(1, 0, "-".repeat((lines[0] as string).length));
  console.log(`\n${lines.join("\n")}\n`);
  console.log(
    "*  made by S3 itself, for stored SSE-KMS objects: simulated, with bucket keys that live one minute",
  );
  console.log(
    `** of the KMS requests of a billion S3 requests in this mix, at $${USD_PER_10_000_KMS_REQUESTS} per 10,000`,
  );
}

/** The series of a scrape that a dashboard would start with, each with the values of its labels. */
export function printMetrics(text: string): void {
  const series = text.split("\n").flatMap((line) => {
    const [, metric, labels = "", value] =
      /^(s3_bucket_key_(?:requests|responses|drifts)_total)\{(.*)\} (\S+)/.exec(line) ?? [];
    if (metric === undefined) return [];
    const values = [...labels.matchAll(/(\w+)="([^"]*)"/g)].flatMap(([, name, word]) =>
      name?.startsWith("otel_scope") === true ? [] : [word as string],
    );
    return [{ metric, values, value: Number(value) }];
  });
  console.log("\nWhat the metrics exporter says of the enforcing run:\n");
  for (const { metric, values, value } of series.filter((one) => one.value > 0)) {
    const cells = values.map((word, at) => word.padEnd([24, 9, 10, 0][at] ?? 0));
    console.log(`  ${metric.padEnd(30)} ${cells.join(" ").padEnd(56)} ${`${value}`.padStart(5)}`);
  }
  const drifts = series.filter(({ metric }) => metric.endsWith("drifts_total"));
  const sum = drifts.reduce((total, { value }) => total + value, 0);
  console.log(
    `  ${"s3_bucket_key_drifts_total".padEnd(30)} ${`sum of ${drifts.length} series`.padEnd(56)} ${`${sum}`.padStart(5)}`,
  );
}

export function printRefusal(message: string): void {
  console.log("\nAnd a write that the policy refuses, before anything is sent:\n");
  console.log(wrapped(message, 100));
}

function usd(kmsRequests: number): string {
  const cost = (kmsRequests * USD_PER_10_000_KMS_REQUESTS) / 10_000;
  return `$${cost.toLocaleString("en-US", { maximumFractionDigits: 0 })}`;
}

function wrapped(text: string, columns: number): string {
  let line = "  ";
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    if (line.length + word.length > columns) {
      lines.push(line);
      line = "  ";
    }
    line += `${word} `;
  }
  return [...lines, line].map((each) => each.trimEnd()).join("\n");
}
