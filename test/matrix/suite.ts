/** The whole vitest suite, on another Node or beside another SDK, with its own counts read back. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { progress } from "../peers/cache.ts";
import { run } from "../peers/process.ts";
import { logs } from "./packages.ts";
import type { Outcome } from "./lane.ts";

const SUITE_SECONDS = 300;

/** A test that must fail in a lane, by the start of its full name; it is asserted, not skipped. */
export interface KnownFailure {
  readonly file: string;
  readonly test: string;
  readonly because: string;
}

export interface Suite {
  readonly lane: string;
  /** The program that runs it. */
  readonly node: string;
  /** The folder with tests, sources and `node_modules`. */
  readonly folder: string;
  readonly knownFailures?: readonly KnownFailure[];
  /** Test files that do not run here, and why. */
  readonly leftOut?: Readonly<Record<string, string>>;
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
  const { lane, node, folder, knownFailures = [], leftOut = {} } = suite;
  const reportFile = join(logs, `${lane}.json`);
  rmSync(reportFile, { force: true });
  let crash: unknown;
  try {
    const vitest = join(folder, "node_modules/vitest/vitest.mjs");
    const without = Object.keys(leftOut).map((file) => `--exclude=${file}`);
    await run(node, [vitest, "run", "--reporter=json", `--outputFile=${reportFile}`, ...without], {
      cwd: folder,
      logFile: join(logs, `${lane}.log`),
      timeoutSeconds: SUITE_SECONDS,
      failure: `the suite of ${lane} failed`,
    });
  } catch (error) {
    crash = error;
  }
  if (!existsSync(reportFile)) throw crash;
  for (const [file, because] of Object.entries(leftOut))
    progress(`${lane}: without ${file}: ${because}`, "matrix");
  for (const { file, test, because } of knownFailures) {
    progress(`${lane}: must fail: ${file} > ${test}: ${because}`, "matrix");
  }
  return judge(JSON.parse(readFileSync(reportFile, "utf8")) as Report, folder, knownFailures, crash);
}

function judge(
  report: Report,
  folder: string,
  knownFailures: readonly KnownFailure[],
  crash: unknown,
): Outcome {
  const problems: string[] = [];
  const unseen = new Set(knownFailures);
  let passed = 0;
  for (const { name, status, message, assertionResults } of report.testResults) {
    const file = relative(folder, name);
    const known = (fullName: string): KnownFailure | undefined =>
      knownFailures.find((one) => one.file === file && fullName.startsWith(one.test));
    if (assertionResults.length === 0 && status === "failed") problems.push(`${file}: ${firstLine(message)}`);
    for (const result of assertionResults) {
      const expected = known(result.fullName);
      if (result.status === "passed") {
        passed += 1;
      } else if (expected === undefined) {
        problems.push(
          `${file} > ${result.fullName}: ${firstLine(result.failureMessages[0] ?? result.status)}`,
        );
      } else {
        unseen.delete(expected);
      }
    }
  }
  for (const { file, test } of unseen)
    problems.push(`${file} > ${test}: passes, but stands as a known failure`);
  const skipped = report.numPendingTests + report.numTodoTests;
  if (skipped > 0) problems.push(`${skipped} tests were skipped`);
  if (passed === 0) problems.push("no test ran");
  // An error outside any test ends vitest with 1 and leaves no mark on a result.
  if (crash !== undefined && problems.length === 0 && knownFailures.length === unseen.size) throw crash;
  return { passed, problems, what: `${report.testResults.length} files` };
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
