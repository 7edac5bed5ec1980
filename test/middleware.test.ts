import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  PutBucketEncryptionCommand,
  PutObjectCommand,
  S3,
  S3Client,
  UpdateObjectEncryptionCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { KMSClient, ListKeysCommand } from "@aws-sdk/client-kms";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { describe, expect, it, vi } from "vitest";
import {
  BucketKeyRefusedError,
  bucketKeys,
  definePolicy,
  type Policy,
  type PolicyRule,
} from "../src/index.ts";
import { echo, FLAG, KEY_ID, SSE, stubClient, stubConfig, type SentRequest } from "./support/stub-client.ts";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER = "arn:aws:kms:eu-west-1:111122223333:key/99999999-12ab-34cd-56ef-1234567890ab";
const kms = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: KEY } as const;
const put = { Bucket: "acme-lake", Key: "a/b", Body: "x" } as const;
const silent = { warn: () => {} };

function policyOf(...rules: Partial<PolicyRule>[]): Policy {
  return definePolicy({
    version: 1,
    defaults: { mode: "enforce" },
    rules: rules.map((rule, i) => ({ id: `r${i}`, reason: "Because of the test.", ...rule })),
  });
}

const lake = policyOf({ bucketKey: "on", kmsKey: KEY });

describe("an enforcing plugin", () => {
  it("sets the flag on a write that names aws:kms, signed and once", async () => {
    const { client, sent } = stubClient();
    client.middlewareStack.use(bucketKeys({ mode: "enforce" }));
    const output = await client.send(new PutObjectCommand({ ...put, ...kms }));
    expect(sent).toHaveLength(1);
    expect(sent[0]?.headers[FLAG]).toBe("true");
    expect(sent[0]?.headers["authorization"]).toContain(FLAG);
    expect(output.BucketKeyEnabled).toBe(true);
  });

  it("completes algorithm and key together", async () => {
    const { client, sent } = stubClient();
    client.middlewareStack.use(bucketKeys({ policy: lake }));
    await client.send(new PutObjectCommand(put));
    expect(sent[0]?.headers).toMatchObject({ [SSE]: "aws:kms", [KEY_ID]: KEY, [FLAG]: "true" });
  });

  it.each([
    [
      "CopyObject",
      new CopyObjectCommand({ Bucket: "acme-lake", Key: "k", CopySource: "src/k" }),
      "<CopyObjectResult><ETag>e</ETag></CopyObjectResult>",
    ],
    [
      "CreateMultipartUpload",
      new CreateMultipartUploadCommand({ Bucket: "acme-lake", Key: "k" }),
      "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>",
    ],
  ])("reaches %s", async (operation, command, body) => {
    const { client, sent } = stubClient((request) => ({ ...echo(request), body }));
    const plugin = bucketKeys({ policy: lake });
    client.middlewareStack.use(plugin);
    await client.send(command as PutObjectCommand);
    expect(sent[0]?.headers[FLAG]).toBe("true");
    expect(plugin.stats().responses).toEqual([
      { operation, state: "enabled", sse: "aws:kms", verdict: "honoured", count: 1 },
    ]);
  });

  it("writes the nested flag of UpdateObjectEncryption, whose default is false", async () => {
    const { client, sent } = stubClient(() => ({}));
    client.middlewareStack.use(bucketKeys({ policy: lake, logger: silent }));
    const input = { Bucket: "acme-lake", Key: "k", ObjectEncryption: { SSEKMS: { KMSKeyArn: KEY } } };
    await client.send(new UpdateObjectEncryptionCommand(structuredClone(input)));
    expect(sent[0]?.body).toContain("<BucketKeyEnabled>true</BucketKeyEnabled>");
  });

  it("writes the flag of PutBucketEncryption only when a rule lists it, and keeps key and blocked types", async () => {
    const { client, sent } = stubClient(() => ({}));
    const listed = policyOf({ bucketKey: "on", match: { operations: ["PutBucketEncryption"] } });
    client.middlewareStack.use(bucketKeys({ policy: listed }));
    const Rules = [
      {
        ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms" as const, KMSMasterKeyID: KEY },
        BlockedEncryptionTypes: { EncryptionType: ["SSE-C" as const] },
      },
    ];
    await client.send(
      new PutBucketEncryptionCommand({ Bucket: "b", ServerSideEncryptionConfiguration: { Rules } }),
    );
    expect(sent[0]?.body).toContain("<BucketKeyEnabled>true</BucketKeyEnabled>");
    expect(sent[0]?.body).toContain(KEY);
    expect(sent[0]?.body).toContain("SSE-C");
    expect(Rules[0]).not.toHaveProperty("BucketKeyEnabled");
  });

  it("never touches the caller's input, even a frozen one", async () => {
    const { client, sent } = stubClient();
    client.middlewareStack.use(bucketKeys({ policy: lake }));
    const command = new PutObjectCommand(put);
    Object.freeze(command.input);
    await client.send(command);
    await client.send(command);
    expect(sent.map((request) => request.headers[FLAG])).toEqual(["true", "true"]);
    expect(command.input).toEqual(put);
  });

  it("removes a caller's flag without touching the input", async () => {
    const { client, sent } = stubClient();
    client.middlewareStack.use(bucketKeys({ policy: policyOf({ bucketKey: "on" }) }));
    const command = new PutObjectCommand({ ...put, BucketKeyEnabled: false });
    await client.send(command);
    expect(sent[0]?.headers).not.toHaveProperty(FLAG);
    expect(command.input.BucketKeyEnabled).toBe(false);
  });

  it("injects nothing for directory buckets, nor counts a drift there", async () => {
    const { client, sent } = stubClient(() => ({
      headers: { [SSE]: "aws:kms", [FLAG]: "true" },
      body: "<CreateSessionResult><Credentials><AccessKeyId>a</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></CreateSessionResult>",
    }));
    const plugin = bucketKeys({ policy: lake });
    client.middlewareStack.use(plugin);
    await client.send(new PutObjectCommand({ ...put, Bucket: "data--use1-az4--x-s3" }));
    expect(sent.at(-1)?.headers).not.toHaveProperty(FLAG);
    expect(plugin.stats().requests).toEqual([
      { operation: "PutObject", decision: "pass", why: "not-applicable", mode: "enforce", count: 1 },
    ]);
    expect(plugin.stats().drifts).toEqual([]);
  });
});

describe("a refusal", () => {
  const strict = policyOf({ bucketKey: "on", kmsKey: KEY, reason: "Finance asked for it (FIN-88)." });

  it("throws before anything is sent, with the rule, its reason and the two ways out", async () => {
    const { client, sent } = stubClient();
    const warn = vi.fn();
    const plugin = bucketKeys({ policy: strict, logger: { warn } });
    client.middlewareStack.use(plugin);
    const error: unknown = await client
      .send(new PutObjectCommand({ ...put, ServerSideEncryption: "aws:kms", SSEKMSKeyId: OTHER }))
      .catch((thrown: unknown) => thrown);
    expect(sent).toHaveLength(0);
    expect(error).toBeInstanceOf(BucketKeyRefusedError);
    expect(error).toMatchObject({
      code: "ERR_BUCKET_KEY_REFUSED",
      why: "refused-key",
      rule: "r0",
      reason: "Finance asked for it (FIN-88).",
      operation: "PutObject",
      bucket: "acme-lake",
    });
    const { message } = error as Error;
    expect(message).toContain("FIN-88");
    expect(message).toContain("change the request: leave ServerSideEncryption and SSEKMSKeyId out");
    expect(message).toContain("change the policy: set onKeyConflict to keep-caller or override");
    expect(message).not.toContain("a/b");
    expect(warn).toHaveBeenCalledTimes(1);
    expect(plugin.stats().requests).toEqual([
      { operation: "PutObject", decision: "refuse", why: "refused-key", mode: "enforce", count: 1 },
    ]);
    expect(plugin.stats().responses).toEqual([]);
  });

  it.each([
    ["Finance asked for it", "Finance asked for it."],
    ["Finance asked for it.", "Finance asked for it."],
    ["Never here!", "Never here!"],
    ["Why not?", "Why not?"],
    ["v1.2 asks for it", "v1.2 asks for it."],
    ["See FIN-88.\n", "See FIN-88."],
    ["See FIN-88\n", "See FIN-88."],
  ])("ends the sentence of the reason %j, and keeps it as it was written", async (reason, sentence) => {
    const { client } = stubClient();
    const policy = policyOf({ bucketKey: "on", kmsKey: KEY, reason });
    client.middlewareStack.use(bucketKeys({ policy, logger: silent }));
    const error: unknown = await client
      .send(new PutObjectCommand({ ...put, ServerSideEncryption: "AES256" }))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason });
    expect((error as Error).message).toContain(` Rule r0: ${sentence} Either change the request: `);
  });

  it("comes as a rejected promise, never as a synchronous throw", async () => {
    const { client } = stubClient();
    client.middlewareStack.use(bucketKeys({ policy: strict, logger: silent }));
    const promise = client.send(new PutObjectCommand({ ...put, ServerSideEncryption: "AES256" }));
    await expect(promise).rejects.toThrow("refused-key");
  });

  it("refuses reads and writes of a place that seals, whatever the mode, while there is no sealer", async () => {
    const { client, sent } = stubClient();
    const sealing = policyOf({ envelope: "seal", mode: "off", match: { buckets: ["vault"] } });
    client.middlewareStack.use(bucketKeys({ policy: sealing, logger: silent, mode: "off" }));
    for (const command of [
      new PutObjectCommand({ ...put, Bucket: "vault" }),
      new GetObjectCommand({ Bucket: "vault", Key: "k" }),
      new HeadObjectCommand({ Bucket: "vault", Key: "k" }),
      new UploadPartCommand({ Bucket: "vault", Key: "k", UploadId: "u", PartNumber: 1, Body: "x" }),
    ]) {
      await expect(client.send(command as PutObjectCommand)).rejects.toThrow("refused-seal");
    }
    expect(sent).toHaveLength(0);
    await client.send(new PutObjectCommand(put));
    expect(sent).toHaveLength(1);
  });
});

describe("audit", () => {
  it("without options changes nothing, counts, and says once what enforcing would do", async () => {
    const { client, sent } = stubClient();
    const warn = vi.fn();
    const plugin = bucketKeys({ logger: { warn } });
    client.middlewareStack.use(plugin);
    await client.send(new PutObjectCommand({ ...put, ...kms }));
    await client.send(new PutObjectCommand({ ...put, ...kms }));
    expect(sent[0]?.headers).not.toHaveProperty(FLAG);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]?.[0]).toContain('enforcing would write {"bucketKey":true}');
    expect(plugin.stats()).toMatchObject({
      mode: "audit",
      requests: [{ operation: "PutObject", decision: "amend", why: "set", mode: "audit", count: 2 }],
      responses: [
        { operation: "PutObject", state: "disabled", sse: "aws:kms", verdict: "noncompliant", count: 2 },
      ],
      drifts: [],
    });
  });

  it("refuses nothing", async () => {
    const { client, sent } = stubClient();
    client.middlewareStack.use(bucketKeys({ policy: lake, mode: "audit", logger: silent }));
    await client.send(new PutObjectCommand({ ...put, ServerSideEncryption: "AES256" }));
    expect(sent).toHaveLength(1);
  });
});

describe("what the plugin leaves alone", () => {
  it.each(["S3Client.ListBuckets", "KMS.ListKeys"])("%s runs without it", async (name) => {
    const sent: SentRequest[] = [];
    const plugin = bucketKeys({ policy: lake });
    const config = stubConfig(
      () => ({
        body: name.startsWith("KMS")
          ? "{}"
          : "<ListAllMyBucketsResult><Owner><ID>o</ID></Owner></ListAllMyBucketsResult>",
      }),
      sent,
    );
    if (name.startsWith("KMS")) {
      const client = new KMSClient(config as object);
      client.middlewareStack.use(plugin);
      await client.send(new ListKeysCommand({}));
    } else {
      const client = new S3Client(config);
      client.middlewareStack.use(plugin);
      await client.send(new ListBucketsCommand({}));
    }
    expect(sent).toHaveLength(1);
    expect(plugin.stats()).toMatchObject({ requests: [], responses: [] });
  });

  it("presigned URLs are skipped: nothing is added that every uploader would have to send", async () => {
    const { client } = stubClient();
    const plugin = bucketKeys({ policy: lake });
    client.middlewareStack.use(plugin);
    const url = await getSignedUrl(client, new PutObjectCommand({ Bucket: "acme-lake", Key: "k" }));
    expect(url).not.toContain("bucket-key-enabled");
    expect(plugin.stats().requests).toEqual([
      { operation: "PutObject", decision: "pass", why: "presigned", mode: "enforce", count: 1 },
    ]);
    expect(plugin.stats().responses).toEqual([]);
  });
});

describe("answers", () => {
  const drifting = [
    ["the flag is missing", { [SSE]: "aws:kms", [KEY_ID]: KEY }, ["bucket-key"]],
    ["the flag is false", { [SSE]: "aws:kms", [KEY_ID]: KEY, [FLAG]: "False" }, ["bucket-key"]],
    ["the flag is garbage", { [SSE]: "aws:kms", [KEY_ID]: KEY, [FLAG]: "maybe" }, ["bucket-key"]],
    ["another algorithm", { [SSE]: "AES256" }, ["algorithm"]],
    ["no encryption header at all", {}, ["algorithm"]],
    ["another key", { [SSE]: "aws:kms", [KEY_ID]: OTHER, [FLAG]: "true" }, ["kms-key"]],
    ["another key and no flag", { [SSE]: "aws:kms", [KEY_ID]: OTHER }, ["bucket-key", "kms-key"]],
  ] as const;
  it.each(drifting)(
    "to an enforced write drift when %s; the call itself succeeds",
    async (_what, headers, kinds) => {
      const { client } = stubClient(() => ({ headers }));
      const warn = vi.fn();
      const plugin = bucketKeys({ policy: lake, logger: { warn } });
      client.middlewareStack.use(plugin);
      await client.send(new PutObjectCommand(put));
      await client.send(new PutObjectCommand(put));
      const { drifts, responses } = plugin.stats();
      expect(drifts).toEqual(kinds.map((kind) => ({ operation: "PutObject", kind, count: 2 })));
      expect(responses).toMatchObject([{ verdict: "drift", count: 2 }]);
      expect(warn).toHaveBeenCalledTimes(2);
    },
  );

  it("compare keys by id: a bare id, a listed alias and the ARN are the same key", async () => {
    const policy = definePolicy({
      version: 1,
      defaults: { mode: "enforce" },
      kmsKeys: { lake: { arn: KEY, aliases: ["alias/lake"] } },
      rules: [{ id: "r", reason: "x", bucketKey: "on", kmsKey: "@lake" }],
    });
    const { client } = stubClient(() => ({ headers: { [SSE]: "aws:kms", [KEY_ID]: KEY, [FLAG]: "true" } }));
    const plugin = bucketKeys({ policy });
    client.middlewareStack.use(plugin);
    for (const SSEKMSKeyId of ["alias/lake", "1234abcd-12ab-34cd-56ef-1234567890ab", "alias/unlisted"]) {
      await client.send(new PutObjectCommand({ ...put, ServerSideEncryption: "aws:kms", SSEKMSKeyId }));
    }
    expect(plugin.stats().responses).toMatchObject([{ verdict: "honoured", count: 3 }]);
    expect(plugin.stats().notes).toEqual([{ note: "unknown-key", count: 1 }]);
  });

  const reads = [
    [
      "an object with a bucket key",
      { [SSE]: "aws:kms", [KEY_ID]: KEY, [FLAG]: "true" },
      "enabled",
      "compliant",
    ],
    ["an object without", { [SSE]: "aws:kms", [KEY_ID]: KEY }, "disabled", "noncompliant"],
    ["an SSE-S3 object under a kmsKey", { [SSE]: "AES256" }, "not-applicable", "noncompliant"],
    ["an SSE-C object", { [`${SSE}-customer-algorithm`]: "AES256" }, "not-applicable", "noncompliant"],
    [
      "an object under another key",
      { [SSE]: "aws:kms", [KEY_ID]: OTHER, [FLAG]: "true" },
      "enabled",
      "noncompliant",
    ],
    ["no headers", {}, "unknown", "noncompliant"],
  ] as const;
  it.each(reads)("to a read of %s", async (_what, headers, state, verdict) => {
    const { client } = stubClient(() => ({ headers }));
    const plugin = bucketKeys({ policy: lake });
    client.middlewareStack.use(plugin);
    await client.send(new HeadObjectCommand({ Bucket: "acme-lake", Key: "k" }));
    await (
      await client.send(new GetObjectCommand({ Bucket: "acme-lake", Key: "k" }))
    ).Body?.transformToString();
    expect(plugin.stats().responses).toMatchObject([
      { operation: "GetObject", state, verdict },
      { operation: "HeadObject", state, verdict },
    ]);
    expect(plugin.stats()).toMatchObject({ requests: [], drifts: [] });
  });

  it("to a failed write are unverified, and a denial of an amended request is counted and logged", async () => {
    const { client } = stubClient(() => ({
      statusCode: 403,
      body: "<Error><Code>AccessDenied</Code><Message>not authorized to perform: kms:GenerateDataKey</Message></Error>",
    }));
    const warn = vi.fn();
    const plugin = bucketKeys({ policy: lake, logger: { warn } });
    client.middlewareStack.use(plugin);
    await expect(client.send(new PutObjectCommand(put))).rejects.toMatchObject({ name: "AccessDenied" });
    expect(plugin.stats()).toMatchObject({
      responses: [{ state: "unknown", sse: "none", verdict: "unverified", count: 1 }],
      errors: [{ type: "AccessDenied", phase: "amended", count: 1 }],
    });
    expect(warn.mock.calls[0]?.[0]).toContain("rule r0");
  });

  const answersToAmended = [
    ["AccessDenied", 403, "amended", "kms:GenerateDataKey and kms:Decrypt"],
    ["KMS.DisabledException", 400, "amended", "its ARN, Region, account and state"],
    ["InvalidArgument", 400, "amended", "does not take these settings together"],
    ["SignatureDoesNotMatch", 403, undefined, undefined],
    ["NoSuchBucket", 404, undefined, undefined],
  ] as const;
  it.each(answersToAmended)(
    "to an amended write that say %s (%i) are told apart",
    async (code, statusCode, phase, advice) => {
      const body = `<Error><Code>${code}</Code><Message>m</Message></Error>`;
      const { client } = stubClient(() => ({ statusCode, body }));
      const warn = vi.fn();
      const plugin = bucketKeys({ policy: lake, logger: { warn } });
      client.middlewareStack.use(plugin);
      await expect(client.send(new PutObjectCommand(put))).rejects.toMatchObject({ name: code });
      expect(plugin.stats().errors).toEqual(phase === undefined ? [] : [{ type: code, phase, count: 1 }]);
      const advised = warn.mock.calls.map(([line]) => advice !== undefined && String(line).includes(advice));
      expect(advised).toEqual(advice === undefined ? [] : [true]);
    },
  );

  it("that throttle on KMS are counted, whoever wrote the request", async () => {
    const body =
      "<Error><Code>SlowDown</Code><Message>Please reduce your request rate for operations involving AWS KMS.</Message></Error>";
    const { client } = stubClient(() => ({ statusCode: 503, body }), { maxAttempts: 1 });
    const plugin = bucketKeys({ policy: lake, logger: silent });
    client.middlewareStack.use(plugin);
    await expect(client.send(new GetObjectCommand({ Bucket: "b", Key: "k" }))).rejects.toMatchObject({
      name: "SlowDown",
    });
    expect(plugin.stats().errors).toEqual([{ type: "SlowDown", phase: "response", count: 1 }]);
  });

  it("that never come leave only the request counted", async () => {
    const { client } = stubClient();
    const plugin = bucketKeys({ policy: lake, logger: silent });
    client.middlewareStack.use(plugin);
    const aborted = AbortSignal.abort();
    await expect(client.send(new PutObjectCommand(put), { abortSignal: aborted })).rejects.toMatchObject({
      name: "AbortError",
    });
    expect(plugin.stats()).toMatchObject({ requests: [{ why: "completed", count: 1 }], responses: [] });
  });
});

describe("works on", () => {
  it("retries: decided once, the flag on every attempt", async () => {
    const { client, sent } = stubClient((request, attempt) =>
      attempt < 3 ? { statusCode: 500 } : echo(request),
    );
    const plugin = bucketKeys({ policy: lake });
    client.middlewareStack.use(plugin);
    const output = await client.send(new PutObjectCommand(put));
    expect(output.$metadata.attempts).toBe(3);
    expect(sent.map((request) => request.headers[FLAG])).toEqual(["true", "true", "true"]);
    expect(plugin.stats().requests[0]?.count).toBe(1);
    expect(plugin.stats().responses[0]?.count).toBe(1);
  });

  it("region redirects: counted once", async () => {
    const { client, sent } = stubClient(
      (request, attempt) =>
        attempt === 1
          ? {
              statusCode: 301,
              headers: { "x-amz-bucket-region": "us-west-2" },
              body: "<Error><Code>PermanentRedirect</Code><Message>m</Message></Error>",
            }
          : echo(request),
      { followRegionRedirects: true },
    );
    const plugin = bucketKeys({ policy: lake });
    client.middlewareStack.use(plugin);
    await client.send(new PutObjectCommand(put));
    expect(sent).toHaveLength(2);
    expect(sent[1]?.hostname).toContain("us-west-2");
    expect(plugin.stats().responses).toMatchObject([{ verdict: "honoured", count: 1 }]);
  });

  it("the aggregated S3, a subclassed client and cacheMiddleware with concurrent calls", async () => {
    class Acme extends S3Client {}
    for (const Client of [S3, Acme]) {
      const sent: SentRequest[] = [];
      const client = new Client({ ...stubConfig(echo, sent), cacheMiddleware: true });
      const plugin = bucketKeys({ policy: policyOf({ bucketKey: "on", match: { prefixes: ["on/"] } }) });
      client.middlewareStack.use(plugin);
      // One bucket: under cacheMiddleware the SDK lets concurrent calls share the endpoint it resolved last.
      const keys = Array.from({ length: 20 }, (_, i) => `${i % 2 === 0 ? "on" : "off"}/${i}`);
      await Promise.all(keys.map((Key) => client.send(new PutObjectCommand({ ...put, ...kms, Key }))));
      const flagged = sent.filter((request) => request.headers[FLAG] === "true").map(({ path }) => path);
      expect(flagged.toSorted()).toEqual(
        keys
          .filter((key) => key.startsWith("on/"))
          .map((key) => `/${key}`)
          .toSorted(),
      );
    }
  });

  it("lib-storage Upload: the flag on CreateMultipartUpload only", async () => {
    const { client, sent } = stubClient((request) => {
      const answer = echo(request);
      if (request.method === "POST") {
        return { ...answer, body: "<R><UploadId>u</UploadId><ETag>e</ETag></R>" };
      }
      return { ...answer, headers: { ...answer.headers, etag: '"e"' } };
    });
    const plugin = bucketKeys({ policy: lake });
    client.middlewareStack.use(plugin);
    const Body = Buffer.alloc(6 * 1024 * 1024);
    await new Upload({ client, params: { ...put, Body } }).done();
    expect(sent.map((request) => request.headers[FLAG])).toEqual(["true", undefined, undefined, undefined]);
    expect(plugin.stats().requests).toMatchObject([
      { operation: "CreateMultipartUpload", why: "completed", count: 1 },
    ]);
  });

  it("an answer with a Body that reads as without the plugin", async () => {
    const { client } = stubClient(() => ({ body: "hello" }));
    client.middlewareStack.use(bucketKeys({ policy: lake }));
    const output = await client.send(new GetObjectCommand({ Bucket: "b", Key: "k" }));
    expect(await output.Body?.transformToString()).toBe("hello");
  });
});

/** Stands in for anything of the user's that is broken. */
function broken(): never {
  throw new Error("broken");
}

describe("faults", () => {
  it("telemetry that throws is counted and the call's result is what the caller sees", async () => {
    const { client } = stubClient();
    const plugin = bucketKeys({ policy: lake, telemetry: { attach: broken, record: broken, flush: broken } });
    client.middlewareStack.use(plugin);
    await expect(client.send(new PutObjectCommand(put))).resolves.toMatchObject({ BucketKeyEnabled: true });
    await plugin.flush();
    expect(plugin.stats().errors).toEqual([{ type: "_OTHER", phase: "telemetry", count: 3 }]);
  });

  it("a resolveBucket that throws is counted and the bucket keeps its name", async () => {
    const { client, sent } = stubClient();
    const plugin = bucketKeys({ policy: lake, resolveBucket: broken });
    client.middlewareStack.use(plugin);
    await client.send(new PutObjectCommand(put));
    expect(sent[0]?.headers[FLAG]).toBe("true");
    expect(plugin.stats().errors).toEqual([{ type: "_OTHER", phase: "request", count: 1 }]);
  });

  it("a response that can't be looked at is counted, and the caller gets it all the same", async () => {
    const { client } = stubClient();
    const plugin = bucketKeys({ policy: lake, logger: silent });
    client.middlewareStack.use(plugin);
    const response = {
      get statusCode(): never {
        throw new Error("no");
      },
    };
    client.middlewareStack.add((next) => async (args) => ({ ...(await next(args)), response }), {
      step: "initialize",
    });
    await expect(client.send(new PutObjectCommand(put))).resolves.toMatchObject({ BucketKeyEnabled: true });
    expect(plugin.stats().errors).toEqual([{ type: "_OTHER", phase: "telemetry", count: 1 }]);
  });

  it("a middleware outside ours that hides the command is told of once", async () => {
    const { client } = stubClient();
    const warn = vi.fn();
    client.middlewareStack.add((next) => (args) => next({ input: args.input }), {
      step: "initialize",
      priority: "high",
    });
    client.middlewareStack.use(bucketKeys({ policy: lake, logger: { warn } }));
    await client.send(new PutObjectCommand({ ...put, ...kms }));
    await client.send(new PutObjectCommand({ ...put, ...kms }));
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]?.[0]).toContain("next({ ...args, input })");
  });
});
