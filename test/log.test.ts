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
