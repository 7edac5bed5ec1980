import { randomBytes } from "node:crypto";
import {
  decryptUnder,
  encryptUnder,
  invalidCiphertext,
  keyIdOf,
  type EncryptionContext,
} from "./ciphertext.ts";
import type { KmsInput } from "./input.ts";
import { keyMaterialId } from "./key-material.ts";
import type { KeyStore, KmsAlias, KmsKey } from "./key-store.ts";
import { KmsFault } from "./kms-fault.ts";

/** What one action answers: the JSON of the answer, nothing for an empty one. */
export type KmsAction = (store: KeyStore, input: KmsInput) => Readonly<Record<string, unknown>> | undefined;

const ALGORITHM = "SYMMETRIC_DEFAULT";
const MAX_PLAINTEXT_BYTES = 4_096;
const MAX_CIPHERTEXT_BYTES = 6_144;
const KEY_SPEC_BYTES: Readonly<Record<string, number>> = { AES_256: 32, AES_128: 16 };

/** The actions that the endpoint knows. Key policies, grants and tags are accepted and have no effect. */
export const ACTIONS: Readonly<Record<string, KmsAction>> = {
  CreateKey(store, input) {
    input.optionalText("KeyUsage", ["ENCRYPT_DECRYPT"]);
    input.optionalText("KeySpec", [ALGORITHM]);
    input.optionalText("CustomerMasterKeySpec", [ALGORITHM]);
    input.optionalText("Origin", ["AWS_KMS"]);
    const description = input.optionalText("Description") ?? "";
    const key = store.createKey({ description, multiRegion: input.flag("MultiRegion") });
    return { KeyMetadata: metadata(store, key) };
  },
  DescribeKey: (store, input) => ({ KeyMetadata: metadata(store, store.resolve(input.text("KeyId"))) }),
  ListKeys(store, input) {
    const { page, rest } = paged(store.keys(), input, 1_000, 100);
    return { Keys: page.map((key) => ({ KeyId: key.id, KeyArn: key.arn })), ...rest };
  },

  CreateAlias(store, input) {
    store.createAlias(input.text("AliasName"), input.text("TargetKeyId"));
    return undefined;
  },
  UpdateAlias(store, input) {
    store.updateAlias(input.text("AliasName"), input.text("TargetKeyId"));
    return undefined;
  },
  DeleteAlias(store, input) {
    store.deleteAlias(input.text("AliasName"));
    return undefined;
  },
  ListAliases(store, input) {
    const keyName = input.optionalText("KeyId");
    const id = keyName === undefined ? undefined : store.resolve(keyName).id;
    const aliases = store.aliases().filter((alias) => id === undefined || alias.targetKeyId === id);
    const { page, rest } = paged(aliases, input, 100, 50);
    return { Aliases: page.map(aliasEntry), ...rest };
  },

  EnableKey(store, input) {
    store.enableKey(input.text("KeyId"));
    return undefined;
  },
  DisableKey(store, input) {
    store.disableKey(input.text("KeyId"));
    return undefined;
  },
  ScheduleKeyDeletion(store, input) {
    const days = input.integer("PendingWindowInDays", 7, 30) ?? 30;
    const key = store.scheduleDeletion(input.text("KeyId"), days);
    const DeletionDate = seconds(key.deletionMs as number);
    return { KeyId: key.arn, DeletionDate, KeyState: key.state, PendingWindowInDays: days };
  },
  CancelKeyDeletion: (store, input) => ({ KeyId: store.cancelDeletion(input.text("KeyId")).arn }),

  GenerateDataKey(store, input) {
    input.refuse("Recipient");
    return dataKey(store, input, true);
  },
  GenerateDataKeyWithoutPlaintext: (store, input) => dataKey(store, input, false),

  Encrypt(store, input) {
    input.optionalText("EncryptionAlgorithm", [ALGORITHM]);
    const plaintext = input.bytes("Plaintext", MAX_PLAINTEXT_BYTES);
    const context = input.context();
    const key = store.usable(input.text("KeyId"));
    refuseDryRun(input);
    const CiphertextBlob = base64(encryptUnder(store, key, plaintext, context));
    return { CiphertextBlob, KeyId: key.arn, EncryptionAlgorithm: ALGORITHM };
  },
  Decrypt(store, input) {
    input.refuse("Recipient");
    input.optionalText("EncryptionAlgorithm", [ALGORITHM]);
    const { key, plaintext } = opened(store, input, "CiphertextBlob", "KeyId", input.context());
    refuseDryRun(input);
    return {
      KeyId: key.arn,
      Plaintext: base64(plaintext),
      EncryptionAlgorithm: ALGORITHM,
      KeyMaterialId: keyMaterialId(key.arn),
    };
  },
  ReEncrypt(store, input) {
    input.optionalText("SourceEncryptionAlgorithm", [ALGORITHM]);
    input.optionalText("DestinationEncryptionAlgorithm", [ALGORITHM]);
    const context = input.context("DestinationEncryptionContext");
    const destination = store.usable(input.text("DestinationKeyId"));
    const from = input.context("SourceEncryptionContext");
    const source = opened(store, input, "CiphertextBlob", "SourceKeyId", from);
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

function dataKey(store: KeyStore, input: KmsInput, withPlaintext: boolean): Record<string, unknown> {
  const spec = input.optionalText("KeySpec", Object.keys(KEY_SPEC_BYTES));
  const bytes = input.integer("NumberOfBytes", 1, 1_024);
  if ((spec === undefined) === (bytes === undefined)) {
    throw new KmsFault("ValidationException", "Please specify either number of bytes or key spec.");
  }
  const context = input.context();
  const key = store.usable(input.text("KeyId"));
  refuseDryRun(input);
  const plaintext = randomBytes(bytes ?? (KEY_SPEC_BYTES[spec as string] as number));
  return {
    CiphertextBlob: base64(encryptUnder(store, key, plaintext, context)),
    ...(withPlaintext && { Plaintext: base64(plaintext) }),
    KeyId: key.arn,
    KeyMaterialId: keyMaterialId(key.arn),
  };
}

/** Opens a ciphertext: under the key that it names, which must be the one that the request names, if any. */
function opened(
  store: KeyStore,
  input: KmsInput,
  blobMember: string,
  keyMember: string,
  context: EncryptionContext,
): { key: KmsKey; plaintext: Uint8Array } {
  const blob = input.bytes(blobMember, MAX_CIPHERTEXT_BYTES);
  const keyName = input.optionalText(keyMember);
  const named = keyName === undefined ? undefined : store.usable(keyName);
  const id = keyIdOf(blob);
  if (named !== undefined && named.id !== id) {
    throw new KmsFault(
      "IncorrectKeyException",
      "The key ID in the request does not identify a CMK that can perform this operation.",
    );
  }
  // A ciphertext of a key that is not, or no longer, in this account says nothing about that key.
  if (!store.has(id)) throw invalidCiphertext();
  const key = named ?? store.usable(id);
  return { key, plaintext: decryptUnder(store, key, blob, context) };
}

function refuseDryRun(input: KmsInput): void {
  if (input.flag("DryRun")) {
    const message = "The request would have succeeded, but the DryRun option is set.";
    throw new KmsFault("DryRunOperationException", message, 412);
  }
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

/** One page, after the `Marker` that the page before gave: the position of its first entry. */
function paged<Entry>(
  entries: readonly Entry[],
  input: KmsInput,
  maxLimit: number,
  defaultLimit: number,
): { page: readonly Entry[]; rest: { Truncated: boolean; NextMarker?: string } } {
  const limit = input.integer("Limit", 1, maxLimit) ?? defaultLimit;
  const marker = input.optionalText("Marker") ?? "0";
  if (!/^\d{1,9}$/.test(marker)) throw new KmsFault("InvalidMarkerException", `Invalid marker '${marker}'`);
  const end = Number(marker) + limit;
  const Truncated = end < entries.length;
  return {
    page: entries.slice(Number(marker), end),
    rest: { Truncated, ...(Truncated && { NextMarker: String(end) }) },
  };
}

function seconds(ms: number): number {
  return ms / 1_000;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
