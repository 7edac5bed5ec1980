import type { FileReport, Problem } from "./report.ts";

export const FORMATS = ["text", "json", "github"] as const;

/** The reports of `check` as text for one kind of reader. */
export function formatReports(
  reports: readonly FileReport[],
  format: (typeof FORMATS)[number],
  colour: boolean,
): string {
  switch (format) {
    case "text":
      return reports.map((report) => textOf(report, colour)).join("");
    case "json":
      return `${JSON.stringify({ version: 1, files: reports }, undefined, 2)}\n`;
    case "github":
      return reports.flatMap(({ file, problems }) => problems.map((one) => annotation(file, one))).join("");
  }
}

const COLOURS = { error: 31, warning: 33, valid: 32 } as const;

function textOf({ file, valid, rules, tests, policyDigest, problems }: FileReport, colour: boolean): string {
  const paint = (text: string, as: keyof typeof COLOURS): string =>
    colour ? `\u001B[${COLOURS[as]}m${text}\u001B[39m` : text;
  const lines = problems.map(
    ({ at, severity, message, code }) => `${at}: ${paint(severity, severity)}: ${message} (${code})`,
  );
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const counts = `${plural(errors, "error")}, ${plural(problems.length - errors, "warning")}`;
  const ran = `${plural(rules, "rule")}, ${tests.passed} of ${plural(tests.passed + tests.failed, "test")} passed`;
  const verdict = valid
    ? `${paint("valid", "valid")}, policy ${policyDigest}, ${ran}`
    : `${paint("can't be used", "error")}${policyDigest === undefined ? "" : `, ${ran}`}`;
  return `${[...lines, `${file}: ${verdict}; ${counts}`].join("\n")}\n`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A workflow command of GitHub Actions, shown beside the line in a pull request. */
function annotation(file: string, { severity, line, column, code, message }: Problem): string {
  const properties = { file, line: String(line), col: String(column), title: `s3-bucket-keys ${code}` };
  const text = Object.entries(properties)
    .map(([name, value]) => `${name}=${escapeProperty(value)}`)
    .join(",");
  return `::${severity} ${text}::${escapeData(message)}\n`;
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
