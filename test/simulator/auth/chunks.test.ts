/** Bodies in signed chunks (aws-chunked), as SDKs of other languages send them. */
import { createHash, createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { checksumOf } from "../../../src/simulator/s3/checksums.ts";
import { withSimulator } from "../support.ts";
import { outcome, send } from "./support.ts";

const alice = {
  accessKeyId: "ALICE",
  secretAccessKey: "s",
  principalArn: "arn:aws:iam::111122223333:user/alice",
};
const fixture = withSimulator({ credentials: [alice], verifySignatures: true, buckets: ["bkt"] });

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

interface Coded {
  readonly chunks: readonly string[];
  readonly trailer?: string;
  readonly hash?: string;
}

/** The reading of this file: header, chunks and trailers, each signed on top of the one before. */
function signedChunks({ chunks, trailer, hash }: Coded): {
  headers: Record<string, string>;
  lines: string[];
} {
  const timestamp = new Date().toISOString().replace(/\.\d{3}|[-:]/g, "");
  const date = timestamp.slice(0, 8);
  const scope = `${date}/eu-west-1/s3/aws4_request`;
  const key = [date, "eu-west-1", "s3", "aws4_request"].reduce<string | Buffer>(hmac, "AWS4s") as Buffer;
  const signed: Record<string, string> = {
    host: "127.0.0.1",
    "x-amz-content-sha256":
      hash ?? `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${trailer === undefined ? "" : "-TRAILER"}`,
    "x-amz-date": timestamp,
    "x-amz-decoded-content-length": String(chunks.join("").length),
    ...(trailer !== undefined && { "x-amz-trailer": trailer.split(":")[0] ?? "" }),
  };
  const names = Object.keys(signed).join(";");
  const lines = Object.entries(signed).map(([name, value]) => `${name}:${value}\n`);
  const canonical = `PUT\n/bkt/chunked\n\n${lines.join("")}\n${names}\n${signed["x-amz-content-sha256"]}`;
  let last = hmac(key, `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${sha256(canonical)}`).toString("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=ALICE/${scope}, SignedHeaders=${names}, Signature=${last}`;
  const coded = [...chunks, ""].flatMap((chunk) => {
    const text = `AWS4-HMAC-SHA256-PAYLOAD\n${timestamp}\n${scope}\n${last}\n${sha256("")}\n${sha256(chunk)}`;
    last = hmac(key, text).toString("hex");
    const line = `${chunk.length.toString(16)};chunk-signature=${last}`;
    return chunk === "" ? [line] : [line, chunk];
  });
  if (trailer !== undefined) {
    const text = `AWS4-HMAC-SHA256-TRAILER\n${timestamp}\n${scope}\n${last}\n${sha256(`${trailer}\n`)}`;
    coded.push(trailer, `x-amz-trailer-signature:${hmac(key, text).toString("hex")}`);
  }
  return {
    headers: { ...signed, authorization, "content-encoding": "aws-chunked" },
    lines: [...coded, "", ""],
  };
}

const CHUNKS = ["hello, ", "world"];
const crc = checksumOf("CRC32", { pieces: [Buffer.from(CHUNKS.join(""))], length: 12 }).value;
const TRAILER = `x-amz-checksum-crc32:${crc}`;

function put(
  coded: Coded,
  change: (lines: string[]) => readonly string[] = (lines) => lines,
): Promise<string> {
  const { headers, lines } = signedChunks(coded);
  return outcome(
    send(fixture.sim, { method: "PUT", target: "/bkt/chunked", headers, body: change(lines).join("\r\n") }),
  );
}

const stored = async (): Promise<string | undefined> =>
  (await fixture.s3.getObject({ Bucket: "bkt", Key: "chunked" })).Body?.transformToString();

describe("signed chunks", () => {
  it.each([
    ["without trailers", { chunks: CHUNKS }],
    ["with a signed trailer", { chunks: CHUNKS, trailer: TRAILER }],
    ["of an empty body", { chunks: [] }],
  ])("are taken: %s", async (_says, coded) => {
    expect(await put(coded)).toBe("200");
    expect(await stored()).toBe(coded.chunks.join(""));
  });

  it.each([
    ["another byte in a chunk", { chunks: CHUNKS }, edit(1, "hello; ")],
    ["another signature", { chunks: CHUNKS }, edit(0, `7;chunk-signature=${"0".repeat(64)}`)],
    ["no signature", { chunks: CHUNKS }, edit(0, "7")],
    ["no signature of the last chunk", { chunks: CHUNKS }, edit(4, "0")],
    [
      "chunks in another order",
      { chunks: ["aaa", "bbb"] },
      (l: string[]) => [l[2], l[3], l[0], l[1], ...l.slice(4)],
    ],
    ["another trailer", { chunks: CHUNKS, trailer: TRAILER }, edit(5, "x-amz-checksum-crc32:AAAAAA==")],
    [
      "another signature of the trailer",
      { chunks: CHUNKS, trailer: TRAILER },
      edit(6, "x-amz-trailer-signature:00"),
    ],
  ])("are refused: %s", async (_says, coded, change) => {
    expect(await put(coded, change as (lines: string[]) => readonly string[])).toBe(
      "403 SignatureDoesNotMatch",
    );
  });

  it.each([
    ["no signature of the trailer", { chunks: CHUNKS, trailer: TRAILER }, without(6)],
    ["neither trailer nor its signature", { chunks: CHUNKS, trailer: TRAILER }, without(5, 6)],
    ["a trailer behind the signature", { chunks: CHUNKS, trailer: TRAILER }, insert(7, "x-amz-more:1")],
    ["a trailer where none is signed", { chunks: CHUNKS }, insert(5, TRAILER)],
  ])("are malformed: %s", async (_says, coded, change) => {
    expect(await put(coded, change)).toBe("400 MalformedTrailerError");
  });

  it("leave nothing behind when the last of them is wrong", async () => {
    await put({ chunks: ["kept"] });
    await put({ chunks: CHUNKS }, edit(3, "WORLD"));
    expect(await stored()).toBe("kept");
  });

  it("have to say how long the body is", async () => {
    const { headers, lines } = signedChunks({ chunks: CHUNKS });
    const { "x-amz-decoded-content-length": _, ...others } = headers;
    const body = lines.join("\r\n");
    const answer = send(fixture.sim, { method: "PUT", target: "/bkt/chunked", headers: others, body });
    expect(await outcome(answer)).toBe("411 MissingContentLength");
  });
});

const plain = (lines: string[]): string[] =>
  lines
    .map((line) => line.split(";chunk-signature")[0] as string)
    .filter((line) => !line.startsWith("x-amz-trailer-signature"));

describe("unsigned chunks", () => {
  const hash = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

  it("with a trailer are taken, and the trailer is checked", async () => {
    expect(await put({ chunks: CHUNKS, trailer: TRAILER, hash }, plain)).toBe("200");
    const wrong = (lines: string[]): string[] => plain(lines).map((line) => line.replace(crc, "AAAAAA=="));
    expect(await put({ chunks: CHUNKS, trailer: TRAILER, hash }, wrong)).toBe("400 BadDigest");
  });
});

function edit(at: number, line: string): (lines: string[]) => string[] {
  return (lines) => lines.with(at, line);
}

function insert(at: number, line: string): (lines: string[]) => string[] {
  return (lines) => lines.toSpliced(at, 0, line);
}

function without(...at: readonly number[]): (lines: string[]) => string[] {
  return (lines) => lines.filter((_, i) => !at.includes(i));
}
