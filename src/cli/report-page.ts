import type { Command } from "commander";
import { loadPencil, NothingToDrawWith } from "../report/drawing.ts";
import { reportPage } from "../report/page.ts";
import { readCounts } from "../report/read.ts";
import { messageOf, UsageError, type ExitCode, type Io } from "./io.ts";

interface ReportPageOptions {
  readonly out?: string;
  readonly force?: true;
  readonly title: string;
}

const HELP = `
The file has one JSON object a line, of one process or many, in any order:
  { time: new Date(), ...plugin.stats() }  written by your program now and then;
                                           add instance: "..." to tell processes
                                           apart
  {"resourceMetrics":[...]}                written by the file exporter of an
                                           OpenTelemetry Collector
A line that can't be used is left out, and told on standard error and in the
page.

The charts need two packages more:
  $ npm install --save-dev @observablehq/plot@0.6 linkedom@0.18

Examples:
  $ s3-bucket-keys report stats.jsonl --out report.html
  $ s3-bucket-keys report stats.jsonl --out report.html --force \\
      --title "Checkout, November"
  $ cat stats-*.jsonl | s3-bucket-keys report - > report.html

Exit codes:
  0  written
  1  written, but lines were left out
  2  wrong usage, or nothing to report
`;

/** Adds the command that makes a page of counts. What draws is loaded when it is asked for. */
export function addReport(program: Command, io: Io, exit: (code: ExitCode) => void): void {
  program
    .command("report")
    .description("make one HTML page of what plugin.stats() or a metrics file says over time")
    .argument("<file>", "counts, one JSON object a line, or - for standard input")
    .option("--out <file>", "where to write the page; without it, standard output")
    .option("--force", "write over a file that is there")
    .option("--title <text>", "heading of the page", "S3 Bucket Keys")
    .addHelpText("after", HELP)
    .action(async (file: string, options: ReportPageOptions) => exit(await makeReport(file, options, io)));
}

async function makeReport(file: string, options: ReportPageOptions, io: Io): Promise<ExitCode> {
  const name = file === "-" ? "standard input" : file;
  const reading = readCounts(await read(file, io));
  for (const { line, message } of reading.problems) io.err(`${name}:${line}: left out: ${message}\n`);
  if (reading.lines === 0) {
    throw new UsageError(
      `${name} has no line to report: write { time: new Date(), ...plugin.stats() }, one a line.`,
    );
  }
  const page = reportPage(reading, await pencil(), { title: options.title, now: io.now });
  if (options.out === undefined || options.out === "-") io.out(page);
  else await write(options.out, page, options.force === true, io);
  return reading.problems.length > 0 ? 1 : 0;
}

async function read(file: string, io: Io): Promise<string> {
  if (file === "-") return io.readInput();
  try {
    return await io.readFile(file);
  } catch (error) {
    throw new UsageError(`${file} could not be read (${messageOf(error)}): check the path.`);
  }
}

async function pencil(): ReturnType<typeof loadPencil> {
  try {
    return await loadPencil();
  } catch (error) {
    throw error instanceof NothingToDrawWith ? new UsageError(error.message) : error;
  }
}

async function write(out: string, page: string, overwrite: boolean, io: Io): Promise<void> {
  try {
    await io.writeFile(out, page, overwrite);
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code === "EEXIST") {
      throw new UsageError(`${out} is there already: choose another name, or say --force.`);
    }
    throw new UsageError(`${out} could not be written (${messageOf(error)}): check the path.`);
  }
}
