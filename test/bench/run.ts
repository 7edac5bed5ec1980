/**
 * The benchmarks: `npm run bench`.
 *
 *   -- --only put,decide   some of them; `envelope` is every one of envelope-...
 *   -- --only envelope-clients
 *                          on demand: installs the official clients (needs Python, a JDK with Maven, and Go)
 *   -- --quick             few samples: shows that they run
 *   -- --write             all but those of envelope mode into docs/benchmarks.md
 *   -- --only envelope --write
 *                          those of envelope mode, on demand too, into docs/benchmarks-envelope.md
 *   -- --dist DIR          another build of this package, to compare with
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { Bench, Row } from "./bench.ts";
import { decideBench } from "./decide.ts";
import { importTime, size } from "./entry.ts";
import { envelopeCalls } from "./envelope-calls.ts";
import { envelopeClients } from "./envelope-clients.ts";
import { envelopeEncryptionSdk } from "./envelope-encryption-sdk.ts";
import { envelopeKms } from "./envelope-kms.ts";
import { envelopeMemory } from "./envelope-memory.ts";
import { envelopeStreams } from "./envelope-streams.ts";
import { globs } from "./globs.ts";
import { otelHotPath, otelScrape } from "./otel-cost.ts";
import { presigned } from "./presigned.ts";
import { formatPage, formatTable, PAGES } from "./report.ts";
import { headObject, putObject, putObjectOtel } from "./sdk-calls.ts";
import { simulator } from "./simulator.ts";

const BENCHES: Readonly<Record<string, Bench>> = {
  put: putObject,
  otel: putObjectOtel,
  "otel-hot-path": otelHotPath,
  "otel-scrape": otelScrape,
  head: headObject,
  presigned,
  decide: decideBench,
  globs,
  size,
  import: importTime,
  simulator,
  "envelope-streams": envelopeStreams,
  "envelope-encryption-sdk": envelopeEncryptionSdk,
  "envelope-calls": envelopeCalls,
  "envelope-memory": envelopeMemory,
  "envelope-clients": envelopeClients,
  "envelope-kms": envelopeKms,
};

/** They install clients in other languages: only when they are named, or for the page. */
const ON_DEMAND: readonly string[] = ["envelope-clients"];

const DOCS = fileURLToPath(new URL("../../docs/", import.meta.url));
const DIST = fileURLToPath(new URL("../../dist", import.meta.url));

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    quick: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    dist: { type: "string", default: DIST },
  },
});
const isOfEnvelope = (name: string): boolean => name.startsWith("envelope-");
const page = values.only === "envelope" ? PAGES.envelope : PAGES.main;
const names = values.write
  ? Object.keys(BENCHES).filter((name) => isOfEnvelope(name) === (page === PAGES.envelope))
  : (values.only?.split(",").flatMap(named) ??
    Object.keys(BENCHES).filter((name) => !ON_DEMAND.includes(name)));
const unknown = names.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  throw new Error(`No benchmark ${unknown.join(", ")}; there are ${Object.keys(BENCHES).join(", ")}.`);
}
if (values.write && (values.quick || (values.only !== undefined && values.only !== "envelope"))) {
  throw new Error("--write takes a whole run: leave out --quick, and --only but for envelope.");
}

/** `envelope` stands for all of `envelope-...`, but for those on demand. */
function named(name: string): string[] {
  const group = Object.keys(BENCHES).filter(
    (each) => each.startsWith(`${name}-`) && !ON_DEMAND.includes(each),
  );
  return name in BENCHES || group.length === 0 ? [name] : group;
}

const scale = { quick: values.quick, dist: pathToFileURL(`${resolve(values.dist)}/`) };
const rows: Row[] = [];
for (const name of names) {
  process.stderr.write(`${name} ...\n`);
  rows.push(...(await (BENCHES[name] as Bench)(scale)));
}
console.log(formatTable(rows));
if (values.write) {
  await mkdir(DOCS, { recursive: true });
  await writeFile(join(DOCS, page.file), formatPage(page, rows, new Date()));
}
