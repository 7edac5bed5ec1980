import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { snapshot } from "../report/snapshots.ts";
import { program } from "./program.ts";

const EXAMPLE = "examples/bucket-keys.yaml";
const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
let folder: string;
let bad: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bucket-keys-"));
  bad = join(folder, "bad.yaml");
  await writeFile(bad, "version: 1\nrules:\n  - id: a\n    reason: x\n    mode: enforec\n");
});
afterAll(() => rm(folder, { recursive: true }));

describe("the program", { timeout: 30_000 }, () => {
  it("checks the example, and finds nothing", async () => {
    const { status, stdout, stderr } = await program(["check", "--fail-on", "warning", EXAMPLE]);
    expect(stdout).toMatch(
      /^examples\/bucket-keys\.yaml: valid, policy [0-9a-f]{16}, 4 rules, 7 of 7 tests passed; 0 errors, 0 warnings\n$/,
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  it("ends with 2 on a policy that can't be used, and says where and why on stdout", async () => {
    const { status, stdout, stderr } = await program(["check", bad, EXAMPLE]);
    expect(stdout).toContain(`${bad}:5:11: error: "enforec" isn't known here: write enforce, audit or off.`);
    expect(stdout).toContain(`${bad}: can't be used; 1 error, 0 warnings\n${EXAMPLE}: valid`);
    expect({ status, stderr }).toEqual({ status: 2, stderr: "" });
  });

  it("explains a request from standard input", async () => {
    const input = '{"operation":"PutObject","bucket":"acme-lake-raw","key":"a/b"}';
    const { status, stdout, stderr } = await program(["explain", EXAMPLE, "--request", "-"], { input });
    expect(stdout).toContain("lake: matches\n");
    expect(stdout).toContain("amend (completed): the request gets the rule's algorithm and key together.");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  it("ends with 2 and a word on stderr when called wrongly", async () => {
    const { status, stdout, stderr } = await program(["check", EXAMPLE, "--fail-on", "warnings"]);
    expect(stderr).toContain("argument 'warnings' is invalid. Allowed choices are error, warning, never.");
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  });

  it("writes a report, and no second one over it", async () => {
    const input = `${JSON.stringify(snapshot("2026-11-24T09:00:00Z"))}\n`;
    const out = join(folder, "report.html");
    expect(await program(["report", "-", "--out", out], { input })).toEqual({
      status: 0,
      stdout: "",
      stderr: "",
    });
    expect(readFileSync(out, "utf8")).toMatch(/^<!doctype html>/);
    expect(await program(["report", "-", "--out", out], { input })).toMatchObject({
      status: 2,
      stderr: `error: ${out} is there already: choose another name, or say --force.\n`,
    });
    expect((await program(["report", "-", "--out", out, "--force"], { input })).status).toBe(0);
  });

  it("tells its version", async () => {
    expect(await program(["--version"])).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("writes no colours into a pipe", async () => {
    expect((await program(["check", bad])).stdout).not.toContain("\u001B");
  });
});
