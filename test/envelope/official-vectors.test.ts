/** Objects that the official Go client wrote, opened with what is here and node:crypto alone. */
import { createDecipheriv, createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { classify } from "../../src/envelope/classify.ts";
import { matchesCallers } from "../../src/envelope/encryption-context.ts";
import { deriveForOpen, V3_AAD, V3_IV } from "../../src/envelope/key-derivation.ts";
import { formatBase64 } from "../../src/envelope/strict-base64.ts";

interface Vectors {
  readonly kms: Readonly<Record<string, { plaintext: string; encryptionContext: Record<string, string> }>>;
  readonly objects: readonly {
    readonly format: "V3" | "V2";
    readonly size: number;
    readonly userContext: Readonly<Record<string, string>>;
    readonly plaintextSha256: string;
    readonly body: string;
    readonly metadata: Readonly<Record<string, string>>;
  }[];
}

const { kms, objects } = JSON.parse(
  readFileSync(new URL("../vectors/s3ec-go.json", import.meta.url), "utf8"),
) as Vectors;

/** What KMS would answer: it goes by the blob and the exact context. */
function decrypt(blob: Uint8Array, context: Readonly<Record<string, string>>): Uint8Array {
  const answer = kms[formatBase64(blob)];
  expect(context).toEqual(answer?.encryptionContext);
  return new Uint8Array(Buffer.from(answer?.plaintext ?? "", "base64"));
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

function open(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, body: string): Buffer {
  const sealed = Buffer.from(body, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, iv).setAAD(aad).setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}

const of = (format: "V3" | "V2"): Vectors["objects"] => objects.filter((object) => object.format === format);

describe.each(of("V3"))("$size bytes with the context $userContext, by the Go client in V3", (object) => {
  const classified = classify(object.metadata);
  const envelope = classified.format === "v3" ? classified.envelope : undefined;

  it("are recognised and match their context", () => {
    expect(envelope).toMatchObject({ wrap: "kms+context" });
    expect(matchesCallers(envelope?.context ?? {}, object.userContext)).toBe(true);
    expect(matchesCallers(envelope?.context ?? {}, { ...object.userContext, more: "x" })).toBe(false);
  });

  it("open", () => {
    const { blob, context, messageId, commitment } = envelope!;
    const key = deriveForOpen(decrypt(blob, context), messageId, commitment);
    const plaintext = open(key!, V3_IV, V3_AAD, object.body);
    expect(plaintext).toHaveLength(object.size);
    expect(sha256(plaintext)).toBe(object.plaintextSha256);
  });
});

describe.each(of("V2"))("$size bytes with the context $userContext, by the Go client in V2", (object) => {
  const classified = classify(object.metadata);
  const envelope = classified.format === "v2" ? classified.envelope : undefined;

  it("are recognised and match their context", () => {
    expect(envelope).toMatchObject({
      wrap: "kms+context",
      content: "AES/GCM/NoPadding",
      unencryptedBytes: object.size,
    });
    expect(matchesCallers(envelope?.description ?? {}, object.userContext)).toBe(true);
  });

  it("open", () => {
    const { blob, description, iv } = envelope!;
    const plaintext = open(decrypt(blob, description), iv, new Uint8Array(0), object.body);
    expect(plaintext).toHaveLength(object.size);
    expect(sha256(plaintext)).toBe(object.plaintextSha256);
  });
});

it("the Go client's objects are all here", () => {
  expect([of("V3").length, of("V2").length]).toEqual([8, 8]);
});
