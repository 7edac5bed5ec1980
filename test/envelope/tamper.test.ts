/**
 * The tamper matrix: whoever can write to the bucket alters a stored object or an answer. Every case that alters bytes
 * or meaning fails with the one integrity error (a whole envelope that was stripped: `NotSealedError`), on every road
 * a body can take, and only a road that streams by explicit name releases anything before.
 */
import { createCipheriv } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { EnvelopeOptions } from "../../src/envelope/options.ts";
import { bytesOf, fakeKeyring, World, type FakeKeyring, type Stored } from "./world.ts";

const MIB = 2 ** 20;
/** Two chunks of an index, and more than any buffer below. */
const LARGE = Buffer.alloc(MIB + 1000);
for (let at = 0; at < LARGE.length; at += 89) LARGE[at] = at % 251;
const SMALL = Buffer.from('{"admin":false,"name":"Ada"}');

interface Road {
  readonly options: Partial<EnvelopeOptions>;
  readonly plain: Buffer;
  readonly input?: Record<string, unknown>;
  /** What an authentic read gives. */
  readonly expected: Buffer;
  /** Bytes that may come out before the error, from the start of what is expected; none by default. */
  readonly mayRelease?: number;
}

const ROADS: Readonly<Record<string, Road>> = {
  "buffered and verified": { options: {}, plain: SMALL, expected: SMALL },
  "buffered in two-pass mode": { options: { release: "twoPass" }, plain: SMALL, expected: SMALL },
  "in two passes": {
    options: { release: "twoPass", verifiedBufferBytes: 1000 },
    plain: LARGE,
    expected: LARGE,
  },
  "with delayed authentication": {
    options: { release: "delayedAuthentication" },
    plain: LARGE,
    expected: LARGE,
    mayRelease: Infinity,
  },
  "a range of a small object": {
    options: { ranges: "verified" },
    plain: SMALL,
    input: { Range: "bytes=1-7" },
    expected: SMALL.subarray(1, 8),
  },
  "a range of a large object": {
    options: { ranges: "verified", verifiedBufferBytes: 1000 },
    plain: LARGE,
    input: { Range: `bytes=${MIB - 10}-${MIB + 10}` },
    expected: LARGE.subarray(MIB - 10, MIB + 11),
  },
  "a suffix of a large object": {
    options: { ranges: "verified", verifiedBufferBytes: 1000 },
    plain: LARGE,
    input: { Range: "bytes=-20" },
    expected: LARGE.subarray(-20),
  },
};

/** Reads an object to its end. What came before an error is given, too. */
async function readAll(
  world: World,
  input: Record<string, unknown> = {},
): Promise<{ released: Buffer; error: unknown }> {
  const pieces: Uint8Array[] = [];
  try {
    const { Body } = await world.get("k", input);
    for await (const piece of Body as AsyncIterable<Uint8Array>) pieces.push(piece);
    return { released: Buffer.concat(pieces), error: undefined };
  } catch (error) {
    return { released: Buffer.concat(pieces), error };
  }
}

type Tamper = (object: Stored, other: Stored) => void;

const flip =
  (at: (length: number) => number, mask = 1): Tamper =>
  ({ bytes }) => {
    bytes[at(bytes.length)]! ^= mask;
  };
const setBytes =
  (change: (bytes: Buffer, other: Buffer) => Uint8Array): Tamper =>
  (object, other) => {
    object.bytes = Buffer.from(change(object.bytes, other.bytes));
  };
const set =
  (name: string, change: (value: string, other: string) => string): Tamper =>
  (object, other) => {
    object.metadata[name] = change(object.metadata[name] ?? "", other.metadata[name] ?? "");
  };
const drop =
  (...names: readonly string[]): Tamper =>
  ({ metadata }) => {
    for (const name of names) delete metadata[name];
  };
const flipBase64 = (text: string): string => {
  const bytes = Buffer.from(text, "base64");
  bytes[5]! ^= 1;
  return bytes.toString("base64");
};
const resize =
  (length: number) =>
  (text: string): string =>
    Buffer.concat([Buffer.from(text, "base64"), Buffer.alloc(40)])
      .subarray(0, length)
      .toString("base64");

const NAMES = ["x-amz-c", "x-amz-3", "x-amz-w", "x-amz-i", "x-amz-d", "x-amz-t"];
const V2_FIELDS = {
  "x-amz-key-v2": "a2V5",
  "x-amz-iv": Buffer.alloc(12, 1).toString("base64"),
  "x-amz-matdesc": '{"aws:x-amz-cek-alg":"AES/GCM/NoPadding"}',
  "x-amz-wrap-alg": "kms+context",
  "x-amz-cek-alg": "AES/GCM/NoPadding",
  "x-amz-tag-len": "128",
};

/** What the tag alone tells. */
const BODY: Readonly<Record<string, Tamper>> = {
  "the first bit of the body": flip(() => 0, 0x80),
  "a bit in the middle": flip((length) => Math.floor(length / 2)),
  "the last byte of the ciphertext": flip((length) => length - 17),
  "the first byte of the tag": flip((length) => length - 16),
  "the last bit of the tag": flip((length) => length - 1),
  "the last byte cut off": setBytes((bytes) => bytes.subarray(0, -1)),
  "the tag cut off": setBytes((bytes) => bytes.subarray(0, -16)),
  "the tag alone": setBytes((bytes) => bytes.subarray(-16)),
  "a block cut out": setBytes((bytes) => Buffer.concat([bytes.subarray(0, 8), bytes.subarray(24)])),
  "fewer bytes than a tag": setBytes((bytes) => bytes.subarray(0, 15)),
  "no bytes": setBytes(() => Buffer.alloc(0)),
  "a byte more": setBytes((bytes) => Buffer.concat([bytes, Buffer.alloc(1)])),
  "a byte before": setBytes((bytes) => Buffer.concat([Buffer.alloc(1), bytes])),
  "a tag more": setBytes((bytes) => Buffer.concat([bytes, bytes.subarray(-16)])),
  "zeros between body and tag": setBytes((bytes) =>
    Buffer.concat([bytes.subarray(0, -16), Buffer.alloc(16), bytes.subarray(-16)]),
  ),
  "blocks in another order": setBytes((bytes) => {
    const step = bytes.length > MIB ? MIB / 2 : 8;
    return Buffer.concat([bytes.subarray(step, 2 * step), bytes.subarray(0, step), bytes.subarray(2 * step)]);
  }),
  // Consistent in itself, so that only the body shows it.
  "id and commitment of another object": (object, other) => {
    object.metadata["x-amz-i"] = other.metadata["x-amz-i"]!;
    object.metadata["x-amz-d"] = other.metadata["x-amz-d"]!;
  },
  "the envelope of another object": (object, other) => {
    object.metadata = { ...other.metadata };
  },
  "the body of another object": setBytes((_, other) => other),
  "the tag of another object": setBytes((bytes, other) =>
    Buffer.concat([bytes.subarray(0, -16), other.subarray(-16)]),
  ),
};

/** What is found out before a byte is read. */
const METADATA: Readonly<Record<string, Tamper>> = {
  ...Object.fromEntries(NAMES.map((name) => [`${name} removed`, drop(name)])),
  ...Object.fromEntries(NAMES.map((name) => [`${name} emptied`, set(name, () => "")])),
  ...Object.fromEntries(
    ["x-amz-3", "x-amz-i", "x-amz-d"].map((name) => [`a bit of ${name}`, set(name, flipBase64)]),
  ),
  ...Object.fromEntries(
    ["x-amz-3", "x-amz-i", "x-amz-d"].map((name) => [
      `${name} not in base64`,
      set(name, (value) => `!${value}`),
    ]),
  ),
  "another suite": set("x-amz-c", () => "114"),
  "the suite of CTR": set("x-amz-c", () => "116"),
  "a message id of zeros": set("x-amz-i", () => Buffer.alloc(28).toString("base64")),
  "the message id of another object": set("x-amz-i", (_, other) => other),
  "a message id of 27 bytes": set("x-amz-i", resize(27)),
  "the commitment of another object": set("x-amz-d", (_, other) => other),
  "a commitment of zeros": set("x-amz-d", () => Buffer.alloc(28).toString("base64")),
  "a commitment of 20 bytes": set("x-amz-d", resize(20)),
  "a commitment of 40 bytes": set("x-amz-d", resize(40)),
  "a shortened blob": set("x-amz-3", resize(100)),
  "a pair more in the context": set("x-amz-t", () => '{"aws:x-amz-cek-alg":"115","tenant":"red"}'),
  "another algorithm in the context": set("x-amz-t", () => '{"aws:x-amz-cek-alg":"114"}'),
  "the algorithm of V2 in the context": set("x-amz-t", () => '{"aws:x-amz-cek-alg":"AES/GCM/NoPadding"}'),
  "a context without its algorithm": set("x-amz-t", () => "{}"),
  "a context that is a list": set("x-amz-t", () => "[]"),
  "a context that is no JSON": set("x-amz-t", () => "{"),
  "a context in depth": set("x-amz-t", () => '{"aws:x-amz-cek-alg":"115","a":{}}'),
  "the wrap of raw AES": set("x-amz-w", () => "02"),
  "the wrap of RSA": set("x-amz-w", () => "22"),
  "a wrap that doesn't exist": set("x-amz-w", () => "13"),
  "the wrap relabelled as kms": set("x-amz-w", () => "kms"),
  "the wrap relabelled as kms, with the context as description": (object) => {
    object.metadata["x-amz-w"] = "kms";
    object.metadata["x-amz-m"] = object.metadata["x-amz-t"]!;
  },
  "a description beside the context": set("x-amz-m", () => '{"a":"b"}'),
  "the names of V2 added": ({ metadata }) => Object.assign(metadata, V2_FIELDS),
  "the key of V2 added": ({ metadata }) => Object.assign(metadata, { "x-amz-key-v2": metadata["x-amz-3"] }),
  "the key of V1 added": ({ metadata }) => Object.assign(metadata, { "x-amz-key": metadata["x-amz-3"] }),
  "an IV added": ({ metadata }) => Object.assign(metadata, { "x-amz-iv": V2_FIELDS["x-amz-iv"] }),
  "a name twice, in two cases": ({ metadata }) => Object.assign(metadata, { "X-Amz-D": metadata["x-amz-d"] }),
};

describe.each(Object.entries(ROADS))("a sealed object that is read %s", (_, road) => {
  const keyring: FakeKeyring = fakeKeyring();
  /** Two objects under one bucket key. */
  const pristine: Record<string, Stored> = {};

  /** @param own - Whether the bytes are to be altered in place; the others share them. */
  const fresh = (own?: "own bytes"): World => {
    const world = new World({ keyring, ...road.options });
    const { bytes, metadata } = pristine["bucket/k"]!;
    world.objects.set("bucket/k", { bytes: own ? Buffer.from(bytes) : bytes, metadata: { ...metadata } });
    world.objects.set("bucket/other", pristine["bucket/other"]!);
    return world;
  };

  beforeAll(async () => {
    const writer = new World({ keyring });
    await writer.put("k", road.plain);
    await writer.put("other", Buffer.from(road.plain.toReversed()));
    for (const [name, stored] of writer.objects) pristine[name] = stored;
  });

  it("opens as long as nobody touches it, also with equal values swapped", async () => {
    const world = fresh();
    const [object, other] = [world.stored("k"), world.stored("other")];
    expect(object.metadata["x-amz-3"]).toBe(other.metadata["x-amz-3"]);
    set("x-amz-3", (__, theirs) => theirs)(object, other);
    set("x-amz-t", (__, theirs) => theirs)(object, other);
    object.metadata["x-amz-m"] = "{}";
    object.metadata["x-amz-unencrypted-content-length"] = "";
    const { released, error } = await readAll(world, road.input);
    expect(error).toBeUndefined();
    expect(released.equals(road.expected)).toBe(true);
  });

  it.each([
    ...Object.entries(BODY).map(
      ([what, tamper]) => [what, tamper, "own bytes", road.mayRelease ?? 0] as const,
    ),
    ...Object.entries(METADATA).map(([what, tamper]) => [what, tamper, undefined, 0] as const),
  ])("fails with the integrity error: %s", async (__, tamper, own, mayRelease) => {
    const world = fresh(own);
    tamper(world.stored("k"), world.stored("other"));
    const { released, error } = await readAll(world, road.input);
    expect(error).toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
    expect(released.length).toBeLessThanOrEqual(mayRelease);
    await new Promise((resolve) => setImmediate(resolve));
    expect(world.bodies.every((body) => body.destroyed)).toBe(true);
  });

  it("fails under a wrapped key of another data key", async () => {
    const world = fresh();
    const blob = keyring.wrap(new Uint8Array(32).fill(9), { "aws:x-amz-cek-alg": "115" });
    world.stored("k").metadata["x-amz-3"] = Buffer.from(blob).toString("base64");
    const { released, error } = await readAll(world, road.input);
    expect(error).toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
    expect(released.length).toBe(0);
  });

  it("is not sealed once its whole envelope is stripped", async () => {
    const world = fresh();
    world.stored("k").metadata = {};
    const { released, error } = await readAll(world, road.input);
    expect(error).toMatchObject({ code: "ERR_BUCKET_KEY_NOT_SEALED" });
    expect(released.length).toBe(0);
  });

  it.each<[string, Record<string, unknown>]>([
    ["206 to an unranged GET", { $metadata: { httpStatusCode: 206 } }],
    ["a Content-Range to an unranged GET", { ContentRange: "bytes 0-99/100" }],
    ["metadata held back", { MissingMeta: 1 }],
  ])("fails for an answer with %s", async (__, members) => {
    const world = fresh();
    world.spoil = (output) => ({ ...output, ...members });
    const { released, error } = await readAll(world, road.input);
    expect(error).toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
    expect(released.length).toBe(0);
  });

  it("was the same object for every case above", async () => {
    const { released, error } = await readAll(fresh(), road.input);
    expect(error).toBeUndefined();
    expect(released.equals(road.expected)).toBe(true);
  });
});

describe("an object of V2, read by opt-in", () => {
  const options = {
    commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
    legacyWrappingAlgorithms: true,
    legacyUnauthenticatedModes: true,
  } as const;
  const KEY = new Uint8Array(32).fill(7);

  function v2(): World {
    const world = new World(options);
    const blob = world.keyring.wrap(KEY, { "aws:x-amz-cek-alg": "AES/GCM/NoPadding" });
    const metadata = { ...V2_FIELDS, "x-amz-key-v2": Buffer.from(blob).toString("base64") };
    const cipher = createCipheriv("aes-256-gcm", KEY, Buffer.from(metadata["x-amz-iv"], "base64"));
    world.store("k", Buffer.concat([cipher.update(SMALL), cipher.final(), cipher.getAuthTag()]), metadata);
    return world;
  }

  it("opens", async () => {
    expect((await bytesOf((await v2().get("k"))["Body"])).equals(SMALL)).toBe(true);
  });

  it.each<[string, Tamper]>([
    ["CTR in the place of GCM", set("x-amz-cek-alg", () => "AES/CTR/NoPadding")],
    ["CBC in the place of GCM", set("x-amz-cek-alg", () => "AES/CBC/PKCS5Padding")],
    ["the wrap relabelled as kms", set("x-amz-wrap-alg", () => "kms")],
    [
      "the suite and wrap of V3 added",
      ({ metadata }) => Object.assign(metadata, { "x-amz-c": "115", "x-amz-w": "12" }),
    ],
    ["a shorter tag", set("x-amz-tag-len", () => "96")],
    ["no tag length", drop("x-amz-tag-len")],
    ["no algorithm in the context", set("x-amz-matdesc", () => "{}")],
    ["another IV", set("x-amz-iv", flipBase64)],
    ["another blob", set("x-amz-key-v2", flipBase64)],
    ["the key of V1 beside its own", ({ metadata }) => Object.assign(metadata, { "x-amz-key": "a2V5" })],
    ["a bit of the body", flip(() => 3)],
    ["a bit of the tag", flip((length) => length - 1)],
  ])("fails with the integrity error: %s", async (_, tamper) => {
    const world = v2();
    tamper(world.stored("k"), world.stored("k"));
    const { released, error } = await readAll(world);
    expect(error).toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
    expect(released.length).toBe(0);
  });
});
