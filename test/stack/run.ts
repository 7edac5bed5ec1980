/**
 * `npm run test:stack`: the dashboard, the rules and the configurations of `examples/observability/` on the real thing.
 *
 * - `rules`: promtool and amtool on the shipped files;
 * - `exporter`: a workload through the JavaScript Prometheus exporter, Prometheus, Alertmanager, a webhook;
 * - `collector`: the same from both lines of the OpenTelemetry SDK through a Collector;
 * - `dashboard`: the example app, and its panels drawn in Chromium into `temp/stack/`.
 *
 * Names of parts run those only; `--smoke` is `rules` and `exporter`. What is needed is installed or built once, under
 * `.cache/`; later runs need no network. The exit code is 0 when all passed, 1 when not, 2 for a mistake on the
 * command line. `temp/stack/summary.json` has the counts.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startVitest } from "vitest/node";
import { installChromium } from "../browser/chromium.ts";
import { seconds } from "../peers/cache.ts";
import { useOwnTemporaryFolder } from "../peers/temporary-folder.ts";
import { say, SHOWN } from "./files.ts";

const PARTS = ["rules", "exporter", "collector", "dashboard"] as const;
const SMOKE: readonly string[] = ["rules", "exporter"];

async function main(): Promise<number> {
  const parts = chosenParts();
  if (parts === undefined) return 2;
  const started = Date.now();
  useOwnTemporaryFolder("stack");
  if (parts.includes("dashboard")) installChromium();
  const files = parts.map((part) => `test/stack/${part}.test.ts`);
  const vitest = await startVitest("test", files, {
    config: "vitest.stack.config.ts",
    watch: false,
    run: true,
  });
  const modules = vitest.state.getTestModules();
  const errors = vitest.state.getUnhandledErrors().length;
  await vitest.close();

  const results = modules.flatMap((one) => [...one.children.allTests()].map((test) => test.result().state));
  const passed = results.filter((state) => state === "passed").length;
  const isWhole = files.every((file) => modules.some((one) => one.moduleId.endsWith(`/${file}`) && one.ok()));
  // A part that does not start has no failed test, and has failed all the same.
  const failed = Math.max(results.length - passed, isWhole && errors === 0 ? 0 : 1);
  mkdirSync(SHOWN, { recursive: true });
  writeFileSync(join(SHOWN, "summary.json"), JSON.stringify({ passed, failed }));
  say(`${parts.join(", ")}: ${passed} passed, ${failed} failed in ${seconds(started)}`);
  return failed === 0 ? 0 : 1;
}

function chosenParts(): readonly string[] | undefined {
  try {
    const { values, positionals } = parseArgs({
      options: { smoke: { type: "boolean" } },
      allowPositionals: true,
    });
    const unknown = positionals.find((name) => !(PARTS as readonly string[]).includes(name));
    if (unknown !== undefined) throw new Error(`No part is called '${unknown}'`);
    if (positionals.length > 0) return positionals;
    return values.smoke === true ? SMOKE : PARTS;
  } catch (error) {
    process.stderr.write(
      `${(error as Error).message}\nUsage: npm run test:stack -- [--smoke] [${PARTS.join("] [")}]\n`,
    );
    return undefined;
  }
}

process.exit(await main());
