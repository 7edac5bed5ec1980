/** What the plugin says once about requests that don't do what they look like, and changes nothing of. */
import {
  CompleteMultipartUploadCommand,
  CreateSessionCommand,
  GetObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { describe, expect, it, vi } from "vitest";
import { isAwsHost } from "../src/cautions.ts";
import { bucketKeys, definePolicy, type BucketKeysPlugin, type Policy } from "../src/index.ts";
import { echo, FLAG, SSE, stubClient, type SentRequest, type StubAnswer } from "./support/stub-client.ts";

const enforcing = definePolicy({ version: 1, defaults: { bucketKey: "on", mode: "enforce" } });

function wearing(answer: (request: SentRequest) => StubAnswer, policy: Policy = enforcing) {
  const { client, sent } = stubClient(answer);
  const warn = vi.fn<(line: string) => void>();
  const plugin: BucketKeysPlugin = bucketKeys({ policy, logger: { warn } });
  client.middlewareStack.use(plugin);
  return { client, sent, plugin, said: () => warn.mock.calls.map(([line]) => line) };
}

const part = { Bucket: "acme-lake", Key: "k", UploadId: "u", PartNumber: 1, Body: "x" } as const;

/** A part with a flag, as only JavaScript can write it. */
function partWith(BucketKeyEnabled: unknown): UploadPartCommand {
  return new UploadPartCommand({ ...part, BucketKeyEnabled } as typeof part);
}

describe("a flag on a part, which the SDK drops", () => {
  it.each<[string, unknown, Record<string, string>]>([
    ["true, and the upload has no bucket key", true, { [SSE]: "aws:kms" }],
    ["true as text", "true", { [SSE]: "aws:kms" }],
    ["true, and the upload isn't SSE-KMS", true, { [SSE]: "AES256" }],
    ["false, and the upload has one", false, { [SSE]: "aws:kms", [FLAG]: "true" }],
  ])("is told of once: %s", async (_what, flag, headers) => {
    const { client, sent, said } = wearing(() => ({ headers }));
    await client.send(partWith(flag));
    await client.send(partWith(flag));
    expect(sent[0]?.headers).not.toHaveProperty(FLAG);
    expect(said()).toHaveLength(1);
    expect(said()[0]).toContain(
      `UploadPart was called with BucketKeyEnabled: ${String(flag)}, which the SDK drops`,
    );
  });

  it.each<[string, unknown, Record<string, string>]>([
    ["the answer agrees: true", true, { [SSE]: "aws:kms", [FLAG]: "true" }],
    ["the answer agrees: false", false, { [SSE]: "aws:kms" }],
    ["the answer says nothing", true, {}],
    ["no flag was given", undefined, { [SSE]: "aws:kms" }],
    ["null was given, which is nothing", null, { [SSE]: "aws:kms" }],
  ])("is no news when %s", async (_what, flag, headers) => {
    const { client, said } = wearing(() => ({ headers }));
    await client.send(partWith(flag));
    expect(said()).toEqual([]);
  });

  it("is told of for the completion, too", async () => {
    const body = "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>";
    const { client, said } = wearing(() => ({ headers: { [SSE]: "aws:kms" }, body }));
    const input = { Bucket: "acme-lake", Key: "k", UploadId: "u", BucketKeyEnabled: true };
    await client.send(new CompleteMultipartUploadCommand(input));
    expect(said()).toHaveLength(1);
    expect(said()[0]).toContain("CompleteMultipartUpload was called with");
  });

  it("is lib-storage's own way of handing on parameters, and no news when the upload was created with it", async () => {
    const { client, sent, said } = wearing((request) => ({
      headers: { ...echo(request).headers, [SSE]: "aws:kms", [FLAG]: "true", etag: '"e"' },
      body: request.method === "POST" ? "<R><UploadId>u</UploadId><ETag>e</ETag></R>" : "",
    }));
    const params = {
      Bucket: "acme-lake",
      Key: "k",
      ServerSideEncryption: "aws:kms",
      BucketKeyEnabled: true,
    } as const;
    await new Upload({ client, params: { ...params, Body: Buffer.alloc(6 * 1024 * 1024) } }).done();
    expect(sent).toHaveLength(4);
    expect(said()).toEqual([]);
  });

  it("is not spoken of when the part is only presigned", async () => {
    const { client, said } = wearing(() => ({}));
    await getSignedUrl(client, partWith(true));
    expect(said()).toEqual([]);
  });

  it("doesn't hide that the part failed", async () => {
    const { client } = wearing(() => ({ statusCode: 403, body: "<Error><Code>AccessDenied</Code></Error>" }));
    await expect(client.send(partWith(true))).rejects.toMatchObject({ name: "AccessDenied" });
  });
});

describe("hosts of AWS", () => {
  it.each([
    "acme.s3.eu-west-1.amazonaws.com",
    "s3.amazonaws.com",
    "acme.s3.dualstack.eu-west-1.amazonaws.com",
    "bucket.vpce-1.s3.eu-west-1.vpce.amazonaws.com",
    "acme.s3.cn-north-1.amazonaws.com.cn",
    "acme.s3.eusc-de-east-1.amazonaws.eu",
    "s3.eu-west-1.api.aws",
    "acme.s3.us-iso-east-1.c2s.ic.gov",
    "acme.s3.us-isof-south-1.csp.hci.ic.gov",
    "acme.s3.us-isob-east-1.sc2s.sgov.gov",
    "acme.s3.eu-isoe-west-1.cloud.adc-e.uk",
  ])("are known in every partition: %s", (host) => {
    expect(isAwsHost(host)).toBe(true);
  });

  it.each(["localhost", "127.0.0.1", "minio.internal", "amazonaws.com.evil.example", "notamazonaws.com"])(
    "are not: %s",
    (host) => {
      expect(isAwsHost(host)).toBe(false);
    },
  );
});

const SESSION: StubAnswer = {
  headers: { [SSE]: "aws:kms", [FLAG]: "true" },
  body:
    "<CreateSessionResult><Credentials><AccessKeyId>a</AccessKeyId><SecretAccessKey>s</SecretAccessKey>" +
    "<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></CreateSessionResult>",
};
const Bucket = "data--use1-az4--x-s3";

describe("sessions of directory buckets", () => {
  const session = {
    operation: "CreateSession",
    state: "enabled",
    sse: "aws:kms",
    verdict: "not-applicable",
    count: 1,
  };

  it("are counted under their own operation, and held against no rule", async () => {
    const { client, sent, plugin } = wearing(() => SESSION);
    await client.send(new CreateSessionCommand({ Bucket }));
    expect(sent[0]?.headers).not.toHaveProperty(FLAG);
    expect(plugin.stats()).toMatchObject({ requests: [], responses: [session], rules: [], drifts: [] });
  });

  it("keep what the caller wrote, true or false", async () => {
    const { client, sent } = wearing(() => SESSION);
    for (const BucketKeyEnabled of [true, false]) {
      await client.send(
        new CreateSessionCommand({ Bucket, ServerSideEncryption: "aws:kms", BucketKeyEnabled }),
      );
    }
    expect(sent.map(({ headers }) => headers[FLAG])).toEqual(["true", "false"]);
  });

  it("that the SDK opens by itself leave the counts of the caller's own requests alone", async () => {
    const { client, sent, plugin } = wearing(() => SESSION);
    for (let i = 0; i < 3; i++) await client.send(new PutObjectCommand({ Bucket, Key: `k${i}`, Body: "x" }));
    await (await client.send(new GetObjectCommand({ Bucket, Key: "k0" }))).Body?.transformToString();
    expect(sent).toHaveLength(5);
    const { requests, responses, rules, estimatedKmsRequestsAvoided } = plugin.stats();
    expect(requests).toEqual([
      { operation: "PutObject", decision: "pass", why: "not-applicable", mode: "enforce", count: 3 },
    ]);
    expect(responses).toMatchObject([
      { operation: "PutObject", verdict: "not-applicable", count: 3 },
      { operation: "GetObject", count: 1 },
      session,
    ]);
    expect(rules).toEqual([{ rule: "defaults", state: "enabled", count: 4 }]);
    expect(estimatedKmsRequestsAvoided.GenerateDataKey).toBeLessThan(3);
  });

  it("are opened in a place that seals, too: they move no object", async () => {
    const sealing = definePolicy({ version: 1, rules: [{ id: "v", reason: "r", envelope: "seal" }] });
    const { client, sent } = wearing(() => SESSION, sealing);
    await client.send(new CreateSessionCommand({ Bucket }));
    expect(sent).toHaveLength(1);
  });

  it("that are denied fail as without the plugin", async () => {
    const { client, plugin } = wearing(() => ({
      statusCode: 403,
      body: "<Error><Code>AccessDenied</Code></Error>",
    }));
    await expect(client.send(new CreateSessionCommand({ Bucket }))).rejects.toMatchObject({
      name: "AccessDenied",
    });
    expect(plugin.stats()).toMatchObject({ requests: [], responses: [], errors: [] });
  });
});
