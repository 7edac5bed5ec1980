import { afterEach, describe, expect, it, vi } from "vitest";
import { S3Client } from "@aws-sdk/client-s3";
import { Log } from "../src/log.ts";

afterEach(() => vi.restoreAllMocks());

const warning = (): ReturnType<typeof vi.spyOn> =>
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});

describe("a line for people goes to", () => {
  it("the plugin's own logger first", () => {
    const own = { warn: vi.fn() };
    const clients = { warn: vi.fn() };
    new Log(own).say("hello", { logger: clients });
    expect(own.warn.mock.calls).toEqual([["s3-bucket-keys: hello"]]);
    expect(clients.warn).not.toHaveBeenCalled();
  });

  it("the client's logger, when it has one", () => {
    const clients = { warn: vi.fn() };
    new Log(undefined).say("hello", { logger: clients });
    expect(clients.warn).toHaveBeenCalledTimes(1);
  });

  it("the process's warnings, when the client's logger is the SDK's silent default", () => {
    const { logger } = new S3Client({ region: "eu-west-1" }).config;
    const emitted = warning();
    new Log(undefined).say("hello", { logger });
    expect(emitted.mock.calls).toEqual([["s3-bucket-keys: hello", { type: "S3BucketKeysWarning" }]]);
  });

  it.each([[undefined], [{}], [{ warn: 7 }], ["console"]])(
    "the process's warnings, when the logger is %j",
    (logger) => {
      const emitted = warning();
      new Log(undefined).say("hello", { logger });
      expect(emitted).toHaveBeenCalledTimes(1);
    },
  );

  it("nobody, when the user chose a logger that swallows it", () => {
    const emitted = warning();
    const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
    new Log(undefined).say("hello", { logger: quiet });
    expect(emitted).not.toHaveBeenCalled();
  });

  it("a logger class of the user's, though some methods are empty", () => {
    const said: string[] = [];
    class Mine {
      trace(): void {}
      debug(): void {}
      info(): void {}
      error(): void {}
      warn(line: string): void {
        said.push(line);
      }
    }
    new Log(undefined).say("hello", { logger: new Mine() });
    expect(said).toHaveLength(1);
  });

  it("the console where there are no process warnings, as in browsers", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    vi.stubGlobal("process", undefined);
    new Log(undefined).say("hello");
    vi.unstubAllGlobals();
    expect(warn.mock.calls).toEqual([["s3-bucket-keys: hello"]]);
  });
});

function broken(): never {
  throw new Error("broken");
}

describe("saying something", () => {
  it("never throws, whatever the logger does", () => {
    expect(() => new Log({ warn: broken }).say("hello")).not.toThrow();
  });

  it("once is once per topic, and the memory of topics is bounded", () => {
    const warn = vi.fn();
    const log = new Log({ warn });
    for (let i = 0; i < 1_000; i++) log.sayOnce(`topic ${i}`, "a");
    log.sayOnce("topic 0", "again");
    expect(warn).toHaveBeenCalledTimes(200);
  });
});

describe("a line of which there may be many", () => {
  const MINUTE = 60_000;
  const START = Date.parse("2026-11-25T12:00:00Z");

  function limited(): { lines: string[]; say: (topic: string, atMs: number) => void } {
    const lines: string[] = [];
    const log = new Log({ warn: (line) => void lines.push(line.replace("s3-bucket-keys: ", "")) });
    return { lines, say: (topic, atMs) => log.sayLimited(topic, () => topic, {}, START + atMs) };
  }

  it("is said ten times at once, then once a minute with the number that was not", () => {
    const { lines, say } = limited();
    for (let i = 0; i < 47; i++) say("a", i);
    expect(lines).toEqual(Array.from({ length: 10 }, () => "a"));
    say("a", MINUTE / 2);
    say("a", MINUTE + 50);
    say("a", MINUTE + 60);
    expect(lines.slice(10)).toEqual(["a (38 more like this since 2026-11-25T12:00:00.010Z)"]);
    say("a", 2 * MINUTE + 100);
    expect(lines.slice(11)).toEqual(["a (1 more like this since 2026-11-25T12:01:00.060Z)"]);
  });

  it("has its ten again after as many quiet minutes, and no more than ten", () => {
    const { lines, say } = limited();
    for (const at of [0, 10 * MINUTE + 100, 60 * MINUTE]) {
      const before = lines.length;
      for (let i = 0; i < 20; i++) say("a", at + i);
      expect(lines.length - before).toBe(10);
    }
  });

  it("is limited by its topic, so that one storm hides no other trouble", () => {
    const { lines, say } = limited();
    for (let i = 0; i < 100; i++) say("a", i);
    say("b", 100);
    expect(lines.filter((line) => line === "b")).toHaveLength(1);
  });

  it("is not made where it isn't said", () => {
    const log = new Log({ warn() {} });
    const message = vi.fn(() => "a");
    for (let i = 0; i < 100; i++) log.sayLimited("a", message, {}, START);
    expect(message).toHaveBeenCalledTimes(10);
  });

  it("beyond 200 topics shares ten with all others, until topics have gone quiet", () => {
    const { lines, say } = limited();
    for (let i = 0; i < 10_000; i++) say(`topic ${i}`, i);
    expect(lines).toHaveLength(210);
    say("topic 0", 10_000);
    expect(lines).toHaveLength(211);
    say("topic 9999", 2 * MINUTE);
    expect(lines.at(-1)).toBe("topic 9999");
    expect(lines).toHaveLength(212);
  });

  it("survives a clock that is set back, and a logger that throws", () => {
    const { lines, say } = limited();
    for (let i = 0; i < 20; i++) say("a", -i * MINUTE);
    expect(lines).toHaveLength(10);
    expect(() => new Log({ warn: broken }).sayLimited("a", () => "a", {})).not.toThrow();
  });
});
