import { describe, expect, it } from "vitest";
import { BucketKeySetupError } from "../../src/errors.ts";
import { envelope } from "../../src/envelope/envelope.ts";
import { fakeKeyring } from "./world.ts";

const keyring = fakeKeyring();
const noop = async (): Promise<never> => Promise.reject(new Error("unused"));

/** Any value for an option, as a caller without types could give it. */
const make = (options: Record<string, unknown>): unknown => envelope({ keyring, ...options });

describe("the options of envelope()", () => {
  it.each<[string, unknown]>([
    ["keyring", undefined],
    ["keyring", "arn:aws:kms:eu-west-1:111122223333:key/1"],
    ["keyring", { generate: noop }],
    ["keyring", { unwrap: noop }],
    ["keyring", null],
    ["encryptionContext", "tenant=blue"],
    ["encryptionContext", null],
    ["bindBucket", "yes"],
    ["partition", "blue"],
    ["maxAgeSeconds", 86_401],
    ["maxUses", 0],
    ["maxBytes", 1.5],
    ["maxCachedBytes", 10],
    ["staleIfErrorSeconds", -1],
    ["kmsTimeoutSeconds", "10"],
    ["commitmentPolicy", "FORBID_ENCRYPT_ALLOW_DECRYPT"],
    ["legacyWrappingAlgorithms", 1],
    ["legacyUnauthenticatedModes", "true"],
    ["unwrapLegacyKey", {}],
    ["instructionFiles", true],
    ["instructionFiles", null],
    ["instructionFiles", { suffix: "" }],
    ["instructionFiles", { suffix: 1 }],
    ["getObject", {}],
    ["headObject", "HeadObject"],
    ["verifiedBufferBytes", 15],
    ["verifiedBufferBytes", 2 ** 31 + 1],
    ["verifiedBufferBytes", 16.5],
    ["bufferBudgetBytes", 0],
    ["release", "twopass"],
    ["ranges", true],
    ["partBytes", 15],
    ["partBytes", 2 ** 31],
    ["uploadIdleSeconds", 0],
    ["uploadIdleSeconds", 604_801],
    ["uploadIdleSeconds", "60"],
  ])("refuse %s: %j, by name and with what to write", (name, value) => {
    expect(() => make({ [name]: value })).toThrow(
      expect.objectContaining({
        code: "ERR_BUCKET_KEY_SETUP",
        message: expect.stringMatching(new RegExp(`^envelope's option ${name} is .{12}`)),
      }),
    );
  });

  it.each<[string, unknown, string]>([
    [
      "bufferBudgetBytes",
      0.5,
      "envelope's option bufferBudgetBytes is 0.5: give a whole number of bytes, 1 to 9007199254740991.",
    ],
    [
      "uploadIdleSeconds",
      "60",
      `envelope's option uploadIdleSeconds is "60": give a number of seconds, 0.001 to 604800.`,
    ],
    ["ranges", true, `envelope's option ranges is true: give "refuse" or "verified".`],
    ["bindBucket", {}, "envelope's option bindBucket is an object: give true or false."],
    ["bindBucket", [], "envelope's option bindBucket is an array: give true or false."],
    ["bindBucket", noop, "envelope's option bindBucket is a function: give true or false."],
    ["bindBucket", null, "envelope's option bindBucket is null: give true or false."],
    ["keyring", Promise.resolve(keyring), "envelope's option keyring is a Promise: give a keyring such as"],
    ["keyring", undefined, "envelope's option keyring is undefined: give a keyring such as"],
    [
      "release",
      "x".repeat(100),
      `envelope's option release is "${"x".repeat(80)}": give "verified" or "twoPass" or "delayedAuthentication".`,
    ],
    ["maxUses", 0, "envelope's option maxUses is 0; it must be a whole number from 1 to 4294967296."],
    [
      "headObject",
      1,
      "envelope's option headObject is 1: give a function that sends it, as (input) => s3.send(new HeadObjectCommand(input)).",
    ],
    [
      "instructionFiles",
      {},
      "envelope's option instructionFiles needs getObject: a function that sends it, as (input) => s3.send(new GetObjectCommand(input)).",
    ],
  ])("say what is wrong with %s: %j in one sentence", (name, value, message) => {
    expect(() => make({ [name]: value })).toThrow(message);
  });

  it.each<[string, string]>([
    ["keyring", "a keyring such as kmsKeyring({ client, keyId }), or a function from a place to one"],
    ["encryptionContext", "an object of strings, or a function from a place to one"],
    ["bindBucket", "true or false"],
    ["partition", "a function"],
    ["commitmentPolicy", '"REQUIRE_ENCRYPT_REQUIRE_DECRYPT" or "REQUIRE_ENCRYPT_ALLOW_DECRYPT"'],
    ["legacyWrappingAlgorithms", "true or false"],
    ["legacyUnauthenticatedModes", "true or false"],
    ["unwrapLegacyKey", "a function"],
    ["instructionFiles", "{} or { suffix }, with a suffix that is not empty"],
    ["getObject", "a function that sends it, as (input) => s3.send(new GetObjectCommand(input))"],
    ["headObject", "a function that sends it, as (input) => s3.send(new HeadObjectCommand(input))"],
    ["verifiedBufferBytes", "a whole number of bytes, 16 to 2147483648"],
    ["bufferBudgetBytes", "a whole number of bytes, 1 to 9007199254740991"],
    ["release", '"verified" or "twoPass" or "delayedAuthentication"'],
    ["ranges", '"refuse" or "verified"'],
    ["partBytes", "a whole number of bytes, 16 to 2147483647"],
    ["uploadIdleSeconds", "a number of seconds, 0.001 to 604800"],
  ])("say what to write for %s: %s", (name, write) => {
    expect(() => make({ [name]: "" })).toThrow(
      expect.objectContaining({ message: `envelope's option ${name} is "": give ${write}.` }),
    );
  });

  it.each<Record<string, unknown>>([
    {},
    { keyring: () => keyring },
    { encryptionContext: {} },
    { encryptionContext: () => ({}) },
    { bindBucket: undefined },
    { verifiedBufferBytes: 16, bufferBudgetBytes: 1, partBytes: 16, uploadIdleSeconds: 0.001 },
    { verifiedBufferBytes: 2 ** 31, partBytes: 2 ** 31 - 1, uploadIdleSeconds: 604_800 },
    { bufferBudgetBytes: Number.MAX_SAFE_INTEGER },
    { instructionFiles: {}, getObject: noop },
    { instructionFiles: { suffix: ".keys" }, getObject: noop },
    { release: "verified" },
    { release: "twoPass", verifiedBufferBytes: 16 },
    { release: "delayedAuthentication", ranges: "verified" },
    { ranges: "refuse", commitmentPolicy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT" },
    {
      commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
      legacyWrappingAlgorithms: false,
      unwrapLegacyKey: noop,
    },
    { legacyUnauthenticatedModes: true, headObject: noop, partition: () => "" },
  ])("take %j", (options) => {
    expect(make(options)).toMatchObject({ name: "envelope" });
  });

  it("refuse one that doesn't exist, and list those that do", () => {
    expect(() => make({ maxAge: 300 })).toThrow(
      expect.objectContaining({
        code: "ERR_BUCKET_KEY_SETUP",
        message: expect.stringMatching(
          /^envelope has no option "maxAge": it has keyring, encryptionContext, .*, uploadIdleSeconds\.$/,
        ),
      }),
    );
    expect(() => make({ toString: 1 })).toThrow(`no option "toString"`);
  });

  it.each<[string, string]>([
    ["maxAgeSecond", "maxAgeSeconds"],
    ["keyrnig", "keyring"],
    ["encryptionContxt", "encryptionContext"],
  ])("refuse a slip in a name, and say what was meant: %s", (slip, meant) => {
    expect(() => envelope({ [slip]: 1 } as never)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(`uploadIdleSeconds. Did you mean ${meant}[?]$`),
      }),
    );
  });

  it("take a name whose value is undefined for one that isn't given", () => {
    expect(make({ maxAge: undefined })).toMatchObject({ name: "envelope" });
  });

  it.each([undefined, null, "keyring", 1, [keyring], () => keyring])(
    "are an object, which %o is not",
    (options) => {
      expect(() => envelope(options as never)).toThrow(
        new BucketKeySetupError("envelope takes its options as an object: envelope({ keyring })."),
      );
    },
  );

  it("refuse a buffer beside delayed authentication, where it would mean nothing", () => {
    expect(() => make({ release: "delayedAuthentication", verifiedBufferBytes: 64 })).toThrow(
      "envelope's option verifiedBufferBytes means nothing with release: delayedAuthentication, which verifies nothing " +
        "before it releases. Leave one of the two out.",
    );
  });

  it("keep the cache's own error as the cause", () => {
    expect(() => make({ maxUses: 0 })).toThrow(
      expect.objectContaining({ code: "ERR_BUCKET_KEY_SETUP", cause: expect.any(RangeError) }),
    );
  });

  it("check a fixed encryption context at once", () => {
    expect(() => make({ encryptionContext: { tenant: 1 } })).toThrow(
      expect.objectContaining({ problem: "encryption-context" }),
    );
  });
});
