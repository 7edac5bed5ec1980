/** The glob matcher on patterns made to hurt it. */
import { createHash } from "node:crypto";
import { globMatches } from "../../src/policy/globs.ts";
import type { Bench, Row } from "./bench.ts";
import { interleave, type Arm } from "./interleave.ts";
import { median, medianOfBlocks, medianRatio, seededRandom } from "./statistics.ts";

type Case = readonly [pattern: string, text: string];

const LENGTH = 1_024;
const STARS = 200;

export const globs: Bench = async ({ quick }) => {
  const stars = worstOf(starry());
  const worst = worstOf([...nearMisses(), ...randomCases(quick ? 100 : 2_000)]);

  const times = await interleave({
    arms: () => ({ stars: matching(stars), worst: matching(worst), yardstick: digests, control: digests }),
    ...(quick ? { blocks: 4, iterations: 15, warmUp: 5 } : { blocks: 20, iterations: 50, warmUp: 10 }),
  });
  const control = medianRatio(times.control, times.yardstick);
  const yardstick = `SHA-256 of 1 MiB: ${(median(times.yardstick.flatMap((b) => [...b])) / 1_000).toFixed(2)} ms`;
  const row = (what: string, arm: "stars" | "worst", atMost: number): Row => ({
    what,
    measured: medianOfBlocks(times[arm].map((block) => block.map((time) => time / 1_000))),
    unit: "ms",
    bar: { atMost },
    control,
    yardstick,
  });
  const steps = stepsOf(worst).toLocaleString("en");
  return [
    row(`glob of ${STARS} stars on a key of 1,024 characters`, "stars", 0.05),
    row(`worst glob found of 1,024 characters on a key of 1,024 (${steps} steps)`, "worst", 2),
  ];
};

const matching =
  ([pattern, text]: Case): Arm =>
  () =>
  () =>
    globMatches(pattern, text);

const MEBIBYTE = new Uint8Array(1_024 * 1_024);
const digests: Arm = () => () => createHash("sha256").update(MEBIBYTE).digest();

/** Patterns of 200 stars: literals of several lengths between them, matching and just not. */
function starry(): Case[] {
  const text = "a".repeat(LENGTH);
  return [1, 2, 3, 4].flatMap((length) =>
    ["", "b", "*b"].map((end): Case => [`*${"a".repeat(length)}`.repeat(STARS - 1) + `*a${end}`, text]),
  );
}

/** A star, then a long run that fits nearly everywhere and fails on its last character. */
function nearMisses(): Case[] {
  const cases: Case[] = [];
  for (let run = 16; run < LENGTH - 1; run += 16) {
    for (const filler of ["a", "?"]) {
      cases.push([`*${filler.repeat(run)}b`, "a".repeat(LENGTH)]);
      cases.push([`*${filler.repeat(run)}b*`.padEnd(LENGTH, "*a"), "a".repeat(LENGTH)]);
      cases.push([`*?${filler.repeat(run)}b*`.padEnd(LENGTH, "*a"), "a".repeat(LENGTH)]);
    }
  }
  return cases;
}

/** Patterns and texts over few characters, where near misses are most likely. */
function randomCases(count: number): Case[] {
  const random = seededRandom(7);
  const draw = (alphabet: string, length: number): string =>
    Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
  return Array.from({ length: count }, (_, i): Case => {
    const weight = "a".repeat(1 + (i % 40));
    return [`*${draw(`${weight}?*`, LENGTH - 2)}b`, draw(`${weight}${weight}ab`, LENGTH)];
  });
}

/** The one that takes longest: steps alone don't tell, since a step of a native search costs next to nothing. */
function worstOf(cases: readonly Case[]): Case {
  const timed = cases.map((one): [number, Case] => [bestOfThree(one), one]);
  return timed.reduce((worst, next) => (next[0] > worst[0] ? next : worst))[1];
}

function bestOfThree([pattern, text]: Case): number {
  const times = [1, 2, 3].map(() => {
    const start = performance.now();
    globMatches(pattern, text);
    return performance.now() - start;
  });
  return Math.min(...times);
}

function stepsOf([pattern, text]: Case): number {
  let steps = 0;
  globMatches(pattern, text, (more) => (steps += more));
  return steps;
}
