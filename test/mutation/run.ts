/**
 * Mutation tests of the rooms that decide and seal: `npm run mutation`. Not part of CI: a fresh run takes long, a
 * later one runs only what has changed since (.cache/mutation/incremental.json).
 *
 *   -- src/policy/decide.ts   some files: their scores and survivors, without the bar
 *   -- --force                everything anew
 *   -- --concurrency 2        test runners side by side
 */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { formatReport, mutantsOf, roomsBelow } from "./report.ts";

/** The least share of mutants that the tests of a room must notice, in percent. */
const BAR = 85;
const REPORT = ".cache/mutation/report.json";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { force: { type: "boolean", default: false }, concurrency: { type: "string", default: "1" } },
});
rmSync(REPORT, { force: true });
const run = spawnSync(
  "npx",
  [
    "stryker",
    "run",
    `--concurrency=${values.concurrency}`,
    ...(values.force ? ["--force"] : []),
    ...(positionals.length > 0 ? ["--mutate", positionals.join(",")] : []),
  ],
  { stdio: "inherit" },
);
if (run.status !== 0) throw new Error("Stryker failed: see above.");

const mutants = mutantsOf(JSON.parse(readFileSync(REPORT, "utf8")));
console.log(formatReport(mutants));
const below = positionals.length > 0 ? [] : roomsBelow(mutants, BAR);
for (const room of below) console.error(`The tests of ${room} notice less than ${BAR} % of its mutants.`);
process.exitCode = below.length > 0 ? 1 : 0;
