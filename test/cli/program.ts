import { spawn } from "node:child_process";

/** What a run of the real program came to. */
export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program from source, as `npx s3-bucket-keys` runs it built. */
export async function program(
  args: readonly string[],
  { input = "", env = {} }: Readonly<{ input?: string; env?: Readonly<Record<string, string>> }> = {},
): Promise<Ran> {
  const child = spawn(process.execPath, ["--import", "tsx", "src/cli/main.ts", ...args], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    timeout: 25_000,
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.on("error", () => {
    // The program ended without reading what was meant for it.
  });
  child.stdin.end(input);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  return { status, stdout, stderr };
}
