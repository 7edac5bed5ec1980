/**
 * Holds the public surface of each entry of package.json against its committed report, `test/api/*.api.md`.
 *
 * `npm run api` fails when they differ; `npm run api -- --local` writes the reports anew. Anything public that
 * is undocumented, untagged or not exported fails in both.
 */
import { existsSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import {
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
  type ExtractorMessage,
  ExtractorMessageCategory,
  type ExtractorResult,
} from "@microsoft/api-extractor";

const UPDATE = "npm run api -- --local";
const root = resolve(import.meta.dirname, "../..");
const baseConfig = join(root, "api-extractor.json");

/** Entries of the package that have types: `.` becomes `index`, `./otel` becomes `otel`. */
function entries(): { name: string; types: string }[] {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    exports: Record<string, string | { types: string }>;
  };
  return Object.entries(manifest.exports).flatMap(([entry, target]) =>
    typeof target === "string" ? [] : [{ name: entry.replace(/^\.\/?/, "") || "index", types: target.types }],
  );
}

/** Every name that the main entry exports. */
function mainNames(): ReadonlySet<string> {
  const source = readIfThere(join(root, "dist/index.d.ts"));
  const lists = [...source.matchAll(/^export (?:type )?\{([^}]*)\}/gm)];
  return new Set(lists.flatMap(([, list = ""]) => list.match(/\w+/g) ?? []));
}

/** What this program says better itself, and names that a user can take from the main entry. */
function isOurs({ category, logLevel, text }: ExtractorMessage): boolean {
  if (category === ExtractorMessageCategory.Console) return logLevel !== ExtractorLogLevel.Error;
  const forgotten = /The symbol "(\w+)" needs to be exported/.exec(text)?.[1];
  return forgotten !== undefined && mainNames().has(forgotten);
}

function extract(entry: { name: string; types: string }, local: boolean): ExtractorResult {
  const configObject = ExtractorConfig.loadFile(baseConfig);
  const config = ExtractorConfig.prepare({
    configObject: {
      ...configObject,
      projectFolder: root,
      mainEntryPointFilePath: join(root, entry.types),
      apiReport: { ...configObject.apiReport, enabled: true, reportFileName: entry.name },
    },
    configObjectFullPath: baseConfig,
    packageJsonFullPath: join(root, "package.json"),
  });
  return Extractor.invoke(config, {
    localBuild: local,
    messageCallback: (message) => {
      if (isOurs(message)) message.logLevel = ExtractorLogLevel.None;
    },
  });
}

/** Lines that stand in one text and not in the other, marked as in a diff. */
function changedLines(before: string, after: string): string[] {
  const [old, now] = [before.split("\n"), after.split("\n")];
  return [
    ...old.filter((line) => !now.includes(line)).map((line) => `  - ${line}`),
    ...now.filter((line) => !old.includes(line)).map((line) => `  + ${line}`),
  ];
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

const { values } = parseArgs({ options: { local: { type: "boolean", default: false } } });
let failed = false;
for (const entry of entries()) {
  if (!existsSync(join(root, entry.types))) {
    console.log(`${entry.name.padEnd(16)} ${entry.types} isn't there: run \`npm run build\` first`);
    failed = true;
    continue;
  }
  const report = join(root, "test/api", `${entry.name}.api.md`);
  const committed = readIfThere(report);
  const { errorCount, warningCount, apiReportChanged, extractorConfig } = extract(entry, values.local);
  const isBroken = errorCount + warningCount > 0;
  if (isBroken || (apiReportChanged && !values.local)) failed = true;
  const verdict = isBroken ? "has errors" : apiReportChanged ? "changed" : "as reported";
  console.log(`${entry.name.padEnd(16)} ${verdict}`);
  if (apiReportChanged && !isBroken && !values.local) {
    const changes = changedLines(committed, readIfThere(extractorConfig.reportTempFilePath));
    console.log(changes.join("\n"));
    console.log(`  If that is meant, run \`${UPDATE}\` and commit test/api/${basename(report)}.`);
  }
}
process.exitCode = failed ? 1 : 0;
