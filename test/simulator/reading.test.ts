/** GetObject and HeadObject: ranges, conditions, what is given back; and conditions of writes. */
import { beforeAll, describe, expect, it } from "vitest";
import { errorOf, newBucket, withSimulator } from "./support.ts";

const fixture = withSimulator();
let Bucket: string;
beforeAll(async () => {
  Bucket = await newBucket(fixture.s3);
  await fixture.s3.putObject({ Bucket, Key: "digits", Body: "0123456789" });
  await fixture.s3.putObject({ Bucket, Key: "empty", Body: "" });
});

describe("a range", () => {
  it.each([
    ["bytes=0-3", "0123", "bytes 0-3/10"],
    ["bytes=4-", "456789", "bytes 4-9/10"],
    ["bytes=-3", "789", "bytes 7-9/10"],
    ["bytes=-99", "0123456789", "bytes 0-9/10"],
    ["bytes=8-99", "89", "bytes 8-9/10"],
    ["bytes=9-9", "9", "bytes 9-9/10"],
  ])("%s gives %s", async (Range, text, contentRange) => {
    const output = await fixture.s3.getObject({ Bucket, Key: "digits", Range });
    expect(await output.Body?.transformToString()).toBe(text);
    expect([output.ContentRange, output.ContentLength]).toEqual([contentRange, text.length]);
    expect(output.$metadata.httpStatusCode).toBe(206);
    const head = await fixture.s3.headObject({ Bucket, Key: "digits", Range });
    expect([head.ContentRange, head.ContentLength]).toEqual([contentRange, text.length]);
  });

  it.each(["bytes=10-", "bytes=99-100", "bytes=-0"])("%s is beyond the end", async (Range) => {
    const error = await errorOf(fixture.s3.getObject({ Bucket, Key: "digits", Range }));
    expect([error.$metadata.httpStatusCode, error.name]).toEqual([416, "InvalidRange"]);
    expect(error).toHaveProperty("ActualObjectSize", "10");
  });

  it.each(["bytes=0-", "bytes=-1"])("%s of an empty object is beyond the end", async (Range) => {
    expect((await errorOf(fixture.s3.getObject({ Bucket, Key: "empty", Range }))).name).toBe("InvalidRange");
  });

  it.each(["bytes=5-2", "bytes=0-1,4-5", "lines=1-2", "bytes=a-b", "bytes=-"])(
    "%s is not one: the whole object comes",
    async (Range) => {
      const output = await fixture.s3.getObject({ Bucket, Key: "digits", Range });
      expect(await output.Body?.transformToString()).toBe("0123456789");
      expect(output.$metadata.httpStatusCode).toBe(200);
    },
  );

  it("reaches over the pieces of a large body", async () => {
    const Body = Buffer.from(Uint8Array.from({ length: 1_000_000 }, (_, i) => i % 251));
    await fixture.s3.putObject({ Bucket, Key: "large", Body });
    for (const [start, end] of [
      [0, 1],
      [65_535, 65_537],
      [131_071, 999_999],
    ] as const) {
      const output = await fixture.s3.getObject({ Bucket, Key: "large", Range: `bytes=${start}-${end}` });
      const read = (await output.Body?.transformToByteArray()) ?? Buffer.of();
      expect(Body.subarray(start, end + 1).equals(read)).toBe(true);
    }
  });
});

const statusOf = async (call: Promise<{ $metadata: { httpStatusCode?: number } }>) =>
  (await call.catch((error: unknown) => error as Awaited<typeof call>)).$metadata.httpStatusCode;

describe("a condition of a read", () => {
  const later = new Date("2099-01-01");
  const earlier = new Date("2000-01-01");

  it.each([
    ["If-Match holds", (etag: string) => ({ IfMatch: etag }), 200],
    ["If-Match fails", () => ({ IfMatch: '"other"' }), 412],
    ["If-None-Match holds", () => ({ IfNoneMatch: '"other"' }), 200],
    ["If-None-Match fails", (etag: string) => ({ IfNoneMatch: etag }), 304],
    ["If-Modified-Since holds", () => ({ IfModifiedSince: earlier }), 200],
    ["If-Modified-Since fails", () => ({ IfModifiedSince: later }), 304],
    ["If-Unmodified-Since holds", () => ({ IfUnmodifiedSince: later }), 200],
    ["If-Unmodified-Since fails", () => ({ IfUnmodifiedSince: earlier }), 412],
    [
      "If-Match beats If-Unmodified-Since",
      (etag: string) => ({ IfMatch: etag, IfUnmodifiedSince: earlier }),
      200,
    ],
    [
      "If-None-Match beats If-Modified-Since",
      (etag: string) => ({ IfNoneMatch: etag, IfModifiedSince: earlier }),
      304,
    ],
  ])("%s", async (_says, conditions, status) => {
    const { ETag = "" } = await fixture.s3.headObject({ Bucket, Key: "digits" });
    const asked = { Bucket, Key: "digits", ...conditions(ETag) };
    expect(await statusOf(fixture.s3.getObject(asked))).toBe(status);
    expect(await statusOf(fixture.s3.headObject(asked))).toBe(status);
  });
});

describe("a condition of a write", () => {
  it("If-None-Match * writes only what is not there", async () => {
    const { s3 } = fixture;
    const put = { Bucket, Key: "once", Body: "x", IfNoneMatch: "*" };
    await s3.putObject(put);
    const error = await errorOf(s3.putObject(put));
    expect([error.$metadata.httpStatusCode, error.name]).toEqual([412, "PreconditionFailed"]);
  });

  it("If-None-Match * lets one of many writers win", async () => {
    const put = { Bucket, Key: "race", Body: "x".repeat(100_000), IfNoneMatch: "*" };
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => fixture.s3.putObject(put)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("If-Match writes only over the object of that ETag", async () => {
    const { s3 } = fixture;
    const put = { Bucket, Key: "swap", Body: "x" };
    expect((await errorOf(s3.putObject({ ...put, IfMatch: '"any"' }))).name).toBe("NoSuchKey");
    const { ETag } = await s3.putObject(put);
    expect((await errorOf(s3.putObject({ ...put, IfMatch: '"other"' }))).name).toBe("PreconditionFailed");
    await expect(s3.putObject({ ...put, IfMatch: ETag })).resolves.toHaveProperty("ETag", ETag);
  });
});

describe("what comes back", () => {
  it("is what was written beside the body", async () => {
    const { s3 } = fixture;
    const written = {
      ContentType: "text/csv",
      ContentLanguage: "de",
      ContentDisposition: 'attachment; filename="a.csv"',
      ContentEncoding: "gzip",
      CacheControl: "max-age=5",
      StorageClass: "STANDARD_IA",
      Metadata: { one: "1", "two-2": "zwei" },
    } as const;
    await s3.putObject({ Bucket, Key: "described", Body: "x", ...written });
    expect(await s3.headObject({ Bucket, Key: "described" })).toMatchObject(written);
    expect(await s3.getObject({ Bucket, Key: "described" })).toMatchObject(written);
  });

  it("is a type of its own when none was given", async () => {
    const { sim, s3 } = fixture;
    await fetch(`${sim.endpoint}/${Bucket}/untyped`, { method: "PUT", body: Buffer.from("x") });
    expect((await s3.headObject({ Bucket, Key: "untyped" })).ContentType).toBe("binary/octet-stream");
  });

  it("has the headers that a reader asks for instead", async () => {
    const output = await fixture.s3.getObject({
      Bucket,
      Key: "digits",
      ResponseContentType: "a/b",
      ResponseContentDisposition: "inline",
    });
    expect([output.ContentType, output.ContentDisposition]).toEqual(["a/b", "inline"]);
  });

  it.each(["€", "a\r\nx-injected: yes", "\u0000"])(
    "never has a header that HTTP cannot carry: %j",
    async (odd) => {
      const error = await errorOf(
        fixture.s3.getObject({ Bucket, Key: "digits", ResponseContentDisposition: odd }),
      );
      expect([error.name, error.message]).toEqual([
        "InvalidArgument",
        "Header value cannot be represented using ISO-8859-1.",
      ]);
    },
  );

  it("has the simulator's time", async () => {
    const { sim, s3 } = fixture;
    const age = async (Key: string): Promise<number> =>
      Number((await s3.headObject({ Bucket, Key })).LastModified);
    await s3.putObject({ Bucket, Key: "early", Body: "x" });
    sim.advance(60_000);
    await s3.putObject({ Bucket, Key: "late", Body: "x" });
    expect((await age("late")) - (await age("early"))).toBe(60_000);
  });
});
