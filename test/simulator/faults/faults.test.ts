/** Faults as they come over the wire: to a stock client without the plugin, and to a plain socket. */
import { connect } from "node:net";
import { describe, expect, it, vi } from "vitest";
import type { FaultRule, SimulatorFault } from "../../../src/simulator/index.ts";
import { errorOf, rawExchange, rawHead, stockClient, withSimulator } from "../support.ts";

const fixture = withSimulator({ buckets: ["bkt", "other"] });
const FLAG = "x-amz-server-side-encryption-bucket-key-enabled";
const SLOW_DOWN: SimulatorFault = { kind: "error", code: "SlowDown" };

const put = (Key = "k", Bucket = "bkt") => fixture.s3.putObject({ Bucket, Key, Body: "0123456789" });
const nameOf = async (call: Promise<unknown>) =>
  call.then(
    () => "answered",
    (error: Error) => error.name,
  );

describe("an error", () => {
  it.each([
    ["InternalError", 500],
    ["SlowDown", 503],
    ["ServiceUnavailable", 503],
    ["RequestTimeout", 400],
    ["AccessDenied", 403],
  ] as const)("%s is S3's own, with status %i", async (code, status) => {
    const fault = fixture.sim.injectFault({ fault: { kind: "error", code } });
    const error = await errorOf(put());
    fault.remove();
    expect([error.name, error.$metadata.httpStatusCode]).toEqual([code, status]);
    expect(error.message).toMatch(/^[A-Z].*[a-z.]$/);
  });

  it("of HEAD has no body", async () => {
    const fault = fixture.sim.injectFault({ fault: SLOW_DOWN });
    const answer = await rawExchange(fixture.sim, rawHead("HEAD /bkt/k"));
    fault.remove();
    expect([answer.status, answer.body]).toEqual([503, ""]);
  });

  it("carries nothing out", async () => {
    const fault = fixture.sim.injectFault({ fault: SLOW_DOWN });
    await errorOf(put("never"));
    fault.remove();
    expect((await errorOf(fixture.s3.headObject({ Bucket: "bkt", Key: "never" }))).name).toBe("NotFound");
  });
});

describe("a rule", () => {
  it.each<[string, FaultRule]>([
    ["operation", { operation: "PutObject", fault: SLOW_DOWN }],
    ["bucket", { bucket: "bk?", fault: SLOW_DOWN }],
    ["key", { key: "logs/*.gz", fault: SLOW_DOWN }],
  ])("meets only what its %s matches", async (_field, rule) => {
    const fault = fixture.sim.injectFault(rule);
    expect(await nameOf(put("logs/2026/11/25.gz"))).toBe("SlowDown");
    expect(await nameOf(fixture.s3.listObjectsV2({ Bucket: "other" }))).toBe("answered");
    expect(fault.hits).toBe(1);
    fault.remove();
  });

  it("lets the first ones pass, then meets as many as it says, then none", async () => {
    const fault = fixture.sim.injectFault({ after: 1, times: 2, fault: SLOW_DOWN });
    const names = [];
    for (let i = 0; i < 5; i++) names.push(await nameOf(put()));
    expect(names).toEqual(["answered", "SlowDown", "SlowDown", "answered", "answered"]);
    expect(fault.hits).toBe(2);
  });

  it("of several is met first when it was set first, and the next when it's used up", async () => {
    fixture.sim.injectFault({ times: 1, fault: SLOW_DOWN });
    fixture.sim.injectFault({ times: 1, fault: { kind: "error", code: "InternalError" } });
    expect([await nameOf(put()), await nameOf(put()), await nameOf(put())]).toEqual([
      "SlowDown",
      "InternalError",
      "answered",
    ]);
  });

  it("ends when it's removed, once or twice, and all do at once", async () => {
    const fault = fixture.sim.injectFault({ fault: SLOW_DOWN });
    fault.remove();
    fault.remove();
    fixture.sim.injectFault({ fault: SLOW_DOWN });
    fixture.sim.injectFault({ fault: SLOW_DOWN });
    fixture.sim.removeFaults();
    expect(await nameOf(put())).toBe("answered");
    expect(fault.hits).toBe(0);
  });

  it("isn't changed by what happens to the object it was given as", async () => {
    const rule = {
      key: "a",
      fault: { kind: "error" as const, code: "SlowDown" as "SlowDown" | "InternalError" },
    };
    const fault = fixture.sim.injectFault(rule);
    rule.key = "b";
    rule.fault.code = "InternalError";
    expect([await nameOf(put("a")), await nameOf(put("b"))]).toEqual(["SlowDown", "answered"]);
    fault.remove();
  });

  it.each([
    [undefined, "a fault rule is an object"],
    [{}, "a fault is an object"],
    [{ fault: { kind: "lag" } }, "a fault's kind is one of latency, error, reset"],
    [{ fault: { kind: "toString" } }, "a fault's kind is one of"],
    [{ fault: SLOW_DOWN, opration: "PutObject" }, "a fault rule has operation, bucket, key.*: opration"],
    [{ fault: SLOW_DOWN, operation: "PutObjet" }, "^PutObjet isn't an S3 operation; .*PutObject, "],
    [
      { fault: SLOW_DOWN, operation: "Decrypt" },
      "^Decrypt isn't an S3 operation; KMS's endpoint has no faults: disable the key, or deny with PutKeyPolicy",
    ],
    [{ fault: SLOW_DOWN, operation: 7 }, "^7 isn't an S3 operation"],
    [{ fault: SLOW_DOWN, bucket: 1 }, "bucket is a glob: 1"],
    [{ fault: SLOW_DOWN, key: null }, "key is a glob: null"],
    [{ fault: SLOW_DOWN, times: 0 }, "times is one or more: 0"],
    [{ fault: SLOW_DOWN, times: 1.5 }, "times is one or more: 1.5"],
    [{ fault: SLOW_DOWN, after: -1 }, "after is zero or more: -1"],
    [{ fault: { kind: "error", code: "NoSuchKey" } }, "error takes a code of InternalError, .*: NoSuchKey"],
    [{ fault: { kind: "error" } }, "error takes a code of"],
    [{ fault: { kind: "error", code: "SlowDown", status: 503 } }, "error has kind, code: status"],
    [{ fault: { kind: "latency", milliseconds: 60_001 } }, "latency takes milliseconds, 0 to 60000: 60001"],
    [{ fault: { kind: "latency", milliseconds: Number.NaN } }, "latency takes milliseconds"],
    [{ fault: { kind: "reset" } }, "reset takes a moment of before-body, after-body, before-answer"],
    [{ fault: { kind: "truncated-body", afterBytes: -1 } }, "afterBytes is zero or more: -1"],
    [{ fault: { kind: "slow-body", bytesPerSecond: 0 } }, "slow-body takes bytesPerSecond, one or more: 0"],
    [{ fault: { kind: "headers" } }, "headers.set is an object"],
    [{ fault: { kind: "headers", set: {} } }, "at least one header"],
    [{ fault: { kind: "headers", set: { "Content-Length": "1" } } }, "use truncated-body or reset"],
    [{ fault: { kind: "headers", set: { [FLAG]: true } } }, "a header is a text, or null"],
    [{ fault: { kind: "headers", set: { "a b": "x" } } }, "HTTP does not allow this header"],
    [{ fault: { kind: "headers", set: { a: "x\r\nb: y" } } }, "HTTP does not allow this header"],
  ])("that can't be is refused: %j", (rule, message) => {
    expect(() => fixture.sim.injectFault(rule as FaultRule)).toThrow(new RegExp(message));
  });
});

describe("latency", () => {
  it("passes before the answer, in real time", async () => {
    const fault = fixture.sim.injectFault({ fault: { kind: "latency", milliseconds: 150 } });
    const start = performance.now();
    expect(await nameOf(put())).toBe("answered");
    fault.remove();
    expect(performance.now() - start).toBeGreaterThan(145);
  });

  it("longer than the client waits leaves nothing behind", async () => {
    const { sim } = fixture;
    const fault = sim.injectFault({ key: "late", fault: { kind: "latency", milliseconds: 60_000 } });
    const impatience = new AbortController();
    const putting = fetch(`${sim.endpoint}/bkt/late`, {
      method: "PUT",
      body: "x",
      signal: impatience.signal,
    });
    putting.catch(() => {});
    // Else a request that is still on its way would come after the fault.
    await vi.waitUntil(() => fault.hits === 1);
    impatience.abort();
    await expect(putting).rejects.toThrow(/abort/);
    fault.remove();
    expect((await errorOf(fixture.s3.headObject({ Bucket: "bkt", Key: "late" }))).name).toBe("NotFound");
  });
});

describe("a reset", () => {
  it.each([
    ["before-body", "NotFound"],
    ["after-body", "NotFound"],
    ["before-answer", "answered"],
  ] as const)("%s is a broken connection; HEAD afterwards: %s", async (moment, afterwards) => {
    const key = `reset-${moment}`;
    const fault = fixture.sim.injectFault({ operation: "PutObject", key, fault: { kind: "reset", moment } });
    const error = await errorOf(
      fixture.s3.putObject({ Bucket: "bkt", Key: key, Body: Buffer.alloc(500_000) }),
    );
    fault.remove();
    expect(["ECONNRESET", "EPIPE"]).toContain((error as { code?: string }).code);
    expect(await nameOf(fixture.s3.headObject({ Bucket: "bkt", Key: key }))).toBe(afterwards);
  });

  it("before the body comes while the sender still holds it back", async () => {
    const fault = fixture.sim.injectFault({ fault: { kind: "reset", moment: "before-body" } });
    const head = rawHead("PUT /bkt/k", { "content-length": 1_000 });
    await expect(rawExchange(fixture.sim, head)).rejects.toThrow(/ECONNRESET/);
    fault.remove();
  });

  it("after the body waits for all of it", async () => {
    const fault = fixture.sim.injectFault({ fault: { kind: "reset", moment: "after-body" } });
    const socket = connect(Number(new URL(fixture.sim.endpoint).port), "127.0.0.1");
    const ended = new Promise<string>((resolve) =>
      socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "")),
    );
    socket.write(`${rawHead("PUT /bkt/k", { "content-length": 10 })}01234`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(socket.destroyed).toBe(false);
    socket.write("56789");
    expect(await ended).toBe("ECONNRESET");
    fault.remove();
  });
});

describe("a truncated body", () => {
  it.each([
    [undefined, 5],
    [0, 0],
    [3, 3],
    [10, 10],
    [999, 10],
  ])("after %s bytes announces all and gives %i", async (afterBytes, gives) => {
    await put();
    const fault = fixture.sim.injectFault({
      operation: "GetObject",
      fault: { kind: "truncated-body", ...(afterBytes !== undefined && { afterBytes }) },
    });
    const socket = connect(Number(new URL(fixture.sim.endpoint).port), "127.0.0.1");
    let received = "";
    socket.on("data", (data) => (received += data.toString("latin1")));
    socket.write(rawHead("GET /bkt/k"));
    await new Promise((resolve) => socket.once("close", resolve));
    fault.remove();
    const [head, body] = received.split("\r\n\r\n");
    expect(head).toContain("content-length: 10");
    expect(body).toBe("0123456789".slice(0, gives));
  });

  it("of XML breaks off as well, and an answer without a body passes", async () => {
    const fault = fixture.sim.injectFault({ fault: { kind: "truncated-body" } });
    expect(await nameOf(put())).toBe("answered");
    const error = await errorOf(fixture.s3.listObjectsV2({ Bucket: "bkt" }));
    fault.remove();
    expect((error as { code?: string }).code ?? error.message).toMatch(/ECONNRESET|aborted/);
  });
});

describe("a slow body", () => {
  it("drips, and comes whole", async () => {
    await put();
    const fault = fixture.sim.injectFault({
      operation: "GetObject",
      fault: { kind: "slow-body", bytesPerSecond: 40 },
    });
    const start = performance.now();
    const { Body } = await fixture.s3.getObject({ Bucket: "bkt", Key: "k" });
    const headersAfter = performance.now() - start;
    expect(await Body?.transformToString()).toBe("0123456789");
    fault.remove();
    const all = performance.now() - start;
    expect(all).toBeGreaterThan(245);
    expect(headersAfter).toBeLessThan(all);
  });

  it("ends with a reader that goes away", async () => {
    await put();
    const fault = fixture.sim.injectFault({
      operation: "GetObject",
      fault: { kind: "slow-body", bytesPerSecond: 1 },
    });
    const abort = new AbortController();
    const answer = await fetch(`${fixture.sim.endpoint}/bkt/k`, { signal: abort.signal });
    abort.abort();
    await expect(answer.text()).rejects.toThrow(/abort/);
    fault.remove();
    expect(await nameOf(put())).toBe("answered");
  });
});

describe("headers", () => {
  it("say something else, or nothing", async () => {
    const { sim, s3, key } = fixture;
    const fault = sim.injectFault({
      fault: { kind: "headers", set: { [FLAG.toUpperCase()]: "False", ETag: null, "x-new": "1" } },
    });
    const answer = await rawExchange(
      sim,
      rawHead("PUT /bkt/k", {
        "content-length": 1,
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": key.arn,
        [FLAG]: "true",
      }),
      "x",
    );
    fault.remove();
    expect(answer.headers).toMatchObject({ [FLAG]: "False", "x-new": "1" });
    expect(answer.headers).not.toHaveProperty("etag");
    // Only the answer was wrong.
    expect((await s3.headObject({ Bucket: "bkt", Key: "k" })).BucketKeyEnabled).toBe(true);
  });
});

describe("the end of the simulator", () => {
  it("comes at once while a request waits", async () => {
    const { startSimulator } = await import("../../../src/simulator/index.ts");
    const sim = await startSimulator({ buckets: ["bkt"] });
    const s3 = stockClient(sim);
    const fault = sim.injectFault({ fault: { kind: "latency", milliseconds: 60_000 } });
    const waiting = errorOf(s3.putObject({ Bucket: "bkt", Key: "k", Body: "x" }));
    await vi.waitUntil(() => fault.hits === 1);
    const start = performance.now();
    await sim.close();
    await waiting;
    expect(performance.now() - start).toBeLessThan(1_000);
    s3.destroy();
  });
});
