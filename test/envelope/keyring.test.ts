import {
  DecryptCommand,
  GenerateDataKeyCommand,
  IncorrectKeyException,
  InvalidCiphertextException,
  KMSClient,
  KMSInvalidStateException,
  KMSServiceException,
} from "@aws-sdk/client-kms";
import { S3Client } from "@aws-sdk/client-s3";
import { mockClient } from "aws-sdk-client-mock";
import { beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { BucketKeySetupError } from "../../src/errors.ts";
import { EnvelopeIntegrityError, KeyringError } from "../../src/envelope/errors.ts";
import { kmsKeyring, type KmsClientLike } from "../../src/envelope/keyring.ts";
import { kmsFailure } from "../../src/envelope/kms-failures.ts";

const client = new KMSClient({ region: "eu-west-1" });
const kms = mockClient(client);
const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const context = { "aws:x-amz-cek-alg": "115" };
const { signal } = new AbortController();
const meta = { $metadata: { httpStatusCode: 400 }, message: "as KMS says it" };

beforeEach(() => {
  kms.reset();
});

/** 32 bytes in a pool that belongs to others as well. */
function pooled(): { pool: Uint8Array; view: Uint8Array<ArrayBuffer> } {
  const pool = new Uint8Array(64).fill(9);
  return { pool, view: pool.subarray(16, 48).fill(5) };
}

const NINES = new Uint8Array(16).fill(9);
const FIVES = new Uint8Array(32).fill(5);

describe("generate", () => {
  it("asks for an AES-256 key under the context", async () => {
    const { view } = pooled();
    const blob = new Uint8Array([1, 2, 3]);
    kms.on(GenerateDataKeyCommand).resolves({ Plaintext: view, CiphertextBlob: blob });
    const keyring = kmsKeyring({ client, keyId: KEY });
    const made = await keyring.generate(context, { signal });
    expect(keyring.keyId).toBe(KEY);
    expect(made.plaintext).toEqual(FIVES);
    expect(made.blob).toEqual(blob);
    expect(made.blob).not.toBe(blob);
    const [call] = kms.calls();
    expect(call?.args[0].input).toEqual({ KeyId: KEY, KeySpec: "AES_256", EncryptionContext: context });
    expect(call?.args[0].input).not.toHaveProperty("NumberOfBytes");
    expect(call?.args).toEqual([expect.anything(), { abortSignal: signal }]);
  });

  it("leaves zeros in the SDK's view, and the rest of its pool alone", async () => {
    const { pool, view } = pooled();
    kms.on(GenerateDataKeyCommand).resolves({ Plaintext: view, CiphertextBlob: new Uint8Array(184) });
    const { plaintext } = await kmsKeyring({ client, keyId: KEY }).generate(context, { signal });
    expect(pool.subarray(0, 16)).toEqual(NINES);
    expect(pool.subarray(16, 48)).toEqual(new Uint8Array(32));
    expect(pool.subarray(48)).toEqual(NINES);
    expect(plaintext).toEqual(FIVES);
    expect(plaintext.buffer.byteLength).toBe(32);
  });

  it("gives what KMS gave, if that is nothing: the cache refuses it", async () => {
    kms.on(GenerateDataKeyCommand).resolves({});
    const made = await kmsKeyring({ client, keyId: KEY }).generate(context, { signal });
    expect(made).toEqual({ plaintext: new Uint8Array(), blob: new Uint8Array() });
  });

  it.each([
    [
      "AccessDeniedException",
      "The principal of the KMS client needs kms:GenerateDataKey on the key, under this encryption context.",
    ],
    ["DisabledException", "Enable the key, or name another one."],
    [
      "KMSInvalidStateException",
      "The key is pending deletion or import: bring it back, or name another one.",
    ],
    ["NotFoundException", "Check the key id and the Region of the KMS client."],
    ["ThrottlingException", "Raise the KMS request quota, or make bucket keys live longer (maxAgeSeconds)."],
    ["KMSInternalException", "The error of the SDK is the cause."],
  ])("says of %s what to do, and keeps it as the cause", async (name, advice) => {
    const cause = new KMSServiceException({ ...meta, name, $fault: "client" });
    kms.on(GenerateDataKeyCommand).rejects(cause);
    const failed = kmsKeyring({ client, keyId: KEY }).generate(context, { signal });
    await expect(failed).rejects.toThrow(KeyringError);
    await expect(failed).rejects.toMatchObject({
      code: "ERR_BUCKET_KEY_KMS",
      kmsError: name,
      message: `GenerateDataKey with the KMS key ${KEY} ended in ${name}: nothing was sealed or opened. ${advice}`,
      cause,
    });
  });

  it("names errors of the network by their code", async () => {
    kms.on(GenerateDataKeyCommand).rejects(Object.assign(new Error("connect"), { code: "ECONNREFUSED" }));
    await expect(kmsKeyring({ client, keyId: KEY }).generate(context, { signal })).rejects.toMatchObject({
      kmsError: "ECONNREFUSED",
    });
  });
});

describe("unwrap", () => {
  const blob = new Uint8Array([1, 2, 3]);
  const incorrect = new IncorrectKeyException({ ...meta });

  it("always names the key", async () => {
    const { pool, view } = pooled();
    kms.on(DecryptCommand).resolves({ Plaintext: view, KeyId: KEY });
    const key = await kmsKeyring({ client, keyId: "alias/lake" }).unwrap(blob, context, { signal });
    expect(key).toEqual(FIVES);
    expect(key.buffer.byteLength).toBe(32);
    expect(pool.subarray(16, 48)).toEqual(new Uint8Array(32));
    const [call] = kms.calls();
    expect(call?.args[0].input).toEqual({
      KeyId: "alias/lake",
      CiphertextBlob: blob,
      EncryptionContext: context,
    });
    expect(call?.args).toEqual([expect.anything(), { abortSignal: signal }]);
  });

  it("tries decryptKeyIds in order while KMS says that the key is another one", async () => {
    kms.on(DecryptCommand).rejects(incorrect);
    kms.on(DecryptCommand, { KeyId: "former" }).resolves({ Plaintext: new Uint8Array(32).fill(5) });
    const keyring = kmsKeyring({ client, keyId: KEY, decryptKeyIds: ["other", "former", "never"] });
    expect(await keyring.unwrap(blob, context, { signal })).toEqual(FIVES);
    expect(kms.commandCalls(DecryptCommand).map(({ args }) => args[0].input.KeyId)).toEqual([
      KEY,
      "other",
      "former",
    ]);
  });

  it("does not care for later changes of the list", async () => {
    kms.on(DecryptCommand).rejects(incorrect);
    const decryptKeyIds = ["former"];
    const keyring = kmsKeyring({ client, keyId: KEY, decryptKeyIds });
    decryptKeyIds.push("later");
    await expect(keyring.unwrap(blob, context, { signal })).rejects.toThrow(EnvelopeIntegrityError);
    expect(kms.calls()).toHaveLength(2);
  });

  it("fails verification when none of the keys is the one", async () => {
    kms.on(DecryptCommand).rejects(incorrect);
    const keyring = kmsKeyring({ client, keyId: KEY, decryptKeyIds: ["former"] });
    await expect(keyring.unwrap(blob, context, { signal })).rejects.toThrow(EnvelopeIntegrityError);
    expect(kms.calls()).toHaveLength(2);
  });

  it("tries no key but its own where none was named for what is old", async () => {
    kms.on(DecryptCommand).rejects(incorrect);
    await expect(kmsKeyring({ client, keyId: KEY }).unwrap(blob, context, { signal })).rejects.toThrow(
      EnvelopeIntegrityError,
    );
    expect(kms.commandCalls(DecryptCommand).map(({ args }) => args[0].input.KeyId)).toEqual([KEY]);
  });

  it.each([
    ["the key that seals", KEY, true],
    ["a key that only unwraps what is old", "former", false],
  ])("says whether the key that is gone is %s", async (_, gone, sealing) => {
    kms.on(DecryptCommand).rejects(incorrect);
    kms.on(DecryptCommand, { KeyId: gone }).rejects(new KMSInvalidStateException({ ...meta }));
    const keyring = kmsKeyring({ client, keyId: KEY, decryptKeyIds: ["former"] });
    const error: unknown = await keyring.unwrap(blob, context, { signal }).catch((failed: unknown) => failed);
    expect(kmsFailure(error)).toMatchObject({ errorType: "KMSInvalidStateException", keyGone: sealing });
  });

  it("fails verification at once when KMS rejects the blob", async () => {
    kms.on(DecryptCommand).rejects(new InvalidCiphertextException({ ...meta }));
    const keyring = kmsKeyring({ client, keyId: KEY, decryptKeyIds: ["former"] });
    await expect(keyring.unwrap(blob, context, { signal })).rejects.toThrow(EnvelopeIntegrityError);
    expect(kms.calls()).toHaveLength(1);
  });

  it("tries no further key upon any other error", async () => {
    kms.on(DecryptCommand).rejects(new KMSInvalidStateException({ ...meta }));
    const keyring = kmsKeyring({ client, keyId: KEY, decryptKeyIds: ["former"] });
    await expect(keyring.unwrap(blob, context, { signal })).rejects.toMatchObject({
      kmsError: "KMSInvalidStateException",
    });
    expect(kms.calls()).toHaveLength(1);
  });

  it("names the operation and the key that were denied", async () => {
    kms.on(DecryptCommand).rejects(incorrect);
    kms
      .on(DecryptCommand, { KeyId: "former" })
      .rejects(new KMSServiceException({ ...meta, name: "AccessDeniedException", $fault: "client" }));
    const keyring = kmsKeyring({ client, keyId: KEY, decryptKeyIds: ["former"] });
    await expect(keyring.unwrap(blob, context, { signal })).rejects.toMatchObject({
      message: expect.stringMatching(/^Decrypt with the KMS key former .* needs kms:Decrypt on the key/u),
    });
  });
});

describe("a request that nobody can use the answer of", () => {
  it("isn't sent, though it was aborted while the package was loaded", async () => {
    const aborter = new AbortController();
    const keyring = kmsKeyring({ client, keyId: KEY });
    const made = keyring.generate(context, { signal: aborter.signal });
    const opened = keyring.unwrap(new Uint8Array(1), context, { signal: aborter.signal });
    aborter.abort();
    await expect(made).rejects.toMatchObject({ kmsError: "AbortError", cause: aborter.signal.reason });
    await expect(opened).rejects.toMatchObject({ kmsError: "AbortError", cause: aborter.signal.reason });
    expect(kms.calls()).toHaveLength(0);
  });
});

describe("kmsKeyring", () => {
  it("takes the client of any copy of the SDK", () => {
    expectTypeOf<KMSClient>().toExtend<KmsClientLike>();
  });

  it.each([undefined, null, {}, { send: "no" }])("needs a client: %s is none", (bad) => {
    const make = (): unknown => kmsKeyring({ client: bad as unknown as KmsClientLike, keyId: KEY });
    expect(make).toThrow(
      new BucketKeySetupError(
        "kmsKeyring needs a KMSClient as `client`: kmsKeyring({ client: new KMSClient({}), keyId }).",
      ),
    );
  });

  it.each([undefined, null, KEY, [client, KEY]])("takes an object of options, which %o is not", (options) => {
    expect(() => kmsKeyring(options as never)).toThrow(
      new BucketKeySetupError(
        "kmsKeyring takes its options as an object: kmsKeyring({ client: new KMSClient({}), keyId }).",
      ),
    );
  });

  it.each([
    [{ keyid: KEY }, "keyid", "keyId"],
    [{ keyId: KEY, decryptKeyId: ["former"] }, "decryptKeyId", "decryptKeyIds"],
  ])("refuses a slip in a name, lest former keys be missing: %j", (ids, slip, meant) => {
    expect(() => kmsKeyring({ client, ...ids } as never)).toThrow(
      new BucketKeySetupError(
        `kmsKeyring has no option "${slip}": it has client, keyId, decryptKeyIds. Did you mean ${meant}?`,
      ),
    );
  });

  it.each([
    "1234abcd-12ab-34cd-56ef-1234567890ab",
    "mrk-1234abcd12ab34cd56ef1234567890ab",
    "alias/data-lake",
    "alias/arn:aws:s3:::foo",
    "arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/data-lake",
    "arn:aws-iso-b:kms:us-isob-east-1:111122223333:key/mrk-1",
  ])("takes a key by whatever name KMS does: %s", (keyId) => {
    expect(kmsKeyring({ client, keyId, decryptKeyIds: [keyId] }).keyId).toBe(keyId);
  });

  it("needs a client of KMS: that of another service is named", () => {
    const bad: KmsClientLike = new S3Client({ region: "eu-west-1" });
    expect(() => kmsKeyring({ client: bad, keyId: KEY })).toThrow(
      new BucketKeySetupError(
        "kmsKeyring needs a KMSClient as `client`, and was given a client of S3: " +
          "kmsKeyring({ client: new KMSClient({}), keyId }).",
      ),
    );
  });

  it.each([{}, { config: undefined }, { config: {} }, { config: { serviceId: "KMS" } }])(
    "takes what stands in for a client: %j",
    (rest) => {
      const standIn = { ...rest, send: async () => ({}) };
      expect(kmsKeyring({ client: standIn, keyId: KEY }).keyId).toBe(KEY);
    },
  );

  it.each(["alias/former", null, {}, new Set(["alias/former"])])(
    "needs an array of former keys: not %o",
    (bad) => {
      const ids = { keyId: KEY, decryptKeyIds: bad as unknown as string[] };
      expect(() => kmsKeyring({ client, ...ids })).toThrow(
        new BucketKeySetupError(
          'decryptKeyIds must be an array of ids, ARNs or aliases of KMS keys, such as ["alias/data-lake"].',
        ),
      );
    },
  );

  it.each([
    [{ keyId: "" }, "keyId must be"],
    [{ keyId: undefined as unknown as string }, "keyId must be"],
    [
      { keyId: "arn:aws:s3:::foo" },
      "keyId must be the id, ARN or alias of a KMS key, such as alias/data-lake.",
    ],
    [{ keyId: "arn:aws:iam::111122223333:role/kms:" }, "keyId must be"],
    [{ keyId: "arn::kms:eu-west-1:111122223333:key/1" }, "keyId must be"],
    [{ keyId: "arn:aws:kms" }, "keyId must be"],
    [{ keyId: KEY, decryptKeyIds: ["arn:aws-cn:s3:::foo"] }, "decryptKeyIds[0] must be"],
    [{ keyId: KEY, decryptKeyIds: ["former", ""] }, "decryptKeyIds[1] must be"],
    [{ keyId: KEY, decryptKeyIds: [1] as unknown as string[] }, "decryptKeyIds[0] must be"],
  ])("needs key ids: %j", (ids, message) => {
    expect(() => kmsKeyring({ client, ...ids })).toThrow(BucketKeySetupError);
    expect(() => kmsKeyring({ client, ...ids })).toThrow(message);
  });
});
