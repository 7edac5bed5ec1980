import { expect, it } from "vitest";
import { EnvelopeIntegrityError } from "../../src/envelope/errors.ts";

it("an integrity error names the slips of a reader before it sends anyone to a backup", () => {
  const { message } = new EnvelopeIntegrityError();
  expect(message).toContain("First hold keyId, decryptKeyIds and encryptionContext against the writer's");
  expect(message.indexOf("decryptKeyIds")).toBeLessThan(message.indexOf("restore"));
  expect(message).toMatch(/restore the object from a version or copy you trust\.$/);
});
