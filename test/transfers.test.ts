/** Transfer helpers through the plugin: lib-storage's Upload, streams, ranges. Flags and counts are exact. */
import { Readable } from "node:stream";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bucketKeys, definePolicy, type BucketKeysPlugin } from "../src/index.ts";
import { startSimulator, type Simulator } from "../src/simulator/index.ts";
import { FLAG, KEY_ID, SSE } from "./support/stub-client.ts";

const MIB = 1024 ** 2;
const Bucket = "lake";

let sim: Simulator;
let plugin: BucketKeysPlugin;
let s3: S3Client;
let kmsKey: string;
/** Operation and flag of every request that went to the wire. */
let sent: [operation: string, flag: string | undefined][];

beforeEach(async () => {
  sim = await startSimulator({ buckets: [Bucket] });
  kmsKey = sim.createKmsKey().arn;
  sent = [];
  plugin = bucketKeys({
    policy: definePolicy({
      version: 1,
      rules: [{ id: "lake", reason: "The bill.", kmsKey, bucketKey: "on", mode: "enforce" }],
    }),
    logger: { warn: () => {} },
  });
  s3 = new S3Client(sim.clientConfig);
  s3.middlewareStack.use(plugin);
  s3.middlewareStack.add(
    (next, { commandName = "" }) =>
      async (args) => {
        const { headers } = args.request as { headers: Record<string, string> };
        sent.push([commandName.replace(/Command$/, ""), headers[FLAG]]);
        return next(args);
      },
    { step: "deserialize", priority: "low" },
  );
});
afterEach(async () => {
  s3.destroy();
  await sim.close();
});

/** Bytes that tell where they stand. */
function bytes(length: number): Buffer {
  const made = Buffer.alloc(length);
  for (let i = 0; i + 4 <= length; i += 4_096) made.writeUInt32BE(i, i);
  return made;
}

const upload = (Key: string, Body: Buffer | Readable, options: { queueSize?: number } = {}): Upload =>
  new Upload({ client: s3, params: { Bucket, Key, Body }, partSize: 5 * MIB, ...options });

const read = async (Key: string, Range?: string): Promise<Buffer> => {
  const { Body } = await s3.send(
    new GetObjectCommand({ Bucket, Key, ...(Range !== undefined && { Range }) }),
  );
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
};

/** How often each went to the wire, such as `UploadPart undefined`. */
function wire(): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [operation, flag] of sent) {
    const name = flag === undefined ? operation : `${operation} ${flag}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function decided(): unknown {
  return plugin.stats().requests.map(({ operation, why, count }) => [operation, why, count]);
}

function answered(): unknown {
  return plugin
    .stats()
    .responses.map(({ operation, state, verdict, count }) => [operation, state, verdict, count]);
}

function kms(): Readonly<Record<string, number>> {
  const rows = sim
    .kmsRequests()
    .map(({ action, bucketLevel, count }) => ({ name: `${action} ${bucketLevel}`, count }));
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
}

describe("Upload", () => {
  it("of a small body is one PutObject with the flag", async () => {
    const body = bytes(MIB);
    const output = await upload("small", body).done();
    expect(output).toMatchObject({ BucketKeyEnabled: true, SSEKMSKeyId: kmsKey });
    expect(wire()).toEqual({ "PutObject true": 1 });
    expect((await read("small")).equals(body)).toBe(true);
    expect(decided()).toEqual([["PutObject", "completed", 1]]);
    expect(plugin.stats().drifts).toEqual([]);
  });

  it("in parts asks for a bucket key once, when it begins, and sees it in every answer", async () => {
    const body = bytes(12 * MIB);
    const output = await upload("large", body).done();
    expect(output).toMatchObject({ BucketKeyEnabled: true });
    expect(wire()).toEqual({ "CreateMultipartUpload true": 1, UploadPart: 3, CompleteMultipartUpload: 1 });
    expect(decided()).toEqual([["CreateMultipartUpload", "completed", 1]]);
    expect(answered()).toEqual([
      ["CreateMultipartUpload", "enabled", "honoured", 1],
      ["UploadPart", "enabled", "compliant", 3],
      ["CompleteMultipartUpload", "enabled", "compliant", 1],
    ]);
    // To begin is a GenerateDataKey, each part and the end a Decrypt: of one bucket key, not of the object.
    expect(kms()).toEqual({ "GenerateDataKey true": 1, "Decrypt true": 1 });
    expect((await read("large")).equals(body)).toBe(true);
  });

  it("of several bodies at once, parts in parallel, mixes nothing up", async () => {
    const names = ["a", "b", "c", "d"];
    const bodies = new Map(names.map((name, i) => [name, bytes((6 + i) * MIB)]));
    await Promise.all([...bodies].map(([name, body]) => upload(name, body, { queueSize: 4 }).done()));
    expect(wire()).toEqual({ "CreateMultipartUpload true": 4, UploadPart: 8, CompleteMultipartUpload: 4 });
    for (const [name, body] of bodies) expect((await read(name)).equals(body)).toBe(true);
    expect(decided()).toEqual([["CreateMultipartUpload", "completed", 4]]);
    expect(kms()).toEqual({ "GenerateDataKey true": 1, "Decrypt true": 1 });
  });

  it("whose part fails is decided once, and the part is sent again without a flag", async () => {
    const fault = sim.injectFault({
      operation: "UploadPart",
      after: 1,
      times: 1,
      fault: { kind: "error", code: "InternalError" },
    });
    const body = bytes(11 * MIB);
    await upload("retried", body, { queueSize: 1 }).done();
    expect(fault.hits).toBe(1);
    expect(wire()).toEqual({ "CreateMultipartUpload true": 1, UploadPart: 4, CompleteMultipartUpload: 1 });
    expect(decided()).toEqual([["CreateMultipartUpload", "completed", 1]]);
    expect(plugin.stats().errors).toEqual([]);
    expect((await read("retried")).equals(body)).toBe(true);
  });

  it("that is aborted leaves no object and no parts, and what was answered until then is counted", async () => {
    // The second part takes its time: the abort comes while it's on its way, and Upload lets it arrive.
    sim.injectFault({ operation: "UploadPart", after: 1, fault: { kind: "latency", milliseconds: 500 } });
    const aborted = upload("aborted", bytes(20 * MIB), { queueSize: 1 });
    const done = aborted.done();
    done.catch(() => {});
    await vi.waitFor(() => expect(wire()["UploadPart"]).toBe(2), { timeout: 5_000 });
    await aborted.abort();
    await expect(done).rejects.toMatchObject({ name: "AbortError" });
    await vi.waitFor(() => expect(wire()).toHaveProperty("AbortMultipartUpload"), { timeout: 5_000 });
    await vi.waitFor(async () => {
      expect((await s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []).toEqual([]);
    });
    expect((await s3.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).toEqual([]);
    expect(wire()).toMatchObject({ "CreateMultipartUpload true": 1, UploadPart: 2 });
    expect(wire()).not.toHaveProperty("CompleteMultipartUpload");
    expect(decided()).toEqual([["CreateMultipartUpload", "completed", 1]]);
    expect(answered()).toEqual([
      ["CreateMultipartUpload", "enabled", "honoured", 1],
      ["UploadPart", "enabled", "compliant", 2],
    ]);
    expect(plugin.stats()).toMatchObject({ drifts: [], errors: [] });
  });

  it("that is refused sends nothing", async () => {
    const refused = new Upload({
      client: s3,
      params: { Bucket, Key: "k", Body: bytes(6 * MIB), ServerSideEncryption: "AES256" },
      partSize: 5 * MIB,
    });
    await expect(refused.done()).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_REFUSED" });
    expect(sent).toEqual([]);
  });
});

/** A stream of quarters of a MiB, whose length nobody knows. */
function pieces(count: number): Readable {
  return Readable.from(Array.from({ length: count }, () => bytes(256 * 1024)));
}

describe("a stream", () => {
  it("of known length is one PutObject with the flag, read as it comes", async () => {
    const put = { Bucket, Key: "stream", Body: pieces(8), ContentLength: 2 * MIB };
    const output = await s3.send(new PutObjectCommand(put));
    expect(output.BucketKeyEnabled).toBe(true);
    expect(wire()).toEqual({ "PutObject true": 1 });
    expect(
      (await read("stream")).equals(Buffer.concat(Array.from({ length: 8 }, () => bytes(256 * 1024)))),
    ).toBe(true);
  });

  it("of unknown length becomes parts of one bucket key", async () => {
    await upload("unknown", pieces(28)).done();
    expect(wire()).toEqual({ "CreateMultipartUpload true": 1, UploadPart: 2, CompleteMultipartUpload: 1 });
    expect((await read("unknown")).length).toBe(7 * MIB);
    expect(plugin.stats().drifts).toEqual([]);
  });

  it("that breaks is the stream's own error, and leaves nothing", async () => {
    const broken = Readable.from(
      (function* () {
        yield bytes(6 * MIB);
        throw new Error("the disk is gone");
      })(),
    );
    await expect(upload("broken", broken, { queueSize: 1 }).done()).rejects.toThrow("the disk is gone");
    await vi.waitFor(async () => {
      expect((await s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []).toEqual([]);
    });
    expect(wire()).not.toHaveProperty("CompleteMultipartUpload");
    expect((await s3.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).toEqual([]);
  });
});

describe("a range", () => {
  beforeEach(async () => {
    await upload("large", bytes(12 * MIB)).done();
    sim.resetKmsRequests();
    sent = [];
  });

  it.each([
    ["the first bytes", "bytes=0-99", 0, 100],
    ["across a part's border", `bytes=${5 * MIB - 10}-${5 * MIB + 9}`, 5 * MIB - 10, 5 * MIB + 10],
    ["the last bytes", "bytes=-4096", 12 * MIB - 4_096, 12 * MIB],
  ])("of %s gives these bytes, and is observed", async (_what, range, start, end) => {
    expect((await read("large", range)).equals(bytes(12 * MIB).subarray(start, end))).toBe(true);
    expect(wire()).toEqual({ GetObject: 1 });
    expect(answered()).toContainEqual(["GetObject", "enabled", "compliant", 1]);
  });

  it("is read in parallel, as downloaders do, at no KMS request while the bucket key is there", async () => {
    const parts = await Promise.all(
      Array.from({ length: 12 }, (_, i) => read("large", `bytes=${i * MIB}-${(i + 1) * MIB - 1}`)),
    );
    expect(Buffer.concat(parts).equals(bytes(12 * MIB))).toBe(true);
    expect(answered()).toContainEqual(["GetObject", "enabled", "compliant", 12]);
    expect(sim.kmsRequestCount()).toBe(0);
    sim.advance(61_000);
    await read("large", "bytes=0-0");
    expect(kms()).toEqual({ "Decrypt true": 1 });
  });

  it("beyond the end is S3's error, and a head of a part tells how many there are", async () => {
    await expect(read("large", `bytes=${12 * MIB}-`)).rejects.toMatchObject({ name: "InvalidRange" });
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: "large", PartNumber: 2 }));
    expect(head).toMatchObject({ PartsCount: 3, ContentLength: 5 * MIB, BucketKeyEnabled: true });
    expect(answered()).toContainEqual(["HeadObject", "enabled", "compliant", 1]);
    expect(plugin.stats().errors).toEqual([]);
  });
});

describe("without a rule for it", () => {
  it("a transfer goes as it was written", async () => {
    const bare = new S3Client(sim.clientConfig);
    const seen: (string | undefined)[] = [];
    bare.middlewareStack.use(bucketKeys());
    bare.middlewareStack.add(
      (next) => async (args) => {
        const { headers } = args.request as { headers: Record<string, string> };
        seen.push(headers[FLAG], headers[SSE], headers[KEY_ID]);
        return next(args);
      },
      { step: "deserialize", priority: "low" },
    );
    await new Upload({
      client: bare,
      params: { Bucket, Key: "k", Body: bytes(6 * MIB) },
      partSize: 5 * MIB,
    }).done();
    bare.destroy();
    expect(new Set(seen)).toEqual(new Set([undefined]));
    expect(sim.kmsRequestCount()).toBe(0);
  });
});

describe("a copy in parts", () => {
  it("asks once, at its creation; UploadPartCopy and the rest only show what came of it", async () => {
    const Key = "copy";
    await s3.send(new PutObjectCommand({ Bucket, Key: "source", Body: "source" }));
    sent = [];
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const part = { Bucket, Key, UploadId, PartNumber: 1, CopySource: `${Bucket}/source` };
    const { CopyPartResult } = await s3.send(new UploadPartCopyCommand(part));
    const Parts = [{ PartNumber: 1, ETag: CopyPartResult?.ETag }];
    await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
    expect(sent).toEqual([
      ["CreateMultipartUpload", "true"],
      ["UploadPartCopy", undefined],
      ["CompleteMultipartUpload", undefined],
    ]);
    const seen = { state: "enabled", sse: "aws:kms", count: 1 };
    expect(plugin.stats().responses).toEqual(
      expect.arrayContaining([
        { operation: "UploadPartCopy", verdict: "compliant", ...seen },
        { operation: "CompleteMultipartUpload", verdict: "compliant", ...seen },
      ]),
    );
  });
});
