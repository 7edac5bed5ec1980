import { describe, expect, it } from "vitest";
import type { EnvelopeOptions } from "../../src/envelope/options.ts";
import { settingsOf } from "../../src/envelope/settings.ts";
import { fakeKeyring } from "./world.ts";

const keyring = fakeKeyring();
const PLACE = { operation: "PutObject", bucket: "bucket", key: "k" };

describe("the settings of a sealer", () => {
  it("are strict where nothing else is said, with 64 MiB per body and 256 MiB in all", () => {
    const settings = settingsOf({ keyring });
    expect(settings).toMatchObject({
      commitmentPolicy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
      legacyWrappingAlgorithms: false,
      legacyUnauthenticatedModes: false,
      verifiedBufferBytes: 67_108_864,
      bufferBudgetBytes: 268_435_456,
      release: "verified",
      ranges: "refuse",
    });
    expect(settings).toMatchObject({ unwrapLegacyKey: undefined, instructionFiles: undefined });
    expect(settings.keyring(PLACE)).toBe(keyring);
    expect([settings.context(PLACE), settings.partition(PLACE)]).toEqual([{}, ""]);
  });

  it("are what was said", () => {
    const said: Partial<EnvelopeOptions> = {
      commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
      legacyWrappingAlgorithms: true,
      legacyUnauthenticatedModes: true,
      unwrapLegacyKey: async () => new Uint8Array(32),
      headObject: async () => ({}),
      verifiedBufferBytes: 16,
      bufferBudgetBytes: 17,
      release: "twoPass",
      ranges: "verified",
    };
    expect(settingsOf({ keyring, ...said })).toMatchObject(said);
  });

  it("look for instruction files only where both options say so", () => {
    const options = { keyring, getObject: async () => ({}) };
    const { getObject } = options;
    expect(settingsOf(options).instructionFiles).toBeUndefined();
    for (const instructionFiles of [{}, { suffix: ".keys" }]) {
      const settings = settingsOf({ ...options, instructionFiles });
      expect(settings.instructionFiles).toEqual({ ...instructionFiles, getObject });
    }
  });

  it("give a place what the functions of the options say of it", () => {
    const settings = settingsOf({
      keyring: ({ key }) => (key === "k" ? keyring : fakeKeyring()),
      encryptionContext: ({ bucket }) => ({ bucket }),
      partition: ({ operation }) => operation,
    });
    expect(settings.keyring(PLACE)).toBe(keyring);
    expect(settings.context(PLACE)).toEqual({ bucket: "bucket" });
    expect(settings.context(PLACE, { tenant: "blue" })).toEqual({ tenant: "blue" });
    expect(settings.partition(PLACE)).toBe("PutObject");
  });

  it("hold what a function gives against what it must be", () => {
    const slips = settingsOf({
      keyring: () => Promise.resolve(keyring) as never,
      encryptionContext: () => ({ tenant: 7 as never }),
    });
    expect(() => slips.keyring(PLACE)).toThrow(
      expect.objectContaining({
        code: "ERR_BUCKET_KEY_SETUP",
        message:
          "envelope's option keyring gave no keyring for a place: return one, such as a kmsKeyring that you keep.",
      }),
    );
    expect(() => slips.context(PLACE)).toThrow(expect.objectContaining({ problem: "encryption-context" }));
  });
});

const arnOf = (bucket: string, keyId: string): string | undefined =>
  settingsOf({ keyring: fakeKeyring(keyId), bindBucket: true }).context({ ...PLACE, bucket })["s3-bucket"];

describe("a bucket that is bound", () => {
  it.each([
    ["bucket", "arn:aws:kms:eu-west-1:111122223333:key/1", "arn:aws:s3:::bucket"],
    ["bucket", "arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/a", "arn:aws-us-gov:s3:::bucket"],
    ["bucket", "1234abcd-12ab-34cd-56ef-1234567890ab", "arn:aws:s3:::bucket"],
    ["bucket", "alias/arn:aws-cn:x", "arn:aws:s3:::bucket"],
    ["bucket", "arn::kms", "arn:aws:s3:::bucket"],
    [
      "arn:aws-cn:s3:cn-north-1:111122223333:accesspoint/ap",
      "key",
      "arn:aws-cn:s3:cn-north-1:111122223333:accesspoint/ap",
    ],
    ["bucket-arn:x", "key", "arn:aws:s3:::bucket-arn:x"],
  ])("%s under the key %s is %s", (bucket, keyId, arn) => {
    expect(arnOf(bucket, keyId)).toBe(arn);
  });

  it("needs a name", () => {
    expect(() => arnOf("", "key")).toThrow(
      expect.objectContaining({
        problem: "encryption-context",
        message: "envelope's option bindBucket needs a bucket: give seal() or open() its name.",
      }),
    );
  });
});
