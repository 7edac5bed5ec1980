import { createCipheriv } from "node:crypto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { open } from "../../src/envelope/open.ts";
import type { EnvelopeOptions, ObjectAddress, WrappedLegacyKey } from "../../src/envelope/options.ts";
import { V1, V2, V2_CBC, V2_KMS, without } from "./envelope-samples.ts";
import { watchMemory } from "./memory.ts";
import { lacking, s3Error, World } from "./world.ts";

afterEach(() => void vi.restoreAllMocks());

const KEY = new Uint8Array(32).fill(7);
const PLAIN = Buffer.from("mail for Ada");
const ALLOW: Partial<EnvelopeOptions> = { commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" };
const KMS: Partial<EnvelopeOptions> = { ...ALLOW, legacyWrappingAlgorithms: true };
const CBC: Partial<EnvelopeOptions> = { ...KMS, legacyUnauthenticatedModes: true };

type Metadata = Record<string, string>;

function gcm(metadata: Metadata, key = KEY): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, Buffer.from(metadata["x-amz-iv"]!, "base64"));
  return Buffer.concat([cipher.update(PLAIN), cipher.final(), cipher.getAuthTag()]);
}

function cbc(metadata: Metadata, plain = PLAIN): Buffer {
  const cipher = createCipheriv("aes-256-cbc", KEY, Buffer.from(metadata["x-amz-iv"]!, "base64"));
  return Buffer.concat([cipher.update(plain), cipher.final()]);
}

const sealed = (metadata: Metadata): Buffer =>
  metadata["x-amz-tag-len"] === undefined ? cbc(metadata) : gcm(metadata);

/** Stores an object whose key KMS wrapped. */
function store(world: World, metadata: Metadata): Metadata {
  const name = "x-amz-key" in metadata ? "x-amz-key" : "x-amz-key-v2";
  const context = JSON.parse(metadata["x-amz-matdesc"] ?? "{}") as Metadata;
  const stored = { ...metadata, [name]: Buffer.from(world.keyring.wrap(KEY, context)).toString("base64") };
  world.store("k", sealed(metadata), stored);
  return stored;
}

const V1_KMS: Metadata = { ...V1, "x-amz-wrap-alg": "kms", "x-amz-matdesc": '{"kms_cmk_id":"1234"}' };
const V1_AES: Metadata = { ...V1, "x-amz-wrap-alg": "AESWrap" };
const BLUE = { encryptionContext: { tenant: "blue" } };

const policy = (format: string): string =>
  `The object is in format ${format}, whose key is not committed to. To read such objects, give envelope() the option ` +
  'commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT". Nothing was released.';

const notKms = (wrap: string): string =>
  `The object's data key is wrapped with ${wrap}, not by KMS. To read such objects, give envelope() the option ` +
  "unwrapLegacyKey, a function that unwraps it. Nothing was released.";

describe("objects of V2 and V1", () => {
  it.each<[string, Metadata, Partial<EnvelopeOptions>]>([
    ["V2 under kms+context", V2, { ...ALLOW, ...BLUE }],
    ["V2 under kms, as SES writes it", V2_KMS, KMS],
    ["V2 in CBC", V2_CBC, CBC],
    ["V1 under kms", V1_KMS, CBC],
  ])("open by opt-in: %s", async (_, metadata, options) => {
    const world = new World(options);
    store(world, metadata);
    for (const place of ["seal", "unseal"] as const) {
      const output = await world.get("k", {}, { place });
      expect(output["ContentLength"]).toBe(PLAIN.length);
      expect(await (output["Body"] as { transformToString(): Promise<string> }).transformToString()).toBe(
        String(PLAIN),
      );
    }
    // Never cached: one request for each.
    expect(world.keyring.calls).toEqual(["unwrap", "unwrap"]);
  });

  const modes =
    "The object's body is in CBC, which nothing authenticates. To read such objects all the same, give envelope() the " +
    "option legacyUnauthenticatedModes: true. Nothing was released.";
  const wrapping =
    "The object's data key is wrapped with kms, which binds neither context nor algorithm. To read such objects, give " +
    "envelope() the option legacyWrappingAlgorithms: true. Nothing was released.";
  const noContext =
    "The object's data key is wrapped without an encryption context, but your options give one for this place. Read " +
    "such objects with a sealer that gives none, and without bindBucket. Nothing was released.";

  it.each<[string, Metadata, Partial<EnvelopeOptions>, (world: World) => Promise<Uint8Array>]>([
    ["V2", V2_KMS, KMS, (world) => world.read("k")],
    ["V2 in CBC", V2_CBC, CBC, (world) => world.read("k")],
    [
      "V2 by range",
      V2_KMS,
      { ...KMS, ranges: "verified" },
      (world) => world.read("k", { Range: `bytes=0-${PLAIN.length - 1}` }),
    ],
    [
      "V2 by open()",
      V2_KMS,
      KMS,
      (world) => open(world.sealer, world.stored("k").bytes, world.stored("k").metadata),
    ],
  ])("leave no key in memory when they were read: %s", async (_, metadata, options, read) => {
    const world = new World(options);
    store(world, metadata);
    const keys = watchMemory((memory) => Buffer.from(KEY).equals(memory));
    expect(String(Buffer.from(await read(world)))).toBe(String(PLAIN));
    expect(keys.length).toBeGreaterThan(1);
    for (const memory of keys) expect(memory).toEqual(new Uint8Array(32));
  });

  it("leave no key in memory when they were read twice, or failed the first time", async () => {
    const world = new World({ ...KMS, release: "twoPass" });
    store(world, V2_KMS);
    world.spoil = (output) => lacking(output, "ContentLength");
    const keys = watchMemory((memory) => Buffer.from(KEY).equals(memory));
    expect(String(await world.read("k"))).toBe(String(PLAIN));
    expect(world.requests).toHaveLength(2);
    world.stored("k").bytes[0]! ^= 1;
    await expect(world.get("k")).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
    expect(keys.length).toBeGreaterThan(1);
    for (const memory of keys) expect(memory).toEqual(new Uint8Array(32));
  });

  it.each<[string, Metadata, Partial<EnvelopeOptions>, string, string]>([
    ["V2 without the policy", V2, BLUE, "commitment-policy", policy("V2")],
    ["V1 without the policy", V1_KMS, { legacyWrappingAlgorithms: true }, "commitment-policy", policy("V1")],
    ["kms without its switch", V2_KMS, ALLOW, "legacy", wrapping],
    ["CBC without its switch", V2_CBC, KMS, "legacy", modes],
    ["V1 without the switch for CBC", V1_KMS, KMS, "legacy", modes],
    ["kms where a context is given", V2_KMS, { ...KMS, ...BLUE }, "encryption-context", noContext],
    ["kms where the bucket is bound", V2_KMS, { ...KMS, bindBucket: true }, "encryption-context", noContext],
    ["a raw key without a function", V1, CBC, "unsupported-wrap", notKms("a raw key")],
    ["AESWrap without a function", V1_AES, CBC, "unsupported-wrap", notKms("AESWrap")],
  ])("are refused before KMS is asked: %s", async (_, metadata, options, problem, message) => {
    const world = new World(options);
    store(world, metadata);
    await expect(world.get("k")).rejects.toMatchObject({ problem, message });
    expect(world.keyring.calls).toEqual([]);
    expect(world.bodies[0]?.destroyed).toBe(true);
  });

  it.each([
    ["another", { tenant: "red" }],
    ["no", {}],
  ])("are an integrity error under %s context than they were sealed under", async (_, encryptionContext) => {
    const world = new World({ ...ALLOW, encryptionContext });
    store(world, V2);
    await expect(world.get("k")).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
    expect(world.keyring.calls).toEqual([]);
  });

  it("are an integrity error when altered, in GCM and, as far as that goes, in CBC", async () => {
    for (const [metadata, options] of [
      [V2_KMS, KMS],
      [V2_CBC, CBC],
    ] as const) {
      const world = new World(options);
      store(world, metadata);
      const { bytes } = world.stored("k");
      bytes[bytes.length - 1]! ^= 0xf0;
      await expect(world.get("k")).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
    }
  });

  it("stream and are read by range as V3 is, when they are in GCM", async () => {
    const delayed = new World({ ...KMS, release: "delayedAuthentication" });
    store(delayed, V2_KMS);
    expect(String(await delayed.read("k"))).toBe(String(PLAIN));
    const ranged = new World({ ...KMS, ranges: "verified" });
    store(ranged, V2_KMS);
    expect(String(await ranged.read("k", { Range: "bytes=5-7" }))).toBe("for");
  });

  it("in CBC may be large", async () => {
    const world = new World(CBC);
    const large = Buffer.alloc(100_000, "mail for Ada");
    world.store("k", cbc(V2_CBC, large), store(world, V2_CBC));
    expect((await world.read("k")).equals(large)).toBe(true);
    const { bytes } = world.stored("k");
    bytes[bytes.length - 17]! ^= 0xff;
    await expect(world.get("k")).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
  });

  it("in CBC are held whole, whatever the release", async () => {
    for (const release of ["twoPass", "delayedAuthentication"] as const) {
      const world = new World({ ...CBC, release });
      store(world, V2_CBC);
      const { Body } = await world.get("k");
      expect(await (Body as { transformToString(): Promise<string> }).transformToString()).toBe(
        String(PLAIN),
      );
    }
    const small = new World({ ...CBC, release: "twoPass", verifiedBufferBytes: 16 });
    small.store("k", Buffer.alloc(48), store(small, V2_CBC));
    await expect(small.get("k")).rejects.toMatchObject({ problem: "buffer-limit" });
  });
});

describe("keys that KMS didn't wrap", () => {
  it.each<[string, Metadata, WrappedLegacyKey["wrap"]]>([
    ["V1", V1, undefined],
    ["V1 with a name", V1_AES, "AESWrap"],
    ["V2 under RSA", { ...V2_CBC, "x-amz-wrap-alg": "RSA" }, "RSA"],
    ["V2 under AES/GCM", { ...V2, "x-amz-wrap-alg": "AES/GCM", "x-amz-matdesc": '{"id":"1"}' }, "AES/GCM"],
  ])("are unwrapped by the caller: %s", async (_, metadata, wrap) => {
    const asked: WrappedLegacyKey[] = [];
    const given = Uint8Array.from(KEY);
    const world = new World({
      ...ALLOW,
      legacyUnauthenticatedModes: true,
      unwrapLegacyKey: async (wrapped) => {
        asked.push(wrapped);
        return given;
      },
    });
    world.store("k", sealed(metadata), metadata);
    expect(String(await world.read("k"))).toBe(String(PLAIN));
    const blob = Buffer.from((metadata["x-amz-key"] ?? metadata["x-amz-key-v2"])!, "base64");
    expect(asked).toEqual([
      { wrap, blob: expect.anything(), description: JSON.parse(metadata["x-amz-matdesc"]!) },
    ]);
    expect(blob.equals(asked[0]!.blob)).toBe(true);
    expect(given.every((byte) => byte === 0)).toBe(true);
    expect(world.keyring.calls).toEqual([]);
  });

  it.each([16, 31, 33])("are an integrity error when %i bytes long", async (bytes) => {
    const given = new Uint8Array(bytes).fill(1);
    const world = new World({ ...CBC, unwrapLegacyKey: async () => given });
    world.store("k", cbc(V1), V1);
    await expect(world.get("k")).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
    expect(given.every((byte) => byte === 0)).toBe(true);
  });

  it("fail as the caller's function fails", async () => {
    const world = new World({ ...CBC, unwrapLegacyKey: () => Promise.reject(new Error("no such key")) });
    world.store("k", cbc(V1), V1);
    await expect(world.get("k")).rejects.toThrow("no such key");
  });
});

/** Moves what a file may hold out of the object. */
function moveOut(world: World, names: readonly string[], suffix = ".instruction"): void {
  const { metadata } = world.stored("k");
  const file = Object.fromEntries(Object.entries(metadata).filter(([name]) => names.includes(name)));
  world.stored("k").metadata = without(metadata, ...names);
  world.store(`k${suffix}`, Buffer.from(JSON.stringify(file)), { "x-amz-crypto-instr-file": "" });
}

describe("instruction files", () => {
  const asked: ObjectAddress[] = [];
  function withFiles(options: Partial<EnvelopeOptions> = {}): World {
    asked.length = 0;
    const world: World = new World({
      instructionFiles: {},
      getObject: async (input) => {
        asked.push(input);
        return world.answer("GetObject", { ...input });
      },
      ...options,
    });
    return world;
  }

  const V3_FILE = ["x-amz-3", "x-amz-w", "x-amz-t"];

  it.each([
    [undefined, "k.instruction"],
    [".keys", "k.keys"],
  ])("with suffix %s hold the wrapped key of V3", async (suffix, Key) => {
    const world = withFiles(suffix === undefined ? {} : { instructionFiles: { suffix } });
    await world.put("k", PLAIN);
    moveOut(world, V3_FILE, suffix);
    expect(String(await world.read("k"))).toBe(String(PLAIN));
    expect(asked).toEqual([{ Bucket: "bucket", Key }]);
  });

  it("hold all of V2", async () => {
    const world = withFiles(KMS);
    moveOut(world, Object.keys(store(world, V2_KMS)));
    expect(world.stored("k").metadata).toEqual({});
    expect(String(await world.read("k"))).toBe(String(PLAIN));
  });

  it("aren't looked for beside an object that has its envelope", async () => {
    const world = withFiles();
    await world.put("k", PLAIN);
    await world.read("k");
    expect(asked).toEqual([]);
  });

  it("that aren't there leave a plain object plain", async () => {
    const world = withFiles();
    world.store("k", PLAIN);
    expect(String(await world.read("k", {}, { place: "unseal" }))).toBe(String(PLAIN));
    await expect(world.get("k")).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_NOT_SEALED" });
    expect(asked).toHaveLength(2);
  });

  it("that aren't there, or aren't looked for, are named for V3", async () => {
    const world = withFiles();
    await world.put("k", PLAIN);
    world.stored("k").metadata = without(world.stored("k").metadata, ...V3_FILE);
    const blind = new World();
    blind.objects.set("bucket/k", world.stored("k"));
    for (const reader of [world, blind]) {
      await expect(reader.get("k")).rejects.toMatchObject({
        problem: "instruction-file",
        message:
          "The object's wrapped key lies in an instruction file, which was not found or is not looked for: give the " +
          "options instructionFiles and getObject to envelope(). Nothing was released.",
      });
    }
  });

  it.each([
    ["403", s3Error("AccessDenied", 403)],
    ["no status", new Error("no network")],
  ])("that can't be read are an error: %s", async (_, error) => {
    const world = withFiles({ getObject: () => Promise.reject(error) });
    world.store("k", PLAIN);
    await expect(world.get("k", {}, { place: "unseal" })).rejects.toBe(error);
    expect(world.bodies[0]?.destroyed).toBe(true);
  });

  it.each<[string, Buffer]>([
    ["altered", Buffer.from("{}")],
    ["no JSON", Buffer.from("plain")],
    ["far too long", Buffer.alloc(64 * 1024 + 1, " ")],
  ])("that are %s are an integrity error", async (_, file) => {
    const world = withFiles();
    await world.put("k", PLAIN);
    moveOut(world, V3_FILE);
    world.store("k.instruction", file);
    await expect(world.get("k")).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
  });

  it("may be padded up to 64 KiB", async () => {
    const world = withFiles();
    await world.put("k", PLAIN);
    moveOut(world, V3_FILE);
    const { bytes } = world.stored("k.instruction");
    world.store("k.instruction", Buffer.concat([bytes, Buffer.alloc(64 * 1024 - bytes.length, " ")]));
    expect(String(await world.read("k"))).toBe(String(PLAIN));
  });

  it("aren't looked for by open() without a key", async () => {
    const world = withFiles();
    await expect(open(world.sealer, PLAIN, {}, { bucket: "bucket" })).rejects.toMatchObject({
      code: "ERR_BUCKET_KEY_NOT_SEALED",
    });
    expect(asked).toEqual([]);
  });

  it("have nothing to do with CBC that open() reads", async () => {
    const world = withFiles(CBC);
    const metadata = store(world, V2_CBC);
    expect(String(Buffer.from(await open(world.sealer, cbc(V2_CBC), metadata)))).toBe(String(PLAIN));
  });
});
