import { ATTRIBUTES } from "../otel/names.ts";
import { countRows, envelopeRows, type Row } from "../otel/rows.ts";
import type { EnvelopeStats, Stats } from "../telemetry/telemetry.ts";
import { BadLine, isObject, type LineReading, type Sample } from "./samples.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Lists of `stats()`, and the words of their rows; each row has a `count` besides. */
const LISTS: Readonly<Record<string, readonly string[]>> = {
  requests: ["operation", "decision", "why", "mode"],
  responses: ["operation", "state", "sse", "verdict"],
  rules: ["rule", "state"],
  drifts: ["operation", "kind"],
  notes: ["note"],
  errors: ["type", "phase"],
};
const ENVELOPE_LISTS: Readonly<Record<string, readonly string[]>> = {
  kmsRequests: ["operation"],
  cacheRequests: ["result"],
  retiredDataKeys: ["reason"],
};

/**
 * Reads `{ time, ...plugin.stats() }`; `instance` may tell processes apart.
 *
 * @throws `BadLine` naming the field that is missing or wrong.
 */
export function readStatsLine(line: Fields): LineReading {
  const atMs = timeOf(line["time"]);
  const { since, instance = "", policyDigest, mode } = line;
  if (typeof since !== "string") throw new BadLine("`since` is missing: write { time, ...plugin.stats() }.");
  if (typeof policyDigest !== "string" || typeof mode !== "string") {
    throw new BadLine("`policyDigest` or `mode` is missing: write { time, ...plugin.stats() }.");
  }
  if (typeof instance !== "string") throw new BadLine("`instance` is no text.");
  checkLists(line, LISTS);
  checkCounts(line, "policyReloads", ["accepted", "rejected"]);
  checkCounts(line, "estimatedKmsRequestsAvoided", ["GenerateDataKey", "Decrypt"]);
  const source = JSON.stringify([instance, since]);
  const rows = [...countRows(line as unknown as Stats), ...envelopeOf(line["envelope"])];
  const samples = rows.map(([what, value, attributes]): Sample => {
    const kind = what === "cacheEntryCount" ? "level" : "total";
    return { what, attributes: attributes as Sample["attributes"], value, kind, life: source, atMs };
  });
  return { atMs, samples, source, wears: [{ mode, policyDigest }] };
}

function timeOf(time: unknown): number {
  const ms = typeof time === "string" ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new BadLine("`time` is no ISO 8601 time: write { time: new Date(), ...plugin.stats() }.");
  }
  return ms;
}

type EnvelopeRow = Row | readonly [what: "kmsSeconds" | "plainReads", value: number, attributes: object];

/** The rows of metrics, and what only histograms or nobody exports. */
function envelopeOf(envelope: unknown): readonly EnvelopeRow[] {
  if (envelope === undefined) return [];
  if (!isObject(envelope)) throw new BadLine("`envelope` is no object.");
  checkLists(envelope, ENVELOPE_LISTS, "envelope.");
  checkCounts({ envelope }, "envelope", ["cacheEntries", "sealedBytes", "openedBytes", "plainReads"]);
  const stats = envelope as unknown as EnvelopeStats;
  return [
    ...envelopeRows(stats),
    ...stats.kmsRequests.flatMap(({ operation, errorType, count, seconds }): EnvelopeRow[] => {
      if (!isCount(seconds) || !["string", "undefined"].includes(typeof errorType)) {
        throw new BadLine(
          "`envelope.kmsRequests` has a row without `seconds`, or an `errorType` that is no text.",
        );
      }
      const attributes = {
        [ATTRIBUTES.operation]: operation,
        ...(errorType !== undefined && { [ATTRIBUTES.errorType]: errorType }),
      };
      return [
        ["kmsRequestDuration", count, attributes],
        ["kmsSeconds", seconds, attributes],
      ];
    }),
    ...stats.retiredDataKeys.map(({ reason, count }): Row => {
      return ["dataKeyAge", count, { [ATTRIBUTES.retireReason]: reason }];
    }),
    ["cacheEntryCount", stats.cacheEntries, {}],
    ["plainReads", stats.plainReads, {}],
  ];
}

function checkLists(line: Fields, lists: typeof LISTS, path = ""): void {
  for (const [name, words] of Object.entries(lists)) {
    const rows = line[name];
    if (!Array.isArray(rows)) throw new BadLine(`\`${path}${name}\` is no list.`);
    for (const row of rows as readonly unknown[]) {
      const isRow =
        isObject(row) && isCount(row["count"]) && words.every((word) => typeof row[word] === "string");
      if (!isRow)
        throw new BadLine(`\`${path}${name}\` has a row without ${[...words, "count"].join(", ")}.`);
    }
  }
}

function checkCounts(line: Fields, name: string, counts: readonly string[]): void {
  const value = line[name];
  for (const count of counts) {
    if (!isObject(value) || !isCount(value[count])) throw new BadLine(`\`${name}.${count}\` is no count.`);
  }
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
