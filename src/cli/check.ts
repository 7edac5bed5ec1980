import { runPolicyTests } from "../policy/in-file-tests.ts";
import { compiledOnce } from "../policy/decide.ts";
import { lintPolicy } from "../policy/lint.ts";
import { readPolicy } from "../policy-file/parse.ts";
import { formatReports, type FORMATS } from "./formats.ts";
import type { FileReport, Place, Problem } from "./report.ts";
import { messageOf, type ExitCode, type Io } from "./io.ts";

export const FAIL_ON = ["error", "warning", "never"] as const;

export interface CheckOptions {
  readonly format: (typeof FORMATS)[number];
  readonly failOn: (typeof FAIL_ON)[number];
  readonly now: Date;
}

/** Checks every file, prints one report, and says how it went. */
export async function check(files: readonly string[], options: CheckOptions, io: Io): Promise<ExitCode> {
  const reports: FileReport[] = [];
  for (const file of files) reports.push(await reportOf(file, options.now, io));
  io.out(formatReports(reports, options.format, io.colour));
  if (reports.some((report) => !report.valid)) return 2;
  return reports.some((report) => report.problems.some(({ severity }) => fails(severity, options.failOn)))
    ? 1
    : 0;
}

function fails(severity: Problem["severity"], failOn: CheckOptions["failOn"]): boolean {
  return failOn !== "never" && (severity === "error" || failOn === "warning");
}

async function reportOf(file: string, now: Date, io: Io): Promise<FileReport> {
  let text: string;
  try {
    text = await io.readFile(file);
  } catch (error) {
    const message = `It could not be read (${messageOf(error)}): check the path.`;
    const problem = { code: "unreadable", severity: "error", message, path: [], ...startOf(file) } as const;
    return { file, valid: false, rules: 0, tests: { passed: 0, failed: 0 }, problems: [problem] };
  }
  const { policy, issues, locate } = readPolicy(text, file);
  const mistakes = issues.map((issue): Problem => ({ ...issue, severity: "error" }));
  if (policy === undefined) {
    return { file, valid: false, rules: 0, tests: { passed: 0, failed: 0 }, problems: mistakes };
  }
  const findings = lintPolicy(policy, { now }).map((finding) => locate(finding));
  const results = runPolicyTests(policy);
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  return {
    file,
    valid: issues.length === 0,
    policyDigest: compiledOnce(policy).digest,
    rules: policy.rules?.length ?? 0,
    tests: { passed: results.length - failed, failed },
    problems: [...mistakes, ...findings].toSorted((a, b) => a.line - b.line || a.column - b.column),
  };
}

function startOf(file: string): Place {
  return { line: 1, column: 1, at: `${file}:1:1` };
}
