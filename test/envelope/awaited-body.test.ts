import { Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { counted, unlessBroken } from "../../src/envelope/awaited-body.ts";
import { ByteBudget } from "../../src/envelope/byte-budget.ts";

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A body that stays open. */
const open = (): Readable => new Readable({ read() {} });

/** Rejects with the signal's reason, and never comes to anything else. */
const waiting = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

describe("what waits for room while its body is there", () => {
  it("fails with the body's error", async () => {
    const body = open().on("error", () => undefined);
    const result = unlessBroken(body, waiting);
    body.destroy(new Error("aborted"));
    await expect(result).rejects.toThrow("aborted");
  });

  it("fails where the body is closed without one, as an aborted call leaves it, or was so before", async () => {
    for (const when of ["before", "meanwhile"]) {
      const body = open();
      if (when === "before") body.destroy();
      const result = unlessBroken(body, waiting);
      body.destroy();
      await expect(result).rejects.toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
    }
  });

  it("fails with the error of a web stream", async () => {
    let fail!: (error: Error) => void;
    const body = new ReadableStream({
      start: (controller) => void (fail = (error) => controller.error(error)),
    });
    const result = unlessBroken(body, waiting);
    fail(new Error("aborted"));
    await expect(result).rejects.toThrow("aborted");
  });

  it("comes to what it comes to, and leaves nothing at the body", async () => {
    const body = open();
    const before = body.eventNames();
    let signal!: AbortSignal;
    expect(await unlessBroken(body, async (given) => ((signal = given), "room"))).toBe("room");
    expect(body.eventNames()).toEqual(before);
    body.destroy();
    await settle();
    expect(signal.aborted).toBe(false);
  });

  it("isn't ended by a body that ends well", async () => {
    const body = Readable.from([]);
    const result = unlessBroken(body, async (signal) => {
      body.resume();
      await new Promise((resolve) => body.on("close", resolve));
      await settle();
      return signal.aborted;
    });
    expect(await result).toBe(false);
  });

  it.each([
    ["bytes", new Uint8Array(1)],
    ["nothing", undefined],
    ["an iteration", (async function* () {})()],
  ])("just waits for %s", async (_, body) =>
    expect(await unlessBroken(body, async ({ aborted }) => aborted)).toBe(false),
  );
});

const tooLong = (): Error => new Error("too long");

/** A body of 60 of 100 bytes, of which chunks come by hand; and whether another body, mostly of 60, has room. */
async function scene(): Promise<{
  body: Readable;
  reading: Promise<string>;
  hasRoom: (bytes?: number) => Promise<boolean>;
}> {
  const budget = new ByteBudget(100);
  const body = open();
  const granted = await budget.take(60);
  // Something small is always under way.
  await budget.take(1);
  const read = async (): Promise<string> => {
    let text = "";
    for await (const chunk of counted(body, budget, 60, granted, tooLong)) text += String(chunk);
    return text;
  };
  const hasRoom = async (bytes = 60): Promise<boolean> => {
    const leaving = new AbortController();
    let has = false;
    const asked = budget.take(bytes, leaving.signal).then(
      (release) => ((has = true), release()),
      () => undefined,
    );
    await settle();
    leaving.abort();
    await asked;
    return has;
  };
  return { body, reading: read(), hasRoom };
}

describe("a body that is counted", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  it("takes its room while its chunks come, and gives it back at the end", async () => {
    const { body, reading, hasRoom } = await scene();
    for (let i = 0; i < 5; i++) {
      body.push("x");
      await vi.advanceTimersByTimeAsync(999);
      expect(await hasRoom()).toBe(false);
    }
    body.push(null);
    expect(await reading).toBe("xxxxx");
    expect(await hasRoom()).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("takes little while it's silent for a second, from the beginning or later, and all of it again then", async () => {
    const { body, reading, hasRoom } = await scene();
    for (let i = 0; i < 2; i++) {
      await vi.advanceTimersByTimeAsync(999);
      expect(await hasRoom()).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      expect(await hasRoom()).toBe(true);
      body.push("x");
      await settle();
      expect(await hasRoom()).toBe(false);
    }
    body.push(null);
    expect(await reading).toBe("xx");
    expect(await hasRoom()).toBe(true);
  });

  it("gives its room back when it fails, silent or not", async () => {
    for (const silentMs of [0, 1000]) {
      const { body, reading, hasRoom } = await scene();
      const failed = reading.catch((error: Error) => error.message);
      await vi.advanceTimersByTimeAsync(silentMs);
      body.destroy(new Error("gone"));
      expect(await failed).toBe("gone");
      expect(await hasRoom()).toBe(true);
      expect(vi.getTimerCount()).toBe(0);
    }
  });

  it("always takes room for what has come of it", async () => {
    const { body, reading, hasRoom } = await scene();
    let come = 0;
    for (const chunk of ["x".repeat(20), "y", "z".repeat(9)]) {
      body.push(chunk);
      come += chunk.length;
      await vi.advanceTimersByTimeAsync(1000);
      // 1 is under way all the time.
      expect(await hasRoom(99 - come)).toBe(true);
      expect(await hasRoom(100 - come)).toBe(false);
    }
    body.push("!");
    await settle();
    expect(await hasRoom(39)).toBe(true);
    expect(await hasRoom(40)).toBe(false);
    body.push(null);
    await reading;
    expect(await hasRoom(99)).toBe(true);
  });

  it("is read no further than it was granted", async () => {
    const { body, reading, hasRoom } = await scene();
    body.push("x".repeat(60));
    await settle();
    body.push("y");
    await expect(reading).rejects.toThrow("too long");
    expect([body.destroyed, await hasRoom()]).toEqual([true, true]);
  });

  it("never makes room for others by waking up", async () => {
    const budget = new ByteBudget(100);
    const body = open();
    const reading = (async (): Promise<void> => {
      for await (const _ of counted(body, budget, 60, await budget.take(60), tooLong));
    })();
    body.push("x".repeat(50));
    await vi.advanceTimersByTimeAsync(1000);
    const first = await budget.take(1);
    let hasRoom = false;
    const other = budget.take(50).then((release) => ((hasRoom = true), release()));
    body.push("x");
    await settle();
    expect(hasRoom).toBe(false);
    body.push(null);
    await reading;
    await other;
    first();
  });

  it("lets in one other per second at most when all fall silent half-read, and nobody waits for good", async () => {
    const budget = new ByteBudget(100);
    const bodies: Readable[] = [];
    const all = Array.from({ length: 12 }, async () => {
      const granted = await budget.take(50);
      const body = open();
      bodies.push(body);
      body.push("x".repeat(40));
      for await (const _ of counted(body, budget, 50, granted, tooLong));
    });
    for (const underWay of [2, 3, 4, 5, 6]) {
      await settle();
      expect(bodies).toHaveLength(underWay);
      await vi.advanceTimersByTimeAsync(1000);
    }
    // Dead connections, which nobody ends, don't stop the others.
    for (let ended = 2; ended < 12; ended++) {
      await settle();
      bodies[ended]?.push(null);
      await settle();
    }
    expect(bodies).toHaveLength(12);
    for (const body of bodies) body.push(null);
    await Promise.all(all);
    expect(await budget.take(100)).toBeTypeOf("function");
  });
});
