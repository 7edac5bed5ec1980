/** Every form in which a caller can name a bucket: where the request goes, what is sent, what is counted. */
import {
  CopyObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { bucketKeys, definePolicy, explain, type BucketType, type Policy, type Why } from "../src/index.ts";
import { bucketTypeOf } from "../src/arn.ts";
import { FLAG, KEY_ID, SSE, stubClient } from "./support/stub-client.ts";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const lake = definePolicy({
  version: 1,
  defaults: { mode: "enforce" },
  rules: [{ id: "all", reason: "KMS bill.", kmsKey: KEY, bucketKey: "on" }],
});

const SESSION =
  "<CreateSessionResult><Credentials><AccessKeyId>a</AccessKeyId><SecretAccessKey>s</SecretAccessKey>" +
  "<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></CreateSessionResult>";

/** A client that notes the request before it is signed: SigV4A needs a package that isn't here. */
function wearing(
  options: { policy?: Policy; resolveBucket?: (bucket: string) => string | undefined } = {},
  config: S3ClientConfig = {},
) {
  const { client } = stubClient(
    ({ method, path }) => ({
      headers: { [SSE]: "aws:kms", [KEY_ID]: KEY, [FLAG]: "true" },
      body:
        method === "GET"
          ? SESSION
          : path.includes("copy")
            ? "<CopyObjectResult><ETag>e</ETag></CopyObjectResult>"
            : "",
    }),
    { useArnRegion: true, ...config },
  );
  const built: { hostname: string; headers: Record<string, string> }[] = [];
  client.middlewareStack.add(
    (next, context) => (args) => {
      if (context.commandName !== "CreateSessionCommand") built.push(args.request as (typeof built)[number]);
      return next(args);
    },
    { step: "build", priority: "low" },
  );
  const plugin = bucketKeys({ policy: lake, logger: { warn: () => {} }, ...options });
  client.middlewareStack.use(plugin);
  return { client, built, plugin };
}

const AP = "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap";
const OUTPOST = "arn:aws:s3-outposts:eu-west-1:111122223333:outpost/op-01234567890123456/accesspoint/ap";
const OBJECT_LAMBDA = "arn:aws:s3-object-lambda:eu-west-1:111122223333:accesspoint/olap";
const MRAP = "arn:aws:s3::111122223333:accesspoint/mfzwi23gnjvgw.mrap";
const DIRECTORY_AP = "ap--use1-az4--xa-s3";

const FORMS: readonly [what: string, Bucket: string, type: BucketType, host: string, S3ClientConfig?][] = [
  ["a name", "acme-lake", "general-purpose", "acme-lake.s3.eu-west-1.amazonaws.com"],
  ["a name with dots", "acme.lake", "general-purpose", "s3.eu-west-1.amazonaws.com"],
  [
    "a directory bucket",
    "data--use1-az4--x-s3",
    "directory",
    "data--use1-az4--x-s3.s3express-use1-az4.eu-west-1.amazonaws.com",
  ],
  [
    "an access point of a directory bucket",
    DIRECTORY_AP,
    "directory",
    `${DIRECTORY_AP}.s3express-use1-az4.eu-west-1.amazonaws.com`,
  ],
  [
    "the ARN of an access point",
    AP,
    "access-point",
    "ap-111122223333.s3-accesspoint.eu-west-1.amazonaws.com",
  ],
  [
    "one in another region",
    AP.replace("eu-west-1", "us-east-2"),
    "access-point",
    "ap-111122223333.s3-accesspoint.us-east-2.amazonaws.com",
  ],
  [
    "the alias of an access point",
    "ap-abc123-s3alias",
    "access-point",
    "ap-abc123-s3alias.s3.eu-west-1.amazonaws.com",
  ],
  [
    "a multi-Region access point",
    MRAP,
    "access-point",
    "mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com",
  ],
  [
    "the ARN of an Outposts access point",
    OUTPOST,
    "outposts",
    "ap-111122223333.op-01234567890123456.s3-outposts.eu-west-1.amazonaws.com",
  ],
  [
    "the ARN of an Object Lambda access point",
    OBJECT_LAMBDA,
    "object-lambda",
    "olap-111122223333.s3-object-lambda.eu-west-1.amazonaws.com",
  ],
  ["a URL", "https://lake.example.com", "unknown", "lake.example.com", { bucketEndpoint: true }],
  [
    "a name on a server that isn't AWS's",
    "acme-lake",
    "general-purpose",
    "minio.internal",
    { endpoint: "https://minio.internal", forcePathStyle: true },
  ],
];

const NOT_APPLICABLE: ReadonlySet<BucketType> = new Set(["directory", "outposts", "object-lambda"]);

describe.each(FORMS)("%s", (_what, Bucket, type, host, config) => {
  const applies = !NOT_APPLICABLE.has(type);

  it("is known for what it is", () => {
    expect(bucketTypeOf(Bucket)).toBe(type);
  });

  it(`gets ${applies ? "algorithm, key and flag" : "nothing"} and is counted as ${applies ? "completed" : "not applicable"}`, async () => {
    const { client, built, plugin } = wearing({}, config);
    await client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" })).catch(onlyForSigV4a);
    expect(built).toHaveLength(1);
    expect(built[0]?.hostname).toBe(host);
    const { [SSE]: sse, [KEY_ID]: key, [FLAG]: flag } = built[0]?.headers ?? {};
    expect([sse, key, flag]).toEqual(applies ? ["aws:kms", KEY, "true"] : [undefined, undefined, undefined]);
    const why: Why = applies ? "completed" : "not-applicable";
    expect(plugin.stats().requests).toMatchObject([{ operation: "PutObject", why, count: 1 }]);
    expect(plugin.stats().drifts).toEqual([]);
  });

  it("keeps what the caller wrote where the rule does not apply, and is explained alike", () => {
    const facts = { operation: "PutObject", bucket: Bucket, key: "k" };
    expect(explain(lake, facts).decision.why).toBe(applies ? "completed" : "not-applicable");
    expect(explain(lake, { ...facts, sse: "AES256", bucketKey: false }).decision.why).toBe(
      applies ? "refused-key" : "not-applicable",
    );
  });
});

function onlyForSigV4a(error: Error): void {
  if (!/SigV4a|sigv4a|signature-v4/i.test(error.message)) throw error;
}

describe("copies", () => {
  it.each<[string, string, string, boolean]>([
    ["between buckets", "acme-lake", "source/k", true],
    ["from an access point", "acme-lake", `${AP}/object/k`, true],
    ["from a directory bucket", "acme-lake", "data--use1-az4--x-s3/k", false],
    ["from an encoded directory bucket path", "acme-lake", "/data--use1-az4--x-s3/a%2Fb", false],
    ["to a directory bucket", "data--use1-az4--x-s3", "source/k", false],
  ])("%s", async (_what, Bucket, CopySource, applies) => {
    const { client, built, plugin } = wearing();
    await client.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource }));
    expect(built[0]?.headers[FLAG]).toBe(applies ? "true" : undefined);
    expect(plugin.stats().requests).toMatchObject([
      { why: applies ? "completed" : "not-applicable", count: 1 },
    ]);
    expect(plugin.stats().drifts).toEqual([]);
  });
});

describe("resolveBucket", () => {
  const named = definePolicy({
    version: 1,
    defaults: { mode: "enforce" },
    rules: [
      { id: "lake", reason: "KMS bill.", match: { buckets: ["acme-lake"] }, kmsKey: KEY, bucketKey: "on" },
    ],
  });
  const resolveBucket = (bucket: string): string | undefined =>
    new Map([
      [AP, "acme-lake"],
      [MRAP, "acme-lake"],
      ["ap-abc123-s3alias", "acme-lake"],
      [OUTPOST, "acme-lake"],
      ["https://lake.example.com", "acme-lake"],
    ]).get(bucket);

  it.each<[string, string, boolean, S3ClientConfig?]>([
    ["an access point", AP, true],
    ["an alias", "ap-abc123-s3alias", true],
    ["a multi-Region access point", MRAP, true],
    ["a URL", "https://lake.example.com", true, { bucketEndpoint: true }],
    ["Outposts, which stays what it is", OUTPOST, false],
    ["a name it doesn't know", "other-bucket", false],
  ])("maps %s to the bucket that rules name", async (_what, Bucket, applies, config) => {
    const { client, built } = wearing({ policy: named, resolveBucket }, config);
    await client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" })).catch(onlyForSigV4a);
    expect(built[0]?.headers[FLAG]).toBe(applies ? "true" : undefined);
  });

  it("leaves what isn't mapped to rules that name the ARN itself", async () => {
    const byArn = definePolicy({
      version: 1,
      defaults: { mode: "enforce" },
      rules: [
        {
          id: "ap",
          reason: "r",
          match: { buckets: ["arn:aws:s3:*:accesspoint/ap"] },
          kmsKey: KEY,
          bucketKey: "on",
        },
      ],
    });
    const { client, built } = wearing({ policy: byArn });
    await client.send(new PutObjectCommand({ Bucket: AP, Key: "k", Body: "x" }));
    expect(built[0]?.headers[FLAG]).toBe("true");
  });

  it("speaks for reads, too", async () => {
    const { client, plugin } = wearing({ policy: named, resolveBucket });
    await client.send(new HeadObjectCommand({ Bucket: "ap-abc123-s3alias", Key: "k" }));
    expect(plugin.stats().rules).toEqual([{ rule: "lake", state: "enabled", count: 1 }]);
  });
});

describe("a server that doesn't honour the flag", () => {
  it.each<[string, Record<string, string>, string]>([
    ["drops it", { [SSE]: "aws:kms", [KEY_ID]: KEY }, "bucket-key"],
    ["echoes False", { [SSE]: "aws:kms", [KEY_ID]: KEY, [FLAG]: "False" }, "bucket-key"],
    ["knows no encryption", {}, "algorithm"],
  ])("shows up as drift, not as an error, when it %s", async (_what, headers, kind) => {
    const { client } = stubClient(() => ({ headers }), {
      endpoint: "https://minio.internal",
      forcePathStyle: true,
    });
    const plugin = bucketKeys({ policy: lake, logger: { warn: () => {} } });
    client.middlewareStack.use(plugin);
    await client.send(new PutObjectCommand({ Bucket: "acme-lake", Key: "k", Body: "x" }));
    expect(plugin.stats()).toMatchObject({
      drifts: [{ operation: "PutObject", kind, count: 1 }],
      responses: [{ verdict: "drift" }],
      errors: [],
    });
  });
});
