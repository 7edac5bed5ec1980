/**
 * `npm run test:matrix`: the suite on every supported Node and beside both ends of the SDK, the newer
 * OpenTelemetry line, and the packed package on every runtime. `-- --only node22,package` picks lanes by the
 * start of their names, `--except node20` leaves one out. The first run installs into `.cache/matrix`; later ones
 * reuse it.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Lane, Outcome } from "./lane.ts";
import { lanes } from "./lanes.ts";
import { logs } from "./packages.ts";

interface Row extends Outcome {
  readonly lane: Lane;
  readonly seconds: number;
}

/** @throws `Error` when a name stands for no lane: nothing is left out by a slip of the pen. */
function chosen(only: string | undefined, except: string | undefined): readonly Lane[] {
  const starts = only?.split(",") ?? [""];
  const names = except?.split(",") ?? [];
  const unknown = [
    ...starts.filter((start) => !lanes.some(({ name }) => name.startsWith(start))),
    ...names.filter((one) => !lanes.some(({ name }) => name === one)),
  ];
  if (unknown.length > 0) {
    throw new Error(
      `No lane is ${unknown.join(" or ")}. There are ${lanes.map(({ name }) => name).join(", ")}.`,
    );
  }
  return lanes.filter(({ name }) => starts.some((start) => name.startsWith(start)) && !names.includes(name));
}

async function runLane(lane: Lane): Promise<Row> {
  const started = Date.now();
  const outcome = await lane
    .run()
    .catch((error: Error): Outcome => ({ passed: 0, problems: [error.message], what: "did not run" }));
  return { ...outcome, lane, seconds: (Date.now() - started) / 1000 };
}

function line(
  lane: string,
  subject: string,
  passed: string,
  failed: string,
  time: string,
  what: string,
): string {
  return [
    lane.padEnd(16),
    subject.padEnd(46),
    passed.padStart(6),
    failed.padStart(6),
    time.padStart(7),
    ` ${what}`,
  ].join(" ");
}

function print({ lane, passed, problems, what, seconds }: Row): void {
  console.log(
    line(lane.name, lane.subject, `${passed}`, `${problems.length}`, `${seconds.toFixed(1)} s`, what),
  );
}

const { values } = parseArgs({ options: { only: { type: "string" }, except: { type: "string" } } });
const picked = chosen(values.only, values.except);
// The SDK's notice about Node 20 belongs to no lane.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
mkdirSync(logs, { recursive: true });
const rows: Row[] = [];
for (const lane of picked) {
  const row = await runLane(lane);
  rows.push(row);
  print(row);
}

console.log(`\n${line("lane", "what", "passed", "failed", "time", "ran")}`);
rows.forEach(print);
for (const { lane, problems } of rows) {
  if (problems.length > 0) console.log(`\n${lane.name}\n${problems.map((one) => `  ${one}`).join("\n")}`);
}
const passed = rows.reduce((sum, row) => sum + row.passed, 0);
const failed = rows.reduce((sum, row) => sum + row.problems.length, 0);
console.log(`\nmatrix: ${passed} passed, ${failed} failed`);
writeFileSync(join(logs, "summary.json"), JSON.stringify({ passed, failed }));
process.exitCode = failed === 0 ? 0 : 1;
