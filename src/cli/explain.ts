import { explain } from "../policy/explain.ts";
import { checkRequest, factsOfRequest } from "../policy/in-file-tests.ts";
import type { Policy, PolicyTestRequest } from "../policy/policy.ts";
import { readPolicy } from "../policy-file/parse.ts";
import { messageOf, UsageError, type ExitCode, type Io } from "./io.ts";

export interface ExplainOptions {
  readonly request: string;
  readonly format: "text" | "json";
  readonly now: Date;
}

/** Prints what one request becomes under the policy of a file. */
export async function explainRequest(file: string, options: ExplainOptions, io: Io): Promise<ExitCode> {
  const policy = await usablePolicy(file, io);
  if (policy === undefined) return 2;
  const request = await readRequest(options.request, policy, io);
  const { decision, trace, remarks, text } = explain(policy, {
    now: options.now,
    ...factsOfRequest(policy, request),
  });
  const json = { version: 1, decision, trace, remarks };
  io.out(options.format === "json" ? `${JSON.stringify(json, undefined, 2)}\n` : `${text}\n`);
  return 0;
}

/** A policy whose own tests fail is still explained: that is how one finds out why. */
async function usablePolicy(file: string, io: Io): Promise<Policy | undefined> {
  const { policy, issues } = readPolicy(await read(file, io), file);
  for (const { at, message, code } of issues) io.err(`${at}: error: ${message} (${code})\n`);
  return policy;
}

async function readRequest(given: string, policy: Policy, io: Io): Promise<PolicyTestRequest> {
  const json =
    given === "-" ? await io.readInput() : given.startsWith("@") ? await read(given.slice(1), io) : given;
  let request: unknown;
  try {
    request = JSON.parse(json);
  } catch (error) {
    throw new UsageError(
      `--request is no JSON (${messageOf(error)}): write '{"operation":"PutObject","bucket":"..."}', @FILE or -.`,
    );
  }
  const issues = checkRequest(policy, request);
  if (issues.length > 0) {
    throw new UsageError(
      issues.map(({ path, message }) => ["--request", ...path].join(".") + `: ${message}`).join("\n"),
    );
  }
  return request as PolicyTestRequest;
}

async function read(path: string, io: Io): Promise<string> {
  try {
    return await io.readFile(path);
  } catch (error) {
    throw new UsageError(`${path} could not be read (${messageOf(error)}): check the path.`);
  }
}
