import { describe, expect, it } from "vitest";
import * as fc from "fast-check";
import { timelineOf } from "../../src/report/timeline.ts";

const AT = Date.parse("2026-11-24T08:00:00Z");
const HOUR_MS = 3_600_000;

describe("a timeline", () => {
  it.each([
    [0, "minute", 1],
    [30 * 60_000, "minute", 31],
    [2 * HOUR_MS, "5 minutes", 25],
    [24 * HOUR_MS, "hour", 25],
    [30 * 24 * HOUR_MS, "day", 31],
    [60 * 24 * HOUR_MS, "2 days", 31],
    [200 * 24 * HOUR_MS, "7 days", 30],
    [400 * 24 * HOUR_MS, "28 days", 15],
    [6_000 * 24 * HOUR_MS, "52 weeks", 17],
  ])("of %d ms has pieces of a %s: %d", (ms, stepName, length) => {
    const timeline = timelineOf(AT, AT + ms);
    expect(timeline).toMatchObject({ stepName, startsMs: { length } });
  });

  it("puts a count of the full hour into the hour before", () => {
    const timeline = timelineOf(AT, AT + 20 * HOUR_MS);
    expect(new Date(timeline.startsMs[0] as number).toISOString()).toBe("2026-11-24T07:00:00.000Z");
    expect([AT, AT + 1, AT + HOUR_MS, AT + 20 * HOUR_MS].map((ms) => timeline.pieceOf(ms))).toEqual([
      0, 1, 1, 20,
    ]);
  });

  it("has at most 40 pieces, without gaps, and a place for every time in it, whatever its length", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4e12 }),
        fc.integer({ min: 0, max: 4e12 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (fromMs, ms, share) => {
          const timeline = timelineOf(fromMs, fromMs + ms);
          const { startsMs, stepMs } = timeline;
          const atMs = Math.round(fromMs + ms * share);
          const start = startsMs[timeline.pieceOf(atMs)] as number;
          expect(startsMs.length).toBeLessThanOrEqual(41);
          expect(startsMs.every((one, i) => i === 0 || one - (startsMs[i - 1] as number) === stepMs)).toBe(
            true,
          );
          expect(start < atMs && atMs <= start + stepMs).toBe(true);
        },
      ),
    );
  });
});
