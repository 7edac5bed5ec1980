/** UpdateObjectEncryption (section 8.2, E11): an object changes its encryption and stays where it is. */
import { describe, expect, it } from "vitest";
import { errorOf, managedKeyArn, newBucket, stockClient, withSimulator } from "./support.ts";

const fixture = withSimulator();
const ignoring = withSimulator({ unknownRows: { U8: "ignore" } });
const kms = { ServerSideEncryption: "aws:kms" } as const;

async function stored(asked: object = {}): Promise<{ Bucket: string; Key: string }> {
  const Bucket = await newBucket(fixture.s3, { BlockedEncryptionTypes: { EncryptionType: ["NONE"] } });
  await fixture.s3.putObject({ Bucket, Key: "k", Body: "hello", Metadata: { a: "b" }, ...asked });
  return { Bucket, Key: "k" };
}

const update = (object: { Bucket: string; Key: string }, KMSKeyArn: string, flag?: boolean) =>
  fixture.s3.updateObjectEncryption({
    ...object,
    ObjectEncryption: { SSEKMS: { KMSKeyArn, ...(flag !== undefined && { BucketKeyEnabled: flag }) } },
  });

describe("UpdateObjectEncryption", () => {
  it("changes key and flag, and keeps bytes, ETag, dates, metadata and checksum", async () => {
    const { sim, s3, key } = fixture;
    const object = await stored();
    const before = await s3.headObject({ ...object, ChecksumMode: "ENABLED" });
    sim.advance(60_000);
    const answer = await update(object, key.arn, true);
    expect(Object.keys(answer)).toEqual(["$metadata"]);
    const { $metadata: _, ...after } = await s3.headObject({ ...object, ChecksumMode: "ENABLED" });
    expect(after).toEqual({
      ...before,
      $metadata: undefined,
      ServerSideEncryption: "aws:kms",
      SSEKMSKeyId: key.arn,
      BucketKeyEnabled: true,
    });
    expect(await (await s3.getObject(object)).Body?.transformToString()).toBe("hello");
  });

  it("takes the bucket key away when the flag is left out", async () => {
    const { s3, key, otherKey } = fixture;
    const object = await stored({ ...kms, SSEKMSKeyId: key.arn, BucketKeyEnabled: true });
    await update(object, otherKey.arn);
    const head = await s3.headObject(object);
    expect([head.SSEKMSKeyId, head.BucketKeyEnabled]).toEqual([otherKey.arn, undefined]);
  });

  it("asks KMS to open the object and to encrypt it anew", async () => {
    const { sim, key, otherKey } = fixture;
    const object = await stored({ ...kms, SSEKMSKeyId: key.arn });
    sim.resetKmsRequests();
    await update(object, otherKey.arn, true);
    expect(
      sim.kmsRequests().map(({ action, kmsKeyArn, bucketLevel }) => [action, kmsKeyArn, bucketLevel]),
    ).toEqual([
      ["Decrypt", key.arn, false],
      ["GenerateDataKey", otherKey.arn, true],
    ]);
  });
});

describe("UpdateObjectEncryption is refused", () => {
  const customer = { SSECustomerAlgorithm: "AES256", SSECustomerKey: "0123456789abcdef0123456789abcdef" };

  it.each([
    ["a source of DSSE", { ServerSideEncryption: "aws:kms:dsse" }],
    ["a source of SSE-C", customer],
  ])("for %s", async (_says, asked) => {
    const error = await errorOf(update(await stored(asked), fixture.key.arn, true));
    expect([error.$metadata.httpStatusCode, error.name]).toEqual([400, "InvalidRequest"]);
  });

  it.each([
    "",
    "1234abcd-12ab-34cd-56ef-1234567890ab",
    "alias/lake",
    "arn:aws:kms:eu-west-1:111122223333:alias/lake",
  ])("for '%s' instead of a key ARN", async (name) => {
    expect((await errorOf(update(await stored(), name, true))).name).toBe("InvalidRequest");
  });

  it("for a flag that is neither true nor false", async () => {
    const error = await errorOf(update(await stored(), fixture.key.arn, "maybe" as unknown as boolean));
    expect([error.name, error.message]).toEqual([
      "InvalidRequest",
      "The BucketKeyEnabled value isn't valid. Valid values are true or false.",
    ]);
  });

  it("for another target than SSE-KMS", async () => {
    const ObjectEncryption = { SSES3: {} } as never;
    const error = await errorOf(fixture.s3.updateObjectEncryption({ ...(await stored()), ObjectEncryption }));
    expect(error.name).toBe("InvalidRequest");
  });

  it("for a key of another account", async () => {
    const foreign = fixture.key.arn.replace("111122223333", "999999999999");
    const error = await errorOf(update(await stored(), foreign, true));
    expect([error.$metadata.httpStatusCode, error.name]).toEqual([403, "AccessDenied"]);
  });

  it("for a key that does not exist", async () => {
    const absent = fixture.key.arn.replace(/[^/]*$/, "1234abcd-12ab-34cd-56ef-1234567890ab");
    expect((await errorOf(update(await stored(), absent, true))).name).toBe("KMS.NotFoundException");
  });

  it("for an object that does not exist", async () => {
    const object = { ...(await stored()), Key: "absent" };
    expect((await errorOf(update(object, fixture.key.arn, true))).name).toBe("NoSuchKey");
  });

  it("without SigV4", async () => {
    const object = await stored();
    const answer = await fetch(`${fixture.sim.endpoint}/${object.Bucket}/k?encryption`, {
      method: "PUT",
      body: `<ObjectEncryption><SSE-KMS><KMSKeyArn>${fixture.key.arn}</KMSKeyArn></SSE-KMS></ObjectEncryption>`,
    });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining("InvalidRequest")]);
  });

  it("never by overwriting the object with the request", async () => {
    const { s3 } = fixture;
    const object = await stored();
    await errorOf(update(object, "garbage", true));
    expect(await (await s3.getObject(object)).Body?.transformToString()).toBe("hello");
  });
});

describe("U8: the key ARN of aws/s3", () => {
  it("is a simulator error unless an option picks", async () => {
    const managed = (await managedKeyArn(fixture.sim)) ?? "";
    expect((await errorOf(update(await stored(), managed, true))).name).toBe("SimulatorUnknownRow");
  });

  it("is taken under the option ignore", async () => {
    const client = stockClient(ignoring.sim);
    const Bucket = await newBucket(client);
    await client.putObject({ Bucket, Key: "k", Body: "x" });
    const KMSKeyArn = await managedKeyArn(ignoring.sim);
    await client.updateObjectEncryption({ Bucket, Key: "k", ObjectEncryption: { SSEKMS: { KMSKeyArn } } });
    expect((await client.headObject({ Bucket, Key: "k" })).SSEKMSKeyId).toBe(KMSKeyArn);
    client.destroy();
  });
});
