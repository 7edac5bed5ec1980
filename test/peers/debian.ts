import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installOnce } from "./cache.ts";
import { run } from "./process.ts";

const VERSION_FILE = "version";

export interface DebianTool {
  /** Name and line of versions, `ceph-16.2`: the folder of the cache. */
  readonly name: string;
  /** What is downloaded, with all that the machine lacks for it. The first one's version is the tool's. */
  readonly packages: readonly [string, ...string[]];
  /** What the version has to start with. */
  readonly line: string;
  /** Who keeps it, as for `installOnce`. */
  readonly shelf?: string;
}

/** Where the unpacked programs stand. */
export interface DebianPrograms {
  readonly version: string;
  readonly root: string;
  /** `usr/lib/<architecture>`, with the plugin folders; absent from packages without libraries. */
  readonly libraries: string | undefined;
}

/**
 * Downloads Debian packages and unpacks them into the cache; installs nothing on the machine and needs no root.
 *
 * @throws `Error` where there is no apt-get, or where it offers another line of the tool.
 */
export async function installDebian(tool: DebianTool): Promise<DebianPrograms> {
  const folder = await installOnce(tool.name, (made) => downloadAndUnpack(made, tool), tool.shelf);
  const root = join(folder, "root");
  const lib = join(root, "usr", "lib");
  const architecture = readdirSync(lib).find((name) => name.endsWith("-linux-gnu"));
  return {
    version: readFileSync(join(folder, VERSION_FILE), "utf8"),
    root,
    libraries: architecture === undefined ? undefined : join(lib, architecture),
  };
}

async function downloadAndUnpack(folder: string, tool: DebianTool): Promise<void> {
  const failure = `${tool.name} could not be installed`;
  const logFile = join(folder, "install.log");
  const debs = join(folder, "debs");
  const root = join(folder, "root");
  const lists = join(folder, "lists");
  for (const made of [join(debs, "partial"), join(root, "usr", "lib"), join(lists, "partial")])
    mkdirSync(made, { recursive: true });

  await run("/bin/sh", ["-c", "command -v apt-get && command -v apt-cache && command -v dpkg"], {
    logFile,
    timeoutSeconds: 10,
    failure: `${failure}: it needs a Debian-like system with apt-get and dpkg`,
  });
  const apt = (program: string, args: readonly string[], options: readonly string[]): Promise<string> =>
    run(program, [...options, ...args], { logFile, timeoutSeconds: 300, failure });
  const download = async (options: readonly string[]): Promise<string> => {
    const policy = await apt("apt-cache", ["policy", tool.packages[0]], options);
    const version = candidate(policy, tool, failure);
    const packages = [
      "install",
      "--yes",
      "--no-install-recommends",
      "--reinstall",
      "--download-only",
      ...tool.packages,
    ];
    await apt("apt-get", packages, [...options, "-o", `Dir::Cache::archives=${debs}`]);
    return version;
  };

  // No lock, no sandbox user, caches in our own folder: all that apt would want root for.
  const own = ["-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=", "-o", `Dir::Cache=${folder}`];
  const ownLists = [...own, "-o", `Dir::State::Lists=${lists}`];
  const version = await download(own).catch(async () => {
    // The machine's package lists are absent or too old: fetch lists of our own, and look again.
    await apt("apt-get", ["update"], ownLists);
    return download(ownLists);
  });
  const downloaded = readdirSync(debs).filter((name) => name.endsWith(".deb"));
  // Without a network, apt-get fetches nothing of a package that the machine has, and calls it a success.
  const lacking = tool.packages.filter((name) => !downloaded.some((deb) => deb.startsWith(`${name}_`)));
  if (lacking.length > 0) {
    throw new Error(`${failure}: apt-get could not download ${lacking.join(", ")}. Is there a network?`);
  }
  for (const deb of downloaded) {
    await run("dpkg", ["-x", join(debs, deb), root], { logFile, timeoutSeconds: 120, failure });
  }
  writeFileSync(join(folder, VERSION_FILE), version);
  for (const spent of [debs, lists]) rmSync(spent, { recursive: true, force: true });
}

/** The version that `apt-cache policy` would install. */
function candidate(policy: string, { packages: [name], line }: DebianTool, failure: string): string {
  const version = /Candidate: (\S+)/.exec(policy)?.[1];
  if (version === undefined || version === "(none)")
    throw new Error(`${failure}: apt offers no package ${name}`);
  if (!version.startsWith(`${line}.`)) {
    throw new Error(`${failure}: apt offers ${name} ${version}; Debian 12 has the line ${line}`);
  }
  return version;
}
