import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { installOnce } from "./cache.ts";
import { run } from "./process.ts";

export interface PythonTool {
  /** Name and version, `moto-5.2.5`. */
  readonly name: string;
  /** What pip installs, in one command. */
  readonly packages: readonly string[];
  /** The minor version of Python 3 that it needs. @defaultValue 9 */
  readonly atLeast?: number;
}

/** Newest that the tools of these suites were seen to work with. */
const NEWEST = 13;

/**
 * A virtual environment in the cache, made the first time.
 *
 * @returns Its `bin` folder.
 * @throws `Error` that says what is missing: a Python that is new enough, or the package index.
 */
export async function installPython({ name, packages, atLeast = 9 }: PythonTool): Promise<string> {
  const needs = `a Python >= 3.${atLeast} with venv and pip, on the PATH or from pyenv`;
  const environment = await installOnce(name, async (folder) => {
    const logFile = join(folder, "install.log");
    const failure = `${name} could not be installed (it needs ${needs}, and a package index)`;
    const python = await firstThatFits(atLeast, { logFile, timeoutSeconds: 20, failure });
    await run(python, ["-m", "venv", folder], { logFile, timeoutSeconds: 120, failure });
    const pip = join(folder, "bin", "pip");
    const install = ["install", "--quiet", "--disable-pip-version-check", ...packages];
    await run(pip, install, { logFile, timeoutSeconds: 500, failure });
  });
  return join(environment, "bin");
}

/** The machine's own choice if that will do, else the newest. */
async function firstThatFits(atLeast: number, options: Parameters<typeof run>[2]): Promise<string> {
  const check = `import sys, venv, ensurepip; assert sys.version_info >= (3, ${atLeast}), sys.version`;
  const newestFirst = Array.from({ length: NEWEST - atLeast + 1 }, (_, i) => NEWEST - i);
  const pythons = ["python3", ...newestFirst.flatMap((minor) => [`python3.${minor}`, ...ofPyenv(minor)])];
  for (const python of pythons) {
    try {
      await run(python, ["-c", check], options);
      return python;
    } catch {
      // It is not there, too old, or a shim of pyenv for a version that is not chosen.
    }
  }
  throw new Error(`${options.failure}. None of these will do: ${pythons.join(", ")}`);
}

function ofPyenv(minor: number): readonly string[] {
  const versions = join(process.env["PYENV_ROOT"] ?? join(homedir(), ".pyenv"), "versions");
  const installed = existsSync(versions) ? readdirSync(versions) : [];
  const fitting = installed.filter((version) => version.startsWith(`3.${minor}.`));
  return fitting.map((version) => join(versions, version, "bin", "python3"));
}
