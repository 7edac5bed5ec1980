import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { bench, cut, type Fate, hold, problemOf, refusal } from "./fake-upload.ts";

afterEach(() => void vi.useRealTimers());

describe("the size of parts", () => {
  it("is that of part 1, for which the others wait", async () => {
    const { part, complete, s3, sealed } = bench();
    const plaintext = randomBytes(100);
    const [first, second, third] = cut(plaintext, 40);
    const later = [part(3, third), part(2, Readable.from([second]))];
    await sleep(5);
    expect(s3.sent).toHaveLength(0);
    const listed = [await part(1, first), ...(await Promise.all(later)).toReversed()];
    await complete(listed);
    expect(s3.object()?.equals(sealed(plaintext))).toBe(true);
  });

  it("is known once a part 1 that is a stream was read, though not before", async () => {
    const { part, s3 } = bench();
    const rest = hold<Buffer>();
    const first = part(
      1,
      (async function* () {
        yield Buffer.alloc(30);
        yield await rest.promise;
      })(),
    );
    const second = part(2, Buffer.alloc(40));
    await sleep(5);
    expect(s3.sent).toHaveLength(0);
    rest.release(Buffer.alloc(10));
    await Promise.all([first, second]);
    expect(s3.sent.map(({ number }) => number)).toEqual([1, 2]);
  });

  it("stays, though part 1 couldn't be sent", async () => {
    const fates: Fate[] = ["failed", "ok", "ok"];
    const { part } = bench({}, () => fates.shift()!);
    await expect(part(1, Buffer.alloc(40))).rejects.toThrow("503");
    await part(2, Buffer.alloc(40));
    await expect(part(1, Buffer.alloc(41))).rejects.toMatchObject(refusal("upload-state"));
    await part(1, Buffer.alloc(40));
  });

  it("isn't taken from a part 1 that couldn't be read: the next one decides", async () => {
    const { part, complete, s3, open } = bench();
    const broken = new Readable({
      read() {
        this.destroy(new Error("disk"));
      },
    });
    const second = part(2, "tail");
    await expect(part(1, broken)).rejects.toThrow("disk");
    const first = await part(1, Buffer.alloc(40, 1));
    await complete([first, await second]);
    expect(open(s3.object()).toString()).toBe(`${"\x01".repeat(40)}tail`);
  });

  it("is that of the part 1 that was there first, when two race", async () => {
    const { part, s3 } = bench();
    const rest = hold<Buffer>();
    const slow = part(
      1,
      (async function* () {
        yield await rest.promise;
      })(),
    );
    await part(1, Buffer.alloc(40));
    rest.release(Buffer.alloc(39));
    await expect(slow).rejects.toMatchObject(refusal("upload-state"));
    expect(s3.sent).toHaveLength(1);
    await part(2, Buffer.alloc(40));
  });

  it("can be said beforehand; then no part waits", async () => {
    const { part, s3 } = bench({ partBytes: 40 });
    await part(3, Buffer.alloc(40));
    expect(s3.sent).toHaveLength(1);
    await expect(part(1, Buffer.alloc(41))).rejects.toMatchObject(refusal("part-size"));
  });

  it("is waited for only so long", async () => {
    const { part, s3, uploads } = bench({ waitSeconds: 0.02 });
    await expect(part(2, "x")).rejects.toMatchObject({
      ...refusal("part-size"),
      message: expect.stringContaining("wasn't known after 0.02 s"),
    });
    expect(s3.sent).toHaveLength(0);
    // The upload goes on, and what waited is no longer counted.
    await part(1, Buffer.alloc(40));
    await part(2, "x");
    expect(uploads.size).toBe(1);
  });

  it("is waited for a minute unless said otherwise, by 256 MiB of bodies", async () => {
    vi.useFakeTimers();
    const { part } = bench();
    const big = Buffer.alloc(2 ** 28);
    const held = part(2, big);
    await expect(part(3, "x")).rejects.toMatchObject(refusal("buffer-limit"));
    const late = problemOf(held);
    await vi.advanceTimersByTimeAsync(59_999);
    const another = part(3, "");
    await vi.advanceTimersByTimeAsync(1);
    expect(await late).toBe("part-size");
    const soon = problemOf(another);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await soon).toBe("part-size");
  });

  it("is waited for by only so many bytes that lie in memory; streams don't", async () => {
    const { part, s3 } = bench({ waitingBytes: 50 });
    const waiting = [
      part(2, Buffer.alloc(40)),
      part(3, Readable.from([Buffer.alloc(40)])),
      part(4, Buffer.alloc(10)),
    ];
    await expect(part(5, Buffer.alloc(1))).rejects.toMatchObject(refusal("buffer-limit"));
    await expect(part(5, Buffer.alloc(51))).rejects.toMatchObject(refusal("buffer-limit"));
    await part(1, Buffer.alloc(40));
    await Promise.all(waiting);
    expect(s3.sent).toHaveLength(4);
  });

  it("gives the bytes of those that waited back, however it ended", async () => {
    const { part } = bench({ waitingBytes: 50, waitSeconds: 0.02 });
    await expect(part(2, Buffer.alloc(50))).rejects.toMatchObject(refusal("part-size"));
    await expect(part(2, Buffer.alloc(50))).rejects.toMatchObject(refusal("part-size"));
  });

  it.each<[string, [number, number][], [number, number], string]>([
    ["longer than part 1", [[1, 40]], [2, 41], "part-size"],
    [
      "after a shorter one",
      [
        [1, 40],
        [2, 39],
      ],
      [3, 40],
      "part-size",
    ],
    [
      "after an empty one",
      [
        [1, 40],
        [2, 0],
      ],
      [3, 0],
      "part-size",
    ],
    [
      "shorter, before others",
      [
        [1, 40],
        [3, 40],
      ],
      [2, 39],
      "part-size",
    ],
    [
      "shorter, before a shorter one",
      [
        [1, 40],
        [3, 39],
      ],
      [2, 39],
      "part-size",
    ],
    ["after an empty part 1", [[1, 0]], [2, 1], "part-size"],
    [
      "the last, now of full size",
      [
        [1, 40],
        [2, 39],
      ],
      [2, 40],
      "upload-state",
    ],
    [
      "the last, now shorter",
      [
        [1, 40],
        [2, 40],
      ],
      [2, 39],
      "upload-state",
    ],
    ["part 1, now longer", [[1, 40]], [1, 41], "upload-state"],
  ])("refuses a part that is %s", async (_, sent, [number, bytes], problem) => {
    for (const body of [Buffer.alloc(bytes), Readable.from([Buffer.alloc(bytes)])]) {
      const { part, s3 } = bench();
      for (const [n, length] of sent) await part(n, Buffer.alloc(length));
      const before = s3.sent.length;
      const expected = body instanceof Readable && bytes > 40 ? "part-size" : problem;
      await expect(part(number, body)).rejects.toMatchObject(refusal(expected));
      expect(s3.sent).toHaveLength(before);
    }
  });

  it("lets parts before a shorter one come later", async () => {
    const { part, complete, s3, open } = bench();
    const first = await part(1, Buffer.alloc(40));
    const third = await part(3, "x");
    await complete([first, await part(2, Buffer.alloc(40)), third]);
    expect(open(s3.object())).toHaveLength(81);
  });
});

describe("a part that doesn't fit says why", () => {
  it.each<[string, [number, number][], [number, number], string, string]>([
    [
      "longer than the others",
      [[1, 40]],
      [2, 41],
      "part-size",
      "Part 2 has 41 bytes, but the parts of this upload have 40. Only the last one may differ, and only be shorter: " +
        "send parts of one size, or set the option partBytes to it.",
    ],
    [
      "shorter, before others",
      [
        [1, 40],
        [3, 40],
      ],
      [2, 39],
      "part-size",
      "Part 2 is shorter than 40 bytes, so it's the last, but there is one with a higher number: send parts of one " +
        "size, all but the last, or set partBytes to that size.",
    ],
    [
      "after a shorter one",
      [
        [1, 40],
        [2, 39],
      ],
      [4, 40],
      "part-size",
      "Part 2 is shorter than 40 bytes, so it's the last, but there is one with a higher number: send parts of one " +
        "size, all but the last, or set partBytes to that size.",
    ],
    [
      "there with other bytes",
      [[1, 40]],
      [1, 39],
      "upload-state",
      "Part 1 was sealed before with other bytes, and a part has one content: to change it, abort the upload and begin " +
        "a new one.",
    ],
  ])("%s", async (_, sent, [number, bytes], problem, message) => {
    const { part } = bench();
    for (const [n, length] of sent) await part(n, Buffer.alloc(length));
    await expect(part(number, Buffer.alloc(bytes))).rejects.toMatchObject({ ...refusal(problem), message });
  });
});

describe("a part sent again", () => {
  it("is the same ciphertext for the same bytes, counted once", async () => {
    const { part, complete, s3, sealed, counted } = bench();
    const plaintext = randomBytes(83);
    const [first, second, third] = cut(plaintext, 40);
    await part(1, first);
    const again = await part(1, Buffer.from(first!));
    const listed = [again, await part(2, second), await part(3, third), await part(3, third)];
    expect(s3.sent[0]!.body.equals(s3.sent[1]!.body)).toBe(true);
    await complete(listed.slice(0, 2).concat(listed[3]!));
    expect(s3.object()?.equals(sealed(plaintext))).toBe(true);
    expect(counted).toEqual([40, 40, 3]);
  });

  it("is refused with other bytes before anything is sent, wherever the difference lies", async () => {
    // Parts of 37 bytes: whole blocks and, in parts 2 and 3, edges of blocks that two parts share.
    const plaintext = randomBytes(111);
    for (const [i, body] of cut(plaintext, 37).entries()) {
      for (let at = 0; at < body.length; at++) {
        const { part, s3 } = bench({ partBytes: 37 });
        await part(i + 1, body);
        const other = Buffer.from(body);
        other[at]! ^= 1;
        await expect(part(i + 1, other)).rejects.toMatchObject(refusal("upload-state"));
        expect(s3.sent).toHaveLength(1);
      }
    }
  });

  it("is refused when it's longer by zeros, which no digest tells from none", async () => {
    const { part, s3 } = bench({ partBytes: 40 });
    await part(1, Buffer.alloc(17));
    await expect(part(1, Buffer.alloc(18))).rejects.toMatchObject(refusal("upload-state"));
    await expect(part(1, Readable.from([Buffer.alloc(18)]))).rejects.toMatchObject(refusal("upload-state"));
    expect(s3.sent).toHaveLength(1);
  });

  it("keeps its content after a request that failed", async () => {
    const fates: Fate[] = ["failed", "lost", "ok", "ok", "ok"];
    const { part, complete, s3, open } = bench({}, () => fates.shift()!);
    await expect(part(1, "first")).rejects.toThrow("503");
    await expect(part(1, "other")).rejects.toMatchObject(refusal("upload-state"));
    await expect(part(1, "first")).rejects.toThrow("ECONNRESET");
    await complete([await part(1, "first")]);
    expect(open(s3.object()).toString()).toBe("first");
  });

  it("may be listed with any ETag that S3 answered, quoted or not", async () => {
    const { uploads, call, complete, s3 } = bench();
    for (const etag of ['"kms-1"', '"kms-2"']) {
      const next = s3.next();
      const answer = async (input: Record<string, unknown>): ReturnType<typeof next> => ({
        ...(await next(input)),
        output: { ETag: etag },
      });
      await uploads.part(call("UploadPart", { PartNumber: 1, Body: "x" }, { next: answer }));
    }
    // The list was right; this S3, which knows only the second, is the one that says no.
    await expect(complete([{ PartNumber: 1, ETag: "kms-1" }])).rejects.toThrow("InvalidPart");
  });
});
