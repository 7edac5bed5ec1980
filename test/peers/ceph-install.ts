import { join } from "node:path";
import { installDebian } from "./debian.ts";

/** The line of Ceph whose answers `differences.ts` knows: Debian 12's. */
export const CEPH_LINE = "16.2";

/** Where the unpacked programs stand, and what they need to find their libraries. */
export interface CephPrograms {
  readonly version: string;
  readonly bin: string;
  /** `usr/lib/<architecture>`, with the plugin folders. */
  readonly libraries: string;
  readonly env: Readonly<Record<string, string>>;
}

/** @throws `Error` where Ceph's Debian packages cannot be had. */
export async function installCeph(): Promise<CephPrograms> {
  const { version, root, libraries } = await installDebian({
    name: `ceph-${CEPH_LINE}`,
    packages: ["radosgw", "ceph-mon", "ceph-osd", "ceph-common"],
    line: CEPH_LINE,
  });
  if (libraries === undefined) throw new Error(`The packages of Ceph ${version} hold no libraries`);
  const path = [libraries, join(libraries, "ceph"), libraries.replace("/usr/lib/", "/lib/")].join(":");
  return {
    version,
    bin: join(root, "usr", "bin"),
    libraries,
    env: { LD_LIBRARY_PATH: path, PYTHONPATH: join(root, "usr", "lib", "python3", "dist-packages") },
  };
}
