import { Readable } from "node:stream";
import { afterEach, describe, expect, it, vi } from "vitest";
import { V3, V3_RAW_KEY, without } from "./envelope-samples.ts";
import { watchMemory } from "./memory.ts";
import { bytesOf, etagOf, fakeKeyring, lacking, s3Error, World } from "./world.ts";

afterEach(() => void vi.restoreAllMocks());

const MIB = 2 ** 20;

/** Until streams that were destroyed have said so. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("GetObject of a sealed object", () => {
  it("gives the plaintext with its length, the SDK's methods, and the rest as S3 said it", async () => {
    const world = new World();
    world.spoil = (output) => ({ ...output, ChecksumCRC32: "of the ciphertext", ContentType: "text/plain" });
    await world.put("k", "dear Ada", { Metadata: { color: "red" } });
    world.events.length = 0;
    const output = await world.get("k");
    expect(output).toMatchObject({
      ContentLength: 8,
      ETag: etagOf(world.stored("k").bytes),
      ChecksumCRC32: "of the ciphertext",
      ContentType: "text/plain",
      Metadata: { color: "red", "x-amz-c": "115" },
    });
    const body = output["Body"] as { transformToString(): Promise<string> };
    expect(await body.transformToString()).toBe("dear Ada");
    expect(world.told()).toEqual([{ kind: "io", direction: "open", bytes: 8 }]);
  });

  it("keeps the raw response and the caller's conditions", async () => {
    const world = new World();
    await world.put("k", "x");
    const input = { Bucket: "bucket", Key: "k", IfMatch: etagOf(world.stored("k").bytes), VersionId: "v" };
    const result = await world.send("GetObject", input);
    expect(result.response).toEqual({ statusCode: 200 });
    expect(world.requests.at(-1)?.input).toEqual(input);
  });

  it.each([0, 1, 15, 16, 17, 65_535, 65_536, 65_537])("opens %i bytes", async (bytes) => {
    const world = new World();
    const plain = Buffer.alloc(bytes, "xyz");
    await world.put("k", plain);
    expect((await world.read("k")).equals(plain)).toBe(true);
  });

  it("makes a web stream of a web stream", async () => {
    const world = new World();
    await world.put("k", "dear Ada");
    world.spoil = (output) => ({ ...output, Body: Readable.toWeb(output["Body"] as Readable) });
    const { Body } = await world.get("k");
    expect(Body).toBeInstanceOf(ReadableStream);
    expect(String(await bytesOf(Body))).toBe("dear Ada");
  });

  it("holds no key any more once the key was evicted and the body read", async () => {
    const world = new World();
    await world.put("k", "dear Ada");
    world.sealer.evict();
    let key = Buffer.alloc(0);
    const unwrap = world.keyring.unwrap.bind(world.keyring);
    world.keyring.unwrap = async (...ask) => {
      const unwrapped = await unwrap(...ask);
      key = Buffer.from(unwrapped);
      return unwrapped;
    };
    const keys = watchMemory((memory) => key.length > 0 && key.equals(memory));
    expect(String(await world.read("k"))).toBe("dear Ada");
    world.sealer.evict();
    expect(keys.length).toBeGreaterThan(0);
    for (const memory of keys) expect(memory).toEqual(new Uint8Array(32));
  });

  it("passes S3's own error", async () => {
    const world = new World();
    await expect(world.get("missing")).rejects.toThrow("NoSuchKey");
    expect(world.told()).toEqual([]);
  });

  it("asks KMS once for one bucket key", async () => {
    const world = new World();
    for (const key of ["a", "b", "c"]) await world.put(key, key);
    await Promise.all(["a", "b", "c"].map((key) => world.read(key)));
    expect(world.keyring.calls).toEqual(["generate", "unwrap"]);
  });
});

/** A world with a sealed object, of which nothing was told yet. */
async function sealed(): Promise<World> {
  const world = new World();
  await world.put("k", "dear Ada");
  world.events.length = 0;
  return world;
}

describe("what the place lets an object be", () => {
  it.each(["seal", "unseal"] as const)("a sealed object opens where the place says %s", async (place) => {
    const world = await sealed();
    expect(String(await world.read("k", {}, { place }))).toBe("dear Ada");
  });

  it("a plain object is refused where bodies are sealed, and its body is destroyed", async () => {
    const world = new World();
    world.store("k", Buffer.from("plain"), { color: "red" });
    await expect(world.get("k")).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_NOT_SEALED" });
    expect(world.bodies[0]?.destroyed).toBe(true);
    expect(world.told()).toEqual([{ kind: "failed", phase: "crypto", errorType: "NotSealedError" }]);
  });

  it("a plain object passes as it is where the place unseals, and is counted", async () => {
    const world = new World();
    world.store("k", Buffer.from("plain"));
    const output = await world.get("k", {}, { place: "unseal" });
    expect(output["Body"]).toBe(world.bodies[0]);
    expect(output["ContentLength"]).toBe(5);
    expect(world.events).toEqual([{ kind: "plain-read" }]);
  });

  const damaged: readonly [string, (output: Record<string, unknown>) => Record<string, unknown>][] = [
    ["some of an envelope", (output) => ({ ...output, Metadata: without(V3, "x-amz-d") })],
    ["metadata that S3 holds back", (output) => ({ ...output, MissingMeta: 1 })],
    ["a part where all was asked for", (output) => ({ ...output, ContentRange: "bytes 0-23/24" })],
    ["status 206", (output) => ({ ...output, $metadata: { httpStatusCode: 206 } })],
  ];
  it.each(
    damaged.flatMap(([what, spoil]) =>
      (["seal", "unseal"] as const).map((place) => [what, place, spoil] as const),
    ),
  )("%s is refused where the place says %s", async (_, place, spoil) => {
    const world = await sealed();
    world.spoil = spoil;
    await expect(world.get("k", {}, { place })).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
    await settled();
    expect(world.bodies[0]?.destroyed).toBe(true);
    expect(world.told()).toEqual([{ kind: "failed", phase: "crypto", errorType: "EnvelopeIntegrityError" }]);
  });

  it("metadata that S3 holds back spoils a plain object too", async () => {
    const world = new World();
    world.store("k", Buffer.from("plain"));
    world.spoil = (output) => ({ ...output, MissingMeta: 2 });
    await expect(world.get("k", {}, { place: "unseal" })).rejects.toMatchObject({
      code: "ERR_BUCKET_KEY_INTEGRITY",
    });
  });

  it("an answer that tells nothing of its request is no harm", async () => {
    const world = await sealed();
    world.spoil = (output) => lacking(output, "$metadata");
    expect(String(await world.read("k"))).toBe("dear Ada");
  });

  it("none held back is no harm", async () => {
    const world = await sealed();
    world.spoil = (output) => ({ ...output, MissingMeta: 0 });
    expect(String(await world.read("k"))).toBe("dear Ada");
  });

  it("an answer without a body passes", async () => {
    const world = await sealed();
    world.spoil = () => ({ ETag: "x" });
    expect(await world.get("k")).toEqual({ ETag: "x" });
    const result = await world.send(
      "GetObject",
      { Key: "k" },
      { next: async () => ({ response: 1, output: undefined }) },
    );
    expect(result).toEqual({ response: 1, output: undefined });
  });

  it("an object under a raw key is refused by name", async () => {
    const world = new World();
    world.store("k", Buffer.alloc(16), V3_RAW_KEY);
    await expect(world.get("k")).rejects.toMatchObject({
      problem: "unsupported-wrap",
      message:
        "The object's data key is wrapped with AES/GCM under a raw key, which only the official clients open. Nothing " +
        "was released.",
    });
  });

  it.each([
    ["another context", { tenant: "red" }],
    ["no context", {}],
    ["more context", { tenant: "blue", more: "" }],
  ])("an object is refused under %s before KMS is asked", async (_, encryptionContext) => {
    const writer = new World({ encryptionContext: { tenant: "blue" } });
    await writer.put("k", "x");
    const keyring = fakeKeyring();
    const reader = new World({ keyring, encryptionContext });
    reader.objects.set("bucket/k", writer.stored("k"));
    await expect(reader.get("k")).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
    expect(keyring.calls).toEqual([]);
  });

  it("a wrapped key that KMS rejects is an integrity error, told once", async () => {
    const writer = new World();
    await writer.put("k", "x");
    const reader = new World({ keyring: fakeKeyring() });
    reader.objects.set("bucket/k", writer.stored("k"));
    await expect(reader.get("k")).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
    expect(reader.told()).toHaveLength(1);
  });
});

describe("presigning", () => {
  it.each(["seal", "unseal"] as const)("passes where nothing comes back: place %s", async (place) => {
    const world = new World();
    const presigned = { presigned: {}, $metadata: { httpStatusCode: 200 } };
    world.store("k", Buffer.from("sealed"));
    world.spoil = () => presigned;
    const output = await world.get("k", { Range: "bytes=0-1", PartNumber: 1 }, { place, presigning: true });
    expect(output).toBe(presigned);
  });

  it("opens a body that comes back all the same", async () => {
    const world = new World();
    await world.put("k", "dear Ada");
    expect(String(await world.read("k", {}, { presigning: true }))).toBe("dear Ada");
  });

  it.each([
    ["range", { Range: "bytes=0-1" }],
    ["part-number", { PartNumber: 1 }],
  ])("refuses a %s that comes back all the same", async (problem, input) => {
    const world = new World({ ranges: "verified" });
    await world.put("k", "dear Ada");
    await expect(world.get("k", input, { presigning: true })).rejects.toMatchObject({ problem });
    expect(world.bodies[0]?.destroyed).toBe(true);
  });
});

describe("PartNumber and, by default, Range", () => {
  it.each([
    [
      "part-number",
      { PartNumber: 1 },
      "PartNumber reads a part of what is stored, which can't be verified by itself: leave it out, or give Range with " +
        'the option ranges: "verified". Nothing was released.',
    ],
    [
      "range",
      { Range: "bytes=0-1" },
      'A range of a sealed object is only released verified: give envelope() the option ranges: "verified", or leave ' +
        "Range out. Nothing was released.",
    ],
  ])("are refused where bodies are sealed, before anything is sent: %s", async (problem, input, message) => {
    const world = new World();
    await expect(world.get("k", input)).rejects.toMatchObject({ problem, message });
    expect(world.requests).toEqual([]);
  });

  it.each([
    ["part-number", { PartNumber: 1 }],
    ["range", { Range: "bytes=0-1" }],
  ])("are refused where a sealed object is found: %s", async (problem, input) => {
    const world = new World();
    await world.put("k", "dear Ada");
    await expect(world.get("k", input, { place: "unseal" })).rejects.toMatchObject({ problem });
    expect(world.bodies[0]?.destroyed).toBe(true);
  });

  it("pass of a plain object where such may be", async () => {
    const world = new World();
    world.store("k", Buffer.from("plain"));
    expect(String(await world.read("k", { Range: "bytes=1-2" }, { place: "unseal" }))).toBe("la");
    expect(String(await world.read("k", { PartNumber: 1 }, { place: "unseal" }))).toBe("plain");
    expect(world.events).toEqual([{ kind: "plain-read" }, { kind: "plain-read" }]);
  });

  it("are none without a value", async () => {
    const world = new World();
    await world.put("k", "dear Ada");
    expect(String(await world.read("k", { Range: undefined, PartNumber: null }))).toBe("dear Ada");
  });
});

describe("release: verified", () => {
  it("holds no more than the buffer, whatever S3 says of the length", async () => {
    const world = new World({ verifiedBufferBytes: 1000 });
    await world.put("fits", Buffer.alloc(1000));
    await world.put("large", Buffer.alloc(1001));
    expect((await world.read("fits")).length).toBe(1000);
    await expect(world.get("large")).rejects.toMatchObject({ problem: "buffer-limit" });
    expect(world.bodies[1]?.destroyed).toBe(true);
    world.spoil = (output) => ({ ...output, ContentLength: undefined });
    expect((await world.read("fits")).length).toBe(1000);
    await expect(world.get("large")).rejects.toMatchObject({
      problem: "buffer-limit",
      message:
        "The object holds more than 1000 bytes, which is all that is held in memory until it's verified " +
        '(verifiedBufferBytes). Give envelope() the option release: "twoPass", which reads larger objects twice, or a ' +
        "larger verifiedBufferBytes. Nothing was released.",
    });
  });

  it("stops reading where a body outgrows the length that S3 said", async () => {
    const world = new World();
    world.chunkBytes = 1000;
    await world.put("k", Buffer.alloc(MIB));
    world.spoil = (output) => ({ ...output, ContentLength: 5000 });
    await expect(world.get("k")).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
    await settled();
    expect(world.bodies[0]?.destroyed).toBe(true);
  });

  it("lets bodies wait for room in the budget, and gives it back", async () => {
    // 16 KiB and a byte with the tag: the least that counts.
    const { statuses, most } = await readThreeAtOnce(16 * 1024 - 15);
    expect(statuses).toEqual(["rejected", "fulfilled", "fulfilled"]);
    expect(most).toBe(1);
  });

  it("lets small bodies wait for nobody", async () => {
    const { statuses, most } = await readThreeAtOnce(16 * 1024 - 16);
    expect(statuses).toEqual(["rejected", "fulfilled", "fulfilled"]);
    expect(most).toBe(3);
  });

  it("stops reading a small body where it outgrows the length that S3 said", async () => {
    const world = new World();
    world.chunkBytes = 1000;
    await world.put("k", Buffer.alloc(4000));
    world.spoil = (output) => ({ ...output, ContentLength: 2000 });
    await expect(world.get("k")).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
    await settled();
    expect(world.bodies[0]?.destroyed).toBe(true);
  });
});

/** Objects of so many bytes, the first of them altered, where the budget has room for one; most: read at a time. */
async function readThreeAtOnce(
  bytes: number,
): Promise<{ readonly statuses: readonly string[]; readonly most: number }> {
  const world = new World({ bufferBudgetBytes: bytes + 50 });
  for (const key of ["a", "b", "c"]) await world.put(key, Buffer.alloc(bytes));
  const spoiled = world.stored("a");
  spoiled.bytes[0]! ^= 1;
  let under = 0;
  let most = 0;
  world.spoil = (output) => {
    const source = output["Body"] as Readable;
    const Body = (async function* () {
      most = Math.max(most, ++under);
      await settled();
      yield* source;
      under--;
    })();
    return { ...output, Body };
  };
  const reads = await Promise.allSettled(["a", "b", "c"].map((key) => world.read(key)));
  return { statuses: reads.map(({ status }) => status), most };
}

describe("release: delayedAuthentication", () => {
  it("gives plaintext before the end, and its length as S3 says it", async () => {
    const world = new World({ release: "delayedAuthentication" });
    const plain = Buffer.alloc(3 * MIB, "xyz");
    await world.put("k", plain);
    world.events.length = 0;
    const output = await world.get("k");
    expect(output["ContentLength"]).toBe(plain.length);
    expect(world.events.filter(({ kind }) => kind === "io")).toEqual([]);
    expect((await bytesOf(output["Body"])).equals(plain)).toBe(true);
    expect(world.told()).toEqual([{ kind: "io", direction: "open", bytes: plain.length }]);
    for (const spoil of [
      (answer: Record<string, unknown>) => lacking(answer, "ContentLength"),
      (answer: Record<string, unknown>) => ({ ...answer, ContentLength: null }),
    ]) {
      world.spoil = spoil;
      expect((await world.get("k"))["ContentLength"]).toBeUndefined();
    }
  });

  it("ends in the error when the body was altered, which is told", async () => {
    const world = new World({ release: "delayedAuthentication" });
    await world.put("k", Buffer.alloc(MIB));
    world.stored("k").bytes[100]! ^= 1;
    world.events.length = 0;
    const { Body } = await world.get("k");
    await expect(bytesOf(Body)).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
    expect(world.told()).toEqual([{ kind: "failed", phase: "crypto", errorType: "EnvelopeIntegrityError" }]);
  });

  it("is over at once where not even a tag is stored", async () => {
    const world = new World({ release: "delayedAuthentication" });
    await world.put("k", "");
    expect((await world.get("k"))["ContentLength"]).toBe(0);
    world.stored("k").bytes = world.stored("k").bytes.subarray(0, 15);
    await expect(world.get("k")).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
    expect(world.bodies[1]?.destroyed).toBe(true);
  });

  it("ends S3's body with its own", async () => {
    const world = new World({ release: "delayedAuthentication" });
    await world.put("k", Buffer.alloc(MIB));
    ((await world.get("k"))["Body"] as Readable).destroy();
    await settled();
    expect(world.bodies[0]?.destroyed).toBe(true);
  });
});

describe("release: twoPass", () => {
  const large = Buffer.alloc(2 * MIB + 5, "xyz");
  const twoPass = async (): Promise<World> => {
    const world = new World({ release: "twoPass", verifiedBufferBytes: 1000 });
    await world.put("k", large);
    world.requests.length = world.events.length = 0;
    return world;
  };

  it("reads a large object twice, the second time pinned to the version", async () => {
    const world = await twoPass();
    world.spoil = (output) => ({ ...output, VersionId: "v1" });
    const output = await world.get("k");
    expect(output["ContentLength"]).toBe(large.length);
    expect(world.requests.map(({ input }) => input)).toEqual([
      { Bucket: "bucket", Key: "k" },
      { Bucket: "bucket", Key: "k", IfMatch: etagOf(world.stored("k").bytes), VersionId: "v1" },
    ]);
    expect((await bytesOf(output["Body"])).equals(large)).toBe(true);
    expect(world.told()).toEqual([{ kind: "io", direction: "open", bytes: large.length }]);
  });

  it("keeps the caller's own pins where S3 names none", async () => {
    const world = await twoPass();
    world.spoil = (output) => lacking(output, "ETag");
    const IfMatch = etagOf(world.stored("k").bytes);
    expect((await world.read("k", { IfMatch, VersionId: "v" })).equals(large)).toBe(true);
    expect(world.requests[1]?.input).toEqual({ Bucket: "bucket", Key: "k", IfMatch, VersionId: "v" });
  });

  it("reads a small object once", async () => {
    const world = await twoPass();
    await world.put("small", Buffer.alloc(1000));
    world.requests.length = 0;
    expect((await world.read("small")).length).toBe(1000);
    expect(world.requests).toHaveLength(1);
  });

  it("reads an object of unknown length twice", async () => {
    const world = await twoPass();
    world.spoil = (output) => lacking(output, "ContentLength");
    expect((await world.read("k")).equals(large)).toBe(true);
    expect(world.requests).toHaveLength(2);
  });

  it("asks no second time for a body that fails the first pass", async () => {
    const world = await twoPass();
    world.stored("k").bytes[MIB + 3]! ^= 1;
    await expect(world.get("k")).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
    expect(world.requests).toHaveLength(1);
  });

  it("passes S3's error when the object was exchanged in between", async () => {
    const world = await twoPass();
    world.spoil = (output) => {
      world.store("k", Buffer.from("other"));
      return output;
    };
    await expect(world.get("k")).rejects.toThrow("PreconditionFailed");
    expect(world.bodies).toHaveLength(1);
  });

  it("releases an authentic prefix and then the error when the second body is another", async () => {
    const world = await twoPass();
    let answers = 0;
    world.spoil = (output) => {
      if (++answers === 1) return output;
      const { bytes } = world.stored("k");
      const altered = Buffer.from(bytes);
      altered[MIB + 3]! ^= 1;
      return { ...output, Body: world.body(altered) };
    };
    const { Body } = await world.get("k");
    const seen: Uint8Array[] = [];
    const reading = (async () => {
      for await (const chunk of Body as Readable) seen.push(chunk as Uint8Array);
    })();
    await expect(reading).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
    expect(Buffer.concat(seen).equals(large.subarray(0, MIB))).toBe(true);
    expect(world.told().at(-1)).toEqual({
      kind: "failed",
      phase: "crypto",
      errorType: "EnvelopeIntegrityError",
    });
  });

  it("ends the second body with its own", async () => {
    const world = await twoPass();
    ((await world.get("k"))["Body"] as Readable).destroy();
    await settled();
    expect(world.bodies[1]?.destroyed).toBe(true);
  });

  it("has an integrity error for a second answer without a body", async () => {
    const world = await twoPass();
    let answers = 0;
    world.spoil = (output) => (++answers === 1 ? output : {});
    await expect(world.read("k")).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
  });
});

it("tells nothing of errors that aren't ours", async () => {
  const world = new World();
  world.spoil = () => {
    throw s3Error("SlowDown", 503);
  };
  world.store("k", Buffer.alloc(0));
  await expect(world.get("k")).rejects.toThrow("SlowDown");
  expect(world.events).toEqual([]);
});

it("gives the error of a body that breaks while KMS is asked", async () => {
  const world = new World();
  await world.put("k", "x");
  const unwrap = world.keyring.unwrap.bind(world.keyring);
  world.keyring.unwrap = async (...args) => {
    world.bodies[0]!.destroy(new Error("aborted"));
    await settled();
    return unwrap(...args);
  };
  await expect(world.get("k")).rejects.toThrow("aborted");
});
