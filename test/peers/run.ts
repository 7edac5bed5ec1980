/**
 * `npm run test:peers`: the suite against all peers, one after the other.
 *
 * Names of peers run those only; `--smoke` runs the core of the suite. The exit code is 0 when all that was
 * asked for ran and passed, 1 when not, 2 for a mistake on the command line.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startVitest, type TestModule } from "vitest/node";
import { progress, seconds } from "./cache.ts";
import type { PeerName } from "./peer.ts";

const PEERS: Readonly<Record<PeerName, true>> = { moto: true, "ceph-rgw": true, simulator: true };

async function main(): Promise<number> {
  const asked = readArguments();
  if (asked === undefined) return 2;
  const started = Date.now();
  useOwnTemporaryFolder();
  process.env["PEERS_SMOKE"] = asked.smoke ? "1" : "0";

  const files = asked.peers.map((peer) => `test/peers/${peer}.test.ts`);
  const vitest = await startVitest("test", files, {
    config: "vitest.peers.config.ts",
    watch: false,
    run: true,
  });
  const modules = vitest.state.getTestModules();
  await vitest.close();

  const ran = asked.peers.map((peer) => ({
    peer,
    module: modules.find((one) => one.moduleId.endsWith(`/${peer}.test.ts`)),
  }));
  for (const { peer, module } of ran) progress(summary(peer, module));
  const passed =
    ran.every(({ module }) => module?.ok() === true) && vitest.state.getUnhandledErrors().length === 0;
  const suite = asked.smoke ? "the core of the suite" : "the whole suite";
  progress(`${suite} ${passed ? "passed" : "FAILED"} in ${seconds(started)}`);
  return passed ? 0 : 1;
}

function readArguments(): { peers: readonly PeerName[]; smoke: boolean } | undefined {
  const all = Object.keys(PEERS) as PeerName[];
  try {
    const { values, positionals } = parseArgs({
      options: { smoke: { type: "boolean" } },
      allowPositionals: true,
    });
    const unknown = positionals.find((name) => !Object.hasOwn(PEERS, name));
    if (unknown !== undefined) throw new Error(`Unknown peer '${unknown}'`);
    const peers = positionals.length === 0 ? all : all.filter((name) => positionals.includes(name));
    return { peers, smoke: values.smoke ?? false };
  } catch (error) {
    process.stderr.write(
      `${(error as Error).message}\nUsage: npm run test:peers -- [--smoke] [${all.join("] [")}]\n`,
    );
    return undefined;
  }
}

/** What peers write while they run goes with this process, also when it is interrupted. */
function useOwnTemporaryFolder(): void {
  const folder = mkdtempSync(join(tmpdir(), "peers-"));
  process.env["TMPDIR"] = folder;
  process.once("exit", () => {
    try {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    } catch {
      // Peers end when this process is gone, and may write until then: a few small files stay.
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

function summary(peer: PeerName, module: TestModule | undefined): string {
  const tests = [...(module?.children.allTests() ?? [])];
  const cases = tests.filter((test) => test.meta().knownDifferences !== undefined);
  const count = (all: readonly (typeof tests)[number][], state: string): number =>
    all.filter((test) => test.result().state === state).length;
  const differing = cases.filter((test) => (test.meta().knownDifferences?.length ?? 0) > 0);
  const failed = count(tests, "failed");
  if (cases.length === 0) return `${peer}: FAILED, no case ran. ${whatStoppedIt(module)}`;
  const like = `${count(cases, "passed")} cases passed, ${count(differing, "passed")} of them in known difference from AWS`;
  return failed === 0 ? `${peer}: ${like}` : `${peer}: ${failed} FAILED; ${like}`;
}

/** The error of the start, first line. */
function whatStoppedIt(module: TestModule | undefined): string {
  const suites = [...(module?.children.allSuites() ?? [])];
  const errors = [...(module?.errors() ?? []), ...suites.flatMap((suite) => suite.errors())];
  return errors[0]?.message.split("\n")[0] ?? "";
}

process.exit(await main());
