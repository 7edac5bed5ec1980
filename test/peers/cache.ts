import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CACHE = fileURLToPath(new URL("../../.cache/", import.meta.url));

/** Written last: a folder without it was left half done and is built anew. */
const COMPLETE = ".complete";

/**
 * The git-ignored folder of one version of a peer, built by `install` the first time.
 *
 * @param name - Name and version, `moto-5.2.5`: another version gets another folder.
 * @param install - Fills the folder. When it throws, the next run starts over.
 * @param shelf - Who keeps it: the folder of the cache, and the mark of the lines it prints.
 */
export async function installOnce(
  name: string,
  install: (folder: string) => Promise<void>,
  shelf = "peers",
): Promise<string> {
  const folder = join(CACHE, shelf, name);
  if (existsSync(join(folder, COMPLETE))) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const started = Date.now();
  progress(`installing ${name} ...`, shelf);
  await install(folder);
  writeFileSync(join(folder, COMPLETE), "");
  progress(`installed ${name} in ${seconds(started)}`, shelf);
  return folder;
}

/** Tells whoever waits what is going on. */
export function progress(text: string, shelf = "peers"): void {
  process.stdout.write(`[${shelf}] ${text}\n`);
}

/** Time since a moment of `Date.now()`: "3.1 s". */
export function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
