import { randomBytes } from "node:crypto";
import { decryptUnder, encryptUnder, invalidCiphertext, keyIdOf } from "./ciphertext.ts";
import type { KmsAction } from "./action.ts";
import type { KmsCaller } from "./caller.ts";
import type { EncryptionContext } from "./encryption-context.ts";
import { refuseDryRun } from "./dry-run.ts";
import { GRANT_ACTIONS } from "./grant-actions.ts";
import type { KmsInput } from "./input.ts";
import { keyMaterialId } from "./key-material.ts";
import { requireCustomerAlias, type KeyStore, type KmsAlias, type KmsKey } from "./key-store.ts";
import { KmsFault } from "./kms-fault.ts";
import { paged } from "./page.ts";
import { POLICY_ACTIONS, putPolicy } from "./policy-actions.ts";

const ALGORITHM = "SYMMETRIC_DEFAULT";
const MAX_PLAINTEXT_BYTES = 4_096;
const MAX_CIPHERTEXT_BYTES = 6_144;
const KEY_SPEC_BYTES: Readonly<Record<string, number>> = { AES_256: 32, AES_128: 16 };

/** Actions that use a key: they count towards the request quota. */
export const CRYPTOGRAPHIC: ReadonlySet<string> = new Set([
  "GenerateDataKey",
  "GenerateDataKeyWithoutPlaintext",
  "Encrypt",
  "Decrypt",
  "ReEncrypt",
]);

/** The actions that the endpoint knows. Tags are accepted and have no effect. */
export const ACTIONS: Readonly<Record<string, KmsAction>> = {
  CreateKey(store, input, caller) {
    caller.allowedOnAccount("CreateKey");
    input.optionalText("KeyUsage", ["ENCRYPT_DECRYPT"]);
    input.optionalText("KeySpec", [ALGORITHM]);
    input.optionalText("CustomerMasterKeySpec", [ALGORITHM]);
    input.optionalText("Origin", ["AWS_KMS"]);
    const description = input.optionalText("Description") ?? "";
    const policy = input.optionalText("Policy");
    const key = store.createKey({ description, multiRegion: input.flag("MultiRegion") });
    try {
      if (policy !== undefined) putPolicy(store, input, caller, key, policy);
    } catch (error) {
      store.discard(key);
      throw error;
    }
    return { KeyMetadata: metadata(store, key) };
  },
  DescribeKey: (store, input, caller) => ({
    KeyMetadata: metadata(store, caller.key("DescribeKey", input.text("KeyId"))),
  }),
  ListKeys(store, input, caller) {
    caller.allowedOnAccount("ListKeys");
    const { page, rest } = paged(store.keys(), input, 1_000, 100);
    return { Keys: page.map((key) => ({ KeyId: key.id, KeyArn: key.arn })), ...rest };
  },

  CreateAlias(store, input, caller) {
    const [name, target] = [input.text("AliasName"), input.text("TargetKeyId")];
    requireCustomerAlias(name);
    caller.allowedOnAccount("CreateAlias", store.aliasArn(name));
    caller.allowed("CreateAlias", store.aliasTarget(target));
    store.createAlias(name, target);
    return undefined;
  },
  UpdateAlias(store, input, caller) {
    const [name, target] = [input.text("AliasName"), input.text("TargetKeyId")];
    requireCustomerAlias(name);
    caller.allowedOnAccount("UpdateAlias", store.aliasArn(name));
    caller.key("UpdateAlias", name);
    caller.allowed("UpdateAlias", store.aliasTarget(target));
    store.updateAlias(name, target);
    return undefined;
  },
  DeleteAlias(store, input, caller) {
    const name = input.text("AliasName");
    requireCustomerAlias(name);
    caller.allowedOnAccount("DeleteAlias", store.aliasArn(name));
    caller.key("DeleteAlias", name);
    store.deleteAlias(name);
    return undefined;
  },
  ListAliases(store, input, caller) {
    caller.allowedOnAccount("ListAliases");
    const keyName = input.optionalText("KeyId");
    const id = keyName === undefined ? undefined : store.resolve(keyName).id;
    const aliases = store.aliases().filter((alias) => id === undefined || alias.targetKeyId === id);
    const { page, rest } = paged(aliases, input, 100, 50);
    return { Aliases: page.map(aliasEntry), ...rest };
  },

  EnableKey(store, input, caller) {
    store.enableKey(caller.changeable("EnableKey", input.text("KeyId")).id);
    return undefined;
  },
  DisableKey(store, input, caller) {
    store.disableKey(caller.changeable("DisableKey", input.text("KeyId")).id);
    return undefined;
  },
  ScheduleKeyDeletion(store, input, caller) {
    const days = input.integer("PendingWindowInDays", 7, 30) ?? 30;
    const key = store.scheduleDeletion(
      caller.changeable("ScheduleKeyDeletion", input.text("KeyId")).id,
      days,
    );
    const DeletionDate = seconds(key.deletionMs as number);
    return { KeyId: key.arn, DeletionDate, KeyState: key.state, PendingWindowInDays: days };
  },
  CancelKeyDeletion: (store, input, caller) => ({
    KeyId: store.cancelDeletion(caller.changeable("CancelKeyDeletion", input.text("KeyId")).id).arn,
  }),

  ...POLICY_ACTIONS,
  ...GRANT_ACTIONS,

  GenerateDataKey(store, input, caller) {
    input.refuse("Recipient");
    return dataKey(store, input, caller, "GenerateDataKey");
  },
  GenerateDataKeyWithoutPlaintext: (store, input, caller) =>
    dataKey(store, input, caller, "GenerateDataKeyWithoutPlaintext"),

  Encrypt(store, input, caller) {
    input.optionalText("EncryptionAlgorithm", [ALGORITHM]);
    const plaintext = input.bytes("Plaintext", MAX_PLAINTEXT_BYTES);
    const context = input.context();
    const key = caller.usable("Encrypt", input.text("KeyId"), context);
    refuseDryRun(input);
    const CiphertextBlob = base64(encryptUnder(store, key, plaintext, context));
    return { CiphertextBlob, KeyId: key.arn, EncryptionAlgorithm: ALGORITHM };
  },
  Decrypt(store, input, caller) {
    input.refuse("Recipient");
    input.optionalText("EncryptionAlgorithm", [ALGORITHM]);
    const { key, plaintext } = opened(store, input, caller, {
      action: "Decrypt",
      keyMember: "KeyId",
      context: input.context(),
    });
    refuseDryRun(input);
    return {
      KeyId: key.arn,
      Plaintext: base64(plaintext),
      EncryptionAlgorithm: ALGORITHM,
      KeyMaterialId: keyMaterialId(key.arn),
    };
  },
  ReEncrypt(store, input, caller) {
    input.optionalText("SourceEncryptionAlgorithm", [ALGORITHM]);
    input.optionalText("DestinationEncryptionAlgorithm", [ALGORITHM]);
    const context = input.context("DestinationEncryptionContext");
    const destination = caller.usable("ReEncryptTo", input.text("DestinationKeyId"), context);
    const source = opened(store, input, caller, {
      action: "ReEncryptFrom",
      keyMember: "SourceKeyId",
      context: input.context("SourceEncryptionContext"),
    });
    refuseDryRun(input);
    return {
      CiphertextBlob: base64(encryptUnder(store, destination, source.plaintext, context)),
      SourceKeyId: source.key.arn,
      KeyId: destination.arn,
      SourceEncryptionAlgorithm: ALGORITHM,
      DestinationEncryptionAlgorithm: ALGORITHM,
    };
  },
};

function dataKey(
  store: KeyStore,
  input: KmsInput,
  caller: KmsCaller,
  action: "GenerateDataKey" | "GenerateDataKeyWithoutPlaintext",
): Record<string, unknown> {
  const spec = input.optionalText("KeySpec", Object.keys(KEY_SPEC_BYTES));
  const bytes = input.integer("NumberOfBytes", 1, 1_024);
  if ((spec === undefined) === (bytes === undefined)) {
    throw new KmsFault("ValidationException", "Please specify either number of bytes or key spec.");
  }
  const context = input.context();
  const key = caller.usable(action, input.text("KeyId"), context);
  refuseDryRun(input);
  const plaintext = randomBytes(bytes ?? (KEY_SPEC_BYTES[spec as string] as number));
  return {
    CiphertextBlob: base64(encryptUnder(store, key, plaintext, context)),
    ...(action === "GenerateDataKey" && { Plaintext: base64(plaintext) }),
    KeyId: key.arn,
    KeyMaterialId: keyMaterialId(key.arn),
  };
}

/** Opens a ciphertext: under the key that it names, which must be the one that the request names, if any. */
function opened(
  store: KeyStore,
  input: KmsInput,
  caller: KmsCaller,
  { action, keyMember, context }: Readonly<{ action: string; keyMember: string; context: EncryptionContext }>,
): { key: KmsKey; plaintext: Uint8Array } {
  const blob = input.bytes("CiphertextBlob", MAX_CIPHERTEXT_BYTES);
  const keyName = input.optionalText(keyMember);
  const named = keyName === undefined ? undefined : caller.usable(action, keyName, context);
  const id = keyIdOf(blob);
  if (named !== undefined && named.id !== id) {
    throw new KmsFault(
      "IncorrectKeyException",
      "The key ID in the request does not identify a CMK that can perform this operation.",
    );
  }
  // A ciphertext of a key that is not, or no longer, in this account says nothing about that key.
  if (!store.has(id)) throw invalidCiphertext();
  const key = named ?? caller.usable(action, id, context);
  return { key, plaintext: decryptUnder(store, key, blob, context) };
}

function metadata(store: KeyStore, key: KmsKey): Record<string, unknown> {
  return {
    AWSAccountId: store.accountId,
    KeyId: key.id,
    Arn: key.arn,
    CreationDate: seconds(key.createdMs),
    Enabled: key.state === "Enabled",
    Description: key.description,
    KeyUsage: "ENCRYPT_DECRYPT",
    KeyState: key.state,
    ...(key.deletionMs !== undefined && { DeletionDate: seconds(key.deletionMs) }),
    Origin: "AWS_KMS",
    KeyManager: key.manager,
    CustomerMasterKeySpec: ALGORITHM,
    KeySpec: ALGORITHM,
    EncryptionAlgorithms: [ALGORITHM],
    MultiRegion: key.id.startsWith("mrk-"),
    CurrentKeyMaterialId: keyMaterialId(key.arn),
  };
}

function aliasEntry(alias: KmsAlias): Record<string, unknown> {
  return {
    AliasName: alias.name,
    AliasArn: alias.arn,
    TargetKeyId: alias.targetKeyId,
    CreationDate: seconds(alias.createdMs),
    LastUpdatedDate: seconds(alias.updatedMs),
  };
}

function seconds(ms: number): number {
  return ms / 1_000;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
