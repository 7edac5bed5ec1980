import { describe, expect, it } from "vitest";
import { storedContext } from "../../src/envelope/encryption-context.ts";
import { EnvelopeRefusedError } from "../../src/envelope/errors.ts";
import { v3Metadata } from "../../src/envelope/format-v3.ts";
import {
  checkMetadataBudget,
  estimateMetadataBytes,
  metadataBytes,
} from "../../src/envelope/metadata-budget.ts";

const envelope = (blobBytes: number, context: Record<string, string>): Record<string, string> =>
  v3Metadata({
    blob: new Uint8Array(blobBytes).fill(1),
    messageId: new Uint8Array(28).fill(2),
    commitment: new Uint8Array(28).fill(3),
    context: storedContext(context),
  });

describe("bytes of metadata", () => {
  it.each([
    [{}, 0],
    [{ owner: "team" }, 9],
    [{ é: "→" }, 5],
    [{ a: "", bc: "d" }, 4],
    [{ n: 5, b: true, u: undefined, z: null }, 22],
  ])("of %j are %i", (metadata, bytes) => {
    expect(metadataBytes(metadata as Record<string, string>)).toBe(bytes);
  });

  it("are 402 for an envelope without a context, if KMS's blob has the usual 184", () => {
    expect(metadataBytes(envelope(184, {}))).toBe(402);
    expect(estimateMetadataBytes(storedContext({}))).toBe(402);
  });

  it("are estimated as they will be, blob aside", () => {
    const context = { "s3-bucket": "arn:aws:s3:::photos", name: "é =?" };
    expect(estimateMetadataBytes(storedContext(context))).toBe(metadataBytes(envelope(184, context)));
    expect(metadataBytes(envelope(199, context)) - estimateMetadataBytes(storedContext(context))).toBe(20);
  });
});

describe("room in the metadata", () => {
  it("is 2,048 bytes for the caller and the envelope together", () => {
    expect(() => checkMetadataBudget({ note: "x".repeat(2048 - 4 - 402) }, 402)).not.toThrow();
    expect(() => checkMetadataBudget({ note: "x".repeat(2048 - 4 - 401) }, 402)).toThrow(
      EnvelopeRefusedError,
    );
    expect(() => checkMetadataBudget(undefined, 2048)).not.toThrow();
    expect(() => checkMetadataBudget(undefined, 2049)).toThrow(EnvelopeRefusedError);
  });

  it("is refused naming both parts, and what to shorten", () => {
    expect(() => checkMetadataBudget({ note: "x".repeat(1996) }, 402)).toThrow(
      expect.objectContaining({
        problem: "metadata-budget",
        message:
          "S3 allows 2048 bytes of metadata: yours takes 2000, the envelope 402. " +
          "Shorten Metadata or the encryption context.",
      }),
    );
  });
});
