import { describe, expect, it } from "vitest";
import { Stopwatch, SYSTEM_CLOCK } from "../../src/envelope/clock.ts";
import { TestClock } from "./key-stubs.ts";

describe("a stopwatch", () => {
  it("goes by the clock that went further", () => {
    const clock = new TestClock();
    const watch = new Stopwatch(clock);
    const since = watch.stamp();
    expect(watch.ageMs(since)).toBe(0);
    clock.advance(70);
    expect(watch.ageMs(since)).toBe(70);
    clock.wall += 30;
    expect(watch.ageMs(since)).toBe(100);
    clock.monotonic += 50;
    expect(watch.ageMs(since)).toBe(120);
  });

  it("doesn't take a wall clock that stands still for one that goes back", () => {
    const clock = new TestClock();
    const watch = new Stopwatch(clock);
    const since = watch.stamp();
    clock.monotonic += 5;
    expect(watch.ageMs(since)).toBe(5);
  });

  it("knows no age from before the wall clock went back, even when that has caught up", () => {
    const clock = new TestClock();
    const watch = new Stopwatch(clock);
    const before = watch.stamp();
    clock.wall -= 1;
    const after = watch.stamp();
    clock.advance(1_000);
    expect(watch.ageMs(before)).toBe(Infinity);
    expect(watch.ageMs(after)).toBe(1_000);
  });
});

describe("the clock of the system", () => {
  it("tells the time of day", () => {
    const earliest = Date.now();
    const wall = SYSTEM_CLOCK.wallMs();
    expect(wall).toBeGreaterThanOrEqual(earliest);
    expect(wall).toBeLessThanOrEqual(Date.now());
  });

  it("has another one that never goes back, and dice", () => {
    const earliest = performance.now();
    const monotonic = SYSTEM_CLOCK.monotonicMs();
    expect(monotonic).toBeGreaterThanOrEqual(earliest);
    expect(monotonic).toBeLessThanOrEqual(performance.now());
    const throws = Array.from({ length: 20 }, () => SYSTEM_CLOCK.random());
    expect(throws.every((one) => one >= 0 && one < 1)).toBe(true);
    expect(new Set(throws).size).toBeGreaterThan(1);
  });
});
