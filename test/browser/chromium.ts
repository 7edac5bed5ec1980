/** A browser as the system has it. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

const EXECUTABLE = "/usr/bin/chromium";

const PACKAGES = ["chromium", "fonts-dejavu-core"];

/** Installs Debian's where there is none and we may: as root, on a machine that is there for tests. */
export function installChromium(): void {
  if (existsSync(EXECUTABLE) || process.getuid?.() !== 0) return;
  const options = { stdio: "inherit", timeout: 600_000 } as const;
  execFileSync("apt-get", ["update"], options);
  execFileSync("apt-get", ["install", "-y", "--no-install-recommends", ...PACKAGES], options);
}

/** @throws when there is no Chromium: a test that is left out shows nothing. */
export async function startChromium(): Promise<Browser> {
  if (!existsSync(EXECUTABLE)) {
    throw new Error(
      `There is no ${EXECUTABLE}. On Debian: apt-get install --no-install-recommends ${PACKAGES.join(" ")}`,
    );
  }
  return chromium.launch({
    executablePath: EXECUTABLE,
    // Containers run as root and have a small /dev/shm.
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
    timeout: 30_000,
  });
}
