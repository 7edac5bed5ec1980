/** A copy of the project beside another SDK: the same tests and the same build, its own `node_modules`. */
import { cpSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { manifest, packagesIn, root, type Versions } from "./packages.ts";

/** Not the project itself: what tools made, and what the copy has of its own. */
const LEFT_OUT = new Set([".git", ".cache", "node_modules", "coverage", "temp"]);

/** Development packages that no test imports. */
const TOOLS = /^(@arethetypeswrong|@changesets|@microsoft|@vitest\/coverage|knip|oxfmt|oxlint|publint)/;

/**
 * The project as it stands now, with some of its development packages in other versions.
 *
 * @param versions - By package name, such as the client's.
 */
export async function workspaceWith(name: string, versions: Versions): Promise<string> {
  const { dependencies, devDependencies } = manifest;
  const needed = Object.entries(devDependencies).filter(([dependency]) => !TOOLS.test(dependency));
  const folder = await packagesIn(name, { ...dependencies, ...Object.fromEntries(needed), ...versions });
  for (const entry of readdirSync(root)) {
    if (LEFT_OUT.has(entry)) continue;
    rmSync(join(folder, entry), { recursive: true, force: true });
    cpSync(join(root, entry), join(folder, entry), { recursive: true });
  }
  return folder;
}
