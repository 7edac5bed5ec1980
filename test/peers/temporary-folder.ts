import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What servers write while they run goes with this process, also when it is interrupted. */
export function useOwnTemporaryFolder(name: string): void {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  process.env["TMPDIR"] = folder;
  process.once("exit", () => {
    try {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    } catch {
      // The servers end when this process is gone, and may write until then: a few small files stay.
    }
  });
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.once(signal, () => process.exit(code));
  }
}
