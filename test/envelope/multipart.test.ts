import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteBudget } from "../../src/envelope/byte-budget.ts";
import { v3ContentKey } from "../../src/envelope/content-key.ts";
import { Uploads } from "../../src/envelope/multipart.ts";
import { AT, bench, cut, type Fate, hold, NAME, refusal } from "./fake-upload.ts";

const ZEROS = new Uint8Array(32);

describe("a sealed multipart upload", () => {
  it.each([
    [0, 48],
    [1, 48],
    [15, 48],
    [16, 48],
    [17, 48],
    [47, 48],
    [48, 48],
    [49, 48],
    [95, 48],
    [96, 48],
    [97, 48],
    [150, 48],
    [100, 33],
    [99, 33],
    [98, 33],
    [200, 47],
    [65, 1],
    [33, 7],
    [131_072, 65_537],
  ])(
    "of %i bytes in parts of %i is what sealing in one go gives, whatever the order",
    async (bytes, partBytes) => {
      const minPartBytes = Math.min(partBytes, 32);
      const { part, complete, s3, sealed } = bench({ partBytes, s3: { maxParts: 10_000, minPartBytes } });
      const plaintext = randomBytes(bytes);
      const parts = cut(plaintext, partBytes).map((body, i) => ({ number: i + 1, body }));
      const listed = await Promise.all(parts.toReversed().map(({ number, body }) => part(number, body)));
      await complete(listed.toReversed());
      expect(s3.object()?.equals(sealed(plaintext))).toBe(true);
    },
  );

  it("goes out in any cut and order as one invocation of GCM would have it", async () => {
    const size = fc.integer({ min: 1, max: 80 });
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 400 }),
        size,
        fc.infiniteStream(fc.nat()),
        async (bytes, partBytes, order) => {
          const { part, complete, s3, sealed } = bench({
            partBytes,
            s3: { maxParts: 400, minPartBytes: Math.min(partBytes, 32) },
          });
          const parts = cut(Buffer.from(bytes), partBytes).map((body, i) => ({
            number: i + 1,
            body,
            rank: order.next().value,
          }));
          const listed = await Promise.all(
            parts.toSorted((a, b) => a.rank - b.rank).map(({ number, body }) => part(number, body)),
          );
          await complete(listed.toSorted((a, b) => Number(a["PartNumber"]) - Number(b["PartNumber"])));
          expect(s3.object()?.equals(sealed(bytes))).toBe(true);
        },
      ),
    );
  });

  it.each<[string, (bytes: Buffer) => unknown]>([
    ["a Buffer", (bytes) => bytes],
    ["a typed array", (bytes) => new Uint16Array(new Uint8Array(bytes).buffer)],
    ["a Blob", (bytes) => new Blob([new Uint8Array(bytes)])],
    ["a Node stream", (bytes) => Readable.from([bytes.subarray(0, 10), bytes.subarray(10)])],
    ["a web stream", (bytes) => new Blob([new Uint8Array(bytes)]).stream()],
  ])("takes parts that are %s", async (_, make) => {
    const { part, complete, s3, sealed, counted } = bench();
    const plaintext = randomBytes(100);
    const listed = [];
    for (const [i, body] of cut(plaintext, 40).entries()) listed.push(await part(i + 1, make(body)));
    await complete(listed);
    expect(s3.object()?.equals(sealed(plaintext))).toBe(true);
    expect(counted).toEqual([40, 40, 20]);
  });

  it("takes strings, and no body at all for an empty one", async () => {
    const text = bench();
    await text.complete([await text.part(1, "sécret")]);
    expect(text.open(text.s3.object()).toString()).toBe("sécret");
    const none = bench();
    await none.complete([await none.part(1, undefined)]);
    expect(none.s3.object()?.equals(none.sealed(new Uint8Array(0)))).toBe(true);
  });

  it("sends ciphertext of its own with its length, and leaves the caller's input alone", async () => {
    const { uploads, call, s3, sealed } = bench();
    const plaintext = randomBytes(48);
    const input = {
      ...AT,
      PartNumber: 1,
      Body: plaintext,
      ChecksumAlgorithm: "CRC32",
      ExpectedBucketOwner: "111122223333",
    };
    const before = Buffer.from(plaintext);
    const given = Object.freeze({ ...input });
    const result = await uploads.part({ ...call("UploadPart", {}), input: given });
    expect(result).toEqual({ response: {}, output: expect.objectContaining({ ETag: expect.any(String) }) });
    expect(given).toEqual(input);
    expect(plaintext.equals(before)).toBe(true);
    const [{ input: sent, body, again }] = s3.sent as [(typeof s3.sent)[number]];
    expect(sent).toEqual({ ...input, Body: expect.any(Uint8Array), ContentLength: 48 });
    expect(again).toBe(false);
    expect((sent["Body"] as Uint8Array).buffer.byteLength).toBe(48);
    expect(body.equals(sealed(plaintext).subarray(0, 48))).toBe(true);
  });
});

describe("the tag", () => {
  it("is a part of its own after a last part that S3 takes before another", async () => {
    const { part, complete, s3, sealed } = bench();
    const plaintext = randomBytes(80);
    const [first, second] = cut(plaintext, 40);
    const listed = [await part(1, first), await part(2, second)];
    await complete(listed, { IfNoneMatch: "*" });
    const tagPart = s3.sent[2]!;
    expect(s3.sent).toHaveLength(3);
    expect([tagPart.number, tagPart.again, tagPart.input["ContentLength"]]).toEqual([3, true, 16]);
    expect(tagPart.body.equals(sealed(plaintext).subarray(80))).toBe(true);
    expect(s3.completes).toEqual([
      {
        ...AT,
        IfNoneMatch: "*",
        MultipartUpload: {
          Parts: [...listed, { PartNumber: 3, ETag: expect.any(String), ChecksumCRC32: expect.any(String) }],
        },
      },
    ]);
  });

  it("goes out with the last part again where that is too small to be followed", async () => {
    const { part, complete, s3, sealed } = bench();
    const plaintext = randomBytes(71);
    const [first, second] = cut(plaintext, 40);
    const listed = [await part(1, first), await part(2, second)];
    await complete(listed);
    const tagPart = s3.sent[2]!;
    expect([tagPart.number, tagPart.again, tagPart.input["ContentLength"]]).toEqual([2, true, 47]);
    expect(tagPart.body.equals(sealed(plaintext).subarray(40))).toBe(true);
    const { Parts } = s3.completes[0]!["MultipartUpload"] as { Parts: Record<string, unknown>[] };
    expect(Parts).toEqual([
      listed[0],
      { PartNumber: 2, ETag: expect.any(String), ChecksumCRC32: expect.any(String) },
    ]);
    expect(Parts[1]!["ETag"]).not.toBe(listed[1]!["ETag"]);
    expect(Parts[1]!["ChecksumCRC32"]).not.toBe(listed[1]!["ChecksumCRC32"]);
  });

  it("goes out with the part whose number is the last that S3 knows", async () => {
    const { part, complete, s3, sealed } = bench({ s3: { maxParts: 2, minPartBytes: 32 } });
    const plaintext = randomBytes(80);
    const [first, second] = cut(plaintext, 40);
    const listed = [await part(1, first), await part(2, second)];
    await complete(listed);
    expect([s3.sent[2]!.number, s3.sent[2]!.body.length]).toEqual([2, 56]);
    expect(s3.object()?.equals(sealed(plaintext))).toBe(true);
  });

  it("stands alone where the last part is empty", async () => {
    const { part, complete, s3, sealed } = bench();
    const plaintext = randomBytes(40);
    await complete([await part(1, plaintext), await part(2, "")]);
    expect([s3.sent[2]!.number, s3.sent[2]!.body.length]).toEqual([2, 16]);
    expect(s3.object()?.equals(sealed(plaintext))).toBe(true);
  });

  it("keeps to the limits of Amazon S3 where nothing else is said: 5 MiB and 10,000 parts", async () => {
    const five = 5 * 2 ** 20;
    for (const [bytes, number] of [
      [five, 2],
      [five - 1, 1],
    ] as const) {
      const { uploads: _, ...made } = bench();
      const uploads = new Uploads({ budget: new ByteBudget(2 ** 30) });
      uploads.open(made.scope, NAME, v3ContentKey(randomBytes(32)), () => undefined);
      const { output } = await uploads.part(
        made.call("UploadPart", { PartNumber: 1, Body: Buffer.alloc(bytes) }),
      );
      const { ETag } = output as { ETag: string };
      const Parts = [{ PartNumber: 1, ETag }];
      await uploads.complete(made.call("CompleteMultipartUpload", { MultipartUpload: { Parts } }));
      expect([made.s3.sent[1]!.number, made.s3.object()?.length]).toEqual([number, bytes + 16]);
      await expect(uploads.part(made.call("UploadPart", { PartNumber: 10_001 }))).rejects.toMatchObject(
        refusal("upload-state"),
      );
    }
    const { uploads, call } = bench({ partBytes: 40, s3: { maxParts: 10_000, minPartBytes: 32 } });
    await expect(uploads.part(call("UploadPart", { PartNumber: 10_001, Body: "" }))).rejects.toMatchObject(
      refusal("part-number"),
    );
    await uploads.part(call("UploadPart", { PartNumber: 10_000, Body: "" }));
  });

  it("goes the way of the last part that S3 took, with what else that part's input said", async () => {
    const { uploads, call, part, complete, s3 } = bench();
    const first = await part(1, randomBytes(40), {
      ExpectedBucketOwner: "111122223333",
      SSECustomerAlgorithm: "AES256",
    });
    const third = call(
      "UploadPart",
      { PartNumber: 2, Body: "x" },
      { next: () => Promise.reject(new Error("503")) },
    );
    await expect(uploads.part(third)).rejects.toThrow("503");
    const second = await part(2, "x", { ExpectedBucketOwner: "111122223333", RequestPayer: "requester" });
    await complete([first, second]);
    expect(s3.sent[2]!.input).toEqual({
      ...AT,
      PartNumber: 2,
      ExpectedBucketOwner: "111122223333",
      RequestPayer: "requester",
      Body: expect.any(Uint8Array),
      ContentLength: 17,
    });
  });

  it("names in the list no checksum that the caller's list doesn't name, or that S3 didn't answer", async () => {
    const { part, complete, s3 } = bench();
    const { PartNumber, ETag } = await part(1, randomBytes(40));
    await complete([{ PartNumber, ETag, ChecksumSHA256: "of-another-algorithm" }]);
    const { Parts } = s3.completes[0]!["MultipartUpload"] as { Parts: unknown[] };
    expect(Parts[1]).toEqual({ PartNumber: 2, ETag: expect.any(String) });
  });

  it("is sent again, the same bytes, when its request failed; a failed Complete sends it no second time", async () => {
    const fates: Fate[] = ["ok", "failed", "lost", "ok", "failed", "lost", "ok"];
    const { part, complete, s3, open } = bench({}, () => fates.shift()!);
    const list = [await part(1, "tail")];
    await expect(complete(list)).rejects.toThrow("503");
    await expect(complete(list)).rejects.toThrow("ECONNRESET");
    await expect(complete(list)).rejects.toThrow("503");
    await expect(complete(list)).rejects.toThrow("ECONNRESET");
    await complete(list);
    const tags = s3.sent.filter(({ again }) => again).map(({ body }) => body.toString("hex"));
    expect(tags).toHaveLength(3);
    expect(new Set(tags).size).toBe(1);
    expect(s3.completes).toHaveLength(3);
    expect(new Set(s3.completes.map((input) => JSON.stringify(input))).size).toBe(1);
    expect(open(s3.object()).toString()).toBe("tail");
  });

  it("fails, to be sent again, when S3 gives its part no ETag", async () => {
    const { uploads, call, s3, complete, open } = bench();
    const next = s3.next();
    let strip = false;
    const list = [
      await uploads
        .part(
          call(
            "UploadPart",
            { PartNumber: 1, Body: "tail" },
            {
              next: async (input) => {
                const result = await next(input);
                return strip ? { ...result, output: {} } : result;
              },
            },
          ),
        )
        .then(({ output }) => ({ PartNumber: 1, ETag: (output as { ETag: string }).ETag })),
    ];
    strip = true;
    await expect(complete(list)).rejects.toMatchObject(refusal("upload-state"));
    expect(s3.completes).toHaveLength(0);
    strip = false;
    await complete(list);
    expect(open(s3.object()).toString()).toBe("tail");
  });
});

describe("a Complete", () => {
  it.each<[string, (list: Record<string, unknown>[]) => unknown]>([
    ["a part less", (list) => list.slice(0, 1)],
    ["the first part left out", (list) => list.slice(1)],
    ["a part more", (list) => [...list, { PartNumber: 3, ETag: '"x"' }]],
    ["another order", (list) => list.toReversed()],
    ["a part twice", (list) => [list[0], list[0]]],
    ["an ETag S3 never answered", (list) => [list[0], { ...list[1], ETag: '"x"' }]],
    ["the ETag of another part", (list) => [list[0], { ...list[1], ETag: list[0]!["ETag"] }]],
    ["no ETag", (list) => [list[0], { PartNumber: 2 }]],
    ["a number that is none", (list) => [list[0], { ...list[1], PartNumber: "2" }]],
    ["a hole", (list) => [list[0], undefined]],
    ["nothing", () => []],
    ["no list", () => "1, 2"],
  ])("with %s is refused, sends nothing, and leaves the upload open", async (_, change) => {
    const { part, complete, s3, open, secret } = bench();
    const list = [await part(1, Buffer.alloc(40)), await part(2, "x")];
    await expect(complete(change(list) as unknown[])).rejects.toMatchObject(refusal("upload-state"));
    expect([s3.sent.length, s3.completes.length]).toEqual([2, 0]);
    expect(secret).not.toEqual(ZEROS);
    await complete(list);
    expect(open(s3.object())).toHaveLength(41);
  });

  it("without a list, or before any part, is refused", async () => {
    const { uploads, call, part, complete } = bench();
    await expect(complete([])).rejects.toMatchObject(refusal("upload-state"));
    await part(1, "x");
    await expect(uploads.complete(call("CompleteMultipartUpload", {}))).rejects.toMatchObject(
      refusal("upload-state"),
    );
  });

  it("with a hole between its parts is refused", async () => {
    const { part, complete } = bench();
    const [first, third] = [await part(1, Buffer.alloc(40)), await part(3, "x")];
    await expect(complete([first, third])).rejects.toMatchObject(refusal("upload-state"));
    await expect(complete([first, { ...third, PartNumber: 2 }])).rejects.toMatchObject(
      refusal("upload-state"),
    );
  });

  it("that leaves out a part S3 may or may not have is refused", async () => {
    const fates: Fate[] = ["ok", "lost"];
    const { part, complete } = bench({}, () => fates.shift()!);
    const first = await part(1, Buffer.alloc(40));
    await expect(part(2, "x")).rejects.toThrow("ECONNRESET");
    await expect(complete([first])).rejects.toMatchObject(refusal("upload-state"));
  });

  it("needs the ETag that S3 answered; an answer without one isn't enough", async () => {
    const { uploads, call, complete } = bench();
    let requests = 0;
    for (const output of [{}, undefined, { ETag: 7 }]) {
      const next = async (): Promise<{ response: unknown; output: unknown }> => {
        requests++;
        return { response: {}, output };
      };
      expect(await uploads.part(call("UploadPart", { PartNumber: 1, Body: "x" }, { next }))).toEqual({
        response: {},
        output,
      });
    }
    await expect(complete([{ PartNumber: 1, ETag: "" }])).rejects.toMatchObject(refusal("upload-state"));
    await expect(complete([{ PartNumber: 1 }])).rejects.toMatchObject(refusal("upload-state"));
    // No tag went out for such a list.
    expect(requests).toBe(3);
  });

  it.each(["ChecksumCRC32", "ChecksumSHA256", "MpuObjectSize", "ContentMD5"])(
    "with the caller's %s of the whole object is refused",
    async (name) => {
      const { part, complete, s3 } = bench();
      const list = [await part(1, "x")];
      await expect(complete(list, { [name]: 1 })).rejects.toMatchObject(refusal("caller-checksum"));
      expect(s3.completes).toHaveLength(0);
      await complete(list, { ChecksumType: "COMPOSITE" });
    },
  );

  it("while a part is still being sent is refused: it could undo the tag", async () => {
    const gates: (Fate | Promise<Fate>)[] = ["ok"];
    const { part, complete, s3, open } = bench({}, () => gates.shift() ?? "ok");
    const list = [await part(1, "x")];
    const slow = hold<Fate>();
    gates.push(slow.promise);
    const again = part(1, "x");
    await sleep(1);
    await expect(complete(list)).rejects.toMatchObject(refusal("upload-state"));
    slow.release("failed");
    await expect(again).rejects.toThrow("503");
    await complete(list);
    expect(open(s3.object()).toString()).toBe("x");
  });

  it("refuses parts from its first moment on, the same bytes too", async () => {
    const { part, complete, s3 } = bench({ partBytes: 40 });
    const list = [await part(1, Buffer.alloc(40)), await part(2, "x")];
    const waiting = part(2, Readable.from([Buffer.from("x")]));
    const completing = complete(list);
    const late = part(2, "x");
    await expect(late).rejects.toMatchObject(refusal("upload-state"));
    await expect(waiting).rejects.toMatchObject(refusal("upload-state"));
    await completing;
    await expect(part(2, "x")).rejects.toMatchObject(refusal("upload-state"));
    expect(s3.sent.map(({ number, again }) => [number, again])).toEqual([
      [1, false],
      [2, false],
      [2, true],
    ]);
  });

  it("leaves no secret behind, before its first request is even answered", async () => {
    const { part, complete, secret, s3, open } = bench();
    const list = [await part(1, "x")];
    expect(secret).not.toEqual(ZEROS);
    const completing = complete(list);
    expect(secret).toEqual(ZEROS);
    await completing;
    expect(open(s3.object()).toString()).toBe("x");
  });

  it("twice at once sends one tag, and twice the same list", async () => {
    const { part, complete, s3, open } = bench();
    const list = [await part(1, Buffer.alloc(40)), await part(2, "x")];
    await Promise.all([complete(list), complete(list.map((entry) => ({ ...entry })))]);
    await complete(
      list.map(({ PartNumber, ETag }) => ({ PartNumber, ETag: String(ETag).replaceAll('"', "") })),
    );
    expect(s3.sent.filter(({ again }) => again)).toHaveLength(1);
    expect(s3.completes).toHaveLength(3);
    expect(new Set(s3.completes.map((input) => JSON.stringify(input))).size).toBe(1);
    expect(open(s3.object())).toHaveLength(41);
  });

  it("with another list is refused once one was taken, while it's under way and after it", async () => {
    const { part, complete, s3 } = bench();
    const list = [await part(1, Buffer.alloc(40)), await part(2, "x")];
    const first = complete(list);
    await expect(complete(list.slice(0, 1))).rejects.toMatchObject(refusal("upload-state"));
    await first;
    await expect(complete([list[0], { ...list[1], ETag: '"x"' }])).rejects.toMatchObject(
      refusal("upload-state"),
    );
    expect(s3.completes).toHaveLength(1);
  });
});

describe("an upload that isn't known", () => {
  it.each<[string, Record<string, unknown>]>([
    ["another id", { UploadId: "upload-2" }],
    ["another key", { Key: "raw/other" }],
    ["another bucket", { Bucket: "pond" }],
    ["no id", { UploadId: undefined }],
    ["an id that is no text", { UploadId: 1n }],
  ])("is refused where the place seals, and passes elsewhere: %s", async (_, input) => {
    const { uploads, call, s3, scope } = bench();
    const part = call("UploadPart", { PartNumber: 1, Body: "plain", ...input });
    const complete = call("CompleteMultipartUpload", { MultipartUpload: { Parts: [] }, ...input });
    await expect(uploads.part(part)).rejects.toMatchObject({
      ...refusal("unknown-upload"),
      message: expect.stringContaining("UploadPart"),
    });
    await expect(uploads.complete(complete)).rejects.toMatchObject({
      ...refusal("unknown-upload"),
      message: expect.stringContaining("CompleteMultipartUpload"),
    });
    expect([s3.sent, s3.completes]).toEqual([[], []]);
    await uploads.part({ ...part, place: "unseal" });
    await uploads.complete({ ...complete, place: "unseal" });
    expect([s3.sent[0]!.body.toString(), s3.completes]).toEqual(["plain", [complete.input]]);
    await uploads.abort(call("AbortMultipartUpload", input));
    expect(s3.aborts).toHaveLength(1);
    expect(
      uploads.owns(scope, {
        bucket: part.input["Bucket"],
        key: part.input["Key"],
        uploadId: part.input["UploadId"],
      }),
    ).toBe(false);
  });

  it("is refused with words that say where to go", async () => {
    const { uploads, call } = bench();
    await expect(uploads.part(call("UploadPart", { UploadId: "upload-2" }))).rejects.toMatchObject({
      ...refusal("unknown-upload"),
      message:
        "UploadPart: this upload wasn't begun sealed through this client. Parts of a sealed upload go through the " +
        "client, and the sealer, that created it.",
    });
    await expect(uploads.part(call("UploadPart", {}, { presigning: true }))).rejects.toMatchObject({
      ...refusal("unsupported-operation"),
      message: "UploadPart of a sealed upload can't be presigned: nobody would seal.",
    });
  });

  it("is one of another client, though it has the same names", async () => {
    const { uploads, call, scope } = bench();
    expect(uploads.owns(scope, NAME)).toBe(true);
    expect(uploads.owns({}, NAME)).toBe(false);
    await expect(uploads.part(call("UploadPart", { PartNumber: 1 }, { scope: {} }))).rejects.toMatchObject(
      refusal("unknown-upload"),
    );
  });

  it("passes to nobody a sealed upload whose place no longer seals", async () => {
    const { uploads, call, s3, sealed } = bench();
    await uploads.part(call("UploadPart", { PartNumber: 1, Body: "secret" }, { place: "unseal" }));
    expect(s3.sent[0]!.body.equals(sealed(Buffer.from("secret")).subarray(0, 6))).toBe(true);
  });

  it("can't be begun twice: the second key is wiped, the first goes on", async () => {
    const { uploads, scope, part, complete, s3, open, secret } = bench();
    const second = v3ContentKey(new Uint8Array(32).fill(9));
    expect(() => uploads.open(scope, NAME, second, () => undefined)).toThrow(
      expect.objectContaining({
        ...refusal("upload-state"),
        message: "S3 answered with the id of an upload that is under way.",
      }),
    );
    expect(second.bytes).toEqual(ZEROS);
    expect(secret).not.toEqual(ZEROS);
    await complete([await part(1, "first")]);
    expect(open(s3.object()).toString()).toBe("first");
  });

  it("can be begun under the same names by another client, or with another id", () => {
    const { uploads, scope } = bench();
    uploads.open({}, NAME, v3ContentKey(new Uint8Array(32)), () => undefined);
    uploads.open(scope, { ...NAME, uploadId: "upload-2" }, v3ContentKey(new Uint8Array(32)), () => undefined);
    expect(uploads.size).toBe(3);
    expect(uploads.owns(scope, NAME)).toBe(true);
  });
});
