/** What we seal, read by the official clients. */
import { Readable } from "node:stream";
import { PutObjectCommand, type PutObjectCommandInput } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { bodyOf } from "../bodies.ts";
import type { World } from "../world.ts";
import type { S3ecCase } from "./case.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
export const SIZES: readonly number[] = [0, 1, 15, 16, 17, 1000, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1];
const CONTEXT = { tenant: "blue 7", purpose: "interoperability" };
const UNICODE = { tenant: "blå € 🔑", clé: "=?UTF-8?Q?no_word?=" };
/** Room for the client for Java. */
const bufferBytes = 80 * MIB;

/** Uploads that lib-storage makes parts of: four at once, each as long as part 1. */
const UPLOADS: Readonly<Record<string, { readonly bytes: number; readonly partSize: number }>> = {
  "two parts": { bytes: 10 * MIB, partSize: 5 * MIB },
  "a short last part": { bytes: 11 * MIB + 5, partSize: 5 * MIB },
  "parts of one byte more than whole blocks, the last over 5 MiB": {
    bytes: 4 * (6 * MIB + 1) - 7,
    partSize: 6 * MIB + 1,
  },
};

export const READS = {
  "reads-sizes": {
    does: "reads what we seal, from nothing to 64 KiB and a byte, all under one bucket key",
    smoke: true,
    comesOf: [...SIZES.map((bytes) => `the client reads ${bytes} bytes`), "bucket keys: 1"],
    async run(world) {
      const s3 = world.sealing();
      await Promise.all(SIZES.map((bytes) => world.wePut(s3, `${bytes}`, bytes)));
      for (const bytes of SIZES) {
        await world.theyRead(`${bytes} bytes`, `${bytes}`, { seed: `${bytes}`, bytes });
      }
      const blobs = await Promise.all(SIZES.map(async (bytes) => (await world.stored(`${bytes}`)).metadata));
      world.say(`bucket keys: ${new Set(blobs.map((metadata) => metadata["x-amz-3"])).size}`);
    },
  },
  "reads-bodies": {
    does: "reads what we seal of a string, a Blob and streams that can't be read twice",
    comesOf: ["a string", "a Blob", "a Node stream", "a web stream"].map(
      (kind) => `the client reads ${kind}`,
    ),
    async run(world) {
      const s3 = world.sealing();
      const bytes = bodyOf({ seed: "bodies", bytes: 1000 });
      const text = "blå 7 € ".repeat(100);
      const kinds: readonly (readonly [
        kind: string,
        body: Buffer,
        Body: NonNullable<PutObjectCommandInput["Body"]>,
      ])[] = [
        ["a string", Buffer.from(text), text],
        ["a Blob", bytes, new Blob([new Uint8Array(bytes)])],
        ["a Node stream", bytes, Readable.from(pieces(bytes, 7), { objectMode: false })],
        ["a web stream", bytes, new Blob([new Uint8Array(bytes)]).stream() as ReadableStream],
      ];
      for (const [kind, body, Body] of kinds) {
        const at = { Bucket: world.bucket, Key: world.key(kind) };
        await s3.send(new PutObjectCommand({ ...at, Body, ContentLength: body.length }));
        await world.theyRead(kind, kind, body);
      }
    },
  },
  "reads-context": {
    does: "reads what we seal under an encryption context, and refuses it without one and with another",
    smoke: true,
    comesOf: [
      "the client reads it",
      "the client refuses it without the context",
      "the client refuses it with another",
      'user metadata: {"mine":"yes"}',
    ],
    async run(world) {
      const s3 = world.sealing({ encryptionContext: CONTEXT });
      const body = { seed: "context", bytes: 100 };
      const at = { Bucket: world.bucket, Key: world.key("one") };
      await s3.send(new PutObjectCommand({ ...at, Body: bodyOf(body), Metadata: { mine: "yes" } }));
      await world.theyRead("it", "one", body, { context: CONTEXT });
      await world.theyRead("it without the context", "one", body);
      await world.theyRead("it with another", "one", body, { context: { ...CONTEXT, tenant: "red" } });
      const got = await world.program.do({ do: "get", key: at.Key, format: "V3", context: CONTEXT });
      world.say(`user metadata: ${JSON.stringify(got.metadata)}`);
    },
  },
  "reads-unicode": {
    does: "reads what we seal under an encryption context that is not ASCII",
    comesOf: ["the client reads it"],
    async run(world) {
      const body = await world.wePut(world.sealing({ encryptionContext: UNICODE }), "one", 100);
      await world.theyRead("it", "one", body, { context: UNICODE });
    },
  },
  "reads-large": {
    does: "reads 65 MiB that we seal out of a stream",
    smoke: true,
    comesOf: ["the client reads it"],
    async run(world) {
      const body = { seed: "large", bytes: 65 * MIB };
      const bytes = bodyOf(body);
      const at = { Bucket: world.bucket, Key: world.key("one") };
      const Body = Readable.from(pieces(bytes, 100_003), { objectMode: false });
      // With a checksum behind it the body goes out in chunks, of which moto reads a thousand in a minute.
      const s3 = world.sealing({}, { requestChecksumCalculation: "WHEN_REQUIRED" });
      await s3.send(new PutObjectCommand({ ...at, Body, ContentLength: bytes.length }));
      await world.theyRead("it", "one", body, { bufferBytes });
    },
  },
  "reads-multipart": {
    does: "reads what lib-storage uploads through us, in parts that are sent at once",
    smoke: true,
    comesOf: Object.keys(UPLOADS).flatMap((name) => [
      `${name} is sealed on the server`,
      `the client reads ${name}`,
    ]),
    async run(world) {
      const s3 = world.sealing();
      for (const [name, { bytes, partSize }] of Object.entries(UPLOADS)) {
        const body = { seed: name, bytes };
        const params = { Bucket: world.bucket, Key: world.key(name), Body: bodyOf(body) };
        await new Upload({ client: s3, params, partSize, queueSize: 4 }).done();
        await sealedAndRead(world, name, body);
      }
    },
  },
} as const satisfies Readonly<Record<string, S3ecCase>>;

async function sealedAndRead(
  world: World,
  name: string,
  body: { seed: string; bytes: number },
): Promise<void> {
  await world.saySealed(name, name, body);
  await world.theyRead(name, name, body);
}

function* pieces(bytes: Buffer, each: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += each) yield bytes.subarray(at, at + each);
}
