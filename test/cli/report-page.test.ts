import { describe, expect, it } from "vitest";
import { run } from "../../src/cli/run.ts";
import { lines, snapshot } from "../report/snapshots.ts";

const GOOD = lines([snapshot("2026-11-24T09:00:00Z")]);
const FILES: Readonly<Record<string, string>> = {
  "stats.jsonl": GOOD,
  "torn.jsonl": `${GOOD}{"time":"2026-`,
  "empty.jsonl": "\n",
  "bad.jsonl": "time,count\n1,2\n",
  "there.html": "mine",
};

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly written: ReadonlyMap<string, string>;
}

async function cli(args: readonly string[], input = ""): Promise<Ran> {
  let out = "";
  let err = "";
  const written = new Map<string, string>();
  const code = await run(["report", ...args], {
    out: (text) => (out += text),
    err: (text) => (err += text),
    readFile: (path) => {
      const text = FILES[path];
      return text === undefined ? Promise.reject(new Error(`ENOENT: ${path}`)) : Promise.resolve(text);
    },
    readInput: () => Promise.resolve(input),
    writeFile: (path, text, overwrite) => {
      if (path.startsWith("gone/")) return Promise.reject(new Error("ENOENT: gone"));
      if (path in FILES && !overwrite)
        return Promise.reject(Object.assign(new Error("there"), { code: "EEXIST" }));
      written.set(path, text);
      return Promise.resolve();
    },
    untilStopped: () => Promise.resolve(),
    colour: false,
    now: new Date("2026-11-25T12:00:00Z"),
  });
  return { code, out, err, written };
}

describe("report", () => {
  it("writes a page of a file, and says nothing", async () => {
    const { written, ...said } = await cli(["stats.jsonl", "--out", "report.html", "--title", "Shop & Co"]);
    expect(said).toEqual({ code: 0, out: "", err: "" });
    expect(written.get("report.html")).toMatch(
      /^<!doctype html>[^]*<title>Shop &amp; Co<\/title>[^]*on 2026-11-25 12:00 UTC/,
    );
  });

  it.each([[["-"]], [["-", "--out", "-"]]])(
    "reads standard input and writes standard output: %j",
    async (args) => {
      const { code, out, err } = await cli(args, GOOD);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toMatch(/^<!doctype html>[^]*<\/html>\n$/);
    },
  );

  it("tells lines that can't be used, makes the page of the others, and ends with 1", async () => {
    const { code, err, out } = await cli(["torn.jsonl"]);
    expect({ code, err }).toEqual({
      code: 1,
      err: "torn.jsonl:2: left out: is no JSON: one object a line.\n",
    });
    expect(out.replaceAll(/\s+/g, " ")).toContain("1 line could not be used and is left out.");
  });

  it.each([
    [["nope.jsonl"], "error: nope.jsonl could not be read (ENOENT: nope.jsonl): check the path."],
    [
      ["empty.jsonl"],
      "error: empty.jsonl has no line to report: write { time: new Date(), ...plugin.stats() }",
    ],
    [["bad.jsonl"], "bad.jsonl:1: left out: is no JSON: one object a line.\nbad.jsonl:2: left out"],
    [["-"], "error: standard input has no line to report"],
    [
      ["stats.jsonl", "--out", "there.html"],
      "error: there.html is there already: choose another name, or say --force.",
    ],
    [
      ["stats.jsonl", "--out", "gone/a.html"],
      "error: gone/a.html could not be written (ENOENT: gone): check the path.",
    ],
    [[], "error: missing required argument 'file'"],
    [["stats.jsonl", "--output", "a"], "error: unknown option '--output'"],
  ])("ends with 2 and a reason: %j", async (args, reason) => {
    const { code, out, err, written } = await cli(args);
    expect({ code, out, written: written.size }).toEqual({ code: 2, out: "", written: 0 });
    expect(err).toContain(reason);
  });

  it("writes over a file with --force", async () => {
    const { code, written } = await cli(["stats.jsonl", "--out", "there.html", "--force"]);
    expect({ code, written: [...written.keys()] }).toEqual({ code: 0, written: ["there.html"] });
  });

  it("has examples in its help", async () => {
    const { code, out } = await cli(["--help"]);
    expect(code).toBe(0);
    expect(out).toContain("$ s3-bucket-keys report stats.jsonl --out report.html");
    expect(out).toContain("npm install --save-dev @observablehq/plot@0.6 linkedom@0.18");
  });
});
