/**
 * `npm run test:peers`: the suite against moto, Ceph and our simulator, one after the other.
 *
 * `npm run test:peers:all` runs it against every peer, has every client work at our simulator, and has the official S3
 * Encryption Clients exchange objects with envelope mode. Names of peers and clients run those only; `--smoke` runs the
 * core of the suites, with three clients. The exit code is 0 when all that was asked for ran and passed, 1 when not, 2
 * for a mistake on the command line. A whole run with `--write` brings the tables of docs/compatibility.md up to date.
 * `--write-vectors` alone has the S3 Encryption Clients write the vectors of test/vectors anew.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startVitest, type TestModule } from "vitest/node";
import { progress, seconds } from "./cache.ts";
import { useOwnTemporaryFolder } from "./temporary-folder.ts";
import type { ClientName } from "./clients/client.ts";
import { LIMITS } from "./clients/limits.ts";
import { withTables } from "./compatibility.ts";
import type { PeerName } from "./peer.ts";
import type { S3ecClientName } from "./s3ec/client.ts";
import { S3EC_LIMITS } from "./s3ec/limits.ts";
import { writeVectors } from "./s3ec/write-vectors.ts";

type Name = PeerName | ClientName | S3ecClientName;
type Run = "always" | "smoke" | "all";

/** What `npm run test:peers` runs `always`, what `--smoke` adds to it, and what runs only when all do. */
const RUNS: Readonly<Record<Name, Run>> = {
  moto: "always",
  "ceph-rgw": "always",
  simulator: "always",
  boto3: "smoke",
  s3cmd: "smoke",
  localstack: "all",
  versitygw: "all",
  minio: "all",
  "aws-cli-1": "all",
  "aws-cli-2": "all",
  rclone: "all",
  "sdk-go": "all",
  "sdk-java": "all",
  "s3ec-python": "smoke",
  "s3ec-java": "all",
  "s3ec-go": "all",
};
const PAGE = fileURLToPath(new URL("../../docs/compatibility.md", import.meta.url));
const NAMES = Object.keys(RUNS) as Name[];
/** The simulator's policies beside another evaluator: no peer to start, so it runs when all run. */
const COMPARISON = "test/peers/iam-comparison.test.ts";

const fileOf = (name: Name): string =>
  Object.hasOwn(LIMITS, name) ? `test/peers/clients/${name}.test.ts` : `test/peers/${name}.test.ts`;

async function main(): Promise<number> {
  const asked = readArguments();
  if (asked === undefined) return 2;
  const started = Date.now();
  useOwnTemporaryFolder("peers");
  if (asked.writesVectors) {
    await writeVectors();
    return 0;
  }
  process.env["PEERS_SMOKE"] = asked.smoke ? "1" : "0";

  const files = [...asked.names.map(fileOf), ...(asked.isWhole ? [COMPARISON] : [])];
  const vitest = await startVitest("test", files, {
    config: "vitest.peers.config.ts",
    watch: false,
    run: true,
  });
  const modules = vitest.state.getTestModules();
  await vitest.close();

  const moduleOf = (file: string): TestModule | undefined =>
    modules.find((one) => one.moduleId.endsWith(`/${file}`));
  for (const name of asked.names) progress(summary(name, moduleOf(fileOf(name))));
  if (asked.isWhole) progress(`policies compared with iam-simulate: ${outcome(moduleOf(COMPARISON))}`);
  const passed =
    files.every((file) => moduleOf(file)?.ok() === true) && vitest.state.getUnhandledErrors().length === 0;
  const suite = asked.smoke ? "the core of the suite" : "the whole suite";
  progress(`${suite} ${passed ? "passed" : "FAILED"} in ${seconds(started)}`);
  if (passed && asked.write) {
    writeFileSync(PAGE, withTables(readFileSync(PAGE, "utf8")));
    progress("docs/compatibility.md is up to date");
  }
  return passed ? 0 : 1;
}

interface Asked {
  readonly names: readonly Name[];
  readonly smoke: boolean;
  /** Whether everything runs. */
  readonly isWhole: boolean;
  /** Whether the tables of docs/compatibility.md are to be brought up to date when all passed. */
  readonly write: boolean;
  /** Whether the vectors are to be written, and nothing else. */
  readonly writesVectors: boolean;
}

function readArguments(): Asked | undefined {
  try {
    const { values, positionals } = parseArgs({
      options: {
        smoke: { type: "boolean" },
        all: { type: "boolean" },
        write: { type: "boolean" },
        "write-vectors": { type: "boolean" },
      },
      allowPositionals: true,
    });
    const unknown = positionals.find((name) => !Object.hasOwn(RUNS, name));
    if (unknown !== undefined) throw new Error(`Nothing is called '${unknown}'`);
    const { smoke = false, all = false, write = false, "write-vectors": writesVectors = false } = values;
    const isWhole = all && !smoke && positionals.length === 0;
    if (write && !isWhole) throw new Error("Only a whole run may --write what it saw");
    const runs = (name: Name): boolean => all || RUNS[name] === "always" || (smoke && RUNS[name] === "smoke");
    const names = NAMES.filter(positionals.length === 0 ? runs : (name) => positionals.includes(name));
    return { names, smoke, isWhole, write, writesVectors };
  } catch (error) {
    process.stderr.write(
      `${(error as Error).message}\nUsage: npm run test:peers -- [--smoke] [--all [--write]] [--write-vectors] [${NAMES.join("] [")}]\n`,
    );
    return undefined;
  }
}

function summary(name: Name, module: TestModule | undefined): string {
  const tests = [...(module?.children.allTests() ?? [])];
  const cases = tests.filter((test) => test.meta().knownDifferences !== undefined);
  const count = (all: readonly (typeof tests)[number][], state: string): number =>
    all.filter((test) => test.result().state === state).length;
  const differing = cases.filter((test) => (test.meta().knownDifferences?.length ?? 0) > 0);
  const failed = count(tests, "failed");
  if (cases.length === 0) return `${name}: FAILED, no case ran. ${whatStoppedIt(module)}`;
  const isClient = Object.hasOwn(LIMITS, name) || Object.hasOwn(S3EC_LIMITS, name);
  const from = isClient ? "within known limits" : "in known difference from AWS";
  const like = `${count(cases, "passed")} cases passed, ${count(differing, "passed")} of them ${from}`;
  return failed === 0 ? `${name}: ${like}` : `${name}: ${failed} FAILED; ${like}`;
}

function outcome(module: TestModule | undefined): string {
  const tests = [...(module?.children.allTests() ?? [])];
  const passed = tests.filter((test) => test.result().state === "passed").length;
  return module?.ok() === true ? `${passed} agree` : `FAILED, ${passed} of ${tests.length} passed`;
}

/** The error of the start, first line. */
function whatStoppedIt(module: TestModule | undefined): string {
  const suites = [...(module?.children.allSuites() ?? [])];
  const errors = [...(module?.errors() ?? []), ...suites.flatMap((suite) => suite.errors())];
  return errors[0]?.message.split("\n")[0] ?? "";
}

process.exit(await main());
