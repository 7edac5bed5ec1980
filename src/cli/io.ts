/** What a command touches: data goes out, messages go to err. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  readFile(path: string): Promise<string>;
  readInput(): Promise<string>;
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
