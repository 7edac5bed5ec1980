/** The whole vitest suite, on another Node or beside another SDK, with its own counts read back. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { progress } from "../peers/cache.ts";
import { run } from "../peers/process.ts";
import { logs } from "./packages.ts";
import type { Outcome } from "./lane.ts";

const SUITE_SECONDS = 300;

/** Tests that must fail in a lane, all that match: asserted, not skipped. */
export interface KnownFailure {
  readonly file: string;
  /** Held against the full name, suites included. */
  readonly test: RegExp;
  readonly because: string;
}

export interface Suite {
  readonly lane: string;
  /** The program that runs it. */
  readonly node: string;
  /** The folder with tests, sources and `node_modules`. */
  readonly folder: string;
  readonly knownFailures?: readonly KnownFailure[];
  /** Globs of test files that do not run here, and why. */
  readonly leftOut?: Readonly<Record<string, string>>;
  /** Further arguments of vitest, such as another configuration. */
  readonly arguments?: readonly string[];
}

interface Report {
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** Runs the suite. What fails beyond the known failures, and a known failure that passes, are problems. */
export async function runSuite(suite: Suite): Promise<Outcome> {
  const { lane, node, folder, knownFailures = [], leftOut = {}, arguments: more = [] } = suite;
  const reportFile = join(logs, `${lane}.json`);
  rmSync(reportFile, { force: true });
  let crash: unknown;
  try {
    const vitest = join(folder, "node_modules/vitest/vitest.mjs");
    const without = Object.keys(leftOut).map((file) => `--exclude=${file}`);
    await run(
      node,
      [
        vitest,
        "run",
        "--reporter=default",
        "--reporter=json",
        `--outputFile=${reportFile}`,
        ...without,
        ...more,
      ],
      {
        cwd: folder,
        logFile: join(logs, `${lane}.log`),
        timeoutSeconds: SUITE_SECONDS,
        failure: `the suite of ${lane} failed`,
      },
    );
  } catch (error) {
    crash = error;
  }
  if (!existsSync(reportFile)) throw crash;
  for (const [file, because] of Object.entries(leftOut))
    progress(`${lane}: without ${file}: ${because}`, "matrix");
  for (const { file, test, because } of knownFailures) {
    progress(`${lane}: must fail: ${file} > ${test.source}: ${because}`, "matrix");
  }
  const outcome = judge(JSON.parse(readFileSync(reportFile, "utf8")) as Report, folder, knownFailures);
  // Errors outside any test end vitest with 1 and leave no mark in its report.
  const explained = knownFailures.length > 0 || outcome.problems.length > 0;
  const log = readFileSync(join(logs, `${lane}.log`), "utf8");
  if (crash !== undefined && (!explained || /Unhandled (Error|Rejection)/.test(log))) throw crash;
  return outcome;
}

function judge(report: Report, folder: string, knownFailures: readonly KnownFailure[]): Outcome {
  const problems: string[] = [];
  const seen = new Set<KnownFailure>();
  let passed = 0;
  for (const { name, status, message, assertionResults } of report.testResults) {
    const file = relative(folder, name);
    if (assertionResults.length === 0 && status === "failed") problems.push(`${file}: ${firstLine(message)}`);
    for (const result of assertionResults) {
      const known = knownFailures.find((one) => one.file === file && one.test.test(result.fullName));
      if (known !== undefined) seen.add(known);
      const isPassed = result.status === "passed";
      if (isPassed) passed += 1;
      if (isPassed === (known === undefined)) continue;
      const why = isPassed ? "passes, but stands as a known failure" : firstLine(result.failureMessages[0]);
      problems.push(`${file} > ${result.fullName}: ${why}`);
    }
  }
  for (const { file, test } of knownFailures.filter((one) => !seen.has(one))) {
    problems.push(`${file} > ${test.source}: stands as a known failure, but there is no such test`);
  }
  const skipped = report.numPendingTests + report.numTodoTests;
  if (skipped > 0) problems.push(`${skipped} tests were skipped`);
  if (passed === 0) problems.push("no test ran");
  return { passed, problems, what: `${report.testResults.length} files` };
}

function firstLine(text = "did not run"): string {
  return text.split("\n", 1)[0] ?? "";
}
