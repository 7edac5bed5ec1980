import { Readable } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { HINT_NAMES, V1_V2_NAMES, V3_NAMES } from "../../src/envelope/metadata-names.ts";
import { fakeKeyring, World } from "./world.ts";

const GIB = 2 ** 30;
const MOST = 2 ** 36 - 32;

/** Ends while a stream waits would be missed otherwise. */
async function* chunks(...pieces: readonly (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    if (typeof piece !== "string") throw piece;
    yield Buffer.from(piece);
  }
}

/** Begins to read a body, and denies it then. */
const denied = async ({ Body }: Readonly<Record<string, unknown>>): Promise<never> => {
  await (Body as Readable)[Symbol.asyncIterator]().next();
  throw new Error("AccessDenied");
};

describe("PutObject in a place that seals", () => {
  const world = new World();
  afterEach(() => {
    world.requests.length = 0;
    world.events.length = 0;
  });

  it("sends ciphertext and its length, with the envelope beside the caller's metadata", async () => {
    await world.put("k", "dear Ada", { Metadata: { color: "red" }, ContentType: "text/plain" });
    const { input } = world.requests[0]!;
    expect(input).toMatchObject({ Bucket: "bucket", Key: "k", ContentLength: 24, ContentType: "text/plain" });
    expect(Object.keys(input["Metadata"] as object)).toEqual([
      "color",
      "x-amz-c",
      "x-amz-3",
      "x-amz-w",
      "x-amz-i",
      "x-amz-d",
      "x-amz-t",
    ]);
    expect(input["Metadata"]).toMatchObject({ color: "red", "x-amz-t": '{"aws:x-amz-cek-alg":"115"}' });
    expect(input["Body"]).toBeInstanceOf(Uint8Array);
    expect(Buffer.from(input["Body"] as Uint8Array).includes("dear")).toBe(false);
    expect(world.told()).toEqual([{ kind: "io", direction: "seal", bytes: 8 }]);
    expect(String(await world.read("k"))).toBe("dear Ada");
  });

  it("leaves the caller's input as it was", async () => {
    const input = Object.freeze({
      Bucket: "bucket",
      Key: "k",
      Body: "x",
      Metadata: Object.freeze({ a: "b" }),
    });
    await world.send("PutObject", input);
    expect(input).toEqual({ Bucket: "bucket", Key: "k", Body: "x", Metadata: { a: "b" } });
  });

  it.each<[string, () => unknown, number | undefined]>([
    ["nothing", () => undefined, 16],
    ["an empty text", () => "", 16],
    ["bytes", () => Buffer.alloc(100), 116],
    ["a Blob", () => new Blob(["12345"]), 21],
    ["a stream", () => Readable.from(chunks("12", "345")), undefined],
    ["an iteration", () => chunks("12", "345"), undefined],
  ])("tells the sealed length of %s where it is known", async (_, body, sealedBytes) => {
    await world.put("k", body());
    expect(world.requests[0]?.input["ContentLength"]).toBe(sealedBytes);
    expect(world.stored("k").bytes.length).toBe(sealedBytes ?? 21);
    expect((await world.read("k")).length).toBe((sealedBytes ?? 21) - 16);
  });

  it("hands a stream down as Node's Readable, so that the SDK doesn't send it twice", async () => {
    await world.put("k", chunks("12", "345"), { ContentLength: 5 });
    expect(world.requests[0]?.input["Body"]).toBeInstanceOf(Readable);
    expect(world.requests[0]?.input["ContentLength"]).toBe(21);
    expect(world.told()).toEqual([{ kind: "io", direction: "seal", bytes: 5 }]);
    expect(String(await world.read("k"))).toBe("12345");
  });

  it("gives every object a key of its own under one bucket key", async () => {
    await world.put("a", "same");
    await world.put("b", "same");
    const [a, b] = [world.stored("a"), world.stored("b")];
    expect(a.metadata["x-amz-3"]).toBe(b.metadata["x-amz-3"]);
    expect(a.metadata["x-amz-i"]).not.toBe(b.metadata["x-amz-i"]);
    expect(a.bytes.equals(b.bytes)).toBe(false);
    expect(world.keyring.calls.filter((call) => call === "generate")).toHaveLength(1);
  });

  it.each<[string, number, readonly string[], RegExp]>([
    ["a stream that is shorter than declared", 6, ["12", "345"], /declared to have 6 bytes, but has 5\./],
    [
      "a stream that is longer than declared",
      4,
      ["12", "345"],
      /declared to have 4 bytes, but has more than 4\./,
    ],
    ["a stream of nothing", 1, [], /declared to have 1 bytes, but has 0\./],
  ])("fails for %s, and completes no object", async (_, ContentLength, pieces, message) => {
    world.objects.clear();
    const put = world.put("k", chunks(...pieces), { ContentLength });
    await expect(put).rejects.toMatchObject({ problem: "body", message: expect.stringMatching(message) });
    expect(world.objects.size).toBe(0);
    expect(world.told()).toEqual([{ kind: "failed", phase: "crypto", errorType: "EnvelopeRefusedError" }]);
  });

  it("fails with the error of the caller's stream, and completes no object", async () => {
    world.objects.clear();
    const put = world.put("k", Readable.from(chunks("1", new Error("source is gone"))), { ContentLength: 5 });
    await expect(put).rejects.toThrow("source is gone");
    expect(world.objects.size).toBe(0);
    expect(world.told()).toEqual([]);
  });

  it("fails with the error of a stream that breaks while KMS is asked", async () => {
    const fresh = new World();
    const source = Readable.from(chunks("1"));
    const generate = fresh.keyring.generate.bind(fresh.keyring);
    fresh.keyring.generate = async (...args) => {
      source.destroy(new Error("source is gone"));
      await new Promise((resolve) => setImmediate(resolve));
      return generate(...args);
    };
    await expect(fresh.put("k", source)).rejects.toThrow("source is gone");
    expect(fresh.objects.size).toBe(0);
  });

  it("fails with S3's error, and ends a stream that S3 began to read", async () => {
    const source = Readable.from(chunks("1".repeat(100_000), "2".repeat(100_000), "3"));
    const put = world.send("PutObject", { Bucket: "bucket", Key: "k", Body: source }, { next: denied });
    await expect(put).rejects.toThrow("AccessDenied");
    await new Promise((resolve) => setImmediate(resolve));
    expect(source.destroyed).toBe(true);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["an append", { WriteOffsetBytes: 0 }, "append"],
    ["ContentMD5", { ContentMD5: "1B2M2Y8AsgTpgAmY7PhCfg==" }, "caller-checksum"],
    ["ChecksumCRC32", { ChecksumCRC32: "AAAAAA==" }, "caller-checksum"],
    ["a checksum of times to come", { ChecksumNEW: "x" }, "caller-checksum"],
    ["metadata of the envelope", { Metadata: { "X-Amz-Key-V2": "x" } }, "caller-metadata"],
    ["metadata of the envelope that isn't text", { Metadata: { "x-amz-3": 5 } }, "caller-metadata"],
    [
      "metadata that can't be made text",
      { Metadata: { a: Object.create(null) as object } },
      "caller-metadata",
    ],
    ["too much metadata", { Metadata: { long: "x".repeat(1700) } }, "metadata-budget"],
    ["a length that isn't that of the bytes", { ContentLength: 3 }, "body"],
    ["a negative length", { ContentLength: -1 }, "body"],
    ["a broken length", { ContentLength: 1.5 }, "body"],
    ["a length as text", { ContentLength: "1" }, "body"],
    ["more than GCM can seal", { Body: chunks(), ContentLength: MOST + 1 }, "too-large"],
    ["a body that is none", { Body: {} }, "body"],
  ])("refuses %s before KMS is asked, and sends nothing", async (_, input, problem) => {
    const fresh = new World();
    const put = fresh.send("PutObject", { Bucket: "bucket", Key: "k", Body: "x", ...input });
    await expect(put).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_ENVELOPE_REFUSED", problem });
    expect(fresh.requests).toEqual([]);
    expect(fresh.keyring.calls).toEqual([]);
    expect(fresh.events).toEqual([{ kind: "failed", phase: "crypto", errorType: "EnvelopeRefusedError" }]);
  });

  it("takes the metadata of an opened object without the envelope's names, and says so of the whole", async () => {
    const fresh = new World();
    await fresh.put("k", "dear Ada", { Metadata: { color: "red" } });
    const { Metadata } = await fresh.get("k");
    await expect(fresh.put("k", "dear Bob", { Metadata })).rejects.toMatchObject({
      problem: "caller-metadata",
      message:
        'Metadata names "x-amz-c", which belongs to the envelope: objects that were opened carry such names in their ' +
        'Metadata. Keep only your own, those that don\'t begin with "x-amz-": the envelope is written for you. To move a ' +
        "sealed object as it is, use CopyObject. Nothing was sent.",
    });
    const own = Object.entries(Metadata as object).filter(([name]) => !name.startsWith("x-amz-"));
    expect(own).toEqual([["color", "red"]]);
    await fresh.put("k", "dear Bob", { Metadata: Object.fromEntries(own) });
    expect(String(await fresh.read("k"))).toBe("dear Bob");
  });

  it.each([V3_NAMES, V1_V2_NAMES, HINT_NAMES].flatMap((names) => Object.values(names)))(
    "leaves out %s by how the name begins",
    (name) => {
      expect(name).toMatch(/^x-amz-/);
    },
  );

  it("says what to do about a checksum of the plaintext", async () => {
    const put = world.put("k", "x", { ChecksumSHA256: "x" });
    await expect(put).rejects.toThrow(
      "ChecksumSHA256 of this PutObject describes the plaintext, but S3 checks and stores it for what is sent",
    );
  });

  it("lets pass what chooses a checksum, and members without a value", async () => {
    await world.put("k", "x", {
      ChecksumAlgorithm: "SHA256",
      ChecksumCRC32: undefined,
      ContentMD5: undefined,
      WriteOffsetBytes: undefined,
      ContentLength: undefined,
      Metadata: undefined,
    });
    expect(world.requests[0]?.input["ChecksumAlgorithm"]).toBe("SHA256");
    await world.put("k", "x", { ContentLength: 1 });
    await world.put("k", "", { ContentLength: 0 });
    await world.put("k", "x", { ContentLength: null });
    expect(String(await world.read("k"))).toBe("x");
  });

  it("takes a declared length up to the limit", async () => {
    const put = world.put("k", chunks("1"), { ContentLength: MOST });
    await expect(put).rejects.toMatchObject({ problem: "body" });
    expect(world.requests[0]?.input["ContentLength"]).toBe(MOST + 16);
    expect(MOST).toBe(64 * GIB - 32);
  });

  it("checks the sum of the metadata again when KMS has answered with a long blob", async () => {
    const keyring = fakeKeyring();
    const generate: typeof keyring.generate = async (...args) => ({
      ...(await keyring.generate(...args)),
      blob: new Uint8Array(1500),
    });
    const fresh = new World({ keyring: { ...keyring, generate } });
    await expect(fresh.put("k", "x")).rejects.toMatchObject({ problem: "metadata-budget" });
    expect(keyring.calls).toEqual(["generate"]);
    expect(fresh.requests).toEqual([]);
  });

  it("refuses a key that seals nothing", async () => {
    const keyring = fakeKeyring();
    const generate: typeof keyring.generate = async (...args) => ({
      ...(await keyring.generate(...args)),
      plaintext: new Uint8Array(32),
    });
    const fresh = new World({ keyring: { ...keyring, generate } });
    await expect(fresh.put("k", "x")).rejects.toMatchObject({ name: expect.any(String) });
    expect(fresh.requests).toEqual([]);
  });

  it("counts bytes of unknown length against the bucket key", async () => {
    const fresh = new World({ maxBytes: 4 });
    await fresh.put("a", chunks("12345"));
    await fresh.put("b", "1");
    expect(fresh.keyring.calls).toEqual(["generate", "generate"]);
    const known = new World({ maxBytes: 10 });
    await known.put("a", chunks("12345"), { ContentLength: 5 });
    await known.put("b", "12345");
    expect(known.keyring.calls).toEqual(["generate"]);
  });

  it("can't be presigned", async () => {
    const put = world.send("PutObject", { Bucket: "bucket", Key: "k" }, { presigning: true });
    await expect(put).rejects.toMatchObject({ problem: "unsupported-operation" });
    expect(world.requests).toEqual([]);
  });

  it("stays plain where the place unseals, presigned or not", async () => {
    await world.send("PutObject", { Bucket: "bucket", Key: "k", Body: "plain" }, { place: "unseal" });
    expect(String(world.stored("k").bytes)).toBe("plain");
    await world.send("PutObject", { Bucket: "bucket", Key: "k" }, { place: "unseal", presigning: true });
    expect(world.keyring.calls.length).toBeLessThan(3);
  });
});

describe("metadata that isn't text", () => {
  it.each([5, true, undefined, null, 5n, new Date(0)])("is the SDK's to write: %s", async (value) => {
    const world = new World();
    await world.put("k", "x", { Metadata: { value, other: "o" } });
    expect(world.requests[0]?.input["Metadata"]).toMatchObject({ value, other: "o", "x-amz-c": "115" });
    expect(String(await world.read("k"))).toBe("x");
  });

  it("counts as the text that the SDK makes of it", async () => {
    const world = new World();
    const long = { toString: () => "x".repeat(1642) };
    await world.put("k", "x", { Metadata: { long } });
    const longer = { toString: () => "x".repeat(1643) };
    await expect(world.put("k", "x", { Metadata: { long: longer } })).rejects.toMatchObject({
      problem: "metadata-budget",
    });
    const none = { toString: () => expect.fail("none") };
    await expect(world.put("k", "x", { Metadata: { none } })).rejects.toMatchObject({
      problem: "caller-metadata",
      message: `Metadata's "none" can't be made text: give a string. Nothing was sent.`,
    });
  });
});

describe("what a place decides", () => {
  it("chooses keyring, context and partition", async () => {
    const keyrings = { blue: fakeKeyring("blue"), red: fakeKeyring("red") };
    const places: unknown[] = [];
    const world = new World({
      keyring: (place) => {
        places.push(place);
        return place.key.startsWith("red") ? keyrings.red : keyrings.blue;
      },
      encryptionContext: ({ key }) => ({ first: key.slice(0, 1) }),
      partition: ({ key }) => key,
    });
    for (const key of ["red", "blue", "brown", "blue"]) await world.put(key, key);
    expect(keyrings.red.calls).toEqual(["generate"]);
    expect(keyrings.blue.calls).toEqual(["generate", "generate"]);
    expect(places[0]).toEqual({ operation: "PutObject", bucket: "bucket", key: "red" });
    expect(world.stored("red").metadata["x-amz-t"]).toBe('{"first":"r","aws:x-amz-cek-alg":"115"}');
    expect(String(await world.read("brown"))).toBe("brown");
  });

  it("refuses a place without a keyring", async () => {
    const world = new World({ keyring: () => undefined as never });
    await expect(world.put("k", "x")).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_SETUP" });
    expect(world.events).toEqual([{ kind: "failed", phase: "crypto", errorType: "BucketKeySetupError" }]);
  });

  it("checks what a function gives as context", async () => {
    const world = new World({ encryptionContext: () => ({ "aws:x-amz-cek-alg": "1" }) });
    await expect(world.put("k", "x")).rejects.toMatchObject({ problem: "encryption-context" });
  });

  it.each([
    ["bucket", "arn:aws:s3:::bucket"],
    ["arn:aws:s3:eu-west-1:111122223333:accesspoint/ap", "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap"],
  ])("binds the bucket %s as %s, beside the caller's context", async (Bucket, bound) => {
    const world = new World({ bindBucket: true, encryptionContext: { tenant: "blue" } });
    await world.put("k", "x", { Bucket });
    expect(JSON.parse(String(world.stored("k").metadata["x-amz-t"]))).toEqual({
      tenant: "blue",
      "s3-bucket": bound,
      "aws:x-amz-cek-alg": "115",
    });
    expect(String(await world.read("k", { Bucket }))).toBe("x");
  });

  it.each([
    ["arn:aws-cn:kms:cn-north-1:111122223333:key/k", "arn:aws-cn:s3:::bucket"],
    ["arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/a", "arn:aws-us-gov:s3:::bucket"],
    ["arn:aws:kms:eu-west-1:111122223333:key/k", "arn:aws:s3:::bucket"],
    ["alias/arn:aws-cn:x", "arn:aws:s3:::bucket"],
    ["1234abcd", "arn:aws:s3:::bucket"],
  ])("binds a bucket in the partition of the KMS key %s", async (keyId, bound) => {
    const keyring = fakeKeyring(keyId);
    for (const given of [keyring, () => keyring]) {
      const world = new World({ bindBucket: true, keyring: given });
      await world.put("k", "x");
      expect(JSON.parse(String(world.stored("k").metadata["x-amz-t"]))).toMatchObject({ "s3-bucket": bound });
      expect(String(await world.read("k"))).toBe("x");
    }
  });

  it("fails as KMS failed, told once", async () => {
    const keyring = { ...fakeKeyring(), generate: () => Promise.reject(new Error("no network")) };
    const world = new World({ keyring });
    await expect(world.put("k", "x")).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_KMS" });
    expect(world.told()).toEqual([{ kind: "failed", phase: "kms", errorType: expect.any(String) }]);
  });
});
