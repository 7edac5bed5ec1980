import {
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  BucketKeySetupError,
  bucketKeys,
  definePolicy,
  readPostAnswer,
  type Policy,
  type PolicyRule,
} from "../../src/index.ts";
import { presignedUrl, type PresignedCommand } from "../../src/presigned/index.ts";
import { startSimulator, type Simulator } from "../../src/simulator/index.ts";
import { FLAG, KEY_ID, SSE, stubClient, stubConfig } from "../support/stub-client.ts";
import { isSignatureValid } from "./signature.ts";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const SECRET = "secret"; // of the stub client
const object = { Bucket: "acme-lake", Key: "a/b c" } as const;
const full = { [SSE]: "aws:kms", [KEY_ID]: KEY, [FLAG]: "true" };

function policyOf(rule: Partial<PolicyRule>): Policy {
  return definePolicy({
    version: 1,
    defaults: { mode: "enforce" },
    rules: [{ id: "lake", reason: "KMS bill.", bucketKey: "on", kmsKey: KEY, ...rule }],
  });
}

function wearing(rule: Partial<PolicyRule>) {
  const { client, sent } = stubClient();
  const plugin = bucketKeys({ policy: policyOf(rule), logger: { warn: () => {} } });
  client.middlewareStack.use(plugin);
  return { client, sent, plugin };
}

describe("presignedUrl", () => {
  const { client } = stubClient();
  const put = new PutObjectCommand(object);

  it.each<[string, readonly unknown[]]>([
    ["nothing", []],
    ["no command", [client]],
    ["a command's input", [client, object]],
    ["no client", [undefined, put]],
    ["a command first", [put.input, client]],
  ])("says what it takes: %s isn't", async (_, given) => {
    await expect(presignedUrl(...(given as Parameters<typeof presignedUrl>))).rejects.toThrow(
      new BucketKeySetupError(
        "presignedUrl takes an S3Client and a command: presignedUrl(s3, new PutObjectCommand({ Bucket, Key })).",
      ),
    );
  });

  it.each<[unknown, string]>([
    [{ expireIn: 60 }, "signableHeaders, unhoistableHeaders. Did you mean expiresIn?"],
    [
      60,
      "presignedUrl takes its options as an object: presignedUrl(s3, new PutObjectCommand({ Bucket, Key }), ",
    ],
  ])(
    "refuses options that it hasn't, lest a URL hold for longer than was asked: %j",
    async (options, says) => {
      const url = presignedUrl(client, put, options as object);
      await expect(url).rejects.toThrow(BucketKeySetupError);
      await expect(url).rejects.toThrow(says);
    },
  );
});

describe("the headers of a presigned URL", () => {
  const kms = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: KEY, BucketKeyEnabled: true } as const;
  it.each<[string, string, PresignedCommand, Record<string, string>]>([
    ["PUT", "a silent put", new PutObjectCommand(object), {}],
    ["PUT", "a put with encryption", new PutObjectCommand({ ...object, ...kms }), full],
    [
      "PUT",
      "a put with a body",
      new PutObjectCommand({ ...object, Body: "hello" }),
      { "content-length": "5" },
    ],
    [
      "PUT",
      "a value with spaces",
      new PutObjectCommand({ ...object, ContentDisposition: "attachment;  filename=a b" }),
      { "content-disposition": "attachment;  filename=a b" },
    ],
    [
      "PUT",
      "a content type, which the SDK leaves unsigned",
      new PutObjectCommand({ ...object, ContentType: "text/plain" }),
      {},
    ],
    ["PUT", "a part", new UploadPartCommand({ ...object, UploadId: "u", PartNumber: 1 }), {}],
    ["POST", "a multipart upload", new CreateMultipartUploadCommand({ ...object, ...kms }), full],
    ["GET", "a read", new GetObjectCommand(object), {}],
    [
      "GET",
      "a read of a range",
      new GetObjectCommand({ ...object, Range: "bytes=0-1" }),
      { range: "bytes=0-1" },
    ],
    ["HEAD", "a head", new HeadObjectCommand(object), {}],
  ])(
    "of a %s are exactly those that make the signature hold: %s",
    async (method, _what, command, expected) => {
      const { url, headers } = await presignedUrl(stubClient().client, command);
      expect(headers).toEqual(expected);
      expect(isSignatureValid(url, method, SECRET, headers)).toBe(true);
      for (const name of Object.keys(headers)) {
        const { [name]: _left, ...rest } = headers;
        expect(isSignatureValid(url, method, SECRET, rest), `without ${name}`).toBe(false);
        expect(isSignatureValid(url, method, SECRET, { ...headers, [name]: "other" }), `other ${name}`).toBe(
          false,
        );
      }
    },
  );

  it("belong to the URL that getSignedUrl makes", async () => {
    const { client } = stubClient();
    const command = new PutObjectCommand({ ...object, ...kms });
    const signingDate = new Date("2026-11-25T14:20:00Z");
    const { url } = await presignedUrl(client, command, { expiresIn: 60, signingDate });
    expect(url).toBe(await getSignedUrl(client, command, { expiresIn: 60, signingDate }));
  });

  it("hold a content type when it is asked to be signed", async () => {
    const command = new PutObjectCommand({ ...object, ContentType: "text/plain" });
    const signableHeaders = new Set(["content-type"]);
    const { url, headers } = await presignedUrl(stubClient().client, command, { signableHeaders });
    expect(headers).toEqual({ "content-type": "text/plain" });
    expect(isSignatureValid(url, "PUT", SECRET, headers)).toBe(true);
    expect([...signableHeaders]).toEqual(["content-type"]);
  });

  it("hold what the SDK would move into the query when that is asked for, and the caller's set stays as it is", async () => {
    const command = new PutObjectCommand({ ...object, ...kms, Metadata: { note: "n" } });
    const unhoistableHeaders = new Set(["x-amz-meta-note"]);
    const { url, headers } = await presignedUrl(stubClient().client, command, { unhoistableHeaders });
    expect(headers).toEqual({ ...full, "x-amz-meta-note": "n" });
    expect(isSignatureValid(url, "PUT", SECRET, headers)).toBe(true);
    expect(unhoistableHeaders.size).toBe(1);
  });

  it("never lose encryption to the query, whatever a caller without types asks for", async () => {
    const options = { hoistableHeaders: new Set([FLAG]) } as object;
    const url = presignedUrl(stubClient().client, new PutObjectCommand({ ...object, ...kms }), options);
    await expect(url).rejects.toThrow('presignedUrl has no option "hoistableHeaders": it has expiresIn,');
  });

  it("that a middleware adds while the request is built are told, too", async () => {
    const { client } = stubClient();
    client.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers["x-acme"] = "1";
        return next(args);
      },
      { step: "build", priority: "low" },
    );
    const { url, headers } = await presignedUrl(client, new PutObjectCommand(object));
    expect(headers).toEqual({ "x-acme": "1" });
    expect(isSignatureValid(url, "PUT", SECRET, headers)).toBe(true);
  });

  it("that a middleware adds on a copy as late as can be are told, too", async () => {
    const { client } = stubClient();
    type Args = { request: { headers: object } };
    const copies = (next: (args: Args) => unknown) => (args: Args) =>
      next({ request: { ...args.request, headers: { ...args.request.headers, "X-Acme": "1" } } });
    client.middlewareStack.addRelativeTo(copies as never, {
      relation: "before",
      toMiddleware: "retryMiddleware",
    });
    const { url, headers } = await presignedUrl(client, new PutObjectCommand(object));
    expect(headers).toEqual({ "x-acme": "1" });
    expect(isSignatureValid(url, "PUT", SECRET, headers)).toBe(true);
  });

  it("can't be told when the presigner is one of a later kind, and that is said", async () => {
    const { client } = stubClient();
    const clone = (): unknown => {
      const stack = client.middlewareStack.clone();
      // Frozen against being watched, as a stack with private members would be.
      return new Proxy(stack, { set: () => true });
    };
    const presigning = presignedUrl(
      { config: client.config, middlewareStack: { clone } },
      new PutObjectCommand(object),
    );
    await expect(presigning).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_SETUP" });
  });
});

describe("when it expires", () => {
  it.each([
    [undefined, "2026-11-25T14:35:00.000Z"],
    [1, "2026-11-25T14:20:01.000Z"],
    [604_800, "2026-12-02T14:20:00.000Z"],
  ])("is told: %s seconds", async (expiresIn, expected) => {
    const signingDate = new Date("2026-11-25T14:20:00.700Z");
    const options = { signingDate, ...(expiresIn !== undefined && { expiresIn }) };
    const { expires } = await presignedUrl(stubClient().client, new GetObjectCommand(object), options);
    expect(expires.toISOString()).toBe(expected);
  });

  it("can't be more than a week ahead, says the SDK", async () => {
    const far = presignedUrl(stubClient().client, new GetObjectCommand(object), { expiresIn: 604_801 });
    await expect(far).rejects.toThrow("one week");
  });
});

describe("a policy", () => {
  it("with presigned: header puts what it wants among the headers", async () => {
    const { client, plugin } = wearing({ presigned: "header" });
    const { url, headers } = await presignedUrl(client, new PutObjectCommand(object));
    expect(headers).toEqual(full);
    expect(isSignatureValid(url, "PUT", SECRET, headers)).toBe(true);
    expect(isSignatureValid(url, "PUT", SECRET, {})).toBe(false);
    expect(plugin.stats().requests).toMatchObject([{ why: "completed", count: 1 }]);
  });

  it("by default adds nothing that an uploader would have to know of", async () => {
    const { client, plugin } = wearing({});
    const { url, headers } = await presignedUrl(client, new PutObjectCommand(object));
    expect(headers).toEqual({});
    expect(isSignatureValid(url, "PUT", SECRET, {})).toBe(true);
    expect(plugin.stats().requests).toMatchObject([{ why: "presigned", count: 1 }]);
  });

  it("with presigned: refuse gives no URL", async () => {
    const { client } = wearing({ presigned: "refuse" });
    await expect(presignedUrl(client, new PutObjectCommand(object))).rejects.toMatchObject({
      code: "ERR_BUCKET_KEY_REFUSED",
      why: "refused-presigned",
    });
  });

  it("adds nothing to reads and parts, whatever it says: S3 turns them down with such headers (E12)", async () => {
    const { client } = wearing({ presigned: "header" });
    const part = new UploadPartCommand({ ...object, UploadId: "u", PartNumber: 1 });
    expect((await presignedUrl(client, new GetObjectCommand(object))).headers).toEqual({});
    expect((await presignedUrl(client, new HeadObjectCommand(object))).headers).toEqual({});
    expect((await presignedUrl(client, part)).headers).toEqual({});
  });

  it.each(["skip", "header"] as const)(
    "with presigned: %s never counts a presigning as an answer",
    async (presigned) => {
      const { client, sent, plugin } = wearing({ presigned });
      await presignedUrl(client, new PutObjectCommand(object));
      await presignedUrl(client, new GetObjectCommand(object));
      await getSignedUrl(client, new PutObjectCommand(object));
      expect(sent).toEqual([]);
      expect(plugin.stats()).toMatchObject({
        responses: [],
        rules: [],
        errors: [],
        requests: [{ count: 2 }],
      });
    },
  );
});

describe("the client", () => {
  it("keeps its stack as it was, and goes on sending", async () => {
    const { client, sent } = wearing({ presigned: "header" });
    const before = client.middlewareStack.identify();
    await presignedUrl(client, new PutObjectCommand(object));
    expect(client.middlewareStack.identify()).toEqual(before);
    await client.send(new PutObjectCommand({ ...object, Body: "x" }));
    expect(sent[0]?.headers[FLAG]).toBe("true");
  });

  it("may presign many URLs at once, under cacheMiddleware too", async () => {
    const { client } = stubClient(undefined, { cacheMiddleware: true });
    const urls = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        presignedUrl(
          client,
          new PutObjectCommand({ ...object, Key: `k${i}`, ContentDisposition: `filename=${i}` }),
        ),
      ),
    );
    urls.forEach(({ url, headers }, i) => {
      expect(headers).toEqual({ "content-disposition": `filename=${i}` });
      expect(isSignatureValid(url, "PUT", SECRET, headers)).toBe(true);
    });
  });

  it("may be the aggregated S3 or a subclass", async () => {
    class Acme extends S3Client {}
    for (const Client of [S3, Acme]) {
      const { headers } = await presignedUrl(
        new Client(stubConfig(() => ({}), [])),
        new PutObjectCommand({ ...object, ServerSideEncryption: "AES256" }),
      );
      expect(headers).toEqual({ [SSE]: "AES256" });
    }
  });

  it("opens a session for a directory bucket, and its token stands in the URL, not among the headers", async () => {
    const session =
      "<CreateSessionResult><Credentials><AccessKeyId>a</AccessKeyId><SecretAccessKey>session</SecretAccessKey>" +
      "<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></CreateSessionResult>";
    const { client, sent } = stubClient(() => ({ body: session }));
    client.middlewareStack.use(bucketKeys({ policy: policyOf({ presigned: "header" }) }));
    const command = new PutObjectCommand({ ...object, Bucket: "logs--use1-az4--x-s3" });
    const { url, headers } = await presignedUrl(client, command);
    expect(sent).toHaveLength(1);
    expect(new URL(url).searchParams.get("X-Amz-S3session-Token")).toBe("t");
    expect(headers).not.toHaveProperty(FLAG);
    expect(isSignatureValid(url, "PUT", "session", headers)).toBe(true);
  });
});

describe("an upload over HTTP to a presigned URL", () => {
  let simulator: Simulator;
  let s3: S3;
  beforeAll(async () => {
    simulator = await startSimulator({ verifySignatures: true });
    s3 = new S3({ ...simulator.clientConfig, requestChecksumCalculation: "WHEN_REQUIRED" });
    simulator.createBucket("acme-lake");
    const kmsKey = simulator.createKmsKey().arn;
    s3.middlewareStack.use(bucketKeys({ policy: policyOf({ presigned: "header", kmsKey }) }));
  });
  afterAll(() => simulator.close());

  it("with exactly these headers makes an object with a bucket key", async () => {
    const { url, headers } = await presignedUrl(s3, new PutObjectCommand(object));
    const response = await fetch(url, { method: "PUT", headers, body: "hello" });
    expect(response.status).toBe(200);
    expect(readPostAnswer(response.headers)).toMatchObject({ state: "enabled", sse: "aws:kms" });
    expect(await s3.headObject(object)).toMatchObject({ BucketKeyEnabled: true, ContentLength: 5 });
  });

  it.each([SSE, KEY_ID, FLAG])("without %s makes none", async (name) => {
    const { url, headers } = await presignedUrl(s3, new PutObjectCommand({ ...object, Key: "without" }));
    const { [name]: _left, ...rest } = headers;
    const response = await fetch(url, { method: "PUT", headers: rest, body: "hello" });
    expect(response.status).toBe(403);
    await expect(s3.headObject({ ...object, Key: "without" })).rejects.toMatchObject({ name: "NotFound" });
  });
});
