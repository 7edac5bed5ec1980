import { type Command, InvalidArgumentError, Option } from "commander";
import type { UnknownRow, UnknownRowAnswer, UnknownRows } from "../../simulator/index.ts";
import type { ExitCode, Io } from "../io.ts";
import type { SimulateOptions } from "./simulate.ts";

const HELP = `
Standard output has the environment of your program, for a shell to read. What
is for people goes to standard error. --format json writes one event a line to
standard output instead. Everything is in memory, for this machine only, and
gone when it ends.

Examples:
  $ s3-bucket-keys simulate --bucket lake --kms-key alias/lake > env.sh &
  $ . ./env.sh                   # once it is written; then, in this shell:

  aws s3api put-object --bucket lake --key k --body file \\
    --server-side-encryption aws:kms --bucket-key-enabled
  Python      boto3.client("s3").put_object(Bucket="lake", Key="k", Body=b"x",
                ServerSideEncryption="aws:kms", BucketKeyEnabled=True)
  JavaScript  new S3Client({})
  Java        S3Client.create()
  Go          s3.NewFromConfig(cfg)

  $ curl $AWS_ENDPOINT_URL/_simulator/kms-requests
  $ curl -X POST "$AWS_ENDPOINT_URL/_simulator/advance?ms=60000"
  $ curl -X POST $AWS_ENDPOINT_URL/_simulator/faults -d \\
      '{ "operation": "PutObject", "times": 1,
         "fault": { "kind": "error", "code": "SlowDown" } }'

A 501 SimulatorUnknownRow names a row where AWS's answer is unknown. Choose
an answer, as in --unknown-row R8=ignore, or ask for what the message says.

A credentials file is a list; principalArn may be left out:
  [{ "accessKeyId": "ALICE", "secretAccessKey": "...",
     "principalArn": "arn:aws:iam::111122223333:role/alice" }]

Exit codes:
  0  ended by Ctrl-C or SIGTERM
  2  wrong usage, or a port that is taken
`;

/** Here because the simulator is not loaded yet; the type makes sure that no row is missing. */
const UNKNOWN_ROWS: { readonly [Id in UnknownRow]: readonly UnknownRowAnswer<Id>[] } = {
  R8: ["error", "ignore"],
  R17: ["error", "ignore"],
  R19: ["error", "ignore"],
  R20: ["error", "ignore"],
  R21: ["error", "ignore"],
  R22: ["error", "ignore"],
  R24: ["error", "ignore"],
  R30: ["error", "ignore"],
  U4: ["error", "ignore", "apply"],
  U8: ["error", "ignore"],
};

/** Adds the command. The simulator itself is loaded when it is asked for: `check` and `explain` start without it. */
export function addSimulate(program: Command, io: Io, exit: (code: ExitCode) => void): void {
  program
    .command("simulate")
    .description("run an S3 and KMS that counts the KMS requests of S3, for programs in any language")
    .addOption(
      new Option("--port <port>", "on 127.0.0.1; 0: any that is free").default(5_000).argParser(port),
    )
    .addOption(new Option("--region <region>", "of buckets and keys").default("eu-west-1").argParser(region))
    .addOption(new Option("--account <id>", "twelve digits").default("111122223333").argParser(account))
    .option("--credentials <file>", "who may ask, JSON; without: any access key")
    .option("--verify-signatures", "refuse what is not signed with the right secret")
    .addOption(new Option("--bucket <name>", "a bucket to start with; repeatable").argParser(several))
    .addOption(
      new Option("--kms-key <key>", "ID, ARN, alias/NAME or ARN=alias/NAME; repeatable").argParser(several),
    )
    .addOption(
      new Option("--unknown-row <row=answer>", "for what AWS is not known to do; repeatable").argParser(
        unknownRow,
      ),
    )
    .addOption(
      new Option("--lifetime <seconds>", "that S3 keeps a bucket key").default(60).argParser(seconds),
    )
    .addOption(new Option("--every <seconds>", "say what is new").default(60).argParser(interval))
    .option("--quiet", "only the environment, or the events of start and end")
    .addOption(new Option("--format <format>", "how to print").choices(["text", "json"]).default("text"))
    .addHelpText("after", HELP)
    .action(async (options: SimulateOptions) => {
      const { simulate } = await import("./simulate.ts");
      exit(await simulate(options, io));
    });
}

function port(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError("Write a port, 0 to 65535.");
}

function region(text: string): string {
  if (/^[a-z]{2}(-[a-z]+)+-\d+$/.test(text)) return text;
  throw new InvalidArgumentError("Write a Region, such as eu-west-1.");
}

function account(text: string): string {
  if (/^\d{12}$/.test(text)) return text;
  throw new InvalidArgumentError("Write twelve digits.");
}

function seconds(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Write seconds, zero or more.");
}

function interval(text: string): number {
  const given = seconds(text);
  if (given >= 0.1 && given <= 86_400) return given;
  throw new InvalidArgumentError("Write seconds, 0.1 to 86400.");
}

function unknownRow(text: string, before: UnknownRows = {}): UnknownRows {
  const [row = "", answer = "", ...more] = text.split("=");
  const answers: readonly string[] = Object.entries(UNKNOWN_ROWS).find(([id]) => id === row)?.[1] ?? [];
  if (more.length > 0 || !answers.includes(answer)) {
    throw new InvalidArgumentError(
      `Write ROW=error or ROW=ignore, for U4 also U4=apply; ROW is ${Object.keys(UNKNOWN_ROWS).join(", ")}.`,
    );
  }
  const picked = before[row as UnknownRow];
  if (picked !== undefined && picked !== answer) {
    throw new InvalidArgumentError(`${row}=${picked} was said before: a row has one answer.`);
  }
  return { ...before, [row]: answer };
}

function several(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}
