import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { environmentOf } from "../clients/order.ts";
import type { RunningPeer } from "../peer.ts";
import { type Environment, startTalking, within } from "../process.ts";
import type { Answer, Done, Job } from "./job.ts";

/** Where a program works: a server with S3 and KMS on one endpoint, its first KMS key, and a bucket that is there. */
export interface ProgramTarget {
  readonly server: Pick<RunningPeer, "endpoint" | "region" | "credentials" | "kmsKeys">;
  readonly bucket: string;
}

/** A running program. */
export interface Program {
  /** Asks for one job, when those before it are done. @throws `Error` with its last output when it ended instead. */
  ask(job: Job): Promise<Answer>;
  /** As `ask`, for a job that is to succeed. @throws `Error` with what the client says when it does not. */
  do(job: Job): Promise<Done>;
  /** As `ask`, for a job that is to fail. Gives the error. @throws `Error` when it succeeds. */
  fail(job: Job): Promise<{ readonly error: string; readonly message: string }>;
  end(): Promise<void>;
}

/** How a program is started: command and arguments. */
export type Command = readonly [command: string, ...args: string[]];

const JOB_SECONDS = 120;

/** Starts a program of `client.ts`, with an environment of its own on top of AWS's variables. */
export function startProgram(
  [command, ...args]: Command,
  { server, bucket }: ProgramTarget,
  env: Environment = {},
): Program {
  const folder = mkdtempSync(join(tmpdir(), "s3ec-"));
  const { endpoint, region, credentials, kmsKeys } = server;
  const child = startTalking(command, args, {
    logFile: join(folder, "errors.log"),
    cwd: folder,
    env: {
      ...environmentOf({ endpoint, region, ...credentials, folder }),
      S3EC_BUCKET: bucket,
      S3EC_KMS_KEY: kmsKeys.rule,
      ...env,
    },
  });
  // Writing to a program that ended fails; that it ended says so by itself.
  child.stdin.on("error", () => {});
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  let last: Promise<unknown> = Promise.resolve();

  const answer = async (job: Job): Promise<Answer> => {
    child.stdin.write(`${JSON.stringify(job)}\n`);
    const doing = `${job.do} of ${job.key}`;
    const line = await within(JOB_SECONDS * 1000, lines.next(), `${doing} took longer than ${JOB_SECONDS} s`);
    if (line.done) throw new Error(`The program ended at ${doing}.\n${child.lastOutput()}`);
    return JSON.parse(line.value) as Answer;
  };
  const ask = (job: Job): Promise<Answer> => {
    const asked = last.then(() => answer(job));
    last = asked.catch(() => {});
    return asked;
  };
  return {
    ask,
    async do(job) {
      const said = await ask(job);
      if ("ok" in said) return said.ok;
      throw new Error(`${JSON.stringify(job)} failed: ${said.message}`);
    },
    async fail(job) {
      const said = await ask(job);
      if ("error" in said) return said;
      throw new Error(`${JSON.stringify(job)} succeeded: ${JSON.stringify(said.ok)}`);
    },
    async end() {
      await child.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
