import { createCipheriv, createHmac, hkdfSync } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { EnvelopeRefusedError } from "../../src/envelope/errors.ts";
import {
  deriveForOpen,
  deriveForSeal,
  newMessageId,
  V3_AAD,
  V3_IV,
} from "../../src/envelope/key-derivation.ts";
import { formatBase64 } from "../../src/envelope/strict-base64.ts";

interface Vector {
  readonly name: string;
  readonly dataKey: string;
  readonly messageId: string;
  readonly contentKey: string;
  readonly commitment: string;
  readonly metadata: Readonly<Record<"x-amz-i" | "x-amz-d", string>>;
  readonly sealed: readonly { readonly bytes: number; readonly value: string }[];
}

const vectors = (
  JSON.parse(readFileSync(new URL("../vectors/key-derivation.json", import.meta.url), "utf8")) as {
    derivation: Vector[];
  }
).derivation;

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const dataKeys = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((bytes) => bytes.some(Boolean));
const messageIds = fc.uint8Array({ minLength: 28, maxLength: 28 }).filter((bytes) => bytes.some(Boolean));

describe.each(vectors)("known answer $name", (vector) => {
  const dataKey = hex(vector.dataKey);
  const messageId = hex(vector.messageId);

  it("is derived to seal", () => {
    const { contentKey, commitment } = deriveForSeal(dataKey, messageId);
    expect(toHex(contentKey)).toBe(vector.contentKey);
    expect(toHex(commitment)).toBe(vector.commitment);
    expect(formatBase64(messageId)).toBe(vector.metadata["x-amz-i"]);
    expect(formatBase64(commitment)).toBe(vector.metadata["x-amz-d"]);
  });

  it("is derived to open, when the commitment is the stored one", () => {
    expect(toHex(deriveForOpen(dataKey, messageId, hex(vector.commitment)) ?? hex(""))).toBe(
      vector.contentKey,
    );
  });

  it.each(vector.sealed)("seals $bytes bytes to the known ciphertext", ({ bytes, value }) => {
    const { contentKey } = deriveForSeal(dataKey, messageId);
    const cipher = createCipheriv("aes-256-gcm", contentKey, V3_IV).setAAD(V3_AAD);
    const body = cipher.update(Uint8Array.from({ length: bytes }, (_, index) => index));
    expect(toHex(Buffer.concat([body, cipher.final(), cipher.getAuthTag()]))).toBe(value);
  });

  it("leaves data key and message id as they were", () => {
    deriveForSeal(dataKey, messageId);
    deriveForOpen(dataKey, messageId, hex(vector.commitment));
    expect(toHex(dataKey)).toBe(vector.dataKey);
    expect(toHex(messageId)).toBe(vector.messageId);
  });

  it.each([
    ["all zero", new Uint8Array(28)],
    ["empty", new Uint8Array(0)],
    ["cut to 20 bytes", hex(vector.commitment).subarray(0, 20)],
    ["longer by 12 bytes", Uint8Array.of(...hex(vector.commitment), ...new Uint8Array(12))],
    ["one bit off at its end", hex(vector.commitment).map((byte, index) => (index === 27 ? byte ^ 1 : byte))],
    [
      "one bit off at its beginning",
      hex(vector.commitment).map((byte, index) => (index === 0 ? byte ^ 128 : byte)),
    ],
  ])("opens nothing when the commitment is %s", (_, commitment) => {
    expect(deriveForOpen(dataKey, messageId, commitment)).toBeUndefined();
  });
});

describe("key derivation", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("is HKDF-SHA-512 with the message id as salt", () => {
    fc.assert(
      fc.property(dataKeys, messageIds, (dataKey, messageId) => {
        const { contentKey, commitment } = deriveForSeal(dataKey, messageId);
        const hkdf = (text: string, bytes: number): Uint8Array =>
          new Uint8Array(hkdfSync("sha512", dataKey, messageId, Buffer.from(`\0s${text}`), bytes));
        expect(contentKey).toEqual(hkdf("DERIVEKEY", 32));
        expect(commitment).toEqual(hkdf("COMMITKEY", 28));
        expect(deriveForOpen(dataKey, messageId, commitment)).toEqual(contentKey);
      }),
    );
  });

  it("gives keys in memory of their own, which Node's pool is not", () => {
    const dataKey = new Uint8Array(32).fill(7);
    const sealing = deriveForSeal(dataKey, newMessageId());
    expect(sealing.contentKey.buffer.byteLength).toBe(32);
    expect(sealing.contentKey).not.toBeInstanceOf(Buffer);
    expect(sealing.commitment.buffer.byteLength).toBe(28);
  });

  const good = new Uint8Array(32).fill(1);
  const id = new Uint8Array(28).fill(1);
  it.each([
    ["a data key of 16 bytes", new Uint8Array(16).fill(1), id],
    ["a data key of 33 bytes", new Uint8Array(33).fill(1), id],
    ["a data key that is all zero", new Uint8Array(32), id],
    ["a message id of 16 bytes", good, new Uint8Array(16).fill(1)],
    ["a message id of 29 bytes", good, new Uint8Array(29).fill(1)],
    ["a message id that is all zero", good, new Uint8Array(28)],
  ])("has no use for %s", (_, dataKey, messageId) => {
    expect(() => deriveForSeal(dataKey, messageId)).toThrow(EnvelopeRefusedError);
    expect(() => deriveForSeal(dataKey, messageId)).toThrow(
      expect.objectContaining({
        problem: "key-unusable",
        message:
          "The data key is not usable: 32 bytes that are not all zero, and a message id of 28, are needed. Nothing was sent.",
      }),
    );
    // The commitment is checked last, so a right one doesn't help.
    expect(deriveForOpen(dataKey, messageId, new Uint8Array(28))).toBeUndefined();
  });

  it("takes a key or an id whose only bit stands at either end", () => {
    for (const index of [0, 31]) {
      const dataKey = new Uint8Array(32);
      dataKey[index] = 1;
      expect(deriveForSeal(dataKey, id).contentKey).toHaveLength(32);
    }
    for (const index of [0, 27]) {
      const messageId = new Uint8Array(28);
      messageId[index] = 1;
      expect(deriveForSeal(good, messageId).commitment).toHaveLength(28);
    }
  });

  it("wipes what HKDF made on the way, whether or not the commitment is right", () => {
    const digest = vi.spyOn(
      Object.getPrototypeOf(createHmac("sha512", "")) as { digest(): Buffer },
      "digest",
    );
    const { commitment } = deriveForSeal(good, id);
    deriveForOpen(good, id, commitment);
    deriveForOpen(good, id, new Uint8Array(28));
    const made = digest.mock.results.map(({ value }) => value as Buffer);
    // The pseudo-random key and a block for each value: 1 + 2 twice, and 1 + 1 where the commitment is another.
    expect(made).toHaveLength(8);
    expect(made.filter((bytes) => bytes.some(Boolean))).toEqual([]);
  });

  it("draws 28 random bytes for each object", () => {
    const ids = new Set(Array.from({ length: 1000 }, () => toHex(newMessageId())));
    expect(ids.size).toBe(1000);
    expect(newMessageId()).toHaveLength(28);
  });

  it("has the constants of V3", () => {
    expect(toHex(V3_IV)).toBe("01".repeat(12));
    expect(toHex(V3_AAD)).toBe("0073");
  });
});
