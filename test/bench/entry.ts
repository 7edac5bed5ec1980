/** What an application pays to have the main entry: bytes and start-up time. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import type { Bench, Row } from "./bench.ts";
import { median, medianOfBlocks } from "./statistics.ts";

export const size: Bench = async ({ dist }) => {
  const entry = fileURLToPath(new URL("index.js", dist));
  const sizes: readonly [what: string, code: string][] = [
    ["main entry, everything, minified and gzipped", `export * from ${JSON.stringify(entry)}`],
    [
      "main entry, bucketKeys alone, minified and gzipped",
      `export { bucketKeys } from ${JSON.stringify(entry)}`,
    ],
  ];
  return Promise.all(
    sizes.map(async ([what, code]): Promise<Row> => {
      const kilobytes = (await gzippedBytes(code)) / 1_024;
      return {
        what,
        measured: { value: kilobytes, low: kilobytes, high: kilobytes },
        unit: "KB",
        bar: { atMost: 8 },
      };
    }),
  );
};

async function gzippedBytes(code: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: "." },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "es2023",
  });
  return gzipSync((outputFiles[0] as (typeof outputFiles)[0]).contents, { level: 9 }).length;
}

export const importTime: Bench = async ({ quick, dist }) => {
  const runs = quick ? 5 : 41;
  const entry = new URL("index.js", dist).href;
  const extra: number[] = [];
  const empty: number[] = [];
  for (let run = 0; run < runs; run++) {
    // In turns, so that what slows the machine down slows both.
    empty.push(await importMilliseconds("data:text/javascript,"));
    extra.push((await importMilliseconds(entry)) - (empty.at(-1) as number));
  }
  return [
    {
      what: "import of the main entry in a fresh process, beyond that of an empty module",
      measured: medianOfBlocks(extra.map((time) => Float64Array.of(time))),
      unit: "ms",
      bar: { atMost: 15 },
      yardstick: `an empty module: ${median(empty).toFixed(1)} ms`,
    },
  ];
};

async function importMilliseconds(url: string): Promise<number> {
  const code = `const start = performance.now(); await import(${JSON.stringify(url)}); console.log(performance.now() - start)`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code]);
  return Number(stdout);
}
