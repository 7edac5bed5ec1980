/** A browser as the system has it; none is downloaded. */
import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

const EXECUTABLE = "/usr/bin/chromium";

/** @throws when there is no Chromium: a test that is left out shows nothing. */
export async function startChromium(): Promise<Browser> {
  if (!existsSync(EXECUTABLE)) {
    throw new Error(
      `There is no ${EXECUTABLE}. On Debian: apt-get install --no-install-recommends chromium fonts-dejavu-core`,
    );
  }
  return chromium.launch({
    executablePath: EXECUTABLE,
    // Containers run as root and have a small /dev/shm.
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
    timeout: 30_000,
  });
}
