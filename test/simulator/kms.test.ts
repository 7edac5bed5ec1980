import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  KMSClient,
  ListAliasesCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  UpdateAliasCommand,
  paginateListAliases,
  paginateListKeys,
} from "@aws-sdk/client-kms";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../src/simulator/clock.ts";
import { handleKms } from "../../src/simulator/kms/handler.ts";
import { KeyStore } from "../../src/simulator/kms/key-store.ts";

const REGION = "eu-west-1";
const ACCOUNT = "111122223333";
const ALICE = `arn:aws:iam::${ACCOUNT}:user/alice`;
const DAY_MS = 86_400_000;
const base64 = (bytes: number): string => Buffer.alloc(bytes, 1).toString("base64");
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

let clock: VirtualClock;
let store: KeyStore;
let kms: KMSClient;

/** A stock client whose requests go to the handler without a socket. */
function clientOf(keys: KeyStore): KMSClient {
  return new KMSClient({
    region: REGION,
    credentials: { accessKeyId: "a", secretAccessKey: "s" },
    maxAttempts: 1,
    requestHandler: {
      async handle(request: { headers: Record<string, string>; body: Uint8Array }) {
        const target = request.headers["x-amz-target"] ?? "";
        const answer = handleKms(keys, { target, body: new Uint8Array(request.body), requester: ALICE });
        const body = new Blob([answer.body]).stream();
        return { response: { statusCode: answer.status, headers: answer.headers, body } as never };
      },
    },
  });
}

/** One request as bytes, for what the client would not send. */
function raw(
  target: string,
  body: string | Uint8Array,
): { status: number; error: { code: string; message: string } } {
  const answer = handleKms(store, { target, body: Buffer.from(body as string), requester: ALICE });
  const { __type: code, message } = JSON.parse(answer.body);
  return { status: answer.status, error: { code, message } };
}

const newKey = async (): Promise<string> => (await kms.send(new CreateKeyCommand({}))).KeyMetadata!.Arn!;

beforeEach(() => {
  clock = new VirtualClock();
  store = new KeyStore({ region: REGION, accountId: ACCOUNT, clock });
  kms = clientOf(store);
});

describe("keys and aliases", () => {
  it("describes a key under its id, its ARN, its alias and its alias ARN", async () => {
    const arn = await newKey();
    await kms.send(new CreateAliasCommand({ AliasName: "alias/lake", TargetKeyId: arn }));
    const names = [arn.split("/")[1], arn, "alias/lake", `arn:aws:kms:${REGION}:${ACCOUNT}:alias/lake`];
    for (const KeyId of names) {
      const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }));
      expect(KeyMetadata).toMatchObject({
        Arn: arn,
        KeyState: "Enabled",
        Enabled: true,
        KeyManager: "CUSTOMER",
      });
    }
  });

  it("pages through keys and aliases, each once", async () => {
    const arns: string[] = [];
    for (let i = 0; i < 7; i++) {
      arns.push(await newKey());
      await kms.send(new CreateAliasCommand({ AliasName: `alias/k${i}`, TargetKeyId: arns[i] }));
    }
    const listed: string[] = [];
    for await (const page of paginateListKeys({ client: kms, pageSize: 3 }, {})) {
      listed.push(...page.Keys!.map((key) => key.KeyArn!));
    }
    const aliases: string[] = [];
    for await (const page of paginateListAliases({ client: kms, pageSize: 2 }, {})) {
      aliases.push(...page.Aliases!.map((alias) => alias.AliasName!));
    }
    expect(listed).toEqual(arns);
    expect(aliases).toEqual([
      "alias/k0",
      "alias/k1",
      "alias/k2",
      "alias/k3",
      "alias/k4",
      "alias/k5",
      "alias/k6",
    ]);
    const ofOne = await kms.send(new ListAliasesCommand({ KeyId: arns[2] }));
    expect(ofOne.Aliases!.map((alias) => alias.AliasName)).toEqual(["alias/k2"]);
  });

  it("takes an id that a policy names, once", () => {
    const id = "1234abcd-12ab-34cd-56ef-1234567890ab";
    expect(store.createKey({ id }).arn).toBe(`arn:aws:kms:${REGION}:${ACCOUNT}:key/${id}`);
    expect(() => store.createKey({ id })).toThrow(
      expect.objectContaining({ code: "AlreadyExistsException" }),
    );
  });

  it("points an alias at another key, and forgets a deleted one", async () => {
    const [first, second] = [await newKey(), await newKey()];
    await kms.send(new CreateAliasCommand({ AliasName: "alias/lake", TargetKeyId: first }));
    await kms.send(new UpdateAliasCommand({ AliasName: "alias/lake", TargetKeyId: second }));
    expect(store.resolve("alias/lake").arn).toBe(second);
    await kms.send(new DeleteAliasCommand({ AliasName: "alias/lake" }));
    await expect(kms.send(new DescribeKeyCommand({ KeyId: "alias/lake" }))).rejects.toMatchObject({
      name: "NotFoundException",
      message: `Alias arn:aws:kms:${REGION}:${ACCOUNT}:alias/lake is not found.`,
    });
  });

  it.each([
    ["taken", "alias/lake", "AlreadyExistsException"],
    ["reserved", "alias/aws/mine", "NotAuthorizedException"],
    ["malformed", "alias/a b", "InvalidAliasNameException"],
    ["without alias/", "lake", "ValidationException"],
  ])("refuses an alias that is %s", async (_, AliasName, name) => {
    const TargetKeyId = await newKey();
    store.createAlias("alias/lake", TargetKeyId);
    await expect(kms.send(new CreateAliasCommand({ AliasName, TargetKeyId }))).rejects.toMatchObject({
      name,
    });
  });

  it("refuses an alias of an alias", async () => {
    store.createAlias("alias/lake", await newKey());
    const command = new CreateAliasCommand({ AliasName: "alias/b", TargetKeyId: "alias/lake" });
    await expect(kms.send(command)).rejects.toMatchObject({
      message: "Aliases must refer to keys. Not aliases",
    });
  });

  it.each([
    ["E1 not a key id", "fake-key-id", "Invalid keyId 'fake-key-id'"],
    ["E2 the managed alias without alias/", "aws/s3", "Invalid keyId 'aws/s3'"],
    [
      "E1 an id of no key",
      "134f2428-cec1-4b25-a1ae-9048164dba47",
      `Key 'arn:aws:kms:${REGION}:${ACCOUNT}:key/134f2428-cec1-4b25-a1ae-9048164dba47' does not exist`,
    ],
    [
      "E1 another region",
      `arn:aws:kms:eu-west-2:${ACCOUNT}:key/134f2428-cec1-4b25-a1ae-9048164dba47`,
      "Invalid arn eu-west-2",
    ],
    [
      "another account",
      `arn:aws:kms:${REGION}:444455556666:key/134f2428-cec1-4b25-a1ae-9048164dba47`,
      `Key 'arn:aws:kms:${REGION}:444455556666:key/134f2428-cec1-4b25-a1ae-9048164dba47' does not exist`,
    ],
  ])("says what is wrong with a name: %s", (_, name, message) => {
    expect(() => store.resolve(name)).toThrow(
      expect.objectContaining({ code: "NotFoundException", message }),
    );
  });

  it("makes the key of alias/aws/s3 once, and lets nobody change its state", async () => {
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: "alias/aws/s3" }));
    expect(KeyMetadata).toMatchObject({ KeyManager: "AWS", Arn: store.awsManagedS3Key().arn });
    await expect(kms.send(new DisableKeyCommand({ KeyId: KeyMetadata!.KeyId }))).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
    expect(store.keys()).toHaveLength(1);
  });

  it("E3, E4: a disabled key and one pending deletion do not encrypt until they are enabled again", async () => {
    const KeyId = await newKey();
    const encrypt = new EncryptCommand({ KeyId, Plaintext: text("x") });
    await kms.send(new DisableKeyCommand({ KeyId }));
    await expect(kms.send(encrypt)).rejects.toMatchObject({
      name: "DisabledException",
      message: `${KeyId} is disabled.`,
    });
    await kms.send(new EnableKeyCommand({ KeyId }));
    await kms.send(encrypt);
    const { DeletionDate } = await kms.send(
      new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }),
    );
    expect(DeletionDate!.getTime()).toBe(clock.nowMs() + 7 * DAY_MS);
    await expect(kms.send(encrypt)).rejects.toMatchObject({
      name: "KMSInvalidStateException",
      message: `${KeyId} is pending deletion.`,
    });
    await expect(kms.send(new EnableKeyCommand({ KeyId }))).rejects.toMatchObject({
      name: "KMSInvalidStateException",
    });
    await kms.send(new CancelKeyDeletionCommand({ KeyId }));
    await kms.send(new EnableKeyCommand({ KeyId }));
    await kms.send(encrypt);
  });

  it("deletes a key and its aliases when the clock reaches the date", async () => {
    const KeyId = await newKey();
    store.createAlias("alias/lake", KeyId);
    const sealed = await kms.send(new EncryptCommand({ KeyId, Plaintext: text("x") }));
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    clock.advance(7 * DAY_MS - 1);
    expect(store.aliases()).toHaveLength(1);
    clock.advance(1);
    expect(store.keys()).toHaveLength(0);
    expect(store.aliases()).toHaveLength(0);
    const { CiphertextBlob } = sealed;
    await expect(kms.send(new DecryptCommand({ CiphertextBlob }))).rejects.toMatchObject({
      name: "InvalidCiphertextException",
    });
  });
});

describe("encryption", () => {
  it("gives a data key in plain and encrypted, of the size that was asked for", async () => {
    const KeyId = await newKey();
    const EncryptionContext = { tenant: "a", "aws:s3:arn": "arn:aws:s3:::lake" };
    for (const [size, bytes] of [
      [{ KeySpec: "AES_256" }, 32],
      [{ KeySpec: "AES_128" }, 16],
      [{ NumberOfBytes: 1_024 }, 1_024],
    ] as const) {
      const made = await kms.send(new GenerateDataKeyCommand({ KeyId, EncryptionContext, ...size }));
      expect(made.Plaintext).toHaveLength(bytes);
      expect(made.KeyId).toBe(KeyId);
      const { CiphertextBlob } = made;
      const opened = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
      expect(opened).toMatchObject({ KeyId, Plaintext: made.Plaintext });
    }
  });

  it("gives a data key encrypted only", async () => {
    const KeyId = await newKey();
    const made = await kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: "AES_256" }));
    expect(made).not.toHaveProperty("Plaintext");
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob: made.CiphertextBlob, KeyId }));
    expect(opened.Plaintext).toHaveLength(32);
  });

  it("opens under the same context in any order, and under no other", async () => {
    const KeyId = await newKey();
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId, Plaintext: text("secret"), EncryptionContext: { a: "1", b: "2" } }),
    );
    const opened = await kms.send(
      new DecryptCommand({ CiphertextBlob, EncryptionContext: { b: "2", a: "1" } }),
    );
    expect(new TextDecoder().decode(opened.Plaintext)).toBe("secret");
    for (const EncryptionContext of [
      undefined,
      {},
      { a: "1" },
      { a: "1", b: "3" },
      { a: "1", b: "2", c: "" },
    ]) {
      await expect(kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))).rejects.toMatchObject(
        {
          name: "InvalidCiphertextException",
        },
      );
    }
  });

  it("opens nothing that was changed in any one byte", async () => {
    const KeyId = await newKey();
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext: text("secret") }));
    for (let at = 0; at < CiphertextBlob!.length; at++) {
      const changed = Uint8Array.from(CiphertextBlob!);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(kms.send(new DecryptCommand({ CiphertextBlob: changed }))).rejects.toMatchObject({
        name: "InvalidCiphertextException",
      });
    }
  });

  it("opens nothing that is not a ciphertext, and never breaks on it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
        const body = JSON.stringify({ CiphertextBlob: Buffer.from(bytes).toString("base64") });
        expect(raw("TrentService.Decrypt", body).error.code).toBe("InvalidCiphertextException");
      }),
      { numRuns: 200 },
    );
  });

  it("opens nothing of another account's keys", async () => {
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId: await newKey(), Plaintext: text("x") }),
    );
    const other = clientOf(new KeyStore({ region: REGION, accountId: "444455556666", clock }));
    await expect(other.send(new DecryptCommand({ CiphertextBlob }))).rejects.toMatchObject({
      name: "InvalidCiphertextException",
    });
  });

  it("refuses a key that the ciphertext is not of", async () => {
    const [KeyId, other] = [await newKey(), await newKey()];
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext: text("x") }));
    await expect(kms.send(new DecryptCommand({ CiphertextBlob, KeyId: other }))).rejects.toMatchObject({
      name: "IncorrectKeyException",
    });
  });

  it("moves a ciphertext to another key and context", async () => {
    const [from, to] = [await newKey(), await newKey()];
    const SourceEncryptionContext = { a: "1" };
    const sealed = await kms.send(
      new EncryptCommand({ KeyId: from, Plaintext: text("x"), EncryptionContext: SourceEncryptionContext }),
    );
    const moved = await kms.send(
      new ReEncryptCommand({
        CiphertextBlob: sealed.CiphertextBlob,
        SourceEncryptionContext,
        DestinationKeyId: to,
        DestinationEncryptionContext: { b: "2" },
      }),
    );
    expect(moved).toMatchObject({ SourceKeyId: from, KeyId: to });
    const { CiphertextBlob } = moved;
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: { b: "2" } }));
    expect(opened).toMatchObject({ KeyId: to, Plaintext: text("x") });
  });

  it("answers a dry run with the error that says it would have worked", async () => {
    const command = new EncryptCommand({ KeyId: await newKey(), Plaintext: text("x"), DryRun: true });
    await expect(kms.send(command)).rejects.toMatchObject({ name: "DryRunOperationException" });
  });
});

describe("bad input", () => {
  const key = "134f2428-cec1-4b25-a1ae-9048164dba47";
  it.each([
    ["an unknown operation", "TrentService.Nope", "{}", "UnknownOperationException", "'TrentService.Nope'"],
    ["a name every object has", "TrentService.toString", "{}", "UnknownOperationException", "toString"],
    ["another service", "DynamoDB_20120810.GetItem", "{}", "UnknownOperationException", "GetItem"],
    ["bad JSON", "TrentService.Encrypt", "{", "SerializationException", "not JSON"],
    ["a text", "TrentService.Encrypt", '"x"', "SerializationException", "not a JSON object"],
    ["a list", "TrentService.Encrypt", "[]", "SerializationException", "not a JSON object"],
    [
      "no key",
      "TrentService.Encrypt",
      `{"Plaintext":"eA=="}`,
      "ValidationException",
      "Value null at 'keyId'",
    ],
    [
      "a key that is a number",
      "TrentService.Encrypt",
      `{"KeyId":1,"Plaintext":"eA=="}`,
      "SerializationException",
      "KeyId",
    ],
    ["no plaintext", "TrentService.Encrypt", `{"KeyId":"${key}"}`, "ValidationException", "'plaintext'"],
    [
      "an empty plaintext",
      "TrentService.Encrypt",
      `{"KeyId":"${key}","Plaintext":""}`,
      "ValidationException",
      "'plaintext'",
    ],
    [
      "plaintext that is not base64",
      "TrentService.Encrypt",
      `{"KeyId":"${key}","Plaintext":"*"}`,
      "SerializationException",
      "base64",
    ],
    [
      "4,097 bytes",
      "TrentService.Encrypt",
      `{"KeyId":"${key}","Plaintext":"${base64(4_097)}"}`,
      "ValidationException",
      "less than or equal to 4096",
    ],
    [
      "6,145 bytes",
      "TrentService.Decrypt",
      `{"CiphertextBlob":"${base64(6_145)}"}`,
      "ValidationException",
      "less than or equal to 6144",
    ],
    [
      "a context of numbers",
      "TrentService.Decrypt",
      `{"CiphertextBlob":"eA==","EncryptionContext":{"a":1}}`,
      "SerializationException",
      "EncryptionContext",
    ],
    [
      "no size",
      "TrentService.GenerateDataKey",
      `{"KeyId":"${key}"}`,
      "ValidationException",
      "either number of bytes or key spec",
    ],
    [
      "two sizes",
      "TrentService.GenerateDataKey",
      `{"KeyId":"${key}","KeySpec":"AES_256","NumberOfBytes":32}`,
      "ValidationException",
      "either number of bytes or key spec",
    ],
    [
      "0 bytes",
      "TrentService.GenerateDataKey",
      `{"KeyId":"${key}","NumberOfBytes":0}`,
      "ValidationException",
      "greater than or equal to 1",
    ],
    [
      "1,025 bytes",
      "TrentService.GenerateDataKey",
      `{"KeyId":"${key}","NumberOfBytes":1025}`,
      "ValidationException",
      "less than or equal to 1024",
    ],
    [
      "an unknown key spec",
      "TrentService.GenerateDataKey",
      `{"KeyId":"${key}","KeySpec":"AES_512"}`,
      "ValidationException",
      "enum value set: [AES_256, AES_128]",
    ],
    [
      "an enclave",
      "TrentService.Decrypt",
      `{"CiphertextBlob":"eA==","Recipient":{}}`,
      "UnsupportedOperationException",
      "Recipient",
    ],
    [
      "an asymmetric key",
      "TrentService.CreateKey",
      `{"KeySpec":"RSA_2048"}`,
      "ValidationException",
      "keySpec",
    ],
    [
      "a window of 6 days",
      "TrentService.ScheduleKeyDeletion",
      `{"KeyId":"${key}","PendingWindowInDays":6}`,
      "ValidationException",
      "'pendingWindowInDays'",
    ],
    ["a foreign marker", "TrentService.ListKeys", `{"Marker":"x"}`, "InvalidMarkerException", "'x'"],
    [
      "no key of that id",
      "TrentService.DescribeKey",
      `{"KeyId":"${key}"}`,
      "NotFoundException",
      "does not exist",
    ],
  ])("%s", (_, target, body, code, message) => {
    const { status, error } = raw(target, body);
    expect(status).toBe(400);
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });

  it("bytes that are no UTF-8", () => {
    const { error } = raw("TrentService.Encrypt", Uint8Array.of(0x7b, 0xff, 0x7d));
    expect(error.code).toBe("SerializationException");
  });

  it("takes exactly 4,096 bytes", async () => {
    const command = new EncryptCommand({ KeyId: await newKey(), Plaintext: new Uint8Array(4_096) });
    const { CiphertextBlob } = await kms.send(command);
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob }));
    expect(opened.Plaintext).toHaveLength(4_096);
  });

  it("refuses a context longer than 8,192 characters", async () => {
    const EncryptionContext = { a: "x".repeat(8_192) };
    const command = new EncryptCommand({ KeyId: await newKey(), Plaintext: text("x"), EncryptionContext });
    await expect(kms.send(command)).rejects.toMatchObject({ name: "ValidationException" });
  });
});

describe("calls that clients make", () => {
  it("are counted by action, key, requester and error", async () => {
    const KeyId = await newKey();
    const { CiphertextBlob } = await kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: "AES_256" }));
    await kms.send(new DecryptCommand({ CiphertextBlob }));
    await kms.send(new DecryptCommand({ CiphertextBlob }));
    await expect(
      kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: { a: "" } })),
    ).rejects.toMatchObject({ name: "InvalidCiphertextException" });
    expect(store.calls.list()).toEqual([
      { action: "CreateKey", requester: ALICE, count: 1 },
      { action: "GenerateDataKey", kmsKeyArn: KeyId, requester: ALICE, count: 1 },
      { action: "Decrypt", kmsKeyArn: KeyId, requester: ALICE, count: 2 },
      { action: "Decrypt", requester: ALICE, errorCode: "InvalidCiphertextException", count: 1 },
    ]);
    expect(store.calls.count()).toBe(5);
    expect(store.calls.count("Decrypt")).toBe(3);
    store.calls.reset();
    expect(store.calls.list()).toEqual([]);
  });
});
