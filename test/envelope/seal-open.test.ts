import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { describe, expect, it } from "vitest";
import { BucketKeySetupError } from "../../src/errors.ts";
import { envelope } from "../../src/envelope/envelope.ts";
import { NotSealedError, open, seal, type StreamBody } from "../../src/envelope/index.ts";
import type { EnvelopeOptions } from "../../src/envelope/options.ts";
import { bytesOf, fakeKeyring } from "./world.ts";

const keyring = fakeKeyring();
const sealerOf = (options: Partial<EnvelopeOptions> = {}): ReturnType<typeof envelope> =>
  envelope({ keyring, ...options });
const sealer = sealerOf();

const reversed = Readable.from([Buffer.from("dear "), Buffer.from("Ada")]);

describe("seal and open", () => {
  it.each<[string, string | Buffer | ArrayBuffer]>([
    ["text", "dear Ada"],
    ["a Buffer", Buffer.from("dear Ada")],
    ["an ArrayBuffer", new Uint8Array(Buffer.from("dear Ada")).buffer],
  ])("give bytes for %s", async (_, plain) => {
    const { body, metadata } = await seal(sealer, plain);
    expect(body).toBeInstanceOf(Uint8Array);
    expect(body.length).toBe(24);
    expect(metadata).toMatchObject({ "x-amz-c": "115", "x-amz-w": "12" });
    const opened = await open(sealer, body, metadata);
    expect(opened).toBeInstanceOf(Uint8Array);
    expect(String(Buffer.from(opened))).toBe("dear Ada");
  });

  it.each<[string, () => StreamBody]>([
    ["a Node stream", () => Readable.from([Buffer.from("dear "), Buffer.from("Ada")])],
    ["a web stream", () => new Blob(["dear Ada"]).stream() as ReadableStream<Uint8Array>],
    ["a Blob", () => new Blob(["dear Ada"])],
  ])("give a stream for %s", async (_, plain) => {
    const { body, metadata } = await seal(sealer, plain());
    expect(body).toBeInstanceOf(Readable);
    const opened = await open(sealer, body, metadata);
    expect(opened).toBeInstanceOf(Readable);
    expect(String(await bytesOf(opened))).toBe("dear Ada");
  });

  it("seal a stream as it is read, and fail with it", async () => {
    const source = Readable.from(
      (function* () {
        yield Buffer.from("x");
        throw new Error("source is gone");
      })(),
    );
    const { body } = await seal(sealer, source);
    await expect(bytesOf(body)).rejects.toThrow("source is gone");
  });

  it("count a stream's bytes against the bucket key", async () => {
    const own = fakeKeyring();
    const limited = envelope({ keyring: own, maxBytes: 4 });
    await bytesOf((await seal(limited, Readable.from(["12345"]))).body);
    await seal(limited, "x");
    expect(own.calls).toEqual(["generate", "generate"]);
    const exact = envelope({ keyring: own, maxBytes: 10 });
    await bytesOf((await seal(exact, new Blob(["12345"]))).body);
    await seal(exact, "12345");
    expect(own.calls).toEqual(["generate", "generate", "generate"]);
  });

  it("use the place and the context that they are given", async () => {
    const places: unknown[] = [];
    const bound = sealerOf({
      bindBucket: true,
      encryptionContext: { tenant: "blue" },
      partition: (place) => {
        places.push(place);
        return "";
      },
    });
    const at = { bucket: "bucket", key: "k", encryptionContext: { tenant: "red" } };
    const { body, metadata } = await seal(bound, "x", at);
    expect(JSON.parse(String(metadata["x-amz-t"]))).toEqual({
      tenant: "red",
      "s3-bucket": "arn:aws:s3:::bucket",
      "aws:x-amz-cek-alg": "115",
    });
    expect(String(Buffer.from(await open(bound, body, metadata, at)))).toBe("x");
    expect(places).toEqual([
      { operation: "PutObject", bucket: "bucket", key: "k" },
      { operation: "GetObject", bucket: "bucket", key: "k" },
    ]);
    await expect(open(bound, body, metadata, { bucket: "bucket" })).rejects.toMatchObject({
      code: "ERR_BUCKET_KEY_INTEGRITY",
    });
    await expect(seal(bound, "x")).rejects.toMatchObject({ problem: "encryption-context" });
    await expect(open(bound, body, metadata)).rejects.toMatchObject({ problem: "encryption-context" });
    await expect(
      open(sealer, body, metadata, { encryptionContext: { a: 1 as never } }),
    ).rejects.toMatchObject({
      problem: "encryption-context",
    });
  });

  it("are of no bucket and no key where none is given", async () => {
    const places: unknown[] = [];
    const keyed = sealerOf({
      keyring: (place) => {
        places.push(place);
        return keyring;
      },
    });
    const { body, metadata } = await seal(keyed, "x");
    await open(keyed, body, metadata);
    expect(places).toEqual([
      { operation: "PutObject", bucket: "", key: "" },
      { operation: "GetObject", bucket: "", key: "" },
    ]);
  });

  it("refuse a slip in the name of an option: nothing is sealed without the context that was given", async () => {
    const slip = { encryptionContxt: { tenant: "blue" } } as object;
    const says =
      'has no option "encryptionContxt": it has bucket, key, encryptionContext. Did you mean encryptionContext?';
    await expect(seal(sealer, "x", slip)).rejects.toThrow(new BucketKeySetupError(`seal ${says}`));
    const { body, metadata } = await seal(sealer, "x");
    await expect(open(sealer, body, metadata, slip)).rejects.toThrow(new BucketKeySetupError(`open ${says}`));
    const stream = Readable.from([body]);
    await expect(open(sealer, stream, metadata, slip)).rejects.toThrow(BucketKeySetupError);
    expect(stream.destroyed).toBe(true);
  });

  it.each([null, "bucket", ["bucket"]])("take an object of options, which %j is not", async (options) => {
    await expect(seal(sealer, "x", options as never)).rejects.toThrow(
      new BucketKeySetupError(
        "seal takes its options as an object: seal(sealer, body, { bucket, key, encryptionContext }).",
      ),
    );
    await expect(open(sealer, "x", {}, options as never)).rejects.toThrow(
      new BucketKeySetupError(
        "open takes its options as an object: open(sealer, body, metadata, { bucket, key, encryptionContext }).",
      ),
    );
  });

  it.each([undefined, null])("take no %s for a body: it would be sealed as an empty one", async (body) => {
    const says = (fate: string): object => ({
      problem: "body",
      message: expect.stringMatching(
        `^There is no body to be ${fate}: it is ${String(body)}[.] Give "" for an empty one[.] Give a string, Buffer`,
      ),
    });
    await expect(seal(sealer, body as never)).rejects.toMatchObject(says("sealed"));
    const { body: empty, metadata } = await seal(sealer, "");
    expect(empty.length).toBe(16);
    expect((await open(sealer, empty, metadata)).length).toBe(0);
    await expect(open(sealer, body as never, metadata)).rejects.toMatchObject(says("opened"));
  });

  it("say of a body that can't be opened just that, and of a whole sealed object which parts to give", async () => {
    const sealed = await seal(sealer, "dear Ada");
    await expect(open(sealer, sealed as never, sealed.metadata)).rejects.toMatchObject({
      problem: "body",
      message: expect.stringMatching(
        /^A body of type Object can't be opened\. Of what seal\(\) gave, give the parts: open\(sealer, sealed\.body, sealed\.metadata\)\. Give /,
      ),
    });
    for (const odd of [1, { body: sealed.body }, { metadata: sealed.metadata }]) {
      await expect(open(sealer, odd as never, sealed.metadata)).rejects.toMatchObject({
        problem: "body",
        message: expect.stringMatching(/^A body of type \w+ can't be opened\. Give a string, /),
      });
    }
    const ofNumbers = Readable.from([1, 2]);
    await expect(open(sealer, ofNumbers, sealed.metadata)).rejects.toMatchObject({
      problem: "body",
      message: expect.stringMatching(/^A chunk of type Number can't be opened\. Give /),
    });
  });

  it("open nothing that is plain, damaged or altered", async () => {
    const { body, metadata } = await seal(sealer, "dear Ada");
    await expect(open(sealer, body, {})).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_NOT_SEALED" });
    await expect(open(sealer, body, undefined)).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_NOT_SEALED" });
    const { "x-amz-d": _, ...damaged } = metadata;
    await expect(open(sealer, body, damaged)).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
    const altered = Uint8Array.from(body, (byte, at) => (at === 0 ? byte ^ 1 : byte));
    await expect(open(sealer, altered, metadata)).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
    await expect(open(sealer, Readable.from([altered]), metadata)).rejects.toMatchObject({
      code: "ERR_BUCKET_KEY_INTEGRITY",
    });
  });

  it.each<[unknown, RegExp]>([
    [
      undefined,
      /it is empty\. Give what seal\(\) gave as metadata, or the object's user metadata: the Metadata of/,
    ],
    [null, /it is empty\. Give/],
    [{}, /it is empty\. Give/],
    [
      { "x-amz-meta-x-amz-c": "115" },
      /names in it begin with x-amz-meta-\. Take that off: names are to be as seal/,
    ],
    [
      { "content-type": "text/plain", "X-Amz-Meta-X-Amz-C": "115" },
      /names in it begin with x-amz-meta-\. Take/,
    ],
    [
      { note: "x-amz-meta-" },
      /no name in it is one of an envelope's\. Either it isn't this object's user metadata,/,
    ],
    [{ "not-x-amz-meta-x-amz-c": "115" }, /no name in it is one of an envelope's\./],
  ])(
    "say of metadata without an envelope what is wrong with it, not with a policy: %j",
    async (given, says) => {
      const { body } = await seal(sealer, "x");
      const opened = open(sealer, body, given as Record<string, string>);
      await expect(opened).rejects.toBeInstanceOf(NotSealedError);
      await expect(opened).rejects.toThrow(
        /^The metadata given to open\(\) has no envelope, so nothing was released: /,
      );
      await expect(opened).rejects.toThrow(says);
    },
  );

  it("end a stream that isn't opened", async () => {
    await expect(open(sealer, reversed, {})).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_NOT_SEALED" });
    expect(reversed.destroyed).toBe(true);
  });

  it("hold a stream up to the buffer, but open bytes of any length", async () => {
    const small = sealerOf({ verifiedBufferBytes: 16, release: "twoPass" });
    const { body, metadata } = await seal(small, "x".repeat(17));
    await expect(open(small, Readable.from([body]), metadata)).rejects.toMatchObject({
      problem: "buffer-limit",
    });
    expect(String(Buffer.from(await open(small, body, metadata)))).toBe("x".repeat(17));
  });

  it("stream plaintext before it's verified only under that name", async () => {
    const delayed = sealerOf({ release: "delayedAuthentication" });
    const plain = Buffer.alloc(200_000, "x");
    const { body, metadata } = await seal(delayed, plain);
    expect((await bytesOf(await open(delayed, Readable.from([body]), metadata))).equals(plain)).toBe(true);
    const altered = Uint8Array.from(body, (byte, at) => (at === body.length - 1 ? byte ^ 1 : byte));
    const opened = await open(
      delayed,
      Readable.from([altered.subarray(0, 100_000), altered.subarray(100_000)]),
      metadata,
    );
    await expect(bytesOf(opened)).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
  });

  it("end the sealed stream with the opened one", async () => {
    const delayed = sealerOf({ release: "delayedAuthentication" });
    const { body, metadata } = await seal(delayed, Buffer.alloc(200_000));
    const source = Readable.from([body.subarray(0, 100_000), body.subarray(100_000)]);
    (await open(delayed, source, metadata)).destroy();
    await new Promise((resolve) => setImmediate(resolve));
    expect(source.destroyed).toBe(true);
  });

  it("take only what envelope() gave, and nothing once that is closed", async () => {
    await expect(seal({} as never, "x")).rejects.toMatchObject({
      code: "ERR_BUCKET_KEY_SETUP",
      message: "seal and open take what envelope(options) gives as their first argument.",
    });
    await expect(open({} as never, "x", {})).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_SETUP" });
    const closed = sealerOf();
    await closed.close();
    await expect(seal(closed, "x")).rejects.toMatchObject({ problem: "closed" });
  });
});
