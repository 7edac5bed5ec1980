/** E1 to E4, E7 to E12 and E15 as S3 answers them; the others need what is not simulated yet. */
import {
  DisableKeyCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
  UpdateAliasCommand,
} from "@aws-sdk/client-kms";
import type { ServerSideEncryptionRule } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { errorOf, newBucket, withSimulator, type SdkError } from "./support.ts";

const fixture = withSimulator();
const kms = { ServerSideEncryption: "aws:kms" } as const;
const seen = (error: SdkError): unknown[] => [error.$metadata.httpStatusCode, error.name, error.message];

let kmsClient: KMSClient;
beforeAll(() => {
  kmsClient = new KMSClient(fixture.sim.clientConfig);
});
afterAll(() => kmsClient.destroy());

const WRITES = {
  PutObject: (Bucket: string, SSEKMSKeyId: string) =>
    fixture.s3.putObject({ Bucket, Key: "k", Body: "x", ...kms, SSEKMSKeyId }),
  CreateMultipartUpload: (Bucket: string, SSEKMSKeyId: string) =>
    fixture.s3.createMultipartUpload({ Bucket, Key: "k", ...kms, SSEKMSKeyId }),
  CopyObject: async (Bucket: string, SSEKMSKeyId: string) => {
    await fixture.s3.putObject({ Bucket, Key: "s", Body: "x" });
    return fixture.s3.copyObject({ Bucket, Key: "k", CopySource: `${Bucket}/s`, ...kms, SSEKMSKeyId });
  },
};

describe.each(Object.keys(WRITES) as (keyof typeof WRITES)[])("%s", (operation) => {
  const missing = "1234abcd-12ab-34cd-56ef-1234567890ab";
  it.each([
    ["E1", "fake-key-id", "Invalid keyId 'fake-key-id'"],
    ["E1", `arn:aws:kms:eu-west-1:111122223333:key/${missing}`, undefined],
    ["E1", `arn:aws:kms:us-east-2:111122223333:key/${missing}`, "Invalid arn us-east-2"],
    ["E1", `arn:aws:kms:eu-west-1:999999999999:key/${missing}`, undefined],
    ["E2", "aws/s3", "Invalid keyId 'aws/s3'"],
  ])("%s: no key is named %s", async (_id, name, message) => {
    const bucket = await newBucket(fixture.s3);
    const error = await errorOf(WRITES[operation](bucket, name));
    expect(seen(error)).toEqual([400, "KMS.NotFoundException", message ?? `Key '${name}' does not exist`]);
  });

  it("E3: the key is disabled", async () => {
    const key = fixture.sim.createKmsKey();
    await kmsClient.send(new DisableKeyCommand({ KeyId: key.id }));
    const error = await errorOf(WRITES[operation](await newBucket(fixture.s3), key.arn));
    expect(seen(error)).toEqual([400, "KMS.DisabledException", `${key.arn} is disabled.`]);
  });

  it("E4: the key is pending deletion", async () => {
    const key = fixture.sim.createKmsKey();
    await kmsClient.send(new ScheduleKeyDeletionCommand({ KeyId: key.id }));
    const error = await errorOf(WRITES[operation](await newBucket(fixture.s3), key.arn));
    expect(seen(error)).toEqual([400, "KMS.KMSInvalidStateException", `${key.arn} is pending deletion.`]);
  });
});

describe("a KMS key", () => {
  it.each(["id", "arn", "alias", "alias ARN"] as const)(
    "named by its %s comes back as its ARN",
    async (form) => {
      const { sim, s3 } = fixture;
      const alias = `alias/of-${form.replace(" ", "-")}`;
      const key = sim.createKmsKey({ alias });
      const names = {
        id: key.id,
        arn: key.arn,
        alias,
        "alias ARN": `arn:aws:kms:eu-west-1:111122223333:${alias}`,
      };
      const output = await s3.putObject({
        Bucket: await newBucket(s3),
        Key: "k",
        Body: "x",
        ...kms,
        SSEKMSKeyId: names[form],
      });
      expect(output.SSEKMSKeyId).toBe(key.arn);
    },
  );

  it("behind an alias in the bucket's default is looked up at each write", async () => {
    const { sim, s3, otherKey } = fixture;
    const alias = "alias/moves";
    const key = sim.createKmsKey({ alias });
    const Bucket = await newBucket(s3, {
      ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: alias },
    });
    const before = await s3.putObject({ Bucket, Key: "a", Body: "x" });
    await kmsClient.send(new UpdateAliasCommand({ AliasName: alias, TargetKeyId: otherKey.id }));
    const after = await s3.putObject({ Bucket, Key: "b", Body: "x" });
    expect([before.SSEKMSKeyId, after.SSEKMSKeyId]).toEqual([key.arn, otherKey.arn]);
  });

  it("in a bucket's default may be missing; only a write finds out", async () => {
    const Bucket = await newBucket(fixture.s3, {
      ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: "fake-key-id" },
    });
    const error = await errorOf(fixture.s3.putObject({ Bucket, Key: "k", Body: "x" }));
    expect(error.name).toBe("KMS.NotFoundException");
  });

  it("that is disabled stops reads without a bucket key, and with one when the lifetime is over", async () => {
    const { sim, s3 } = fixture;
    const key = sim.createKmsKey();
    const Bucket = await newBucket(s3);
    const write = { Bucket, Body: "x", ...kms, SSEKMSKeyId: key.arn };
    await s3.putObject({ ...write, Key: "own" });
    await s3.putObject({ ...write, Key: "shared", BucketKeyEnabled: true });
    await s3.getObject({ Bucket, Key: "shared" });
    await kmsClient.send(new DisableKeyCommand({ KeyId: key.id }));
    expect((await errorOf(s3.getObject({ Bucket, Key: "own" }))).name).toBe("KMS.DisabledException");
    await expect(s3.getObject({ Bucket, Key: "shared" })).resolves.toHaveProperty("ContentLength", 1);
    sim.advance(300_000);
    expect((await errorOf(s3.getObject({ Bucket, Key: "shared" }))).name).toBe("KMS.DisabledException");
  });
});

const putRules = async (...Rules: ServerSideEncryptionRule[]) => {
  const Bucket = await newBucket(fixture.s3);
  return fixture.s3.putBucketEncryption({ Bucket, ServerSideEncryptionConfiguration: { Rules } });
};

describe("PutBucketEncryption", () => {
  const aes: ServerSideEncryptionRule = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } };

  it("E7: refuses a KMS key with AES256", async () => {
    const rule = {
      ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256", KMSMasterKeyID: "k" },
    } as const;
    const error = await errorOf(putRules(rule));
    expect(seen(error)).toEqual([
      400,
      "InvalidArgument",
      "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
    ]);
    expect(error).toHaveProperty("ArgumentName", "ApplyServerSideEncryptionByDefault");
  });

  it.each([
    ["E8: no rule", []],
    ["E8: two rules", [aes, aes]],
    [
      "E15: SSE-KMS for a name",
      [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "SSE-KMS" as "aws:kms" } }],
    ],
    ["a flag that is no boolean", [{ ...aes, BucketKeyEnabled: "maybe" as unknown as boolean }]],
  ])("%s: MalformedXML", async (_says, rules) => {
    const error = await errorOf(putRules(...rules));
    expect([error.$metadata.httpStatusCode, error.name]).toEqual([400, "MalformedXML"]);
  });
});

const onto = async (put: object, copy: object, rule?: ServerSideEncryptionRule) => {
  const { s3 } = fixture;
  const Bucket = await newBucket(s3, rule);
  await s3.putObject({ Bucket, Key: "k", Body: "x", ...put });
  return s3.copyObject({ Bucket, Key: "k", CopySource: `${Bucket}/k`, ...copy });
};

describe("E9: a copy of an object onto itself", () => {
  it("is refused when nothing changes", async () => {
    const error = await errorOf(onto({}, {}));
    expect([error.$metadata.httpStatusCode, error.name]).toEqual([400, "InvalidRequest"]);
    expect(error.message).toContain("trying to copy an object to itself without changing");
  });

  it.each([
    ["an SSE-KMS object becomes plain again", { ...kms, BucketKeyEnabled: true }, {}, "AES256"],
    ["an encryption header is a change", {}, { ServerSideEncryption: "AES256" }, "AES256"],
    ["new metadata", {}, { MetadataDirective: "REPLACE", Metadata: { a: "b" } }, "AES256"],
    ["another storage class", {}, { StorageClass: "STANDARD_IA" }, "AES256"],
  ])("is taken: %s", async (_says, put, copy, sse) => {
    const output = await onto(put, copy);
    expect(output.ServerSideEncryption).toBe(sse);
    expect(output.BucketKeyEnabled).toBeUndefined();
  });
});

describe("a read", () => {
  it.each(["HEAD", "GET"])("E12: %s with an encryption header is refused", async (method) => {
    const { sim, s3 } = fixture;
    const Bucket = await newBucket(s3);
    await s3.putObject({ Bucket, Key: "k", Body: "x" });
    const answer = await fetch(`${sim.endpoint}/${Bucket}/k`, {
      method,
      headers: { "x-amz-server-side-encryption": "AES256" },
    });
    expect(answer.status).toBe(400);
    // E10: no body on an error of HEAD.
    expect(await answer.text()).toMatch(method === "HEAD" ? /^$/ : /<Code>InvalidArgument<\/Code>/);
  });

  it("E10: an error of HEAD has no body, hence a generic name", async () => {
    const { s3 } = fixture;
    const error = await errorOf(s3.headObject({ Bucket: await newBucket(s3), Key: "absent" }));
    expect([error.$metadata.httpStatusCode, error.name]).toEqual([404, "NotFound"]);
  });

  it("of an SSE-KMS object needs SigV4", async () => {
    const { sim, s3, key } = fixture;
    const Bucket = await newBucket(s3);
    await s3.putObject({ Bucket, Key: "k", Body: "x", ...kms, SSEKMSKeyId: key.arn });
    const answer = await fetch(`${sim.endpoint}/${Bucket}/k`);
    expect(await answer.text()).toContain("require AWS Signature Version 4");
  });
});

describe("SSE-C", () => {
  const customer = { SSECustomerAlgorithm: "AES256", SSECustomerKey: "0123456789abcdef0123456789abcdef" };
  const stored = async (): Promise<string> => {
    const Bucket = await newBucket(fixture.s3, { BlockedEncryptionTypes: { EncryptionType: ["NONE"] } });
    await fixture.s3.putObject({ Bucket, Key: "k", Body: "secret", ...customer });
    return Bucket;
  };

  it("gives the object to who has the key", async () => {
    const output = await fixture.s3.getObject({ Bucket: await stored(), Key: "k", ...customer });
    expect(await output.Body?.transformToString()).toBe("secret");
    expect(output.SSECustomerAlgorithm).toBe("AES256");
    expect(output.ServerSideEncryption).toBeUndefined();
  });

  it("gives it to nobody else", async () => {
    const Bucket = await stored();
    const none = await errorOf(fixture.s3.getObject({ Bucket, Key: "k" }));
    const wrong = { ...customer, SSECustomerKey: "fedcba9876543210fedcba9876543210" };
    const other = await errorOf(fixture.s3.getObject({ Bucket, Key: "k", ...wrong }));
    expect([none.name, other.name]).toEqual(["InvalidRequest", "AccessDenied"]);
  });

  it("opens the source of a copy with the headers made for it", async () => {
    const Bucket = await stored();
    const copy = { Bucket, Key: "copy", CopySource: `${Bucket}/k` };
    expect((await errorOf(fixture.s3.copyObject(copy))).name).toBe("InvalidRequest");
    const output = await fixture.s3.copyObject({
      ...copy,
      CopySourceSSECustomerAlgorithm: customer.SSECustomerAlgorithm,
      CopySourceSSECustomerKey: customer.SSECustomerKey,
    });
    expect(output.ServerSideEncryption).toBe("AES256");
  });

  it.each([
    ["another algorithm", { ...customer, SSECustomerAlgorithm: "AES128" }],
    ["a short key", { ...customer, SSECustomerKey: "short" }],
    ["an MD5 of another key", { ...customer, SSECustomerKeyMD5: "AAAAAAAAAAAAAAAAAAAAAA==" }],
  ])("refuses %s", async (_says, asked) => {
    const Bucket = await newBucket(fixture.s3, { BlockedEncryptionTypes: { EncryptionType: ["NONE"] } });
    // Raw, because the client makes the MD5 itself.
    const key = Buffer.from(asked.SSECustomerKey);
    const md5 = "SSECustomerKeyMD5" in asked ? asked.SSECustomerKeyMD5 : "cGiIeS4pSdUZIXgqQWDGFQ==";
    const answer = await fetch(`${fixture.sim.endpoint}/${Bucket}/k`, {
      method: "PUT",
      body: "x",
      headers: {
        "x-amz-server-side-encryption-customer-algorithm": asked.SSECustomerAlgorithm,
        "x-amz-server-side-encryption-customer-key": key.toString("base64"),
        "x-amz-server-side-encryption-customer-key-md5": md5,
      },
    });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining("InvalidArgument")]);
  });
});

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64");

describe("an encryption context", () => {
  const put = async (context: string, asked: object = kms) =>
    fixture.s3.putObject({
      Bucket: await newBucket(fixture.s3),
      Key: "k",
      Body: "x",
      SSEKMSEncryptionContext: context,
      ...asked,
    });

  it("is passed on to KMS, with the ARN that S3 adds", async () => {
    fixture.sim.resetKmsRequests();
    await put(encode({ tenant: "blue" }));
    expect(fixture.sim.kmsRequests()[0]?.context).toEqual({
      tenant: "blue",
      "aws:s3:arn": expect.stringMatching(/^arn:aws:s3:::bucket-\d+\/k$/),
    });
  });

  it.each([
    ["no base64 of JSON", "!!!", kms],
    ["a list", encode(["a"]), kms],
    ["a number for a value", encode({ a: 1 }), kms],
    ["SSE-S3", encode({ a: "b" }), {}],
  ])("is refused: %s", async (_says, context, asked) => {
    expect((await errorOf(put(context, asked))).name).toBe("InvalidArgument");
  });
});
