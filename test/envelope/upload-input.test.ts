import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { withTagPart } from "../../src/envelope/upload-input.ts";
import { bench, refusal } from "./fake-upload.ts";

describe("a part is refused, and nothing is sent", () => {
  it.each([0, -1, 1.5, 10_001, "1", undefined])("with the number %s", async (number) => {
    const { uploads, call, s3 } = bench();
    await expect(uploads.part(call("UploadPart", { PartNumber: number, Body: "x" }))).rejects.toMatchObject(
      refusal("part-number"),
    );
    expect(s3.sent).toHaveLength(0);
  });

  it.each([
    "ContentMD5",
    "ChecksumCRC32",
    "ChecksumSHA256",
    "ChecksumCRC64NVME",
    "ChecksumXXHASH3",
    "MpuObjectSize",
  ])("with the caller's own %s", async (name) => {
    const { part, s3 } = bench();
    await expect(part(1, "x", { [name]: "of the plaintext" })).rejects.toMatchObject({
      ...refusal("caller-checksum"),
      message: expect.stringMatching(new RegExp(`^${name} `)),
    });
    await part(1, "x", { [name]: undefined, ChecksumAlgorithm: "SHA256", ChecksumType: "COMPOSITE" });
    expect(s3.sent).toHaveLength(1);
  });

  it.each([-1, 1.5, "4", 3, 5])("with a ContentLength of %s for 4 bytes", async (length) => {
    const bytes = bench();
    await expect(bytes.part(1, "four", { ContentLength: length })).rejects.toMatchObject(refusal("body"));
    const stream = bench();
    await expect(
      stream.part(1, Readable.from([Buffer.from("four")]), { ContentLength: length }),
    ).rejects.toMatchObject(refusal("body"));
    expect([...bytes.s3.sent, ...stream.s3.sent]).toEqual([]);
    await bytes.part(1, "four", { ContentLength: 4 });
    await stream.part(1, Readable.from([Buffer.from("four")]), { ContentLength: 4 });
  });

  it("with a body that is none", async () => {
    const { part } = bench();
    await expect(part(1, 42)).rejects.toMatchObject(refusal("body"));
  });

  it("where a presigned URL is asked for: nobody would seal", async () => {
    const { uploads, call, s3 } = bench();
    const presigned = call("UploadPart", { PartNumber: 1 }, { presigning: true });
    await expect(uploads.part(presigned)).rejects.toMatchObject(refusal("unsupported-operation"));
    await expect(
      uploads.complete({ ...presigned, operation: "CompleteMultipartUpload" }),
    ).rejects.toMatchObject(refusal("unsupported-operation"));
    await uploads.abort(call("AbortMultipartUpload", {}, { presigning: true }));
    expect([uploads.size, s3.sent.length, s3.aborts.length]).toEqual([1, 0, 1]);
  });

  it("past the limit of GCM, as soon as its number says so", async () => {
    const partBytes = 2 ** 30;
    const { part, s3 } = bench({ partBytes });
    await part(64, Buffer.alloc(10));
    for (const number of [65, 66, 10_000]) {
      await expect(part(number, Buffer.alloc(1))).rejects.toMatchObject(refusal("too-large"));
      const unread = Readable.from([Buffer.alloc(1)]);
      await expect(part(number, unread, { ContentLength: 1 })).rejects.toMatchObject(refusal("too-large"));
      expect(unread.readableDidRead).toBe(false);
    }
    expect(s3.sent).toHaveLength(1);
  });

  it("past the limit of GCM by a single byte", async () => {
    const { part } = bench({ partBytes: 2 ** 36 - 40 });
    await expect(part(2, Buffer.alloc(9))).rejects.toMatchObject(refusal("too-large"));
    await part(2, Buffer.alloc(8));
  });

  it("longer than Node's crypto takes at once, and says nothing of the others' length then", async () => {
    const { part } = bench();
    const refused = {
      ...refusal("part-size"),
      message:
        "A part has at most 2147483647 bytes where it is sealed: it is sent as one array, and Node's crypto takes no " +
        "longer ones. Send more and smaller parts.",
    };
    await expect(part(1, new Uint8Array(2 ** 31))).rejects.toMatchObject(refused);
    const unread = Readable.from([Buffer.alloc(1)]);
    await expect(part(1, unread, { ContentLength: 2 ** 31 })).rejects.toMatchObject(refused);
    expect(unread.readableDidRead).toBe(false);
    const chunk = Buffer.alloc(2 ** 26);
    await expect(part(1, Readable.from(Array<Buffer>(33).fill(chunk)))).rejects.toMatchObject(refused);
    await part(1, Buffer.alloc(40));
  });

  it("of a stream that is longer than it may be; the rest isn't read", async () => {
    const { part } = bench({ partBytes: 40 });
    let read = 0;
    const endless = async function* (): AsyncGenerator<Buffer> {
      for (;;) {
        read++;
        yield Buffer.alloc(15);
      }
    };
    await expect(part(1, endless())).rejects.toMatchObject(refusal("part-size"));
    expect(read).toBe(3);
    await expect(part(1, endless(), { ContentLength: 20 })).rejects.toMatchObject({
      ...refusal("body"),
      message: expect.stringContaining("declared to have 20 bytes, but has more than 20"),
    });
    expect(read).toBe(5);
  });

  it.each<[string, (made: ReturnType<typeof bench>) => Promise<unknown>, string, string]>([
    [
      "a number that is none",
      ({ part }) => part(0, "x"),
      "part-number",
      "PartNumber must be a whole number from 1 to 10000: a part's number says where in the object it lies.",
    ],
    [
      "a checksum of the caller's",
      ({ part }) => part(1, "x", { ChecksumCRC32: "AAAAAA==" }),
      "caller-checksum",
      "ChecksumCRC32 describes the plaintext, but S3 gets the ciphertext: leave it out. The SDK computes checksums of " +
        "what is sent by itself; ChecksumAlgorithm chooses which.",
    ],
    [
      "a length that isn't that of the bytes",
      ({ part }) => part(1, "four", { ContentLength: 5 }),
      "body",
      "ContentLength must be the number of bytes of Body: correct it, or leave it out.",
    ],
    [
      "a length that can't be",
      ({ part }) => part(1, Readable.from([Buffer.alloc(5)]), { ContentLength: -1 }),
      "body",
      "ContentLength must be the number of bytes of Body: correct it, or leave it out.",
    ],
    [
      "a stream that is longer than declared",
      ({ part }) => part(1, Readable.from([Buffer.alloc(5)]), { ContentLength: 4 }),
      "body",
      "The part was declared to have 4 bytes, but has more than 4: correct ContentLength, or leave it out.",
    ],
    [
      "a stream that is shorter than declared",
      ({ part }) => part(1, Readable.from([Buffer.alloc(3)]), { ContentLength: 4 }),
      "body",
      "The part was declared to have 4 bytes, but has 3: correct ContentLength, or leave it out.",
    ],
    [
      "a stream that is longer than parts are",
      ({ part }) => part(1, Readable.from([Buffer.alloc(41)])),
      "part-size",
      "A part has more than 40 bytes, the size of this upload's parts: send parts of one size, all but the last, or " +
        "set the option partBytes to it.",
    ],
  ])("with words that say what to do: %s", async (_, act, problem, message) => {
    const made = bench({ partBytes: 40 });
    await expect(act(made)).rejects.toMatchObject({ ...refusal(problem), message });
    expect(made.s3.sent).toEqual([]);
  });
});

it("a stream may be declared to be empty", async () => {
  const { part, complete, s3, sealed } = bench();
  await complete([await part(1, Readable.from([]), { ContentLength: 0 })]);
  expect(s3.object()?.equals(sealed(new Uint8Array(0)))).toBe(true);
});

it("the part with the tag is listed with its ETag, and with checksums of the caller's algorithms that S3 answered", () => {
  const entry = {
    PartNumber: 1,
    ETag: '"e1"',
    ChecksumCRC32: "a",
    ChecksumSHA256: "b",
    RequestCharged: "requester",
  };
  const output = { ETag: '"e2"', ChecksumCRC32: "c", ChecksumSHA1: "d", RequestCharged: "requester" };
  const tagPart = { ETag: '"e2"', ChecksumCRC32: "c" };
  const list = [{ number: 1, etag: "e1", entry }];
  expect(withTagPart(list, 2, output)).toStrictEqual([entry, { PartNumber: 2, ...tagPart }]);
  expect(withTagPart(list, 1, output)).toStrictEqual([{ PartNumber: 1, ...tagPart }]);
});
