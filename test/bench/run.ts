/**
 * The benchmarks: `npm run bench`.
 *
 *   -- --only put,decide   some of them
 *   -- --quick             few samples: shows that they run
 *   -- --write             all of them, into docs/benchmarks.md
 *   -- --dist DIR          another build of this package, to compare with
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { Bench, Row } from "./bench.ts";
import { decideBench } from "./decide.ts";
import { importTime, size } from "./entry.ts";
import { globs } from "./globs.ts";
import { presigned } from "./presigned.ts";
import { formatPage, formatTable } from "./report.ts";
import { headObject, putObject, putObjectOtel } from "./sdk-calls.ts";
import { simulator } from "./simulator.ts";

const BENCHES: Readonly<Record<string, Bench>> = {
  put: putObject,
  otel: putObjectOtel,
  head: headObject,
  presigned,
  decide: decideBench,
  globs,
  size,
  import: importTime,
  simulator,
};

const PAGE = fileURLToPath(new URL("../../docs/benchmarks.md", import.meta.url));
const DIST = fileURLToPath(new URL("../../dist", import.meta.url));

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    quick: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    dist: { type: "string", default: DIST },
  },
});
const names = values.only?.split(",") ?? Object.keys(BENCHES);
const unknown = names.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  throw new Error(`No benchmark ${unknown.join(", ")}; there are ${Object.keys(BENCHES).join(", ")}.`);
}
if (values.write && (values.quick || values.only !== undefined)) {
  throw new Error("--write takes a whole run: leave out --quick and --only.");
}

const scale = { quick: values.quick, dist: pathToFileURL(`${resolve(values.dist)}/`) };
const rows: Row[] = [];
for (const name of names) {
  process.stderr.write(`${name} ...\n`);
  rows.push(...(await (BENCHES[name] as Bench)(scale)));
}
console.log(formatTable(rows));
if (values.write) {
  await mkdir(dirname(PAGE), { recursive: true });
  await writeFile(PAGE, formatPage(rows, new Date()));
}
