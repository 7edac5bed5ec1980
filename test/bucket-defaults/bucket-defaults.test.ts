import { GetBucketEncryptionCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterEach, describe, expect, it, vi } from "vitest";
import { bucketDefaultsFrom, type BucketDefaultsOptions } from "../../src/bucket-defaults/index.ts";
import {
  BucketKeySetupError,
  bucketKeys,
  definePolicy,
  type BucketDefault,
  type Policy,
} from "../../src/index.ts";
import { startSimulator, type Simulator } from "../../src/simulator/index.ts";
import { FLAG, stubClient, type SentRequest, type StubAnswer } from "../support/stub-client.ts";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const MINUTE = 60_000;

/** The answer to GetBucketEncryption, as XML. */
function configuration(algorithm: string, bucketKey?: boolean, key?: string): string {
  const keyId = key === undefined ? "" : `<KMSMasterKeyID>${key}</KMSMasterKeyID>`;
  const flag = bucketKey === undefined ? "" : `<BucketKeyEnabled>${bucketKey}</BucketKeyEnabled>`;
  return (
    "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>" +
    `<SSEAlgorithm>${algorithm}</SSEAlgorithm>${keyId}</ApplyServerSideEncryptionByDefault>${flag}</Rule>` +
    "</ServerSideEncryptionConfiguration>"
  );
}

function failure(statusCode: number, code: string): StubAnswer {
  return { statusCode, body: `<Error><Code>${code}</Code><Message>m</Message></Error>` };
}

const onKms: StubAnswer = { body: configuration("aws:kms", true, KEY) };
const kmsDefault: BucketDefault = { sse: "aws:kms", kmsKey: KEY, bucketKey: true };

/** Lookups over a stock client whose answers and clock the test holds in its hands. */
function lookups(
  answer: (request: SentRequest, count: number) => StubAnswer,
  options: BucketDefaultsOptions = {},
) {
  const { client, sent } = stubClient(answer, { maxAttempts: 1 });
  const time = { ms: 0 };
  const defaults = bucketDefaultsFrom(client, { now: () => time.ms, random: () => 0, ...options });
  return { defaults, sent, time };
}

/** Lets what runs in the background come to its end. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe("the answer of GetBucketEncryption", () => {
  it.each<[string, string, BucketDefault]>([
    ["SSE-KMS with key and bucket key", configuration("aws:kms", true, KEY), kmsDefault],
    [
      "SSE-KMS without a key: the AWS managed one",
      configuration("aws:kms", true),
      { sse: "aws:kms", bucketKey: true },
    ],
    [
      "SSE-KMS without a bucket key",
      configuration("aws:kms", false, KEY),
      { ...kmsDefault, bucketKey: false },
    ],
    ["a flag that is missing is false", configuration("aws:kms"), { sse: "aws:kms", bucketKey: false }],
    ["SSE-S3 with an inert flag (R2)", configuration("AES256", true), { sse: "AES256", bucketKey: true }],
    [
      "DSSE-KMS",
      configuration("aws:kms:dsse", false, KEY),
      { sse: "aws:kms:dsse", kmsKey: KEY, bucketKey: false },
    ],
    [
      "a rule that only blocks some algorithms",
      "<ServerSideEncryptionConfiguration><Rule><BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>",
      { sse: "AES256", bucketKey: false },
    ],
  ])("is read: %s", async (_what, body, expected) => {
    const { defaults, sent } = lookups(() => ({ body }));
    expect(await defaults.lookup("acme-lake")).toEqual(expected);
    expect(sent).toHaveLength(1);
  });

  it("is SSE-S3 where a server has no default encryption at all", async () => {
    const { defaults } = lookups(() => failure(404, "ServerSideEncryptionConfigurationNotFoundError"));
    expect(await defaults.lookup("acme-lake")).toEqual({ sse: "AES256", bucketKey: false });
    expect(defaults.lastFailure?.("acme-lake")).toBeUndefined();
  });

  it.each<[string, StubAnswer, string]>([
    ["is denied", failure(403, "AccessDenied"), "AccessDenied"],
    ["is throttled", failure(503, "SlowDown"), "SlowDown"],
    ["is of no bucket", failure(404, "NoSuchBucket"), "NoSuchBucket"],
    ["is of another region", failure(301, "PermanentRedirect"), "PermanentRedirect"],
    ["is not implemented", failure(501, "NotImplemented"), "NotImplemented"],
    ["is empty", { body: "" }, "MalformedAnswer"],
  ])("has failed when it %s, and the reason is told", async (_what, answer, reason) => {
    const { defaults } = lookups(() => answer);
    expect(await defaults.lookup("acme-lake")).toBe("lookup-failed");
    expect(defaults.lastFailure?.("acme-lake")).toBe(reason);
  });

  it.each([
    { ServerSideEncryptionConfiguration: {} },
    { ServerSideEncryptionConfiguration: { Rules: [] } },
    undefined,
  ])("has failed when it has no rule: %j", async (answer) => {
    const defaults = bucketDefaultsFrom({ send: () => Promise.resolve(answer) });
    expect(await defaults.lookup("acme-lake")).toBe("lookup-failed");
    expect(defaults.lastFailure?.("acme-lake")).toBe("MalformedAnswer");
  });

  it("has failed when the client throws something strange", async () => {
    const defaults = bucketDefaultsFrom({ send: () => Promise.reject(new Proxy({}, {})) });
    expect(await defaults.lookup("acme-lake")).toBe("lookup-failed");
    expect(defaults.lastFailure?.("acme-lake")).toBe("_OTHER");
  });
});

describe("what is no bucket's own name", () => {
  it.each([
    "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap",
    "arn:aws:s3::111122223333:accesspoint/x.mrap",
    "ap-1234-s3alias",
    "arn:aws:s3-outposts:eu-west-1:111122223333:outpost/op-1/accesspoint/ap",
    "arn:aws:s3-object-lambda:eu-west-1:111122223333:accesspoint/olap",
    "https://acme-lake.example.com",
  ])("fails without a request: %s", (name) => {
    const { defaults, sent } = lookups(() => onKms);
    expect(defaults.lookup(name)).toBe("lookup-failed");
    expect(defaults.lastFailure?.(name)).toBe("NotABucket");
    expect(sent).toEqual([]);
  });
});

describe("a known default", () => {
  it("is answered at once, and asked for again only when its time is over", async () => {
    const { defaults, sent, time } = lookups(() => onKms);
    await defaults.lookup("acme-lake");
    time.ms = 5 * MINUTE - 1;
    expect(defaults.lookup("acme-lake")).toEqual(kmsDefault);
    expect(sent).toHaveLength(1);
  });

  it("is answered while it is asked for anew, once for all who ask", async () => {
    const { defaults, sent, time } = lookups((_request, count) =>
      count === 1 ? onKms : { body: configuration("AES256", false) },
    );
    await defaults.lookup("acme-lake");
    time.ms = 5 * MINUTE;
    for (let i = 0; i < 10; i++) expect(defaults.lookup("acme-lake")).toEqual(kmsDefault);
    await settled();
    expect(sent).toHaveLength(2);
    expect(defaults.lookup("acme-lake")).toEqual({ sse: "AES256", bucketKey: false });
  });

  it("outlives failures, asked for again after half a minute, but not for ever", async () => {
    const { defaults, sent, time } = lookups((_request, count) =>
      count === 1 ? onKms : failure(503, "SlowDown"),
    );
    await defaults.lookup("acme-lake");
    time.ms = 5 * MINUTE;
    expect(defaults.lookup("acme-lake")).toEqual(kmsDefault);
    await settled();
    expect(defaults.lookup("acme-lake")).toEqual(kmsDefault);
    expect(sent).toHaveLength(2);
    time.ms += 30_000;
    expect(defaults.lookup("acme-lake")).toEqual(kmsDefault);
    await settled();
    expect(sent).toHaveLength(3);
    time.ms = 60 * MINUTE;
    expect(await defaults.lookup("acme-lake")).toBe("lookup-failed");
    expect(defaults.lastFailure?.("acme-lake")).toBe("SlowDown");
  });

  it("that nobody asked for in hours is not believed: the next one waits", async () => {
    const { defaults, time } = lookups((_request, count) =>
      count === 1 ? onKms : { body: configuration("AES256", false) },
    );
    await defaults.lookup("acme-lake");
    time.ms = 600 * MINUTE;
    expect(await defaults.lookup("acme-lake")).toEqual({ sse: "AES256", bucketKey: false });
  });

  it("loses up to a fifth of its time at random, so that processes don't ask together", async () => {
    const { defaults, sent, time } = lookups(() => onKms, { random: () => 0.999_999 });
    await defaults.lookup("acme-lake");
    time.ms = 4 * MINUTE - 1;
    void defaults.lookup("acme-lake");
    expect(sent).toHaveLength(1);
    time.ms = 4 * MINUTE + 1;
    void defaults.lookup("acme-lake");
    await settled();
    expect(sent).toHaveLength(2);
  });

  it("can't be edited by whoever gets it", async () => {
    const { defaults } = lookups(() => onKms);
    const found = (await defaults.lookup("acme-lake")) as { sse: string };
    expect(() => (found.sse = "AES256")).toThrow(TypeError);
  });
});

describe("a failure", () => {
  it("holds for half a minute, then everybody waits for a new answer", async () => {
    const { defaults, sent, time } = lookups((_request, count) =>
      count === 1 ? failure(403, "AccessDenied") : onKms,
    );
    expect(await defaults.lookup("acme-lake")).toBe("lookup-failed");
    time.ms = 29_999;
    expect(defaults.lookup("acme-lake")).toBe("lookup-failed");
    expect(sent).toHaveLength(1);
    time.ms = 30_000;
    expect(await Promise.all([defaults.lookup("acme-lake"), defaults.lookup("acme-lake")])).toEqual([
      kmsDefault,
      kmsDefault,
    ]);
    expect(sent).toHaveLength(2);
    expect(defaults.lastFailure?.("acme-lake")).toBeUndefined();
  });
});

describe("many callers and many buckets", () => {
  it("a thousand first lookups of one bucket make one request", async () => {
    const { defaults, sent } = lookups(() => onKms);
    const found = await Promise.all(Array.from({ length: 1_000 }, async () => defaults.lookup("acme-lake")));
    expect(new Set(found).size).toBe(1);
    expect(sent).toHaveLength(1);
  });

  it("a thousand that fail together make one request, too", async () => {
    const { defaults, sent } = lookups(() => failure(503, "SlowDown"));
    const found = await Promise.all(Array.from({ length: 1_000 }, async () => defaults.lookup("acme-lake")));
    expect(new Set(found)).toEqual(new Set(["lookup-failed"]));
    expect(sent).toHaveLength(1);
  });

  it("buckets are told apart", async () => {
    const { defaults } = lookups(({ hostname }) =>
      hostname.startsWith("kms") ? onKms : { body: configuration("AES256", false) },
    );
    const found = await Promise.all([defaults.lookup("kms-bucket"), defaults.lookup("other-bucket")]);
    expect(found).toMatchObject([{ sse: "aws:kms" }, { sse: "AES256" }]);
  });

  it("beyond maxBuckets the one unused for longest is forgotten", async () => {
    const { defaults, sent } = lookups(() => onKms, { maxBuckets: 2 });
    for (const bucket of ["bucket-a", "bucket-b", "bucket-a", "bucket-c", "bucket-a"])
      await defaults.lookup(bucket);
    expect(sent).toHaveLength(3);
    await defaults.lookup("bucket-b");
    expect(sent).toHaveLength(4);
  });
});

describe("a lookup that hangs", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is given up, and its request aborted", async () => {
    vi.useFakeTimers();
    let signal: AbortSignal | undefined;
    const send = vi.fn((_command: unknown, options: { abortSignal: AbortSignal }) => {
      signal = options.abortSignal;
      return new Promise<never>(() => {});
    });
    const defaults = bucketDefaultsFrom({ send }, { timeoutSeconds: 2 });
    const found = defaults.lookup("acme-lake");
    await vi.advanceTimersByTimeAsync(1_999);
    expect(signal?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await found).toBe("lookup-failed");
    expect(signal?.aborted).toBe(true);
    expect(defaults.lastFailure?.("acme-lake")).toBe("TimeoutError");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("leaves no timer behind when it is answered", async () => {
    vi.useFakeTimers();
    const defaults = bucketDefaultsFrom({ send: () => Promise.resolve({}) });
    await defaults.lookup("acme-lake");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not hold a write for longer than that", async () => {
    const { client, sent } = stubClient();
    const defaults = bucketDefaultsFrom(
      { send: () => new Promise<never>(() => {}) },
      { timeoutSeconds: 0.05 },
    );
    const plugin = bucketKeys({ policy: lookingUp(), bucketDefaults: defaults, logger: { warn: () => {} } });
    client.middlewareStack.use(plugin);
    await client.send(new PutObjectCommand({ Bucket: "acme-lake", Key: "k", Body: "x" }));
    expect(sent).toHaveLength(1);
    expect(plugin.stats().errors).toEqual([{ type: "TimeoutError", phase: "policy", count: 1 }]);
  });
});

const answerLater = (): Promise<unknown> => new Promise((resolve) => setTimeout(() => resolve({}), 30));

describe("options", () => {
  it.each([
    ["ttlSeconds", 0],
    ["failureTtlSeconds", -1],
    ["timeoutSeconds", Number.NaN],
    ["maxBuckets", 0],
  ])("%s can't be %s", (name, value) => {
    expect(() => bucketDefaultsFrom(stubClient().client, { [name]: value })).toThrow(RangeError);
  });

  it.each([Infinity, 2_147_484, 1e12])(
    "timeoutSeconds of %d is a long time, and not none",
    async (timeoutSeconds) => {
      const defaults = bucketDefaultsFrom({ send: answerLater }, { timeoutSeconds });
      await defaults.lookup("acme-lake");
      expect(defaults.lastFailure?.("acme-lake")).toBe("MalformedAnswer");
    },
  );

  it.each([undefined, null, "s3", {}])("come after a client; %j is none, which is said at once", (client) => {
    expect(() => bucketDefaultsFrom(client as never)).toThrow(BucketKeySetupError);
  });

  it.each<[unknown, string]>([
    [
      { ttlSecond: 60 },
      'has no option "ttlSecond": it has ttlSeconds, failureTtlSeconds, timeoutSeconds, maxBuckets,',
    ],
    [{ ttlSecond: 60 }, "Did you mean ttlSeconds?"],
    [null, "takes its options as an object: bucketDefaultsFrom(s3, { ttlSeconds: 300 })."],
    [300, "takes its options as an object"],
  ])("are refused where the default would hold in silence: %j", (options, says) => {
    const make = (): unknown => bucketDefaultsFrom(stubClient().client, options as object);
    expect(make).toThrow(BucketKeySetupError);
    expect(make).toThrow(says);
  });

  it("may be left out: real time and real chance", async () => {
    const { client, sent } = stubClient(() => onKms);
    const defaults = bucketDefaultsFrom(client);
    await defaults.lookup("acme-lake");
    expect(await defaults.lookup("acme-lake")).toEqual(kmsDefault);
    expect(sent).toHaveLength(1);
  });
});

function lookingUp(onLookupFailure: "leave" | "refuse" = "leave"): Policy {
  return definePolicy({
    version: 1,
    defaults: { bucketKey: "on", mode: "enforce", whenSseUnset: "lookup", onLookupFailure },
  });
}

/** The plugin on the very client that it looks up with. */
function wearing(client: S3Client, onLookupFailure: "leave" | "refuse" = "leave") {
  const plugin = bucketKeys({
    policy: lookingUp(onLookupFailure),
    bucketDefaults: bucketDefaultsFrom(client),
    logger: { warn: () => {} },
  });
  client.middlewareStack.use(plugin);
  return plugin;
}

describe("a client that wears the plugin and serves its lookups", () => {
  it("makes one GetBucketEncryption for a thousand concurrent first puts, each of which gets the flag", async () => {
    const { client, sent } = stubClient((request) =>
      request.method === "GET" ? { body: configuration("aws:kms", false, KEY) } : {},
    );
    const plugin = wearing(client);
    const puts = Array.from({ length: 1_000 }, (_, i) =>
      client.send(new PutObjectCommand({ Bucket: "acme-lake", Key: `k${i}`, Body: "x" })),
    );
    await Promise.all(puts);
    expect(sent.filter(({ method }) => method === "GET")).toHaveLength(1);
    expect(sent.filter(({ headers }) => headers[FLAG] === "true")).toHaveLength(1_000);
    expect(plugin.stats().requests).toMatchObject([{ operation: "PutObject", why: "set", count: 1_000 }]);
  });

  it.each([
    ["leave", "unenforced", 2],
    ["refuse", "refused-lookup", 1],
  ] as const)(
    "that may not look up follows onLookupFailure: %s, and says why",
    async (onFailure, why, requests) => {
      const { client, sent } = stubClient((request) =>
        request.method === "GET" ? failure(403, "AccessDenied") : {},
      );
      const plugin = wearing(client, onFailure);
      const put = client.send(new PutObjectCommand({ Bucket: "acme-lake", Key: "k", Body: "x" }));
      await Promise.allSettled([put]);
      expect(sent).toHaveLength(requests);
      expect(plugin.stats()).toMatchObject({
        requests: [{ why, count: 1 }],
        errors: [{ type: "AccessDenied", phase: "policy", count: 1 }],
      });
    },
  );
});

describe("over HTTP", () => {
  let simulator: Simulator | undefined;
  afterEach(() => simulator?.close());

  it("a bucket that defaults to SSE-KMS gets bucket keys, one that doesn't is left alone", async () => {
    simulator = await startSimulator();
    const s3 = new S3Client(simulator.clientConfig);
    const kmsKey = simulator.createKmsKey().arn;
    simulator.createBucket("on-kms", { encryption: { sse: "aws:kms", kmsKey } });
    simulator.createBucket("on-s3");
    const plugin = wearing(s3);
    for (const Bucket of ["on-kms", "on-s3", "on-kms"]) {
      await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" }));
    }
    expect(plugin.stats().requests).toMatchObject([
      { why: "other-algorithm", count: 1 },
      { why: "set", count: 2 },
    ]);
    expect(plugin.stats().errors).toEqual([]);
    expect(plugin.stats().responses).toContainEqual({
      operation: "PutObject",
      state: "enabled",
      sse: "aws:kms",
      verdict: "honoured",
      count: 2,
    });
  });
});

it("a lookup is a GetBucketEncryption of the client's own", async () => {
  const send = vi.fn().mockResolvedValue({});
  await bucketDefaultsFrom({ send }).lookup("acme-lake");
  const [command] = send.mock.calls[0] as [GetBucketEncryptionCommand];
  expect(command).toBeInstanceOf(GetBucketEncryptionCommand);
  expect(command.input).toEqual({ Bucket: "acme-lake" });
});
