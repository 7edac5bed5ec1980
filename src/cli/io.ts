/** What a command touches: data goes out, messages go to err. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  readFile(path: string): Promise<string>;
  readInput(): Promise<string>;
  /** Rejects with the code `EEXIST` when the file is there and may not be overwritten. */
  writeFile(path: string, text: string, overwrite: boolean): Promise<void>;
  /** Ends with Ctrl-C, or when the system asks the process to end. */
  untilStopped(): Promise<void>;
  readonly colour: boolean;
  readonly now: Date;
}

/** 0: clean. 1: findings at or above `--fail-on`. 2: wrong usage, or a policy that can't be used. */
export type ExitCode = 0 | 1 | 2;

/** Something the person who called can put right; ends the command with exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "ERR_BUCKET_KEY_USAGE";
}

/** The text of an error that a file system or a parser threw. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether to print colours: `FORCE_COLOR` and `NO_COLOR` go before what kind of output it is. */
export function wantsColour(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  const { FORCE_COLOR: forced, NO_COLOR: none } = env;
  if (forced !== undefined && forced !== "") return forced !== "0";
  return isTerminal && (none === undefined || none === "");
}
