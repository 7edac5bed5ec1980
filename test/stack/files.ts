/** Where the files of a run go. */
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository. */
export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));
/** What a run shows to people: git-ignored, replaced by the next run. */
export const SHOWN: string = join(ROOT, "temp/stack");

/** A new folder that goes when the run ends. */
export function temporaryFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `${name}-`));
}

/** A file for what a program prints; it stays, for whoever looks into a failure. */
export function logFile(name: string): string {
  const folder = join(ROOT, ".cache/stack/logs");
  mkdirSync(folder, { recursive: true });
  return join(folder, `${name.replaceAll(/[^\w.-]/g, "-")}.log`);
}

/** Tells whoever waits, and whoever reads the run's output later. */
export function say(text: string): void {
  process.stdout.write(`[stack] ${text}\n`);
}
