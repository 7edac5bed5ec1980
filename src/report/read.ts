import { readOtlpLine } from "./otlp-line.ts";
import { readStatsLine } from "./stats-line.ts";
import {
  BadLine,
  isObject,
  type Attributes,
  type Counted,
  type LineReading,
  type Sample,
} from "./samples.ts";

/** What was counted between two samples of one life, or before its first. */
export interface Increment {
  readonly what: Counted;
  readonly attributes: Attributes;
  readonly count: number;
  readonly atMs: number;
}

export interface LineProblem {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** Who wrote nothing for so long before the last line, or for a tenth of the whole time, has ended. */
const RECENT_MS = 15 * 60_000;

/** Everything a file says. */
export interface Reading {
  readonly increments: readonly Increment[];
  /** Times of the first and the last usable line, in milliseconds since 1970. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Usable lines. */
  readonly lines: number;
  /** Processes that wrote them; one that was started again counts anew. */
  readonly sources: number;
  /** As each process said last that still ran at the end. */
  readonly wears: LineReading["wears"];
  /** Bucket keys in the caches of these; absent where nothing seals. */
  readonly cacheEntries?: number;
  /** Lines that were left out. */
  readonly problems: readonly LineProblem[];
}

/**
 * Reads a file of counts: JSON, one object a line, either `{ time, ...plugin.stats() }` or an export in OTLP's
 * encoding. A line that can't be used is left out and told: a process that was ended while it wrote leaves half a
 * line, and the rest of the file is as good as before.
 */
export function readCounts(text: string): Reading {
  const problems: LineProblem[] = [];
  const readings: { readonly line: number; readonly reading: LineReading }[] = [];
  for (const [i, source] of text.split("\n").entries()) {
    if (source.trim() === "") continue;
    try {
      const found = readLine(i === 0 ? source.replace(/^\uFEFF/, "") : source);
      readings.push(...found.map((reading) => ({ line: i + 1, reading })));
    } catch (error) {
      if (!(error instanceof BadLine)) throw error;
      problems.push({ line: i + 1, message: error.message });
    }
  }
  const totals = new Totals();
  const used = readings
    .toSorted((a, b) => a.reading.atMs - b.reading.atMs)
    .filter(({ line, reading }) => {
      const problem = totals.add(reading);
      if (problem !== undefined) problems.push({ line, message: problem });
      return problem === undefined;
    });
  const fromMs = used[0]?.reading.atMs ?? 0;
  const toMs = used.at(-1)?.reading.atMs ?? 0;
  const aliveMs = toMs - Math.max(RECENT_MS, (toMs - fromMs) / 10);
  const alive = used.map(({ reading }) => reading).filter(({ atMs }) => atMs >= aliveMs);
  const worn = new Map(alive.flatMap(({ source, wears }) => (wears.length > 0 ? [[source, wears]] : [])));
  const entries = new Map(
    alive.flatMap(({ samples }) =>
      samples.filter(({ what }) => what === "cacheEntryCount").map(({ life, value }) => [life, value]),
    ),
  );
  return {
    increments: totals.increments,
    fromMs,
    toMs,
    lines: new Set(used.map(({ line }) => line)).size,
    sources: new Set(used.map(({ reading }) => reading.source)).size,
    wears: [...worn.values()].flat(),
    ...(entries.size > 0 && { cacheEntries: [...entries.values()].reduce((a, b) => a + b, 0) }),
    problems: problems.toSorted((a, b) => a.line - b.line),
  };
}

function readLine(source: string): LineReading[] {
  let line: unknown;
  try {
    line = JSON.parse(source);
  } catch {
    throw new BadLine("is no JSON: one object a line.");
  }
  if (!isObject(line)) throw new BadLine("is no JSON object.");
  if ("resourceLogs" in line || "resourceSpans" in line) return [];
  return "resourceMetrics" in line ? readOtlpLine(line) : [readStatsLine(line)];
}

/** Turns totals into what came between them. */
class Totals {
  readonly increments: Increment[] = [];
  readonly #known = new Map<string, number>();

  /** @returns what is wrong with the line, which then counts for nothing. */
  add(reading: LineReading): string | undefined {
    const counted = reading.samples.filter(({ kind }) => kind !== "level");
    const steps = counted.map((sample) => ({ sample, key: keyOf(sample), before: this.#before(sample) }));
    if (steps.some(({ sample, before }) => sample.value < before)) {
      return "has smaller counts than an earlier line of the same process: give each process an `instance` (OTLP: service.instance.id) of its own.";
    }
    for (const { sample, key, before } of steps) {
      const { what, attributes, value, kind, atMs } = sample;
      if (kind === "total") this.#known.set(key, value);
      if (value > before) this.increments.push({ what, attributes, count: value - before, atMs });
    }
    return undefined;
  }

  #before(sample: Sample): number {
    return sample.kind === "total" ? (this.#known.get(keyOf(sample)) ?? 0) : 0;
  }
}

function keyOf({ what, attributes, life }: Sample): string {
  return JSON.stringify([life, what, attributes]);
}
