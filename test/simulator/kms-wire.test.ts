import { DecryptCommand, DisableKeyCommand, EncryptCommand, KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSimulator, type Simulator } from "../../src/simulator/index.ts";

const CREDENTIALS = {
  accessKeyId: "ALICE",
  secretAccessKey: "secret",
  principalArn: "arn:aws:iam::111122223333:user/alice",
};
const LIFETIME_SECONDS = 60;

let sim: Simulator;
let kms: KMSClient;
let s3: S3Client;

beforeEach(async () => {
  sim = await startSimulator({
    buckets: ["lake"],
    credentials: [CREDENTIALS],
    bucketKeyLifetimeSeconds: LIFETIME_SECONDS,
  });
  kms = new KMSClient(sim.clientConfig);
  s3 = new S3Client(sim.clientConfig);
});

afterEach(async () => {
  kms.destroy();
  s3.destroy();
  await sim.close();
});

describe("the KMS endpoint over HTTP", () => {
  it("shares its keys with S3, and counts no call of a client as one of S3's", async () => {
    const KeyId = sim.createKmsKey({ alias: "alias/lake" }).arn;
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId: "alias/lake", Plaintext: new TextEncoder().encode("secret") }),
    );
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob }));
    expect(new TextDecoder().decode(opened.Plaintext)).toBe("secret");
    expect(opened.KeyId).toBe(KeyId);
    expect(sim.kmsRequestCount()).toBe(0);
  });

  it("answers an access key that nobody knows, and a body that is too large, in KMS's words", async () => {
    const credentials = { accessKeyId: "MALLORY", secretAccessKey: "secret" };
    const stranger = new KMSClient({ ...sim.clientConfig, credentials });
    await expect(stranger.send(new DisableKeyCommand({ KeyId: "x" }))).rejects.toMatchObject({
      name: "UnrecognizedClientException",
    });
    stranger.destroy();
    const Plaintext = new Uint8Array(300_000);
    await expect(kms.send(new EncryptCommand({ KeyId: "x", Plaintext }))).rejects.toMatchObject({
      name: "RequestEntityTooLargeException",
    });
  });
});

describe("a KMS key that is disabled", () => {
  it("E3: stops writes without a bucket key at once, and those with one when it leaves S3's memory", async () => {
    const key = sim.createKmsKey();
    const write = {
      Bucket: "lake",
      Key: "a",
      Body: "x",
      ServerSideEncryption: "aws:kms",
      SSEKMSKeyId: key.arn,
    } as const;
    await s3.send(new PutObjectCommand({ ...write, BucketKeyEnabled: true }));
    await kms.send(new DisableKeyCommand({ KeyId: key.id }));

    const disabled = { name: "KMS.DisabledException", message: `${key.arn} is disabled.` };
    await expect(s3.send(new PutObjectCommand(write))).rejects.toMatchObject(disabled);
    await expect(s3.send(new GetObjectCommand({ Bucket: "lake", Key: "a" }))).rejects.toMatchObject(disabled);
    await s3.send(new PutObjectCommand({ ...write, BucketKeyEnabled: true }));
    sim.advance(LIFETIME_SECONDS * 1_000);
    await expect(s3.send(new PutObjectCommand({ ...write, BucketKeyEnabled: true }))).rejects.toMatchObject(
      disabled,
    );
    expect(sim.kmsRequestCount()).toBe(1);
  });
});
