import { describe, expect, it } from "vitest";
import { readBody } from "../../src/envelope/bodies.ts";
import { EnvelopeRefusedError } from "../../src/envelope/errors.ts";
import { checkWriteInput, declaredBytes } from "../../src/envelope/write-input.ts";
import { stream } from "./chunkings.ts";

const check = (input: Record<string, unknown>): void => checkWriteInput({ operation: "PutObject", input });

describe("what of a write can't be kept", () => {
  it("says how to write on instead of an append", () => {
    expect(() => check({ WriteOffsetBytes: 0 })).toThrow(
      new EnvelopeRefusedError(
        "append",
        "WriteOffsetBytes appends to an object, but a sealed object is sealed as a whole: write it anew, or write " +
          "what is to be appended as an object of its own. Nothing was sent.",
      ),
    );
  });

  it.each(["ContentMD5", "ChecksumCRC32", "ChecksumSHA256", "ChecksumOfTomorrow"])(
    "says what to do without the caller's %s",
    (name) => {
      expect(() => check({ ChecksumAlgorithm: "CRC32", [name]: "" })).toThrow(
        expect.objectContaining({
          problem: "caller-checksum",
          message:
            `${name} of this PutObject describes the plaintext, but S3 checks and stores it for what is sent, the ` +
            "ciphertext. Leave it out; ChecksumAlgorithm makes the SDK compute one of the ciphertext. Nothing was sent.",
        }),
      );
    },
  );

  it("is neither what says how a checksum is made, nor what only sounds like one", () => {
    const input = {
      ChecksumAlgorithm: "SHA256",
      ChecksumType: "COMPOSITE",
      ChecksumSHA256: undefined,
      ContentType: "text/plain",
      ExpectedChecksum: "x",
    };
    expect(() => check(input)).not.toThrow();
  });
});

describe("the length of a write", () => {
  const blob = new Blob(["12345"]);

  it.each<[string, unknown, unknown, number | undefined]>([
    ["that of bytes, when nothing is declared", "12345", undefined, 5],
    ["that of bytes, when null is declared", "12345", null, 5],
    ["that of bytes, when the same is declared", "12345", 5, 5],
    ["0, when that is declared", "", 0, 0],
    ["that of a Blob", blob, undefined, 5],
    ["what is declared of a Blob", blob, 4, 4],
    ["what is declared of a stream", stream([]), 7, 7],
    ["unknown of a stream", stream([]), undefined, undefined],
    ["the largest there can be", stream([]), Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ])("is %s", (_, body, declared, bytes) => {
    expect(declaredBytes(declared, readBody(body))).toBe(bytes);
  });

  it.each([-1, 1.5, "5", Number.NaN, 2 ** 53, 5n])("can't be %s", (declared) => {
    expect(() => declaredBytes(declared, readBody(stream([])))).toThrow(
      expect.objectContaining({
        problem: "body",
        message: "ContentLength must be the number of bytes of Body, 0 or more. Nothing was sent.",
      }),
    );
  });

  it.each([4, 6])("can't be %i for 5 bytes", (declared) => {
    expect(() => declaredBytes(declared, readBody("12345"))).toThrow(
      expect.objectContaining({
        problem: "body",
        message: expect.stringContaining(`declared to have ${declared} bytes, but has 5.`),
      }),
    );
  });
});
