import { describe, expect, it } from "vitest";
import { requestFacts, type Surroundings } from "../../src/observe/request-facts.ts";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const around: Surroundings = {
  presigning: false,
  region: undefined,
  account: undefined,
  now: undefined,
  resolveBucket: undefined,
};
const object = { bucket: "b", bucketType: "general-purpose", key: "k" };

describe("the facts of an object write", () => {
  it.each([
    ["a silent request", {}, {}],
    [
      "what the caller named",
      { ServerSideEncryption: "aws:kms", SSEKMSKeyId: KEY },
      { sse: "aws:kms", kmsKey: KEY },
    ],
    ["false is a statement", { BucketKeyEnabled: false }, { bucketKey: false }],
    ["the SDK sends strings too", { BucketKeyEnabled: "true" }, { bucketKey: true }],
    ["and the other string", { BucketKeyEnabled: "false" }, { bucketKey: false }],
    ["null and undefined are not sent", { BucketKeyEnabled: null, ServerSideEncryption: undefined }, {}],
    ["empty text is not sent", { ServerSideEncryption: "", SSEKMSKeyId: "" }, {}],
    ["a customer key by its algorithm", { SSECustomerAlgorithm: "AES256" }, { sse: "SSE-C" }],
    ["a customer key as bytes", { SSECustomerKey: new Uint8Array(32) }, { sse: "SSE-C" }],
    ["customer keys that are null", { SSECustomerAlgorithm: null, SSECustomerKey: null }, {}],
    ["an encryption context", { SSEKMSEncryptionContext: "e30=" }, { ownContext: true }],
    ["values of a strange type are not facts", { ServerSideEncryption: 7, BucketKeyEnabled: "yes" }, {}],
  ])("%s", (_what, input, facts) => {
    expect(requestFacts("PutObject", { Bucket: "b", Key: "k", ...input }, around)).toEqual({
      operation: "PutObject",
      ...object,
      ...facts,
    });
  });

  it.each([
    ["src/a/b", "src"],
    ["/src/a", "src"],
    ["src/a?versionId=1", "src"],
    ["src", "src"],
    ["src--use1-az4--x-s3%2Fa%2Fb", "src--use1-az4--x-s3"],
    ["%2Fsrc%2Fa", "src"],
    [
      "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap/object/a/b",
      "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap",
    ],
    [
      "arn%3Aaws%3As3%3Aeu-west-1%3A111122223333%3Aaccesspoint%2Fap/object/a",
      "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap",
    ],
  ])("the source of a copy from %s", (CopySource, bucket) => {
    const facts = requestFacts("CopyObject", { Bucket: "b", Key: "k", CopySource }, around);
    expect(facts.copySource).toEqual({ bucket });
  });

  it("a copy source that cannot be decoded keeps its text", () => {
    const facts = requestFacts("CopyObject", { Bucket: "b", CopySource: "arn%3A%zz" }, around);
    expect(facts.copySource).toEqual({ bucket: "arn%3A%zz" });
  });

  it("the surroundings are facts as well", () => {
    const now = new Date(0);
    const facts = requestFacts(
      "PutObject",
      { Bucket: "ap" },
      { presigning: true, region: "eu-west-1", account: "111122223333", now, resolveBucket: () => "behind" },
    );
    expect(facts).toEqual({
      operation: "PutObject",
      bucket: "behind",
      bucketType: "general-purpose",
      presigning: true,
      region: "eu-west-1",
      account: "111122223333",
      now,
    });
  });

  it("an access point keeps its name when the user cannot tell the bucket", () => {
    const facts = requestFacts(
      "PutObject",
      { Bucket: "x-s3alias" },
      { ...around, resolveBucket: () => undefined },
    );
    expect(facts).toMatchObject({ bucket: "x-s3alias", bucketType: "access-point" });
  });

  it("an input without a bucket is the SDK's to refuse", () => {
    expect(requestFacts("PutObject", {}, around).bucket).toBe("");
  });
});

describe("the facts of updates and of bucket configurations", () => {
  it("UpdateObjectEncryption carries them nested", () => {
    const ObjectEncryption = { SSEKMS: { KMSKeyArn: KEY, BucketKeyEnabled: true } };
    expect(
      requestFacts("UpdateObjectEncryption", { Bucket: "b", Key: "k", ObjectEncryption }, around),
    ).toMatchObject({
      sse: "aws:kms",
      kmsKey: KEY,
      bucketKey: true,
    });
    expect(requestFacts("UpdateObjectEncryption", { Bucket: "b", Key: "k" }, around).sse).toBe("AES256");
  });

  it("PutBucketEncryption carries them in its rule", () => {
    const Rules = [
      {
        ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: KEY },
        BucketKeyEnabled: false,
      },
    ];
    const facts = requestFacts(
      "PutBucketEncryption",
      { Bucket: "b", ServerSideEncryptionConfiguration: { Rules } },
      around,
    );
    expect(facts).toMatchObject({ sse: "aws:kms", kmsKey: KEY, bucketKey: false });
  });

  it.each([[undefined], [{}], [{ Rules: "x" }], [{ Rules: [null, 7] }]])(
    "a configuration of %j names nothing",
    (configuration) => {
      const facts = requestFacts(
        "PutBucketEncryption",
        { Bucket: "b", ServerSideEncryptionConfiguration: configuration },
        around,
      );
      expect(facts).toEqual({ operation: "PutBucketEncryption", bucket: "b", bucketType: "general-purpose" });
    },
  );
});
