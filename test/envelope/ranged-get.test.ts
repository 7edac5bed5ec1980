import type { Readable } from "node:stream";
import { afterEach, describe, expect, it, vi } from "vitest";
import { open, seal } from "../../src/envelope/index.ts";
import { cut, stream } from "./chunkings.ts";
import { V2_CBC } from "./envelope-samples.ts";
import { watchMemory } from "./memory.ts";
import { bytesOf, etagOf, lacking, s3Error, World } from "./world.ts";

afterEach(() => void vi.restoreAllMocks());

const MIB = 2 ** 20;
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A sealed object that has to be read by chunks, or one that fits into the buffer. */
async function worldOf(plain: Buffer, verifiedBufferBytes = 1000): Promise<World> {
  const world = new World({ ranges: "verified", verifiedBufferBytes });
  await world.put("k", plain);
  world.requests.length = world.events.length = 0;
  return world;
}

const small = Buffer.from(Array.from({ length: 100 }, (_, at) => at));
const large = Buffer.alloc(2 * MIB + 100);
for (let at = 0; at < large.length; at += 97) large[at] = at % 251;

it("gives a verified range of a body in more chunks than a call can have arguments", async () => {
  const plain = Buffer.alloc(150_000, 7);
  const world = await worldOf(plain, plain.length);
  world.spoil = (output) => ({ ...output, Body: stream(cut(world.stored("k").bytes, [1])) });
  expect(await world.read("k", { Range: "bytes=5-9" })).toEqual(plain.subarray(5, 10));
});

describe.each([
  ["an object that fits into the buffer", small],
  ["a larger object", large],
])("a verified range of %s", (_, plain) => {
  const L = plain.length;
  it.each<[string, number, number]>([
    ["bytes=0-0", 0, 1],
    [`bytes=0-${L - 1}`, 0, L],
    ["bytes=0-", 0, L],
    ["bytes=7-40", 7, 41],
    [`bytes=${L - 1}-`, L - 1, L],
    [`bytes=${L - 5}-${L + 20}`, L - 5, L],
    [`bytes=${L - 33}-${L - 17}`, L - 33, L - 16],
    ["bytes=-1", L - 1, L],
    [`bytes=-${L}`, 0, L],
    [`bytes=-${L + 10}`, 0, L],
    ["bytes=-20", L - 20, L],
  ])("%s has its bytes and says so", async (Range, start, end) => {
    const world = await worldOf(plain);
    const output = await world.get("k", { Range });
    expect(output).toMatchObject({
      ContentLength: end - start,
      ContentRange: `bytes ${start}-${end - 1}/${L}`,
      ETag: etagOf(world.stored("k").bytes),
      $metadata: { httpStatusCode: 206 },
    });
    expect((await bytesOf(output["Body"])).equals(plain.subarray(start, end))).toBe(true);
    expect(world.told()).toEqual([{ kind: "io", direction: "open", bytes: end - start }]);
  });

  it.each([`bytes=${L}-`, `bytes=${L}-${L + 5}`, `bytes=${L + 15}-`, `bytes=${L + 16}-`, "bytes=-0"])(
    "%s is answered as S3 answers what can't be satisfied",
    async (Range) => {
      const world = await worldOf(plain);
      await expect(world.get("k", { Range })).rejects.toMatchObject({
        name: "InvalidRange",
        $metadata: { httpStatusCode: 416 },
        ActualObjectSize: String(L),
        RangeRequested: Range,
      });
      expect(world.told()).toEqual([]);
    },
  );

  it("says what S3 told of its request, whether there are such bytes or not", async () => {
    const world = await worldOf(plain);
    world.spoil = (output) => ({ ...output, $metadata: { httpStatusCode: 200, requestId: "r1" } });
    const { $metadata } = await world.get("k", { Range: "bytes=7-40" });
    expect($metadata).toEqual({ httpStatusCode: 206, requestId: "r1" });
    await expect(world.get("k", { Range: `bytes=${L}-` })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 416, requestId: "r1" },
    });
  });

  it("is found in a place that unseals too", async () => {
    const world = await worldOf(plain);
    const range = await world.read("k", { Range: "bytes=3-9" }, { place: "unseal" });
    expect(range.equals(plain.subarray(3, 10))).toBe(true);
    await settled();
    expect(world.bodies[0]?.destroyed).toBe(true);
  });

  it("releases nothing of an altered object", async () => {
    const world = await worldOf(plain);
    world.stored("k").bytes[50]! ^= 1;
    await expect(world.get("k", { Range: "bytes=0-3" })).rejects.toMatchObject({
      code: "ERR_BUCKET_KEY_INTEGRITY",
    });
    await settled();
    expect(world.bodies.every((body) => body.destroyed)).toBe(true);
    expect(world.requests).toHaveLength(1);
  });
});

describe("a range of an object that fits into the buffer", () => {
  it("costs one request, without the range and with the caller's conditions", async () => {
    const world = await worldOf(small);
    const IfMatch = etagOf(world.stored("k").bytes);
    await world.read("k", { Range: "bytes=3-9", IfMatch, VersionId: "v" });
    expect(world.requests).toEqual([
      { operation: "GetObject", input: { Bucket: "bucket", Key: "k", IfMatch, VersionId: "v" } },
    ]);
  });

  it("of no bytes can't be satisfied", async () => {
    const world = await worldOf(Buffer.alloc(0));
    await expect(world.get("k", { Range: "bytes=0-" })).rejects.toMatchObject({ ActualObjectSize: "0" });
    await expect(world.get("k", { Range: "bytes=-5" })).rejects.toMatchObject({ name: "InvalidRange" });
  });

  it.each(["bytes=0-1,4-5", "lines=1-2"])("is the whole object for %s, as S3 has it", async (Range) => {
    const world = await worldOf(small);
    const output = await world.get("k", { Range });
    expect(output["ContentRange"]).toBeUndefined();
    expect((await bytesOf(output["Body"])).equals(small)).toBe(true);
  });

  it("is refused of a plain object where bodies are sealed", async () => {
    const world = await worldOf(small);
    world.store("k", small);
    await expect(world.get("k", { Range: "bytes=0-1" })).rejects.toMatchObject({
      code: "ERR_BUCKET_KEY_NOT_SEALED",
    });
  });

  it("works under delayed authentication, which it has no part in", async () => {
    const world = new World({ ranges: "verified", release: "delayedAuthentication" });
    await world.put("k", small);
    expect((await world.read("k", { Range: "bytes=3-4" })).equals(small.subarray(3, 5))).toBe(true);
  });

  it("of an object that became plain in between is that object's own", async () => {
    const world = await worldOf(small);
    const { metadata } = world.stored("k");
    let answers = 0;
    world.spoil = (output) => {
      // What was seen first is the sealed object, what is asked for next the plain one.
      if (++answers === 1) return { ...output, Metadata: metadata };
      return output;
    };
    world.store("k", Buffer.from("plain text"));
    const range = await world.read("k", { Range: "bytes=2-4" }, { place: "unseal" });
    expect(String(range)).toBe("ain");
    expect(world.requests[2]?.input).toEqual({
      Bucket: "bucket",
      Key: "k",
      Range: "bytes=2-4",
      IfMatch: etagOf(Buffer.from("plain text")),
      VersionId: undefined,
    });
    expect(world.bodies[1]?.destroyed).toBe(true);
  });

  it("of CBC is refused", async () => {
    const world = new World({
      ranges: "verified",
      commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
      legacyWrappingAlgorithms: true,
      legacyUnauthenticatedModes: true,
    });
    const blob = world.keyring.wrap(new Uint8Array(32).fill(1), { kms_cmk_id: "1234" });
    world.store("k", Buffer.alloc(32), { ...V2_CBC, "x-amz-key-v2": Buffer.from(blob).toString("base64") });
    await expect(world.get("k", { Range: "bytes=0-1" })).rejects.toMatchObject({
      problem: "range",
      message:
        "The object's body is in CBC, of which no range can be verified: read it without Range. Nothing was released.",
    });
    expect(world.bodies[0]?.destroyed).toBe(true);
  });
});

describe("a range of a larger object", () => {
  it("reads the object once per version, and then the chunks around the range", async () => {
    const world = await worldOf(large);
    world.spoil = (output) => ({ ...output, VersionId: "v1" });
    const IfMatch = etagOf(world.stored("k").bytes);
    await world.read("k", { Range: "bytes=5-6" });
    await world.read("k", { Range: `bytes=${MIB - 1}-${MIB}` });
    await world.read("k", { Range: "bytes=-100" });
    expect(world.requests.map(({ input }) => lacking(lacking(input, "Bucket"), "Key"))).toEqual([
      {},
      { Range: `bytes=0-${MIB - 1}`, IfMatch, VersionId: "v1" },
      { Range: `bytes=0-${2 * MIB - 1}` },
      { Range: `bytes=${2 * MIB}-${2 * MIB + 99}` },
    ]);
  });

  it("knows versions apart", async () => {
    const world = await worldOf(large);
    await world.read("k", { Range: "bytes=5-6" });
    await world.read("k", { Range: "bytes=5-6", VersionId: "v1" });
    expect(world.requests[2]?.input).toEqual({ Bucket: "bucket", Key: "k", VersionId: "v1" });
  });

  it.each([
    ["key", { Key: "other" }],
    ["bucket", { Bucket: "other" }],
  ])("knows objects of another %s apart", async (_, at) => {
    const world = await worldOf(large);
    world.objects.set("bucket/other", world.stored("k"));
    await world.read("k", { Range: "bytes=5-6" });
    await world.read("k", { Range: "bytes=5-6", ...at });
    expect(world.requests[2]?.input).toEqual({ Bucket: "bucket", Key: "k", ...at });
  });

  it("reads anew where S3 names another version", async () => {
    const world = await worldOf(large);
    await world.read("k", { Range: "bytes=5-6" });
    world.spoil = (output) => ({ ...output, VersionId: "v2" });
    world.requests.length = 0;
    expect((await world.read("k", { Range: "bytes=5-6" })).equals(large.subarray(5, 7))).toBe(true);
    expect(world.requests.map(({ input }) => input["Range"])).toEqual([
      `bytes=0-${MIB - 1}`,
      undefined,
      `bytes=0-${MIB - 1}`,
    ]);
  });

  it("releases nothing of an object that was altered elsewhere since", async () => {
    const world = await worldOf(large);
    await world.read("k", { Range: "bytes=5-6" });
    world.stored("k").bytes[MIB + 9]! ^= 1;
    await expect(world.get("k", { Range: "bytes=5-6" })).rejects.toMatchObject({
      code: "ERR_BUCKET_KEY_INTEGRITY",
    });
  });

  it("reads an object of unknown length by chunks, whatever it turns out to be", async () => {
    const world = await worldOf(small);
    world.spoil = (output) => lacking(output, "ContentLength");
    expect((await world.read("k", { Range: "bytes=3-9" })).equals(small.subarray(3, 10))).toBe(true);
    expect(world.requests[1]?.input["Range"]).toBe("bytes=0-99");
  });

  it.each<[string, (world: World) => Promise<void> | void]>([
    ["another object", (world) => world.put("k", Buffer.alloc(3 * MIB, "new"))],
    ["the same object, sealed again", (world) => world.put("k", large)],
    ["a shorter object", (world) => world.put("k", Buffer.alloc(1005, "new"))],
  ])("reads anew when %s stands there", async (_, exchange) => {
    const world = await worldOf(large);
    await world.read("k", { Range: "bytes=1100000-1100005" });
    await exchange(world);
    world.requests.length = 0;
    const range = await world.read("k", { Range: "bytes=1000-1003" });
    const plain = Buffer.from(await open(world.sealer, world.stored("k").bytes, world.stored("k").metadata));
    expect(range.equals(plain.subarray(1000, 1004))).toBe(true);
    // The one it hoped to know, the whole of what stands there, and its chunk.
    expect(world.requests.length).toBeGreaterThanOrEqual(2);
    await settled();
    expect(world.bodies.every((body) => body.destroyed)).toBe(true);
  });

  it("reads anew when nothing of the known version lies in the range", async () => {
    const world = await worldOf(small, 16);
    await world.read("k", { Range: "bytes=0-1" });
    await world.put("k", Buffer.alloc(200, "new"));
    expect(String(await world.read("k", { Range: "bytes=150-151" }))).toMatch(/^[new]{2}$/);
  });

  it("reads anew where S3 says that the known chunks are past the end", async () => {
    const world = await worldOf(large);
    await world.read("k", { Range: "bytes=-5" });
    await world.put("k", small);
    await expect(world.get("k", { Range: `bytes=${2 * MIB}-` })).rejects.toMatchObject({
      name: "InvalidRange",
      ActualObjectSize: "100",
    });
  });

  it.each([
    ["S3's other errors", s3Error("SlowDown", 503)],
    ["errors on the way to S3", new Error("ECONNRESET")],
  ])("passes %s, and knows the version still", async (_, error) => {
    const world = await worldOf(large);
    await world.read("k", { Range: "bytes=-5" });
    world.requests.length = 0;
    world.spoil = () => {
      throw error;
    };
    await expect(world.get("k", { Range: "bytes=-5" })).rejects.toBe(error);
    expect(world.requests).toHaveLength(1);
    world.spoil = (output) => output;
    await world.read("k", { Range: "bytes=-5" });
    expect(world.requests).toHaveLength(2);
  });

  it("passes S3's error to the request for chunks after the first pass", async () => {
    const world = await worldOf(large);
    world.spoil = (output) => {
      world.store("k", Buffer.from("other"));
      return output;
    };
    await expect(world.get("k", { Range: "bytes=0-5" })).rejects.toThrow("PreconditionFailed");
  });

  it("is refused when the object lost its envelope since", async () => {
    const world = await worldOf(large);
    await world.read("k", { Range: "bytes=-5" });
    world.stored("k").metadata = {};
    await expect(world.get("k", { Range: "bytes=-5" })).rejects.toMatchObject({
      code: "ERR_BUCKET_KEY_NOT_SEALED",
    });
    await settled();
    expect(world.bodies.at(-1)?.destroyed).toBe(true);
  });

  it("is that of a plain object when the place unseals and one stands there since", async () => {
    const world = await worldOf(large);
    await world.read("k", { Range: "bytes=0-5" });
    world.store("k", Buffer.from("plain text"));
    expect(String(await world.read("k", { Range: "bytes=2-4" }, { place: "unseal" }))).toBe("ain");
  });

  it("is that of a plain object, too, that comes between two requests of one read", async () => {
    const world = await worldOf(large);
    await world.read("k", { Range: "bytes=0-5" });
    world.requests.length = 0;
    world.spoil = (output) => {
      world.store("k", Buffer.from("plain text"));
      return output;
    };
    expect(String(await world.read("k", { Range: "bytes=2-4" }, { place: "unseal" }))).toBe("ain");
    expect(world.requests.map(({ input }) => input["Range"])).toEqual([
      "bytes=2-4",
      `bytes=0-${MIB - 1}`,
      undefined,
      "bytes=2-4",
    ]);
    await settled();
    expect(world.bodies.every((body) => body.destroyed)).toBe(true);
  });

  it("is refused of CBC that stands there since, though its ETag is the known one", async () => {
    const world = new World({
      ranges: "verified",
      verifiedBufferBytes: 1000,
      commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
      legacyWrappingAlgorithms: true,
      legacyUnauthenticatedModes: true,
    });
    await world.put("k", large);
    await world.read("k", { Range: "bytes=0-5" });
    const blob = world.keyring.wrap(new Uint8Array(32).fill(1), { kms_cmk_id: "1234" });
    world.stored("k").metadata = { ...V2_CBC, "x-amz-key-v2": Buffer.from(blob).toString("base64") };
    await expect(world.get("k", { Range: "bytes=0-1" })).rejects.toMatchObject({ problem: "range" });
    await settled();
    expect(world.bodies.every((body) => body.destroyed)).toBe(true);
  });

  it.each<[string, (world: World) => Promise<unknown>]>([
    ["was read", (world) => world.read("k", { Range: "bytes=0-5" })],
    [
      "was destroyed before it was read",
      async (world) => ((await world.get("k", { Range: "bytes=0-5" }))["Body"] as Readable).destroy(),
    ],
    [
      "is past the end",
      (world) => expect(world.get("k", { Range: "bytes=9000000-" })).rejects.toThrow("not satisfiable"),
    ],
    [
      "couldn't be asked for",
      async (world) => {
        world.spoil = () => {
          throw s3Error("SlowDown", 503);
        };
        await expect(world.get("k", { Range: "bytes=0-5" })).rejects.toThrow("SlowDown");
      },
    ],
    [
      "is of another object by now",
      async (world) => {
        await world.put("k", Buffer.alloc(1005));
        await world.read("k", { Range: "bytes=0-5" });
      },
    ],
    [
      "came as another one",
      async (world) => {
        world.spoil = (output) => lacking(output, "ContentRange");
        await expect(world.get("k", { Range: "bytes=0-5" })).rejects.toMatchObject({
          code: "ERR_BUCKET_KEY_INTEGRITY",
        });
      },
    ],
  ])("leaves no index in memory after evict when it %s", async (_, ask) => {
    const world = await worldOf(large);
    // Three chunks, a digest of 16 bytes each.
    const digests = watchMemory((memory) => memory.length === 48);
    await world.read("k", { Range: "bytes=0-5" });
    expect(digests.length).toBeGreaterThan(0);
    expect(digests[0]).not.toEqual(new Uint8Array(48));
    await ask(world);
    await settled();
    world.sealer.evict();
    for (const memory of digests) expect(memory).toEqual(new Uint8Array(48));
  });

  it.each<[string, (output: Record<string, unknown>) => Record<string, unknown>]>([
    ["no Content-Range", (output) => lacking(output, "ContentRange")],
    ["another start", (output) => ({ ...output, ContentRange: `bytes 1-${MIB}/${large.length + 16}` })],
    ["another total", (output) => ({ ...output, ContentRange: `bytes 0-${MIB - 1}/${large.length}` })],
  ])("is refused for an answer with %s", async (_, spoil) => {
    const world = await worldOf(large);
    for (const answered of [1, 2]) {
      world.spoil = (output) => (output["ContentRange"] === undefined ? output : spoil(output));
      await expect(world.get("k", { Range: "bytes=0-5" })).rejects.toMatchObject({
        code: "ERR_BUCKET_KEY_INTEGRITY",
      });
      await settled();
      expect(world.bodies.every((body) => body.destroyed)).toBe(true);
      expect(world.bodies).toHaveLength(answered + 1);
    }
  });

  it("releases nothing of a chunk that was exchanged under the same ETag", async () => {
    const world = await worldOf(large);
    const { bytes } = world.stored("k");
    await world.read("k", { Range: "bytes=0-5" });
    world.spoil = (output) => {
      const altered = Buffer.from(bytes.subarray(0, 2 * MIB));
      altered[MIB + 9]! ^= 1;
      return { ...output, Body: world.body(altered) };
    };
    const { Body } = await world.get("k", { Range: `bytes=${MIB - 2}-${MIB + 5}` });
    const seen: Uint8Array[] = [];
    const reading = (async () => {
      for await (const piece of Body as Readable) seen.push(piece as Uint8Array);
    })();
    await expect(reading).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
    expect(Buffer.concat(seen).equals(large.subarray(MIB - 2, MIB))).toBe(true);
  });

  it("asks KMS again for the known version, so that a revocation counts", async () => {
    const world = await worldOf(large);
    await world.read("k", { Range: "bytes=0-5" });
    world.sealer.evict();
    world.keyring.unwrap = () => Promise.reject(s3Error("AccessDeniedException", 400));
    await expect(world.get("k", { Range: "bytes=0-5" })).rejects.toMatchObject({
      code: "ERR_BUCKET_KEY_KMS",
    });
  });

  it("forgets what it knew with evict, and keeps nothing after close", async () => {
    const world = await worldOf(large);
    await world.read("k", { Range: "bytes=0-5" });
    world.sealer.evict();
    world.requests.length = 0;
    await world.read("k", { Range: "bytes=0-5" });
    expect(world.requests).toHaveLength(2);
    const { Body } = await world.get("k", { Range: `bytes=0-${MIB}` });
    await world.sealer.close();
    // What was released before goes on: its key is wiped when it ends.
    expect((await bytesOf(Body)).length).toBe(MIB + 1);
  });

  it("gives the index back when its body is destroyed", async () => {
    const world = await worldOf(large);
    ((await world.get("k", { Range: "bytes=0-5" }))["Body"] as Readable).destroy();
    await settled();
    expect(world.bodies.at(-1)?.destroyed).toBe(true);
    expect((await world.read("k", { Range: "bytes=0-5" })).equals(large.subarray(0, 6))).toBe(true);
  });

  it("is read of what seal() made, too", async () => {
    const world = await worldOf(small);
    const { body, metadata } = await seal(world.sealer, large);
    world.store("k", body, metadata);
    expect((await world.read("k", { Range: "bytes=-7" })).equals(large.subarray(-7))).toBe(true);
  });
});
