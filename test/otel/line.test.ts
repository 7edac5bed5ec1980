import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CHECK = fileURLToPath(new URL("line-check.mjs", import.meta.url));
const run = promisify(execFile);

/** The package as a build emits it; a build of its own, so that an old one is never tested. */
let dist: string;

beforeAll(async () => {
  await mkdir(join(ROOT, ".cache"), { recursive: true });
  dist = await mkdtemp(join(ROOT, ".cache", "otel-dist-"));
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const onlyCode = ["--noCheck", "--declaration", "false", "--isolatedDeclarations", "false"];
  await run(process.execPath, [tsc, "-p", join(ROOT, "tsconfig.json"), "--outDir", dist, ...onlyCode]);
});

afterAll(async () => {
  await rm(dist, { recursive: true, force: true });
});

it("the built package counts right on the installed OpenTelemetry line, in processes of its own", async () => {
  const { stdout } = await run(process.execPath, [CHECK, "--modules", ROOT, "--dist", dist]);
  expect(stdout).toMatch(/^ok 11 scenarios, Node v\d+.*@opentelemetry\/api 1\.\d+/);
}, 120_000);
