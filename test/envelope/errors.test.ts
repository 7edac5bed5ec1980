import { describe, expect, it } from "vitest";
import { BucketKeyError } from "../../src/errors.ts";
import {
  EnvelopeIntegrityError,
  EnvelopeRefusedError,
  KeyringError,
  NotSealedError,
} from "../../src/envelope/errors.ts";

it("an integrity error names the slips of a reader before it sends anyone to a backup", () => {
  const { message } = new EnvelopeIntegrityError();
  expect(message).toContain("First hold keyId, decryptKeyIds and encryptionContext against the writer's");
  expect(message.indexOf("decryptKeyIds")).toBeLessThan(message.indexOf("restore"));
  expect(message).toMatch(/restore the object from a version or copy you trust\.$/);
});

describe("an error of client-side encryption", () => {
  const cause = new Error("socket hang up");

  it.each<[string, BucketKeyError, object]>([
    [
      "EnvelopeIntegrityError",
      new EnvelopeIntegrityError(),
      {
        code: "ERR_BUCKET_KEY_INTEGRITY",
        message:
          "The sealed object failed verification: its body or its envelope is not what was sealed, or it was sealed " +
          "under another key or encryption context. Nothing unverified was released. First hold keyId, decryptKeyIds " +
          "and encryptionContext against the writer's; if they agree, restore the object from a version or copy you " +
          "trust.",
      },
    ],
    [
      "NotSealedError",
      new NotSealedError(),
      {
        code: "ERR_BUCKET_KEY_NOT_SEALED",
        message:
          "The object is not sealed, but its place says envelope: seal, so nothing of it was released. If plain objects " +
          "are to be read here while you migrate, write envelope: unseal for this place.",
      },
    ],
    [
      "EnvelopeRefusedError",
      new EnvelopeRefusedError("body", "Why not.", { cause }),
      { code: "ERR_BUCKET_KEY_ENVELOPE_REFUSED", problem: "body", message: "Why not.", cause },
    ],
    [
      "KeyringError",
      new KeyringError("AccessDeniedException", "KMS said no.", { cause }),
      { code: "ERR_BUCKET_KEY_KMS", kmsError: "AccessDeniedException", message: "KMS said no.", cause },
    ],
  ])(
    "is a BucketKeyError that says which, whatever a minifier makes of the class: %s",
    (name, error, has) => {
      expect(error).toBeInstanceOf(BucketKeyError);
      expect(error).toMatchObject({ name, ...has });
    },
  );
});
