import { describe, expect, it } from "vitest";
import { BucketKeySetupError } from "../../src/errors.ts";
import { EnvelopeIntegrityError, EnvelopeRefusedError, KeyringError } from "../../src/envelope/errors.ts";
import { errorTypeOf, kmsFailure, ofFormerKey } from "../../src/envelope/kms-failures.ts";
import { kmsError } from "./key-stubs.ts";

describe("kmsFailure", () => {
  it("says what is to be installed, as a new error for every caller", () => {
    const cause = new Error("Cannot find package");
    const failure = kmsFailure(new BucketKeySetupError("npm install it", { cause }));
    expect(failure).toMatchObject({
      errorType: "BucketKeySetupError",
      denied: false,
      keyGone: false,
      passing: false,
    });
    expect(failure.error()).toBeInstanceOf(BucketKeySetupError);
    expect(failure.error()).toMatchObject({ message: "npm install it", cause });
    expect(failure.error()).not.toBe(failure.error());
  });

  it.each(["AccessDeniedException", "DisabledException", "KMSInvalidStateException", "NotFoundException"])(
    "takes %s as a denial",
    (name) => {
      expect(kmsFailure(kmsError(name))).toMatchObject({ errorType: name, denied: true, passing: false });
    },
  );

  it.each([
    ["AccessDeniedException", false],
    ["DisabledException", true],
    ["KMSInvalidStateException", true],
    ["NotFoundException", true],
    ["ThrottlingException", false],
  ])("takes %s as speaking of the key itself: %s", (name, keyGone) => {
    expect(kmsFailure(kmsError(name)).keyGone).toBe(keyGone);
    const former = kmsFailure(ofFormerKey(kmsError(name)));
    expect(former.keyGone).toBe(false);
    expect(former.denied).toBe(kmsFailure(kmsError(name)).denied);
  });

  it.each([
    ["TimeoutError", 400],
    ["RequestTimeout", 400],
    ["RequestTimeoutException", 400],
    ["ETIMEDOUT", 400],
    ["Throttling", 400],
    ["ThrottlingException", 400],
    ["ThrottledException", 400],
    ["RequestThrottled", 400],
    ["RequestThrottledException", 400],
    ["RequestLimitExceeded", 400],
    ["TooManyRequestsException", 400],
    ["Whatever", 500],
    ["Whatever", 503],
    ["Whatever", 429],
  ])("takes %s with status %s as passing", (name, status) => {
    expect(kmsFailure(kmsError(name, status))).toMatchObject({
      errorType: name,
      denied: false,
      passing: true,
    });
  });

  it.each([
    ["ValidationException", 400],
    ["InvalidGrantTokenException", 400],
    ["LimitExceededException", 400],
    ["ECONNREFUSED", 400],
    ["Whatever", 499],
    ["Whatever", 428],
  ])("takes %s with status %s as neither", (name, status) => {
    expect(kmsFailure(kmsError(name, status))).toMatchObject({
      errorType: name,
      denied: false,
      passing: false,
    });
  });

  it.each([
    ["nothing", undefined],
    ["null", null],
    ["text", "500"],
    ["an object without a status", {}],
    ["a status that is text", { $metadata: { httpStatusCode: "500" } }],
  ])("finds no server fault in a cause that is %s", (_name, cause) => {
    expect(kmsFailure(new KeyringError("Whatever", "message", { cause })).passing).toBe(false);
  });

  it("gives every caller a keyring error of its own, with the same cause", () => {
    const error = kmsError("AccessDeniedException");
    const failure = kmsFailure(error);
    const [first, second] = [failure.error(), failure.error()];
    expect(first).toBeInstanceOf(KeyringError);
    expect(first).not.toBe(second);
    expect(first).toMatchObject({
      kmsError: "AccessDeniedException",
      message: error.message,
      cause: error.cause,
    });
  });

  it("keeps an integrity error one, even if its cause were a server's", () => {
    const failure = kmsFailure(new EnvelopeIntegrityError());
    expect(failure).toMatchObject({
      errorType: "EnvelopeIntegrityError",
      denied: false,
      keyGone: false,
      passing: false,
    });
    expect(failure.error()).toBeInstanceOf(EnvelopeIntegrityError);
    expect(failure.error()).not.toBe(failure.error());
  });

  it("keeps a refusal one", () => {
    const failure = kmsFailure(new EnvelopeRefusedError("key-unusable", "no"));
    expect(failure).toMatchObject({
      errorType: "EnvelopeRefusedError",
      denied: false,
      keyGone: false,
      passing: false,
    });
    expect(failure.error()).toBeInstanceOf(EnvelopeRefusedError);
    expect(failure.error()).toMatchObject({ problem: "key-unusable", message: "no" });
  });

  it("wraps what a keyring of somebody else rejects with", () => {
    const cause = Object.assign(new Error("their own"), { $metadata: { httpStatusCode: 502 } });
    const failure = kmsFailure(cause);
    expect(failure).toMatchObject({ errorType: "Error", denied: false, passing: true });
    expect(failure.error()).toMatchObject({
      code: "ERR_BUCKET_KEY_KMS",
      kmsError: "Error",
      message: "The keyring has no data key: Error. Its own error is the cause.",
      cause,
    });
  });

  it("believes the name of somebody else's error", () => {
    expect(kmsFailure(Object.assign(new Error("no"), { name: "AccessDeniedException" })).denied).toBe(true);
    expect(kmsFailure(Object.assign(new Error("later"), { code: "ETIMEDOUT" })).passing).toBe(true);
  });
});

describe("a failure that KMS had no say in", () => {
  const unreached =
    "KMS could not be reached: check the network, and the endpoint and Region of the KMS client.";
  const noCredentials =
    "The KMS client has no usable credentials: give it some, or check where it takes them from.";

  it.each([
    ["ECONNREFUSED", unreached],
    ["ECONNRESET", unreached],
    ["EAI_AGAIN", unreached],
    ["EHOSTUNREACH", unreached],
    ["ENETUNREACH", unreached],
    ["ENOTFOUND", unreached],
    ["ETIMEDOUT", unreached],
    ["CredentialsProviderError", noCredentials],
    ["ExpiredTokenException", noCredentials],
    ["UnrecognizedClientException", noCredentials],
    ["Error", "See error.cause: most often the KMS client has no Region or no credentials."],
  ])("says of %s what to check, before any note, and nothing that the SDK said", (name, advice) => {
    const failure = kmsFailure(kmsError(name));
    expect(failure.error().message).toBe(`KMS: ${name} ${advice}`);
    expect(failure.error(" Long ago.").message).toBe(`KMS: ${name} ${advice} Long ago.`);
    expect(failure.error()).toMatchObject({ kmsError: name, cause: { message: "as KMS says it" } });
  });

  it.each(["AccessDeniedException", "TimeoutError", "constructor"])("is not %s", (name) => {
    expect(kmsFailure(kmsError(name)).error().message).toBe(`KMS: ${name}`);
  });

  it("is not that of a keyring of somebody else", () => {
    const cause = Object.assign(new Error("no"), { code: "ECONNREFUSED" });
    expect(kmsFailure(cause).error().message).toBe(
      "The keyring has no data key: ECONNREFUSED. Its own error is the cause.",
    );
  });
});

describe("an error with a note", () => {
  const cause = new Error("why");

  it.each([
    new KeyringError("Whatever", "It failed.", { cause }),
    new BucketKeySetupError("It failed.", { cause }),
    new EnvelopeRefusedError("key-unusable", "It failed."),
  ])("says it behind the message, and is else the same: $name", (error) => {
    const noted = kmsFailure(error).error(" Long ago.");
    expect(noted.message).toBe("It failed. Long ago.");
    expect(noted.constructor).toBe(error.constructor);
    expect(Object.entries(noted)).toEqual(Object.entries(error));
    expect(noted.cause).toBe(error.cause);
  });

  it("says nothing of it where verification failed", () => {
    expect(kmsFailure(new EnvelopeIntegrityError()).error(" Long ago.")).toEqual(
      new EnvelopeIntegrityError(),
    );
  });
});

describe("errorTypeOf", () => {
  it.each([
    [new TypeError("no"), "TypeError"],
    [Object.assign(new Error("no"), { code: "ECONNREFUSED" }), "ECONNREFUSED"],
    [new DOMException("no", "AbortError"), "AbortError"],
    ["text", "UnknownError"],
    [undefined, "UnknownError"],
  ])("of %s is %s", (error, type) => {
    expect(errorTypeOf(error)).toBe(type);
  });
});
