/** Key policy, identity policies and grants together, through stock clients: who may use a key, and what is said. */
import {
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  EnableKeyCommand,
  GenerateDataKeyCommand,
  GetKeyPolicyCommand,
  KMSClient,
  ListGrantsCommand,
  ListKeyPoliciesCommand,
  ListKeysCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  RetireGrantCommand,
  RevokeGrantCommand,
} from "@aws-sdk/client-kms";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  PolicyDocumentError,
  startSimulator,
  type PolicyDocument,
  type PolicyStatement,
  type Simulator,
} from "../../src/simulator/index.ts";
import { errorOf } from "./support.ts";

const ACCOUNT = "111122223333";
const ALICE = `arn:aws:iam::${ACCOUNT}:user/alice`;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/app`;
const SESSION = `arn:aws:sts::${ACCOUNT}:assumed-role/app/one`;
const STRANGER = "arn:aws:iam::999999999999:user/stranger";
const ROOT = `arn:aws:iam::${ACCOUNT}:root`;
const PRINCIPALS = { ALICE, SESSION, STRANGER, ROOT };
type Who = keyof typeof PRINCIPALS;

let sim: Simulator;
let clients: KMSClient[];

beforeEach(async () => {
  clients = [];
  sim = await startSimulator({
    credentials: Object.entries(PRINCIPALS).map(([accessKeyId, principalArn]) => ({
      accessKeyId,
      secretAccessKey: "secret",
      principalArn,
    })),
  });
});

afterEach(async () => {
  for (const client of clients) client.destroy();
  await sim.close();
});

function as(accessKeyId: Who): KMSClient {
  const credentials = { accessKeyId, secretAccessKey: "secret" };
  const client = new KMSClient({ ...sim.clientConfig, credentials, maxAttempts: 1 });
  clients.push(client);
  return client;
}

const policy = (...Statement: PolicyStatement[]): PolicyDocument => ({ Version: "2012-10-17", Statement });
const allow = (extra: Partial<PolicyStatement> = {}): PolicyStatement => ({
  Effect: "Allow",
  Action: "kms:*",
  Resource: "*",
  ...extra,
});
const deny = (extra: Partial<PolicyStatement> = {}): PolicyStatement => allow({ Effect: "Deny", ...extra });
const ACCOUNT_ROOT = { Principal: { AWS: ROOT } };

const dataKey = (KeyId: string, EncryptionContext = {}): GenerateDataKeyCommand =>
  new GenerateDataKeyCommand({ KeyId, KeySpec: "AES_256", EncryptionContext });

const GRANTED = "granted";
const NO_KEY_POLICY = "because no resource-based policy allows the kms:GenerateDataKey action";
const NO_IDENTITY = "because no identity-based policy allows the kms:GenerateDataKey action";
const KEY_DENIES = "with an explicit deny in a resource-based policy";
const IDENTITY_DENIES = "with an explicit deny in an identity-based policy";
const ELSEWHERE =
  "on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access";

describe("in AWS's order", () => {
  it.each<
    [says: string, Who, key: PolicyStatement[] | undefined, identity: PolicyStatement[] | undefined, string]
  >([
    ["nothing given: everything", "ALICE", undefined, undefined, GRANTED],
    ["the default key policy: identity policies decide", "ALICE", undefined, [allow()], GRANTED],
    ["... and without one nobody may", "ALICE", undefined, [], NO_IDENTITY],
    ["... of an action", "ALICE", undefined, [allow({ Action: "kms:Decrypt" })], NO_IDENTITY],
    ["the key policy alone", "ALICE", [allow({ Principal: { AWS: ALICE } })], [], GRANTED],
    ["the key policy, for everybody", "ALICE", [allow({ Principal: "*" })], [], GRANTED],
    [
      "the key policy silent: identity policies do not help",
      "ALICE",
      [allow({ Principal: { AWS: ROLE } })],
      [allow()],
      NO_KEY_POLICY,
    ],
    ["the account named: identity policies decide", "ALICE", [allow(ACCOUNT_ROOT)], [allow()], GRANTED],
    [
      "the account named for another action",
      "ALICE",
      [allow({ ...ACCOUNT_ROOT, Action: "kms:Decrypt" })],
      [allow()],
      NO_KEY_POLICY,
    ],
    [
      "a Deny of the key policy beats its Allow",
      "ALICE",
      [allow({ Principal: "*" }), deny({ Principal: { AWS: ALICE } })],
      [allow()],
      KEY_DENIES,
    ],
    [
      "a Deny for the account is for everybody in it",
      "ALICE",
      [allow({ Principal: "*" }), deny(ACCOUNT_ROOT)],
      [allow()],
      KEY_DENIES,
    ],
    [
      "a Deny of an identity policy beats the key policy",
      "ALICE",
      [allow({ Principal: "*" })],
      [deny()],
      IDENTITY_DENIES,
    ],
    ["a session is its role", "SESSION", [allow({ Principal: { AWS: ROLE } })], [], GRANTED],
    ["a session has its role's policies", "SESSION", undefined, [allow()], GRANTED],
    ["the root of the account", "ROOT", [allow(ACCOUNT_ROOT)], undefined, GRANTED],
    [
      "the root where the key policy is silent",
      "ROOT",
      [allow({ Principal: { AWS: ALICE } })],
      undefined,
      NO_KEY_POLICY,
    ],
    ["another account: the default key policy is silent", "STRANGER", undefined, [allow()], ELSEWHERE],
    [
      "another account: both sides",
      "STRANGER",
      [allow({ Principal: { AWS: "999999999999" } })],
      [allow()],
      GRANTED,
    ],
    [
      "another account: the key's side alone",
      "STRANGER",
      [allow({ Principal: { AWS: STRANGER } })],
      [],
      NO_IDENTITY,
    ],
    ["another account: its own side alone", "STRANGER", [allow(ACCOUNT_ROOT)], [allow()], ELSEWHERE],
    [
      "no identity policies given, the key policy names the account: an administrator",
      "ALICE",
      [allow(ACCOUNT_ROOT)],
      undefined,
      GRANTED,
    ],
    [
      "... whom its Deny still stops",
      "ALICE",
      [allow(ACCOUNT_ROOT), deny(ACCOUNT_ROOT)],
      undefined,
      KEY_DENIES,
    ],
    [
      "... but nobody where the key policy names others",
      "ALICE",
      [allow(ACCOUNT_ROOT), allow({ Principal: { AWS: ROLE } })],
      undefined,
      "(simulator: nobody gave identity policies for this principal",
    ],
  ])("%s", async (_says, who, keyStatements, identityStatements, expected) => {
    const key = sim.createKmsKey(keyStatements && { policy: policy(...keyStatements) });
    if (identityStatements !== undefined) {
      sim.putIamPolicy(PRINCIPALS[who], identityStatements.length === 0 ? [] : policy(...identityStatements));
    }
    const said = await as(who)
      .send(dataKey(key.arn))
      .then(
        () => GRANTED,
        (error: Error) => `${error.name}: ${error.message}`,
      );
    expect(said).toContain(expected);
    expect(
      said === GRANTED || said.startsWith(`AccessDeniedException: User: ${PRINCIPALS[who]} is not`),
    ).toBe(true);
  });
});

describe("the KMS endpoint", () => {
  it("says who may not do what to which key, and counts the attempt as the client's", async () => {
    const key = sim.createKmsKey();
    sim.putIamPolicy(ALICE, []);
    const error = await errorOf(as("ALICE").send(dataKey(key.arn)));
    expect([error.name, error.$metadata.httpStatusCode]).toEqual(["AccessDeniedException", 400]);
    expect(error.message).toBe(
      `User: ${ALICE} is not authorized to perform: kms:GenerateDataKey on resource: ${key.arn} ${NO_IDENTITY}`,
    );
    expect(sim.kmsClientRequests()).toEqual([
      {
        action: "GenerateDataKey",
        kmsKeyArn: key.arn,
        requester: ALICE,
        errorCode: "AccessDeniedException",
        count: 1,
      },
    ]);
  });

  it("needs both halves of ReEncrypt, and asks for Decrypt with the ciphertext's key", async () => {
    const [from, to] = [sim.createKmsKey(), sim.createKmsKey()];
    const [root, alice] = [as("ROOT"), as("ALICE")];
    const { CiphertextBlob } = await root.send(
      new EncryptCommand({ KeyId: from.arn, Plaintext: Buffer.from("x") }),
    );
    const reEncrypt = new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: to.arn });

    sim.putIamPolicy(ALICE, policy(allow({ Action: "kms:ReEncryptTo", Resource: to.arn })));
    expect((await errorOf(alice.send(reEncrypt))).message).toContain(
      `kms:ReEncryptFrom on resource: ${from.arn}`,
    );
    sim.putIamPolicy(ALICE, policy(allow({ Action: "kms:ReEncryptFrom", Resource: from.arn })));
    expect((await errorOf(alice.send(reEncrypt))).message).toContain(
      `kms:ReEncryptTo on resource: ${to.arn}`,
    );
    sim.putIamPolicy(ALICE, policy(allow({ Action: "kms:ReEncrypt*", Resource: "*" })));
    expect((await alice.send(reEncrypt)).KeyId).toBe(to.arn);
    expect((await errorOf(alice.send(new DecryptCommand({ CiphertextBlob })))).message).toContain(
      `kms:Decrypt on resource: ${from.arn}`,
    );
  });

  it("asks identity policies about what is no key's", async () => {
    sim.putIamPolicy(ALICE, policy(allow({ Action: "kms:ListKeys" })));
    const alice = as("ALICE");
    expect((await alice.send(new ListKeysCommand({}))).Keys).toEqual([]);
    expect((await errorOf(alice.send(new CreateKeyCommand({})))).message).toContain(
      "kms:CreateKey on resource: * because no identity-based policy",
    );
  });

  it("asks a key's policy with the client's own encryption context, without S3's keys", async () => {
    const key = sim.createKmsKey({
      policy: policy(
        allow({
          Principal: { AWS: ALICE },
          Condition: {
            StringEquals: { "kms:EncryptionContext:project": "Alpha" },
            Null: { "kms:ViaService": true },
          },
        }),
      ),
    });
    const alice = as("ALICE");
    await alice.send(dataKey(key.arn, { Project: "Alpha" }));
    expect((await errorOf(alice.send(dataKey(key.arn, { Project: "Beta" })))).name).toBe(
      "AccessDeniedException",
    );
    expect((await errorOf(alice.send(dataKey(key.arn)))).name).toBe("AccessDeniedException");
  });

  it("lets nobody with policies use aws/s3 directly", async () => {
    sim.putIamPolicy(ALICE, policy(allow()));
    const error = await errorOf(as("ALICE").send(dataKey("alias/aws/s3")));
    expect(error.message).toContain(NO_KEY_POLICY);
  });
});

const put = (KeyId: string, document: PolicyDocument, bypass = false): PutKeyPolicyCommand =>
  new PutKeyPolicyCommand({
    KeyId,
    Policy: JSON.stringify(document),
    BypassPolicyLockoutSafetyCheck: bypass,
  });

describe("PutKeyPolicy", () => {
  it("is what GetKeyPolicy gives back; before it, AWS's default", async () => {
    const key = sim.createKmsKey();
    const alice = as("ALICE");
    const get = async (): Promise<unknown> =>
      JSON.parse((await alice.send(new GetKeyPolicyCommand({ KeyId: key.arn }))).Policy ?? "");
    expect(await get()).toMatchObject({
      Statement: [{ Effect: "Allow", Principal: { AWS: ROOT }, Action: "kms:*", Resource: "*" }],
    });
    const document = policy(allow({ Principal: { AWS: ALICE } }));
    await alice.send(put(key.arn, document));
    expect(await get()).toEqual(document);
    expect((await alice.send(new ListKeyPoliciesCommand({ KeyId: key.arn }))).PolicyNames).toEqual([
      "default",
    ]);
  });

  it("does not lock out who puts it, unless told to", async () => {
    const key = sim.createKmsKey();
    const alice = as("ALICE");
    const others = policy(allow({ Principal: { AWS: ROLE } }));
    const error = await errorOf(alice.send(put(key.arn, others)));
    expect(error.name).toBe("MalformedPolicyDocumentException");
    expect(error.message).toContain("will not allow you to update the key policy in the future");
    await alice.send(put(key.arn, others, true));
    expect((await errorOf(alice.send(put(key.arn, others)))).message).toContain("kms:PutKeyPolicy");
  });

  it("refuses what cannot be evaluated, and keeps the policy that was", async () => {
    const key = sim.createKmsKey();
    const alice = as("ALICE");
    const Condition = { StringEquals: { "aws:SourceVpce": "vpce-1" } };
    const error = await errorOf(alice.send(put(key.arn, policy(allow({ Principal: "*", Condition })))));
    expect(error.name).toBe("MalformedPolicyDocumentException");
    expect(error.message).toContain("Statement[0].Condition.StringEquals.aws:SourceVpce: the condition key");
    await alice.send(dataKey(key.arn));
  });

  it("comes with CreateKey; one that is refused leaves no key", async () => {
    const alice = as("ALICE");
    const bad = new CreateKeyCommand({ Policy: JSON.stringify(policy(allow())) });
    expect((await errorOf(alice.send(bad))).name).toBe("MalformedPolicyDocumentException");
    expect((await alice.send(new ListKeysCommand({}))).Keys).toEqual([]);
    const Policy = JSON.stringify(policy(allow({ Principal: { AWS: ALICE } })));
    const { KeyMetadata } = await alice.send(new CreateKeyCommand({ Policy }));
    expect((await errorOf(as("SESSION").send(dataKey(KeyMetadata?.Arn ?? "")))).message).toContain(
      NO_KEY_POLICY,
    );
  });

  it("is for keys, by id or ARN, that AWS does not manage", async () => {
    const alice = as("ALICE");
    sim.createKmsKey({ alias: "alias/lake" });
    const document = policy(allow({ Principal: "*" }));
    expect((await errorOf(alice.send(put("alias/lake", document)))).name).toBe("NotFoundException");
    expect((await errorOf(alice.send(new EnableKeyCommand({ KeyId: "alias/lake" })))).name).toBe(
      "NotFoundException",
    );
    await alice.send(dataKey("alias/aws/s3"));
    const managed = (await alice.send(new ListKeysCommand({}))).Keys?.at(-1)?.KeyId ?? "";
    expect((await errorOf(alice.send(put(managed, document)))).name).toBe("AccessDeniedException");
  });
});

describe("a policy given to the simulator", () => {
  it("is refused whole, with what is wrong", () => {
    const key = sim.createKmsKey();
    expect(() => sim.putKeyPolicy(key.arn, policy(allow()))).toThrow(PolicyDocumentError);
    expect(() => sim.putIamPolicy(ALICE, "{")).toThrow("the policy is not JSON");
    expect(() => sim.createKmsKey({ policy: policy() })).toThrow("at least one statement");
    expect(() => sim.putKeyPolicy("alias/none", policy(allow({ Principal: "*" })))).toThrow("is not found");
  });

  it("stops the start when it comes with credentials", async () => {
    const credentials = [
      {
        accessKeyId: "A",
        secretAccessKey: "s",
        principalArn: ALICE,
        policies: [policy(allow({ Principal: "*" }))],
      },
    ];
    await expect(startSimulator({ credentials })).rejects.toMatchObject({ code: "ERR_POLICY_DOCUMENT" });
  });
});

describe("a grant", () => {
  const operations = { Operations: ["GenerateDataKey", "Decrypt"] } as const;
  const create = (KeyId: string, extra: object = {}): CreateGrantCommand =>
    new CreateGrantCommand({
      KeyId,
      GranteePrincipal: ROLE,
      Operations: [...operations.Operations],
      ...extra,
    });

  it("lets its grantee do what it names, until it is revoked", async () => {
    const key = sim.createKmsKey({ policy: policy(allow({ Principal: { AWS: ROOT } })) });
    sim.putIamPolicy(ROLE, []);
    const [root, session] = [as("ROOT"), as("SESSION")];
    const { GrantId } = await root.send(create(key.arn, { Name: "for the app" }));
    await session.send(dataKey(key.arn));
    const encrypt = new EncryptCommand({ KeyId: key.arn, Plaintext: Buffer.from("x") });
    expect((await errorOf(session.send(encrypt))).name).toBe("AccessDeniedException");

    const { Grants } = await root.send(new ListGrantsCommand({ KeyId: key.arn }));
    expect(Grants).toEqual([
      {
        KeyId: key.arn,
        GrantId,
        Name: "for the app",
        CreationDate: expect.any(Date),
        GranteePrincipal: ROLE,
        IssuingAccount: ROOT,
        Operations: operations.Operations,
      },
    ]);
    await root.send(new RevokeGrantCommand({ KeyId: key.arn, GrantId }));
    expect((await errorOf(session.send(dataKey(key.arn)))).name).toBe("AccessDeniedException");
    expect((await root.send(new ListGrantsCommand({ KeyId: key.arn }))).Grants).toEqual([]);
  });

  it.each([
    ["EncryptionContextSubset", { a: "1" }, { a: "1", b: "2" }, true],
    ["EncryptionContextSubset", { a: "1" }, { A: "1" }, false],
    ["EncryptionContextSubset", { a: "1" }, {}, false],
    ["EncryptionContextEquals", { a: "1" }, { a: "1" }, true],
    ["EncryptionContextEquals", { a: "1" }, { a: "1", b: "2" }, false],
  ])("%s %j holds for %j: %s", async (constraint, pairs, context, expected) => {
    const key = sim.createKmsKey();
    sim.putIamPolicy(ROLE, []);
    await as("ROOT").send(create(key.arn, { Constraints: { [constraint]: pairs } }));
    const granted = await as("SESSION")
      .send(dataKey(key.arn, context))
      .then(
        () => true,
        () => false,
      );
    expect(granted).toBe(expected);
  });

  it("does not help against a Deny, nor another account without its own side", async () => {
    const key = sim.createKmsKey();
    const root = as("ROOT");
    await root.send(create(key.arn));
    sim.putIamPolicy(ROLE, policy(deny()));
    expect((await errorOf(as("SESSION").send(dataKey(key.arn)))).message).toContain(IDENTITY_DENIES);
    await root.send(create(key.arn, { GranteePrincipal: STRANGER }));
    sim.putIamPolicy(STRANGER, []);
    expect((await errorOf(as("STRANGER").send(dataKey(key.arn)))).message).toContain(NO_IDENTITY);
    sim.putIamPolicy(STRANGER, policy(allow()));
    await as("STRANGER").send(dataKey(key.arn));
  });

  it("is retired by whom it names, and by nobody else", async () => {
    const key = sim.createKmsKey();
    for (const arn of [ROLE, ALICE]) sim.putIamPolicy(arn, []);
    const root = as("ROOT");
    const { GrantToken, GrantId } = await root.send(create(key.arn, { RetiringPrincipal: ALICE }));
    expect((await errorOf(as("SESSION").send(new RetireGrantCommand({ GrantToken })))).message).toContain(
      "kms:RetireGrant",
    );
    await as("ALICE").send(new RetireGrantCommand({ GrantToken }));
    const again = new RetireGrantCommand({ KeyId: key.arn, GrantId });
    expect((await errorOf(as("ALICE").send(again))).name).toBe("NotFoundException");
    const own = await root.send(create(key.arn, { Operations: ["RetireGrant"] }));
    await as("SESSION").send(new RetireGrantCommand({ KeyId: key.arn, GrantId: own.GrantId }));
  });

  it("is made by whom policies allow to, with what they allow", async () => {
    const key = sim.createKmsKey();
    const alice = as("ALICE");
    sim.putIamPolicy(
      ALICE,
      policy(
        allow({
          Action: "kms:CreateGrant",
          Condition: {
            "ForAllValues:StringEquals": { "kms:GrantOperations": ["Decrypt"] },
            StringEquals: { "kms:GranteePrincipal": ROLE, "kms:EncryptionContext:tenant": "a" },
          },
        }),
      ),
    );
    const Constraints = { EncryptionContextSubset: { tenant: "a" } };
    await alice.send(create(key.arn, { Operations: ["Decrypt"], Constraints }));
    for (const extra of [{ Constraints }, { Operations: ["Decrypt"] }]) {
      expect((await errorOf(alice.send(create(key.arn, extra)))).message).toContain("kms:CreateGrant");
    }
  });

  it.each([
    ["no ARN", { GranteePrincipal: "app" }, "InvalidArnException"],
    ["no operation", { Operations: [] }, "ValidationException"],
    ["an operation nobody simulates", { Operations: ["CreateGrant"] }, "UnsupportedOperationException"],
    [
      "both constraints",
      { Constraints: { EncryptionContextSubset: { a: "1" }, EncryptionContextEquals: { a: "1" } } },
      "ValidationException",
    ],
    ["a dry run", { DryRun: true }, "DryRunOperationException"],
  ])("is refused for %s", async (_says, extra, name) => {
    const key = sim.createKmsKey();
    expect((await errorOf(as("ALICE").send(create(key.arn, extra)))).name).toBe(name);
  });
});

describe.each([false, true])(
  "credentials without a principal (signatures verified: %s)",
  (verifySignatures) => {
    it("are the IAM user that is called like the access key", async () => {
      const credentials = [{ accessKeyId: "ADMIN", secretAccessKey: "secret" }];
      const other = await startSimulator({ credentials, verifySignatures });
      const client = new KMSClient({ ...other.clientConfig, maxAttempts: 1 });
      try {
        const KeyId = other.createKmsKey().arn;
        await client.send(new GenerateDataKeyCommand({ KeyId, KeySpec: "AES_256" }));
        const admin = `arn:aws:iam::${ACCOUNT}:user/ADMIN`;
        expect(other.kmsClientRequests()).toMatchObject([{ requester: admin }]);
        other.putIamPolicy(admin, policy(allow({ Effect: "Deny" })));
        const refused = await errorOf(client.send(new GenerateDataKeyCommand({ KeyId, KeySpec: "AES_256" })));
        expect(refused.name).toBe("AccessDeniedException");
      } finally {
        client.destroy();
        await other.close();
      }
    });
  },
);
