import { describe, expect, it } from "vitest";
import { FailureMemory } from "../../src/envelope/failure-memory.ts";
import { kmsFailure } from "../../src/envelope/kms-failures.ts";
import { kmsError, TestClock } from "./key-stubs.ts";

const failure = kmsFailure(kmsError("ThrottlingException"));
const later = kmsFailure(kmsError("AccessDeniedException"));

describe("FailureMemory", () => {
  it("forgets after one second and a random part of another", () => {
    const clock = new TestClock();
    const memory = new FailureMemory(clock);
    memory.remember("a", failure);
    clock.dice = 0.25;
    memory.remember("b", failure);
    clock.advance(999);
    expect(memory.recall("a")).toBe(failure);
    clock.advance(1);
    expect(memory.recall("a")).toBeUndefined();
    clock.advance(249);
    expect(memory.recall("b")).toBe(failure);
    clock.advance(1);
    expect(memory.recall("b")).toBeUndefined();
  });

  it("goes by the monotonic clock", () => {
    const clock = new TestClock();
    const memory = new FailureMemory(clock);
    memory.remember("a", failure);
    clock.wall += 10_000;
    expect(memory.recall("a")).toBe(failure);
  });

  it("keeps a thousand: the oldest makes room, and a newer failure counts anew", () => {
    const memory = new FailureMemory(new TestClock());
    memory.remember("first", failure);
    for (let number = 0; number < 999; number++) memory.remember(`${number}`, failure);
    expect(memory.recall("first")).toBe(failure);
    memory.remember("first", later);
    expect(memory.recall("first")).toBe(later);
    expect(memory.recall("0")).toBe(failure);
    memory.remember("another", failure);
    expect(memory.recall("0")).toBeUndefined();
    expect(memory.recall("1")).toBe(failure);
    expect(memory.recall("first")).toBe(later);
  });

  it("forgets everything when asked to", () => {
    const memory = new FailureMemory(new TestClock());
    memory.remember("a", failure);
    memory.clear();
    expect(memory.recall("a")).toBeUndefined();
  });
});
