import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installOnce } from "./cache.ts";
import { run } from "./process.ts";

/** The line of Ceph whose answers `differences.ts` knows: Debian 12's. */
export const CEPH_LINE = "16.2";
const PACKAGES = ["radosgw", "ceph-mon", "ceph-osd", "ceph-common"];
const VERSION_FILE = "version";
const FAILURE = `Ceph ${CEPH_LINE} could not be installed`;

/** Where the unpacked programs stand, and what they need to find their libraries. */
export interface CephPrograms {
  readonly version: string;
  readonly bin: string;
  /** `usr/lib/<architecture>`, with the plugin folders. */
  readonly libraries: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Downloads Ceph's Debian packages and unpacks them into the cache; installs nothing on the machine and needs
 * no root.
 *
 * @throws `Error` where there is no apt-get, or where it offers another line of Ceph.
 */
export async function installCeph(): Promise<CephPrograms> {
  const folder = await installOnce(`ceph-${CEPH_LINE}`, downloadAndUnpack);
  const root = join(folder, "root");
  const architecture = architectureOf(root);
  const libraries = join(root, "usr", "lib", architecture);
  const path = [libraries, join(libraries, "ceph"), join(root, "lib", architecture)].join(":");
  return {
    version: readFileSync(join(folder, VERSION_FILE), "utf8"),
    bin: join(root, "usr", "bin"),
    libraries,
    env: { LD_LIBRARY_PATH: path, PYTHONPATH: join(root, "usr", "lib", "python3", "dist-packages") },
  };
}

async function downloadAndUnpack(folder: string): Promise<void> {
  const logFile = join(folder, "install.log");
  const debs = join(folder, "debs");
  const root = join(folder, "root");
  const lists = join(folder, "lists");
  for (const made of [join(debs, "partial"), root, join(lists, "partial")])
    mkdirSync(made, { recursive: true });

  await run("/bin/sh", ["-c", "command -v apt-get && command -v apt-cache && command -v dpkg"], {
    logFile,
    timeoutSeconds: 10,
    failure: `${FAILURE}: it needs a Debian-like system with apt-get and dpkg`,
  });
  const apt = (program: string, args: readonly string[], options: readonly string[]): Promise<string> =>
    run(program, [...options, ...args], { logFile, timeoutSeconds: 300, failure: FAILURE });
  const download = async (options: readonly string[]): Promise<string> => {
    const version = candidate(await apt("apt-cache", ["policy", "radosgw"], options));
    const packages = [
      "install",
      "--yes",
      "--no-install-recommends",
      "--reinstall",
      "--download-only",
      ...PACKAGES,
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
  for (const deb of readdirSync(debs).filter((name) => name.endsWith(".deb"))) {
    await run("dpkg", ["-x", join(debs, deb), root], { logFile, timeoutSeconds: 120, failure: FAILURE });
  }
  writeFileSync(join(folder, VERSION_FILE), version);
  for (const spent of [debs, lists]) rmSync(spent, { recursive: true, force: true });
}

/** The version that `apt-cache policy` would install. */
function candidate(policy: string): string {
  const version = /Candidate: (\S+)/.exec(policy)?.[1];
  if (version === undefined || version === "(none)")
    throw new Error(`${FAILURE}: apt offers no package radosgw`);
  if (!version.startsWith(`${CEPH_LINE}.`)) {
    throw new Error(`${FAILURE}: apt offers radosgw ${version}; Debian 12 has the line ${CEPH_LINE}`);
  }
  return version;
}

/** The name of the library folder, `x86_64-linux-gnu`. */
function architectureOf(root: string): string {
  const folder = readdirSync(join(root, "usr", "lib")).find((name) => name.endsWith("-linux-gnu"));
  if (folder === undefined) throw new Error(`${FAILURE}: the packages hold no libraries`);
  return folder;
}
