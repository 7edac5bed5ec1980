import { join } from "node:path";
import { type Environment, run } from "../process.ts";
import type { Order } from "./client.ts";

const TIMEOUT_SECONDS = 60;

/** Runs one command for an order. @throws `Error` with its last output when it fails. */
export function work(
  { folder }: Order,
  command: string,
  args: readonly string[],
  env: Environment,
): Promise<string> {
  return run(command, args, {
    logFile: join(folder, "output.log"),
    cwd: folder,
    env,
    timeoutSeconds: TIMEOUT_SECONDS,
    failure: "The client failed",
  });
}
