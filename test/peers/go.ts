import { join } from "node:path";
import { run } from "./process.ts";

/**
 * Runs `go` in a folder of the cache; what is built goes there, what is downloaded into Go's own cache.
 *
 * @throws `Error` where there is no Go, or where its modules cannot be had.
 */
export async function goBuild(
  args: readonly string[],
  { folder, name }: Readonly<{ folder: string; name: string }>,
): Promise<void> {
  await run("go", args, {
    logFile: join(folder, "install.log"),
    cwd: folder,
    env: { GOBIN: join(folder, "bin"), GOFLAGS: undefined },
    timeoutSeconds: 1800,
    failure: `${name} could not be built (it needs Go >= 1.24 on the PATH, and a module proxy)`,
  });
}
