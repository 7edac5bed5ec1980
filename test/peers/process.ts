/**
 * Child processes that never outlive the process that started them, not even when that one is killed.
 *
 * Each command runs in a process group of its own, under a small shell guard that waits on a pipe from us, its fourth.
 * The pipe closes when we stop the process, and the kernel closes it when we are gone; then the guard ends
 * the whole group. Only what was started here is ever ended.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";

const GUARD = `
{ read -r _ <&3; kill -KILL 0; } &
"$@" 3<&-
code=$?
kill $!
exit $code
`;

const STOP_MILLISECONDS = 10_000;

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ProcessOptions {
  /** Where the command's output goes, both streams, or what it says of errors when it is talked to; replaced. */
  readonly logFile: string;
  /** On top of our own; `undefined` takes one away. */
  readonly env?: Environment;
  /** Default: where we run ourselves. */
  readonly cwd?: string;
}

export interface RunningProcess {
  readonly command: string;
  /** Resolves with the exit code; `null` when a signal ended it. */
  readonly exited: Promise<number | null>;
  isRunning(): boolean;
  /** The last lines it printed. */
  lastOutput(): string;
  /** Ends it and all its children; does nothing when it has ended. */
  stop(): Promise<void>;
}

/** Starts a command that reads nothing; end it with `stop()`. */
export function startProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions,
): RunningProcess {
  return start(command, args, options, false).running;
}

/** A process that is talked to. */
export interface TalkingProcess extends RunningProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
}

/** Starts a command whose input and output are ours; end it with `stop()`. */
export function startTalking(
  command: string,
  args: readonly string[],
  options: ProcessOptions,
): TalkingProcess {
  const { running, child } = start(command, args, options, true);
  return { ...running, stdin: child.stdin as Writable, stdout: child.stdout as Readable };
}

function start(
  command: string,
  args: readonly string[],
  options: ProcessOptions,
  talks: boolean,
): { readonly running: RunningProcess; readonly child: ChildProcess } {
  const log = openSync(options.logFile, "w");
  const child: ChildProcess = spawn("/bin/sh", ["-c", GUARD, "guard", command, ...args], {
    stdio: [talks ? "pipe" : "ignore", talks ? "pipe" : log, log, "pipe"],
    detached: true,
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
  });
  closeSync(log);
  const lifeline = child.stdio[3];
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("exit", resolve);
    child.once("error", reject);
  });
  exited.then(
    () => lifeline?.destroy(),
    () => {},
  );
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const running: RunningProcess = {
    command,
    exited,
    isRunning,
    lastOutput: () => lastLines(readFileSync(options.logFile, "utf8")),
    async stop(): Promise<void> {
      lifeline?.destroy();
      if (isRunning()) await within(STOP_MILLISECONDS, exited, `${command} did not end when it was told to`);
    },
  };
  return { running, child };
}

export interface RunOptions extends ProcessOptions {
  readonly timeoutSeconds: number;
  /** What could not be done, for the error: "moto could not be installed". */
  readonly failure: string;
}

/**
 * Runs a command to its end and gives its output.
 *
 * @throws `Error` that says what failed, with the last lines of output, when it exits with another code than 0
 * or takes longer than `timeoutSeconds`.
 */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<string> {
  const child = startProcess(command, args, options);
  try {
    const code = await within(
      options.timeoutSeconds * 1000,
      child.exited,
      `${options.failure}: ${command} took longer than ${options.timeoutSeconds} s`,
    );
    if (code !== 0)
      throw new Error(`${options.failure}: ${command} exited with ${code}.\n${child.lastOutput()}`);
    return readFileSync(options.logFile, "utf8");
  } finally {
    await child.stop();
  }
}

export interface ReadyOptions {
  readonly timeoutSeconds: number;
  /** The processes that must be alive meanwhile; one that ends fails the wait at once. */
  readonly processes: readonly RunningProcess[];
  /** What did not happen, for the error: "moto did not answer". */
  readonly failure: string;
}

/**
 * Asks `isReady` until it says yes.
 *
 * @throws `Error` with the last output when a process ends first, or when the time is over.
 */
export async function waitUntil(isReady: () => Promise<boolean>, options: ReadyOptions): Promise<void> {
  const deadline = Date.now() + options.timeoutSeconds * 1000;
  while (!(await isReady())) {
    const ended = options.processes.find((one) => !one.isRunning());
    if (ended) throw new Error(`${options.failure}: ${ended.command} ended.\n${ended.lastOutput()}`);
    if (Date.now() > deadline) {
      const output = options.processes.map((one) => one.lastOutput()).join("\n");
      throw new Error(`${options.failure} within ${options.timeoutSeconds} s.\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Whether an HTTP server answers a GET of this address, whatever it says. */
export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** Waits for a promise, no longer than that. */
export async function within<T>(milliseconds: number, promise: Promise<T>, failure: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(failure)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function lastLines(text: string): string {
  return text.trimEnd().split("\n").slice(-15).join("\n");
}
