/** How much memory sealing takes: of a stream without end, and of many parts at a time. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Bench } from "./bench.ts";
import { exactly, MIB } from "./envelope-fixture.ts";

const PROGRAM = fileURLToPath(new URL("envelope-memory-program.ts", import.meta.url));
const MB = 1e6;
/** Of 16 MiB each, one after the other. */
const LOOKS_AT_FIRST = 64;
/** What the garbage collector leaves for later is nobody's growth. */
const FLAT_MB = 16;
const PARTS_IN_FLIGHT_MB = (16 * 8 * MIB) / MB;
const PART_MB = 64;

export const envelopeMemory: Bench = async ({ quick, dist }) => {
  const mebibytes = quick ? 2_048 : 10_240;
  const stream = await sizes("stream", dist, mebibytes);
  const atFirst = Math.max(...stream.slice(0, LOOKS_AT_FIRST));
  const later = Math.max(...stream.slice(LOOKS_AT_FIRST));
  const count = quick ? 64 : 640;
  const [before = 0, ...during] = await sizes("parts", dist, count);
  const gigabytes = `${mebibytes / 1_024} GiB`;
  return [
    {
      what: `sealing a stream of ${gigabytes}: how much larger the process ever gets after the first GiB`,
      measured: exactly((later - atFirst) / MB),
      unit: "MB",
      bar: { atMost: FLAT_MB },
      yardstick: `the whole process: ${(Math.max(atFirst, later) / MB).toFixed(0)} MB`,
    },
    {
      what: `sealing ${count} parts of 8 MiB, 16 at a time: how much larger the process gets`,
      measured: exactly((Math.max(...during) - before) / MB),
      unit: "MB",
      bar: { atMost: Math.round(PARTS_IN_FLIGHT_MB + PART_MB) },
      yardstick: `ciphertext in flight: ${PARTS_IN_FLIGHT_MB.toFixed(0)} MB`,
    },
  ];
};

async function sizes(what: "stream" | "parts", dist: URL, count: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--import",
    "tsx",
    PROGRAM,
    what,
    fileURLToPath(dist),
    String(count),
  ]);
  return JSON.parse(stdout) as number[];
}
