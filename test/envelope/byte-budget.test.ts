import { getEventListeners } from "node:events";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteBudget, type Release } from "../../src/envelope/byte-budget.ts";

/** Lets every promise settle that can. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Requests by name, and who was granted so far. */
function requests(budget: ByteBudget): {
  granted: string[];
  release: Map<string, Release>;
  ask: (name: string, bytes: number, signal?: AbortSignal) => Promise<unknown>;
} {
  const granted: string[] = [];
  const release = new Map<string, Release>();
  return {
    granted,
    release,
    ask: async (name, bytes, signal) => {
      try {
        release.set(name, await budget.take(bytes, signal));
        granted.push(name);
      } catch (error) {
        return error;
      }
    },
  };
}

describe("a byte budget", () => {
  it("grants what fits, to the last byte, and makes the rest wait", async () => {
    const { granted, ask, release } = requests(new ByteBudget(10));
    void ask("a", 6);
    void ask("b", 4);
    void ask("c", 1);
    await settle();
    expect(granted).toEqual(["a", "b"]);
    release.get("b")?.();
    await settle();
    expect(granted).toEqual(["a", "b", "c"]);
  });

  it("lets no small request overtake a large one", async () => {
    const { granted, ask, release } = requests(new ByteBudget(10));
    for (const [name, bytes] of [
      ["a", 6],
      ["large", 10],
      ["small", 1],
    ] as const)
      void ask(name, bytes);
    await settle();
    expect(granted).toEqual(["a"]);
    release.get("a")?.();
    await settle();
    expect(granted).toEqual(["a", "large"]);
    release.get("large")?.();
    await settle();
    expect(granted).toEqual(["a", "large", "small"]);
  });

  it("grants a request larger than itself, but alone", async () => {
    const { granted, ask, release } = requests(new ByteBudget(10));
    for (const [name, bytes] of [
      ["a", 1],
      ["huge", 1000],
      ["b", 1],
    ] as const)
      void ask(name, bytes);
    await settle();
    expect(granted).toEqual(["a"]);
    release.get("a")?.();
    await settle();
    expect(granted).toEqual(["a", "huge"]);
    release.get("huge")?.();
    await settle();
    expect(granted).toEqual(["a", "huge", "b"]);
  });

  it("takes bytes back once, however often they're given back", async () => {
    const { granted, ask, release } = requests(new ByteBudget(10));
    void ask("a", 5);
    void ask("b", 5);
    await settle();
    release.get("a")?.();
    release.get("a")?.();
    void ask("c", 5);
    void ask("d", 5);
    await settle();
    expect(granted).toEqual(["a", "b", "c"]);
  });

  it("rejects at once when the signal is aborted already, and takes nothing", async () => {
    const { granted, ask } = requests(new ByteBudget(10));
    const reason = new Error("aborted before");
    expect(await ask("a", 10, AbortSignal.abort(reason))).toBe(reason);
    await ask("b", 10);
    expect(granted).toEqual(["b"]);
  });

  it("rejects a waiter whose signal is aborted, and serves those behind it", async () => {
    const { granted, ask, release } = requests(new ByteBudget(10));
    const [controller, reason] = [new AbortController(), new Error("aborted")];
    void ask("a", 6);
    const large = ask("large", 10, controller.signal);
    void ask("small", 4);
    await settle();
    controller.abort(reason);
    expect(await large).toBe(reason);
    await settle();
    expect(granted).toEqual(["a", "small"]);
    release.get("a")?.();
    release.get("small")?.();
    await ask("last", 10);
    expect(granted.at(-1)).toBe("last");
  });

  it("keeps what was granted when the signal is aborted later", async () => {
    const { granted, ask, release } = requests(new ByteBudget(10));
    const controller = new AbortController();
    await ask("a", 10, controller.signal);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    controller.abort();
    void ask("b", 1);
    await settle();
    expect(granted).toEqual(["a"]);
    release.get("a")?.();
    await settle();
    expect(granted).toEqual(["a", "b"]);
  });

  it("counts what is kept, beyond itself if need be, until it's given back", async () => {
    const budget = new ByteBudget(10);
    const { granted, ask, release } = requests(budget);
    const kept = budget.keep(8);
    void ask("a", 2);
    void ask("b", 1);
    await settle();
    expect(granted).toEqual(["a"]);
    kept();
    await settle();
    expect(granted).toEqual(["a", "b"]);
    // Given back once, however often that's said.
    kept();
    budget.keep(20);
    release.get("a")?.();
    void ask("c", 9);
    await settle();
    expect(granted).toEqual(["a", "b"]);
  });

  it("lets one at a time go on, however much is kept", async () => {
    const budget = new ByteBudget(10);
    const { granted, ask, release } = requests(budget);
    budget.keep(1000);
    void ask("a", 5);
    void ask("b", 5);
    await settle();
    expect(granted).toEqual(["a"]);
    release.get("a")?.();
    await settle();
    expect(granted).toEqual(["a", "b"]);
  });

  it("never gives out more than it has, and serves everybody in turn", async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(sizes, async (asked) => {
        const budget = new ByteBudget(10);
        const order: number[] = [];
        let out = 0;
        let most = 0;
        await Promise.all(
          asked.map(async (bytes, turn) => {
            const release = await budget.take(bytes);
            order.push(turn);
            out += bytes;
            most = Math.max(most, out);
            await Promise.resolve();
            out -= bytes;
            release();
          }),
        );
        expect(most).toBeLessThanOrEqual(10);
        expect(order).toEqual(asked.map((_, turn) => turn));
      }),
      { numRuns: 50 },
    );
  });
});
