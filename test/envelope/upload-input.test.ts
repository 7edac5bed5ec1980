import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
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
});
