/** Bodies as senders put them on the wire: plain, aws-chunked, with trailers and hashes, right and wrong. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AwsChunkedDecoder } from "../../src/simulator/s3/aws-chunked.ts";
import { CHECKSUM_ALGORITHMS, checksumOf } from "../../src/simulator/s3/checksums.ts";
import { errorOf, newBucket, rawExchange, rawHead, withSimulator, type RawAnswer } from "./support.ts";

const fixture = withSimulator({ buckets: ["bkt"] });
const bytesOf = (text: string): { pieces: Buffer[]; length: number } => ({
  pieces: [Buffer.from(text)],
  length: text.length,
});
const codeOf = ({ body }: RawAnswer): string | undefined => /<Code>(.*)<\/Code>/.exec(body)?.[1];

describe("checksums", () => {
  // "123456789" is the check string of the CRC catalogues; the SHA values are FIPS 180's for "abc".
  it.each([
    ["CRC32", "123456789", "cbf43926"],
    ["CRC32C", "123456789", "e3069283"],
    ["CRC64NVME", "123456789", "ae8b14860a799888"],
    ["SHA1", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"],
    ["SHA256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ] as const)("%s of %s is the published value", (algorithm, text, hex) => {
    expect(checksumOf(algorithm, bytesOf(text)).value).toBe(Buffer.from(hex, "hex").toString("base64"));
  });

  it.each(CHECKSUM_ALGORITHMS)("%s does not depend on where pieces begin", (algorithm) => {
    const whole = Buffer.from("a body in three pieces");
    const pieces = [whole.subarray(0, 1), whole.subarray(1, 9), whole.subarray(9)];
    expect(checksumOf(algorithm, { pieces, length: whole.length })).toEqual(
      checksumOf(algorithm, { pieces: [whole], length: whole.length }),
    );
  });

  it.each(["CRC32", "CRC32C", "SHA1", "SHA256"] as const)(
    "%s by a stock client is kept and shown",
    async (name) => {
      const { s3 } = fixture;
      const put = await s3.putObject({ Bucket: "bkt", Key: name, Body: "x", ChecksumAlgorithm: name });
      const plain = await s3.headObject({ Bucket: "bkt", Key: name });
      const head = await s3.headObject({ Bucket: "bkt", Key: name, ChecksumMode: "ENABLED" });
      const member = `Checksum${name}` as const;
      expect(put[member]).toBe(checksumOf(name, bytesOf("x")).value);
      expect([plain[member], head[member]]).toEqual([undefined, put[member]]);
    },
  );
});

describe("a stream by a stock client", () => {
  it("arrives whole, with its trailer checked and its coding taken off", async () => {
    const { s3 } = fixture;
    const pieces = Array.from({ length: 50 }, (_, i) => Buffer.alloc(7_001, i));
    const Body = Readable.from(pieces);
    const put = await s3.putObject({ Bucket: "bkt", Key: "stream", Body, ContentLength: 350_050 });
    expect(put.ChecksumCRC32).toBe(checksumOf("CRC32", { pieces, length: 350_050 }).value);
    const get = await s3.getObject({ Bucket: "bkt", Key: "stream" });
    expect(get.ContentEncoding).toBeUndefined();
    expect(Buffer.from((await get.Body?.transformToByteArray()) ?? [])).toEqual(Buffer.concat(pieces));
  });

  it("keeps the content encoding of the object beside aws-chunked", async () => {
    const { s3 } = fixture;
    const Body = Readable.from([Buffer.from("zipped")]);
    await s3.putObject({ Bucket: "bkt", Key: "gz", Body, ContentLength: 6, ContentEncoding: "gzip" });
    expect((await s3.headObject({ Bucket: "bkt", Key: "gz" })).ContentEncoding).toBe("gzip");
  });
});

const CHUNKED = "5;chunk-signature=ab\r\nhello\r\n1;chunk-signature=cd\r\n!\r\n0;chunk-signature=ef\r\n";

function putChunked(coded: string, headers: Record<string, string | number> = {}): Promise<RawAnswer> {
  const all = {
    "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "content-encoding": "aws-chunked",
    "x-amz-decoded-content-length": 6,
    "content-length": Buffer.byteLength(coded),
    ...headers,
  };
  return rawExchange(fixture.sim, rawHead("PUT /bkt/chunked", all), coded);
}

describe("aws-chunked", () => {
  const crc = checksumOf("CRC32", bytesOf("hello!")).value;
  const signedTrailer = {
    "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "x-amz-trailer": "x-amz-checksum-crc32",
  };
  const unsignedTrailer = { ...signedTrailer, "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER" };

  it.each([
    ["signed chunks", `${CHUNKED}\r\n`, {}],
    [
      "signed chunks and trailer",
      `${CHUNKED}x-amz-checksum-crc32:${crc}\r\nx-amz-trailer-signature:00\r\n\r\n`,
      signedTrailer,
    ],
    [
      "unsigned chunks with a trailer",
      `6\r\nhello!\r\n0\r\nx-amz-checksum-crc32:${crc}\r\n\r\n`,
      unsignedTrailer,
    ],
    ["no line after the last chunk", CHUNKED, {}],
    [
      "the coding named only by its encoding",
      `6\r\nhello!\r\n0\r\n\r\n`,
      { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
    ],
  ])("is taken off: %s", async (_says, coded, headers) => {
    expect((await putChunked(coded, headers)).status).toBe(200);
    const get = await fixture.s3.getObject({ Bucket: "bkt", Key: "chunked" });
    expect(await get.Body?.transformToString()).toBe("hello!");
    expect(get.ContentEncoding).toBeUndefined();
  });

  it.each([
    [
      "a wrong trailer",
      `6\r\nhello!\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n`,
      unsignedTrailer,
      "BadDigest",
    ],
    ["a trailer that never comes", `6\r\nhello!\r\n0\r\n\r\n`, unsignedTrailer, "MalformedTrailerError"],
    [
      "a trailer without a colon",
      `6\r\nhello!\r\n0\r\nx-amz\r\n\r\n`,
      unsignedTrailer,
      "MalformedTrailerError",
    ],
    ["fewer bytes than announced", `5\r\nhello\r\n0\r\n\r\n`, {}, "IncompleteBody"],
    ["no last chunk", `6\r\nhello!\r\n`, {}, "IncompleteBody"],
    ["a size that is no number", `zz\r\nhello!\r\n0\r\n\r\n`, {}, "InvalidChunkSizeError"],
    ["a chunk longer than its size", `3\r\nhello!\r\n0\r\n\r\n`, {}, "InvalidChunkSizeError"],
    ["a line without an end", "f".repeat(9_000), {}, "InvalidChunkSizeError"],
  ])("is refused: %s", async (_says, coded, headers, code) => {
    const answer = await putChunked(coded, headers);
    expect([answer.status, codeOf(answer)]).toEqual([400, code]);
  });

  it("decodes the same however the wire cuts it", () => {
    const coded = Buffer.from(`${CHUNKED}x-amz-checksum-crc32:${crc}\r\n\r\n`);
    const cuts = fc.uniqueArray(fc.integer({ min: 0, max: coded.length }), { maxLength: 20 });
    fc.assert(
      fc.property(cuts, (at) => {
        const data: Buffer[] = [];
        const decoder = new AwsChunkedDecoder((piece) => data.push(piece));
        const edges = [0, ...at.toSorted((a, b) => a - b), coded.length];
        for (let i = 1; i < edges.length; i++) decoder.push(coded.subarray(edges[i - 1], edges[i]));
        decoder.end();
        expect(Buffer.concat(data).toString()).toBe("hello!");
        expect(decoder.trailers.get("x-amz-checksum-crc32")).toBe(crc);
      }),
    );
  });
});

const putSaid = (headers: Record<string, string | number>, body = "hello"): Promise<RawAnswer> =>
  rawExchange(fixture.sim, rawHead("PUT /bkt/said", { "content-length": body.length, ...headers }), body);

describe("what a sender says of a body", () => {
  const sha256 = createHash("sha256").update("hello").digest("hex");
  const md5 = createHash("md5").update("hello").digest("base64");

  it.each([
    ["its SHA-256", { "x-amz-content-sha256": sha256 }],
    ["its MD5", { "content-md5": md5 }],
    ["a checksum", { "x-amz-checksum-crc32c": checksumOf("CRC32C", bytesOf("hello")).value }],
    ["nothing", {}],
  ])("is right: %s", async (_says, headers) => {
    expect((await putSaid(headers)).status).toBe(200);
  });

  it.each([
    ["another SHA-256", { "x-amz-content-sha256": sha256.replace(/^./, "f") }, "XAmzContentSHA256Mismatch"],
    ["another MD5", { "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" }, "BadDigest"],
    ["an MD5 that is none", { "content-md5": "hello" }, "InvalidDigest"],
    ["another CRC32", { "x-amz-checksum-crc32": "AAAAAA==" }, "BadDigest"],
    ["another CRC64NVME", { "x-amz-checksum-crc64nvme": "AAAAAAAAAAA=" }, "BadDigest"],
    ["another SHA1", { "x-amz-checksum-sha1": "AAAA" }, "BadDigest"],
    [
      "two checksums",
      { "x-amz-checksum-crc32": "NhCmhg==", "x-amz-checksum-sha1": "AAAA" },
      "InvalidRequest",
    ],
    ["an algorithm nobody knows", { "x-amz-sdk-checksum-algorithm": "MD4" }, "InvalidRequest"],
  ])("is wrong: %s", async (_says, headers, code) => {
    const answer = await putSaid(headers);
    expect([answer.status, codeOf(answer)]).toEqual([400, code]);
  });

  it("when it is wrong, nothing is stored and KMS is not asked", async () => {
    const { sim, s3, key } = fixture;
    const Bucket = await newBucket(s3);
    sim.resetKmsRequests();
    const headers = {
      "content-length": 5,
      "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==",
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": key.arn,
    };
    await rawExchange(sim, rawHead(`PUT /${Bucket}/k`, headers), "hello");
    expect((await errorOf(s3.headObject({ Bucket, Key: "k" }))).name).toBe("NotFound");
    expect(sim.kmsRequestCount()).toBe(0);
  });
});
