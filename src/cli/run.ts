/** The cli room: commands over the other rooms. `run` is the whole program, but for the process around it. */
import { readFileSync } from "node:fs";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { policySchema } from "../policy-file/schema.ts";
import { check, FAIL_ON, type CheckOptions } from "./check.ts";
import { explainRequest, type ExplainOptions } from "./explain.ts";
import { FORMATS } from "./formats.ts";
import { UsageError, type ExitCode, type Io } from "./io.ts";
import { addReport } from "./report-page.ts";
import { addSimulate } from "./simulate/command.ts";

/**
 * Runs the command line.
 *
 * @param args - Without the program's own name.
 * @returns The exit code.
 */
export async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const program = commands(io, (code) => (exitCode = code));
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof UsageError)) throw error;
    io.err(`error: ${error.message}\n`);
    return 2;
  }
}

const EXIT_CODES = `
Exit codes:
  0  clean
  1  findings at or above --fail-on
  2  wrong usage, or a policy that can't be used
`;

function commands(io: Io, exit: (code: ExitCode) => void): Command {
  const program = new Command("s3-bucket-keys")
    .description(
      "Checks and explains the policies of s3-bucket-keys, reports its counts, and simulates S3 and KMS.",
    )
    .version(packageVersion())
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) })
    .addHelpText(
      "after",
      `
Examples:
  $ s3-bucket-keys check bucket-keys.yaml
  $ s3-bucket-keys explain bucket-keys.yaml \\
      --request '{"operation":"PutObject","bucket":"acme-lake-raw","key":"a/b"}'
  $ s3-bucket-keys schema > bucket-keys.schema.json
  $ s3-bucket-keys report stats.jsonl --out report.html
  $ s3-bucket-keys simulate --bucket lake
${EXIT_CODES}`,
    );

  program
    .command("check")
    .description("validate policy files, lint them and run the tests in them")
    .argument("<file...>", "policy files, YAML or JSON")
    .addOption(new Option("--format <format>", "how to print").choices(FORMATS).default("text"))
    .addOption(new Option("--fail-on <severity>", "findings that fail").choices(FAIL_ON).default("error"))
    .addOption(nowOption(io))
    .addHelpText(
      "after",
      `
Examples:
  $ s3-bucket-keys check bucket-keys.yaml
  $ s3-bucket-keys check --format github --fail-on warning policies/*.yaml
${EXIT_CODES}`,
    )
    .action(async (files: string[], options: CheckOptions) => exit(await check(files, options, io)));

  program
    .command("explain")
    .description("say what a request becomes under a policy, and why")
    .argument("<file>", "policy file, YAML or JSON")
    .requiredOption("--request <json>", "the request: JSON, @FILE, or - for standard input")
    .addOption(new Option("--format <format>", "how to print").choices(["text", "json"]).default("text"))
    .addOption(nowOption(io))
    .addHelpText(
      "after",
      `
The request has the fields of a test's request: operation, bucket, key, sse,
kmsKey (@name too), bucketKey ...

Examples:
  $ s3-bucket-keys explain bucket-keys.yaml \\
      --request '{"operation":"PutObject","bucket":"acme-lake-raw","key":"a/b"}'
  $ s3-bucket-keys explain bucket-keys.yaml --format json \\
      --request @request.json
  $ echo '{"operation":"CopyObject","bucket":"b","key":"k"}' |
      s3-bucket-keys explain bucket-keys.yaml --request -
`,
    )
    .action(async (file: string, options: ExplainOptions) => exit(await explainRequest(file, options, io)));

  program
    .command("schema")
    .description("print the JSON Schema of policy files, for editors")
    .action(() => io.out(`${JSON.stringify(policySchema(), undefined, 2)}\n`));

  addReport(program, io, exit);
  addSimulate(program, io, exit);

  return program;
}

function nowOption(io: Io): Option {
  return new Option("--now <date>", "day or time to hold expires against")
    .default(io.now, "now")
    .argParser((text) => {
      const now = new Date(text);
      if (Number.isNaN(now.getTime())) throw new InvalidArgumentError("Write a date, such as 2027-06-30.");
      return now;
    });
}

function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
