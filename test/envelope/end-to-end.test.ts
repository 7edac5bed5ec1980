/** The whole way with stock clients: S3Client, plugin and sealer against an S3 and KMS over HTTP. */
import { createReadStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { KMSClient } from "@aws-sdk/client-kms";
import {
  CopyObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectAnnotationCommand,
  PutObjectCommand,
  S3Client,
  SelectObjectContentCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  WriteGetObjectResponseCommand,
  type GetObjectCommandOutput,
  type PutObjectCommandInput,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { envelope, kmsKeyring, type Envelope, type EnvelopeOptions } from "../../src/envelope/index.ts";
import { bucketKeys } from "../../src/index.ts";
import { startSimulator, type Simulator } from "../../src/simulator/index.ts";

const MIB = 2 ** 20;
const TEXT = "dear Ada, \u00e9 \u{1f511}";
const BYTES = Buffer.from(TEXT);

let sim: Simulator;
let keyId: string;
let folder: string;
/** Stores and shows what lies in S3. */
let raw: S3Client;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  sim = await startSimulator({ buckets: ["vault", "other"] });
  keyId = sim.createKmsKey().arn;
  raw = new S3Client(sim.clientConfig);
  folder = await mkdtemp(join(tmpdir(), "envelope-"));
  await writeFile(join(folder, "letter"), BYTES);
});

afterEach(async () => {
  sim.removeFaults();
  sim.resetKmsRequests();
  for (const end of ends.splice(0)) await end();
});

afterAll(async () => {
  raw.destroy();
  await sim.close();
  await rm(folder, { recursive: true });
});

/** A client that seals everything. */
function sealing(
  options: Partial<EnvelopeOptions> = {},
  config: S3ClientConfig = {},
): { s3: S3Client; sealer: Envelope } {
  const kms = new KMSClient(sim.clientConfig);
  const sealer = envelope({
    keyring: kmsKeyring({ client: kms, keyId }),
    headObject: (input) => raw.send(new HeadObjectCommand(input)),
    ...options,
  });
  // The SDK's word on streams it can't retry would stand in the output.
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  const s3 = new S3Client({ ...sim.clientConfig, logger, ...config });
  const plugin = bucketKeys({ envelope: sealer, logger: { warn: () => undefined } });
  s3.middlewareStack.use(plugin);
  ends.push(
    () => sealer.close(),
    () => plugin.close(),
    () => s3.destroy(),
    () => kms.destroy(),
  );
  return { s3, sealer };
}

const at = (Key: string): { Bucket: string; Key: string } => ({ Bucket: "vault", Key });

async function read(s3: S3Client, Key: string, input: object = {}): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ ...at(Key), ...input }));
  return Buffer.from(await Body!.transformToByteArray());
}

async function storedBytes(Key: string): Promise<Buffer> {
  return read(raw, Key);
}

describe("a sealed object", () => {
  const bodies: readonly [string, () => NonNullable<PutObjectCommandInput["Body"]>, number | undefined][] = [
    ["text", () => TEXT, undefined],
    ["a Buffer", () => BYTES, undefined],
    ["a Uint8Array", () => Uint8Array.from(BYTES), undefined],
    ["a Blob", () => new Blob([BYTES]), undefined],
    ["a file's stream", () => createReadStream(join(folder, "letter")), undefined],
    ["a Node stream of declared length", () => Readable.from([BYTES]), BYTES.length],
    ["a web stream of declared length", () => new Blob([BYTES]).stream(), BYTES.length],
  ];

  it.each(bodies)("is made of %s, and opens", async (_, body, ContentLength) => {
    for (const requestChecksumCalculation of ["WHEN_SUPPORTED", "WHEN_REQUIRED"] as const) {
      const { s3 } = sealing({}, { requestChecksumCalculation });
      const length = ContentLength === undefined ? {} : { ContentLength };
      await s3.send(new PutObjectCommand({ ...at("k"), Body: body(), ...length }));
      const stored = await storedBytes("k");
      expect(stored.length).toBe(BYTES.length + 16);
      expect(stored.includes("Ada")).toBe(false);
      expect((await read(s3, "k")).equals(BYTES)).toBe(true);
    }
  });

  it("is handed out with the SDK's methods", async () => {
    const { s3 } = sealing();
    await s3.send(new PutObjectCommand({ ...at("k"), Body: TEXT }));
    const get = async (): Promise<NonNullable<GetObjectCommandOutput["Body"]>> =>
      (await s3.send(new GetObjectCommand(at("k")))).Body!;
    expect(await (await get()).transformToString()).toBe(TEXT);
    expect(await (await get()).transformToString("base64")).toBe(BYTES.toString("base64"));
    expect(Buffer.from(await (await get()).transformToByteArray()).equals(BYTES)).toBe(true);
    expect(await new Response((await get()).transformToWebStream() as never).text()).toBe(TEXT);
    const chunks: Uint8Array[] = [];
    for await (const chunk of (await get()) as Readable) chunks.push(chunk as Uint8Array);
    expect(Buffer.concat(chunks).equals(BYTES)).toBe(true);
  });

  it("has the plaintext's length in heads and gets, and the ciphertext's ETag and checksum", async () => {
    const { s3 } = sealing();
    await s3.send(
      new PutObjectCommand({ ...at("k"), Body: TEXT, ChecksumAlgorithm: "SHA256", Metadata: { a: "b" } }),
    );
    const head = await s3.send(new HeadObjectCommand({ ...at("k"), ChecksumMode: "ENABLED" }));
    const stored = await raw.send(new HeadObjectCommand({ ...at("k"), ChecksumMode: "ENABLED" }));
    expect(head).toMatchObject({
      ContentLength: BYTES.length,
      ETag: stored.ETag,
      ChecksumSHA256: stored.ChecksumSHA256,
      Metadata: { a: "b", "x-amz-c": "115" },
    });
    expect(stored.ContentLength).toBe(BYTES.length + 16);
    const get = await s3.send(new GetObjectCommand(at("k")));
    expect(get.ContentLength).toBe(BYTES.length);
    await get.Body?.transformToByteArray();
  });

  it("costs one KMS request per bucket key, whatever the number of objects and readers", async () => {
    const { s3 } = sealing();
    const keys = Array.from({ length: 20 }, (_, n) => `many/${n}`);
    await Promise.all(keys.map((Key) => s3.send(new PutObjectCommand({ ...at(Key), Body: Key }))));
    const opened = await Promise.all(keys.map((Key) => read(s3, Key)));
    expect(opened.map(String)).toEqual(keys);
    expect(sim.kmsClientRequests().map(({ action }) => action)).toEqual(["GenerateDataKey", "Decrypt"]);
  });
});

describe("retries", () => {
  it("send the same ciphertext: sealing comes before them", async () => {
    const { s3 } = sealing();
    const bodies: Buffer[] = [];
    s3.middlewareStack.add(
      (next) => async (args) => {
        const { body } = args.request as { body?: Uint8Array };
        if (body !== undefined) bodies.push(Buffer.from(body));
        return next(args);
      },
      { step: "finalizeRequest", priority: "low", name: "watch" },
    );
    const fault = sim.injectFault({
      operation: "PutObject",
      times: 2,
      fault: { kind: "error", code: "InternalError" },
    });
    await s3.send(new PutObjectCommand({ ...at("k"), Body: TEXT }));
    expect(fault.hits).toBe(2);
    expect(bodies).toHaveLength(3);
    expect(new Set(bodies.map((body) => body.toString("hex"))).size).toBe(1);
    expect((await storedBytes("k")).equals(bodies[0]!)).toBe(true);
    expect(String(await read(s3, "k"))).toBe(TEXT);
  });

  it("after a lost answer store the same object", async () => {
    const { s3 } = sealing();
    sim.injectFault({ operation: "PutObject", times: 1, fault: { kind: "reset", moment: "before-answer" } });
    await s3.send(new PutObjectCommand({ ...at("k"), Body: TEXT }));
    expect(String(await read(s3, "k"))).toBe(TEXT);
  });

  it("don't happen for streams, which can't be read twice", async () => {
    const { s3 } = sealing();
    const fault = sim.injectFault({ operation: "PutObject", fault: { kind: "error", code: "SlowDown" } });
    const put = new PutObjectCommand({
      ...at("k"),
      Body: Readable.from([BYTES]),
      ContentLength: BYTES.length,
    });
    await expect(s3.send(put)).rejects.toMatchObject({ name: "SlowDown" });
    expect(fault.hits).toBe(1);
  });

  it.each(["WHEN_SUPPORTED", "WHEN_REQUIRED"] as const)(
    "don't hide a stream that breaks: the call fails, the process goes on, no object is made (checksums %s)",
    async (requestChecksumCalculation) => {
      const { s3 } = sealing({}, { requestChecksumCalculation });
      for (const pieces of [1, 40]) {
        const source = Readable.from(
          (function* () {
            for (let piece = 0; piece < pieces; piece++) yield Buffer.alloc(65_536);
            throw new Error("source is gone");
          })(),
        );
        const put = new PutObjectCommand({
          ...at("broken"),
          Body: source,
          ContentLength: pieces * 65_536 + 1,
        });
        await expect(s3.send(put)).rejects.toThrow("source is gone");
      }
      const short = Readable.from([BYTES]);
      const put = new PutObjectCommand({ ...at("broken"), Body: short, ContentLength: BYTES.length + 1 });
      await expect(s3.send(put)).rejects.toMatchObject({ problem: "body" });
      await expect(raw.send(new HeadObjectCommand(at("broken")))).rejects.toMatchObject({ name: "NotFound" });
    },
  );
});

describe("large objects", () => {
  const large = Buffer.alloc(11 * MIB + 7);
  for (let n = 0; n < large.length; n += 101) large[n] = n % 251;

  it("go through lib-storage's Upload in parallel parts, and open in every mode", async () => {
    const { s3 } = sealing();
    await new Upload({ client: s3, params: { ...at("large"), Body: large }, queueSize: 3 }).done();
    expect((await storedBytes("large")).length).toBe(large.length + 16);
    expect((await s3.send(new HeadObjectCommand(at("large")))).ContentLength).toBe(large.length);
    expect((await read(s3, "large")).equals(large)).toBe(true);
    for (const options of [
      { release: "twoPass", verifiedBufferBytes: MIB },
      { release: "delayedAuthentication" },
    ] as const) {
      expect((await read(sealing(options).s3, "large")).equals(large)).toBe(true);
    }
    await expect(read(sealing({ verifiedBufferBytes: MIB }).s3, "large")).rejects.toMatchObject({
      problem: "buffer-limit",
    });
  });

  it("stream in and out", async () => {
    const { s3 } = sealing({ release: "twoPass", verifiedBufferBytes: MIB });
    const body = Readable.from([large.subarray(0, 5 * MIB), large.subarray(5 * MIB)]);
    await s3.send(new PutObjectCommand({ ...at("stream"), Body: body, ContentLength: large.length }));
    expect((await read(s3, "stream")).equals(large)).toBe(true);
  });

  it("give ranges that are verified", async () => {
    const part = large.subarray(0, 3 * MIB + 7);
    for (const verifiedBufferBytes of [MIB, 64 * MIB]) {
      const { s3 } = sealing({ ranges: "verified", verifiedBufferBytes });
      await s3.send(new PutObjectCommand({ ...at("ranged"), Body: part }));
      const L = part.length;
      for (const [Range, start, end] of [
        ["bytes=0-0", 0, 1],
        [`bytes=${2 * MIB - 5}-${3 * MIB}`, 2 * MIB - 5, 3 * MIB + 1],
        [`bytes=${L - 3}-`, L - 3, L],
        ["bytes=-1000", L - 1000, L],
      ] as const) {
        const output = await s3.send(new GetObjectCommand({ ...at("ranged"), Range }));
        expect(output).toMatchObject({
          ContentLength: end - start,
          ContentRange: `bytes ${start}-${end - 1}/${L}`,
          $metadata: { httpStatusCode: 206 },
        });
        const range = Buffer.from(await output.Body!.transformToByteArray());
        expect(range.equals(part.subarray(start, end))).toBe(true);
      }
      const past = s3.send(new GetObjectCommand({ ...at("ranged"), Range: `bytes=${L}-` }));
      await expect(past).rejects.toMatchObject({ name: "InvalidRange", $metadata: { httpStatusCode: 416 } });
    }
  });
});

/** What of a refusal tells that the sealer decided. */
const BY_SEALER = { code: "ERR_BUCKET_KEY_ENVELOPE_REFUSED", problem: "unsupported-operation" };

describe("what S3 stores", () => {
  it("fails when altered, and isn't sealed once stripped", async () => {
    const { s3 } = sealing();
    await s3.send(new PutObjectCommand({ ...at("k"), Body: TEXT }));
    const { Metadata } = await raw.send(new HeadObjectCommand(at("k")));
    const stored = await storedBytes("k");
    await raw.send(new PutObjectCommand({ ...at("k"), Body: stored }));
    await expect(read(s3, "k")).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_NOT_SEALED" });
    stored[3]! ^= 1;
    await raw.send(new PutObjectCommand({ ...at("k"), Body: stored, Metadata: Metadata! }));
    await expect(read(s3, "k")).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_INTEGRITY" });
  });

  it("can be cut off on its way, which fails too", async () => {
    const { s3 } = sealing();
    await s3.send(new PutObjectCommand({ ...at("k"), Body: Buffer.alloc(100_000) }));
    sim.injectFault({ operation: "GetObject", fault: { kind: "truncated-body", afterBytes: 50_000 } });
    await expect(read(s3, "k")).rejects.toThrow("aborted");
  });

  it("is copied as it is when sealed, with new metadata too, and not when plain", async () => {
    const { s3 } = sealing();
    await s3.send(new PutObjectCommand({ ...at("k"), Body: TEXT }));
    await s3.send(new CopyObjectCommand({ Bucket: "other", Key: "copy", CopySource: "vault/k" }));
    expect(String(await read(s3, "copy", { Bucket: "other" }))).toBe(TEXT);
    const replaced = {
      ...at("replaced"),
      CopySource: "vault/k",
      MetadataDirective: "REPLACE",
      Metadata: { a: "b" },
    } as const;
    await s3.send(new CopyObjectCommand(replaced));
    const { Body, Metadata } = await s3.send(new GetObjectCommand(at("replaced")));
    expect(await Body?.transformToString()).toBe(TEXT);
    expect(Metadata).toMatchObject({ a: "b" });
    await raw.send(new PutObjectCommand({ ...at("plain"), Body: TEXT }));
    const copy = s3.send(new CopyObjectCommand({ ...at("copy"), CopySource: "vault/plain" }));
    await expect(copy).rejects.toMatchObject({ problem: "copy-source" });
  });

  it("is looked at before it's copied: what isn't there is HEAD's NotFound, not the copy's NoSuchKey", async () => {
    const { s3 } = sealing();
    const copy = { ...at("copy"), CopySource: "vault/missing" };
    await expect(s3.send(new CopyObjectCommand(copy))).rejects.toMatchObject({ name: "NotFound" });
    await expect(raw.send(new CopyObjectCommand(copy))).rejects.toMatchObject({ name: "NoSuchKey" });
  });

  it("is out of reach of what moves bytes past the client: policy and sealer refuse, each what it decides", async () => {
    const { s3 } = sealing();
    const part = { ...at("k"), UploadId: "u", PartNumber: 1 };
    const query = {
      Expression: "e",
      ExpressionType: "SQL",
      InputSerialization: {},
      OutputSerialization: {},
    } as const;
    const byPolicy: (() => Promise<unknown>)[] = [
      () => s3.send(new UploadPartCopyCommand({ ...part, CopySource: "vault/k" })),
      () => getSignedUrl(s3, new PutObjectCommand(at("k"))),
      () => getSignedUrl(s3, new UploadPartCommand(part)),
      () => getSignedUrl(s3, new CopyObjectCommand({ ...at("k"), CopySource: "vault/k" })),
    ];
    for (const call of byPolicy) {
      const refused = { code: "ERR_BUCKET_KEY_REFUSED", why: "refused-seal" };
      await expect(call()).rejects.toMatchObject(refused);
    }
    const bySealer: (() => Promise<unknown>)[] = [
      () => s3.send(new SelectObjectContentCommand({ ...at("k"), ...query })),
      () => s3.send(new WriteGetObjectResponseCommand({ RequestRoute: "r", RequestToken: "t", Body: "x" })),
    ];
    for (const call of bySealer) await expect(call()).rejects.toMatchObject(BY_SEALER);
  });

  it("is out of reach of PutObjectAnnotation: the sealer refuses", async () => {
    const annotation = { ...at("k"), AnnotationName: "n", AnnotationPayload: "x" };
    const { s3 } = sealing();
    await expect(s3.send(new PutObjectAnnotationCommand(annotation))).rejects.toMatchObject(BY_SEALER);
  });

  it("is handed out as it is by a presigned URL", async () => {
    const { s3 } = sealing();
    await s3.send(new PutObjectCommand({ ...at("k"), Body: TEXT }));
    const url = await getSignedUrl(s3, new GetObjectCommand(at("k")));
    const fetched = Buffer.from(await (await fetch(url)).arrayBuffer());
    expect(fetched.equals(await storedBytes("k"))).toBe(true);
  });
});
