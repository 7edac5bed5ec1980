/** The plugin on a wire where things go wrong: it decides once, S3's own result stays, and the counts are right. */
import { GetObjectCommand, PutObjectCommand, S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bucketKeys, definePolicy, type BucketKeysPlugin, type Stats } from "../src/index.ts";
import { startSimulator, type KmsKey, type Simulator, type SimulatorFault } from "../src/simulator/index.ts";
import { FLAG, KEY_ID, SSE } from "./support/stub-client.ts";

const put = { Bucket: "lake", Key: "a/b", Body: "0123456789" } as const;

let sim: Simulator;
let key: KmsKey;
let other: KmsKey;
let plugin: BucketKeysPlugin;
let s3: S3Client;
/** The flag of every attempt, as it went to the wire. */
let flags: (string | undefined)[];
let warn: ReturnType<typeof vi.fn<(message: string) => void>>;

function dressedClient(config: S3ClientConfig = {}): S3Client {
  const client = new S3Client({ ...sim.clientConfig, ...config });
  client.middlewareStack.use(plugin);
  client.middlewareStack.add(
    (next) => async (args) => {
      flags.push((args.request as { headers: Record<string, string> }).headers[FLAG]);
      return next(args);
    },
    { step: "deserialize", priority: "low" },
  );
  return client;
}

beforeEach(async () => {
  sim = await startSimulator({ buckets: ["lake"] });
  key = sim.createKmsKey();
  other = sim.createKmsKey();
  flags = [];
  warn = vi.fn();
  plugin = bucketKeys({
    policy: definePolicy({
      version: 1,
      rules: [{ id: "lake", reason: "The bill.", kmsKey: key.arn, bucketKey: "on", mode: "enforce" }],
    }),
    logger: { warn },
  });
  s3 = dressedClient();
});
afterEach(async () => {
  s3.destroy();
  await sim.close();
});

const counts = ({ requests, responses, drifts, errors }: Stats) => ({
  requests: requests.map(({ why, count }) => [why, count]),
  responses: responses.map(({ operation, state, verdict, count }) => [operation, state, verdict, count]),
  drifts: drifts.map(({ kind, count }) => [kind, count]),
  errors: errors.map(({ type, phase, count }) => [type, phase, count]),
});

/** What a write that went well leaves in the counts. */
const ONE_HONOURED = {
  requests: [["completed", 1]],
  responses: [["PutObject", "enabled", "honoured", 1]],
  drifts: [],
  errors: [],
};

describe("an attempt that fails and is tried again", () => {
  it.each<[string, SimulatorFault]>([
    ["500 InternalError", { kind: "error", code: "InternalError" }],
    ["503 SlowDown", { kind: "error", code: "SlowDown" }],
    ["503 ServiceUnavailable", { kind: "error", code: "ServiceUnavailable" }],
    ["400 RequestTimeout", { kind: "error", code: "RequestTimeout" }],
    ["a reset before the body", { kind: "reset", moment: "before-body" }],
    ["a reset after the body", { kind: "reset", moment: "after-body" }],
    ["a reset before the answer", { kind: "reset", moment: "before-answer" }],
  ])("by %s carries the flag each time, is decided once and counted once", async (_what, fault) => {
    const injected = sim.injectFault({ operation: "PutObject", times: 2, fault });
    const output = await s3.send(new PutObjectCommand(put));
    expect([injected.hits, output.$metadata.attempts, output.BucketKeyEnabled]).toEqual([2, 3, true]);
    expect(flags).toEqual(["true", "true", "true"]);
    expect(counts(plugin.stats())).toEqual(ONE_HONOURED);
    expect(sim.kmsRequestCount()).toBe(1);
    expect(warn).not.toHaveBeenCalled();
  });
});

describe("a request that fails for good", () => {
  it("is the SDK's own error; the decision is counted, and what never was answered is not", async () => {
    sim.injectFault({ fault: { kind: "reset", moment: "after-body" } });
    const impatient = dressedClient({ maxAttempts: 2 });
    await expect(impatient.send(new PutObjectCommand(put))).rejects.toMatchObject({
      code: "ECONNRESET",
      $metadata: { attempts: 2 },
    });
    impatient.destroy();
    expect(counts(plugin.stats())).toEqual({
      requests: [["completed", 1]],
      responses: [],
      drifts: [],
      errors: [],
    });
  });

  it("with an answer is unverified, and is no drift", async () => {
    sim.injectFault({ fault: { kind: "error", code: "SlowDown" } });
    const impatient = dressedClient({ maxAttempts: 1 });
    await expect(impatient.send(new PutObjectCommand(put))).rejects.toMatchObject({ name: "SlowDown" });
    impatient.destroy();
    expect(counts(plugin.stats())).toEqual({
      requests: [["completed", 1]],
      responses: [["PutObject", "unknown", "unverified", 1]],
      drifts: [],
      errors: [],
    });
    expect(warn).not.toHaveBeenCalled();
  });

  it("by 403 after the plugin wrote into it says which rule did", async () => {
    sim.injectFault({ fault: { kind: "error", code: "AccessDenied" } });
    await expect(s3.send(new PutObjectCommand(put))).rejects.toMatchObject({ name: "AccessDenied" });
    expect(flags).toHaveLength(1);
    expect(counts(plugin.stats()).errors).toEqual([["AccessDenied", "amended", 1]]);
    expect(warn.mock.calls).toEqual([[expect.stringContaining("after rule lake wrote")]]);
  });

  it("because the caller gave up on a slow server is the caller's abort", async () => {
    sim.injectFault({ fault: { kind: "latency", milliseconds: 60_000 } });
    const sending = s3.send(new PutObjectCommand(put), { abortSignal: AbortSignal.timeout(100) });
    await expect(sending).rejects.toMatchObject({ name: "AbortError" });
    expect(counts(plugin.stats())).toEqual({
      requests: [["completed", 1]],
      responses: [],
      drifts: [],
      errors: [],
    });
  });
});

/** Puts are answered with these headers. */
function wrong(set: Record<string, string | null>): void {
  sim.injectFault({ operation: "PutObject", fault: { kind: "headers", set } });
}

describe("an answer whose headers are wrong", () => {
  it.each([
    ["no flag", { [FLAG]: null }, "disabled", ["bucket-key"]],
    ["False", { [FLAG]: "False" }, "disabled", ["bucket-key"]],
    ["garbage", { [FLAG]: "garbage" }, "unknown", ["bucket-key"]],
    ["nothing", { [FLAG]: "" }, "unknown", ["bucket-key"]],
    ["another algorithm", { [SSE]: "AES256", [FLAG]: null }, "not-applicable", ["algorithm"]],
    ["no encryption at all", { [SSE]: null, [FLAG]: null, [KEY_ID]: null }, "unknown", ["algorithm"]],
  ] as const)(
    "%s: the call's result is untouched, and the drift is counted",
    async (_what, set, state, kinds) => {
      wrong(set);
      const output = await s3.send(new PutObjectCommand(put));
      expect(output.ETag).toBeDefined();
      const { responses, drifts } = counts(plugin.stats());
      expect(responses).toEqual([["PutObject", state, "drift", 1]]);
      expect(drifts.map(([kind]) => kind)).toEqual(expect.arrayContaining([...kinds]));
      expect(warn.mock.calls).toEqual([[expect.stringContaining("the answer differs from what rule lake")]]);
    },
  );

  it("the id of another key: only the key has drifted", async () => {
    wrong({ [KEY_ID]: other.arn });
    await s3.send(new PutObjectCommand(put));
    expect(counts(plugin.stats())).toMatchObject({
      responses: [["PutObject", "enabled", "drift", 1]],
      drifts: [["kms-key", 1]],
    });
  });

  it("TRUE is true: no drift", async () => {
    wrong({ [FLAG]: "TRUE" });
    await s3.send(new PutObjectCommand(put));
    expect(counts(plugin.stats())).toEqual(ONE_HONOURED);
  });

  it("a hundred times is said ten times, and counted a hundred", async () => {
    wrong({ [FLAG]: null });
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => s3.send(new PutObjectCommand({ ...put, Key: `${i}` }))),
    );
    expect(counts(plugin.stats()).drifts).toEqual([["bucket-key", 100]]);
    expect(warn).toHaveBeenCalledTimes(10);
  });

  it("on a read is no drift: an old object may be like that", async () => {
    await s3.send(new PutObjectCommand(put));
    sim.injectFault({ operation: "GetObject", fault: { kind: "headers", set: { [FLAG]: null } } });
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: put.Bucket, Key: put.Key }));
    expect(await Body?.transformToString()).toBe(put.Body);
    expect(counts(plugin.stats())).toMatchObject({
      responses: [
        ["PutObject", "enabled", "honoured", 1],
        ["GetObject", "disabled", "noncompliant", 1],
      ],
      drifts: [],
    });
  });
});

describe("a body that doesn't come as it should", () => {
  beforeEach(async () => {
    await s3.send(new PutObjectCommand(put));
  });
  const get = new GetObjectCommand({ Bucket: put.Bucket, Key: put.Key });

  it("breaks off in the reader's stream with the SDK's own error; the head was seen and counted", async () => {
    sim.injectFault({ operation: "GetObject", fault: { kind: "truncated-body", afterBytes: 4 } });
    const undressed = new S3Client(sim.clientConfig);
    const errors = [];
    for (const client of [s3, undressed]) {
      const { Body } = await client.send(get);
      errors.push(await Body?.transformToString().catch((error: unknown) => error));
    }
    undressed.destroy();
    expect(errors[0]).toMatchObject({ code: "ECONNRESET" });
    expect(errors[0]).toEqual(errors[1]);
    expect(counts(plugin.stats()).responses).toContainEqual(["GetObject", "enabled", "compliant", 1]);
    expect(plugin.stats().errors).toEqual([]);
  });

  it("that drips comes whole", async () => {
    sim.injectFault({ operation: "GetObject", fault: { kind: "slow-body", bytesPerSecond: 50 } });
    const { Body } = await s3.send(get);
    expect(await Body?.transformToString()).toBe(put.Body);
  });
});
