import { once } from "node:events";
import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ReadableStream } from "node:stream/web";
import { describe, expect, it } from "vitest";
import { readBody } from "../../src/envelope/bodies.ts";
import { outputBody, type OpenedBytes, type OutputBody } from "../../src/envelope/output-body.ts";
import { broken, cut, drain, filled, stream } from "./chunkings.ts";

const opened = filled(100_000);
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const sealedWeb = (): ReadableStream => new ReadableStream();

/** What a consumer of either kind of stream gets. */
const collect = (body: OutputBody): ReturnType<typeof drain> => drain(body as AsyncIterable<Uint8Array>);

const kinds: [string, () => unknown][] = [
  ["a Node stream", () => new PassThrough()],
  ["a web stream", sealedWeb],
];
const sources: [string, () => OpenedBytes][] = [
  ["bytes", () => opened],
  ["pieces", () => cut(opened, [30_000])],
  ["a stream", () => stream(cut(opened, [30_000]))],
];
const cases = kinds.flatMap(([kind, like]) =>
  sources.map(([name, source]) => ({ kind, name, make: () => outputBody(source(), like()) })),
);

describe.each(cases)("$kind of $name", ({ make }) => {
  it("can be iterated", async () => {
    const { bytes, error } = await collect(make());
    expect(error).toBeUndefined();
    expect(Buffer.compare(bytes, opened)).toBe(0);
  });

  it("can be transformed to a byte array, in memory of its own", async () => {
    const bytes = await make().transformToByteArray();
    expect(bytes.constructor).toBe(Uint8Array);
    expect(bytes.buffer.byteLength).toBe(opened.length);
    expect(Buffer.compare(bytes, opened)).toBe(0);
  });

  it("can be transformed to a web stream", async () => {
    const web = make().transformToWebStream();
    expect(web).toBeInstanceOf(ReadableStream);
    expect(Buffer.compare((await drain(web)).bytes, opened)).toBe(0);
  });
});

describe.each(kinds)("%s that an opened body becomes", (kind, like) => {
  const text = "zażółć 🗝";
  const body = (source: OpenedBytes = Buffer.from(text)): OutputBody => outputBody(source, like());

  it("is of the kind that the SDK's body was", () => {
    expect(body() instanceof Readable).toBe(kind === "a Node stream");
    expect(body() instanceof ReadableStream).toBe(kind === "a web stream");
  });

  it.each([
    [undefined, text],
    ["utf-8", text],
    ["hex", Buffer.from(text).toString("hex")],
    ["base64", Buffer.from(text).toString("base64")],
  ])("can be transformed to a string: %s", async (encoding, expected) => {
    expect(await body().transformToString(encoding)).toBe(expected);
  });

  it("can be transformed to a string in an encoding that only TextDecoder knows", async () => {
    expect(await body(Uint8Array.of(0xc3, 0xb3)).transformToString("iso-8859-2")).toBe("Ăł");
  });

  it("is empty for no bytes", async () => {
    expect(await body(new Uint8Array(0)).transformToByteArray()).toEqual(new Uint8Array(0));
    expect(await body([]).transformToString()).toBe("");
  });

  it.each(["transformToByteArray", "transformToString", "transformToWebStream"] as const)(
    "can be transformed once only: %s",
    async (second) => {
      for (const first of ["transformToByteArray", "transformToString", "transformToWebStream"] as const) {
        const single = body();
        await single[first]();
        await expect((async () => single[second]())()).rejects.toThrow(
          /^The stream has already been transformed\.$/,
        );
      }
    },
  );

  it.each(["transformToByteArray", "transformToString", "transformToWebStream"] as const)(
    "isn't passed off as empty once it was read: %s",
    async (method) => {
      const read = body();
      await collect(read);
      await expect((async () => read[method]())()).rejects.toThrow(
        /^The stream has been consumed by other callbacks\.$/,
      );
    },
  );

  it("hands the source's error to whoever reads, after what came before it", async () => {
    const error = new Error("verification");
    const failing = (): OutputBody => body(broken([opened], error));
    expect(await collect(failing())).toMatchObject({ bytes: { length: opened.length }, error });
    await expect(failing().transformToByteArray()).rejects.toBe(error);
    await expect(failing().transformToString()).rejects.toBe(error);
    expect((await drain(failing().transformToWebStream())).error).toBe(error);
  });

  it("asks for a chunk only when it's read", async () => {
    let asked = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      while (true) {
        asked += 1;
        yield opened;
      }
    }
    const lazy = body(source());
    await settle();
    expect(asked).toBe(0);
    for await (const _ of lazy as AsyncIterable<Uint8Array>) break;
    await settle();
    expect(asked).toBeLessThanOrEqual(2);
  });
});

describe("a Node stream that an opened body becomes", () => {
  it("gives Buffers, as the SDK's does", async () => {
    const [chunk] = (await once(
      outputBody(Uint8Array.of(104, 105), undefined) as Readable,
      "data",
    )) as unknown[];
    expect(chunk).toEqual(Buffer.from("hi"));
  });

  it("can be piped", async () => {
    const target = new PassThrough({ highWaterMark: 2 ** 20 });
    await pipeline(outputBody(cut(opened, [1000]), undefined) as Readable, target);
    expect(Buffer.compare(target.read() as Buffer, opened)).toBe(0);
  });

  it("fails a pipe when the source fails", async () => {
    const error = new Error("verification");
    const body = outputBody(broken([opened], error), undefined) as Readable;
    await expect(pipeline(body, new PassThrough({ highWaterMark: 2 ** 20 }))).rejects.toBe(error);
  });

  it("ends, closes and ends the SDK's body after it was transformed as a whole", async () => {
    const like = new PassThrough();
    let told = 0;
    const body = outputBody(cut(opened, [1000]), like, () => (told += 1)) as Readable & OutputBody;
    const ended = once(body, "end");
    const closed = once(body, "close");
    expect(await body.transformToByteArray()).toHaveLength(opened.length);
    await Promise.all([ended, closed]);
    expect([body.readableEnded, like.destroyed, told]).toEqual([true, true, 1]);
  });

  it("is transformed to what is left of it once it was begun", async () => {
    const body = outputBody(cut(opened, [1000]), undefined) as Readable & OutputBody;
    await once(body, "readable");
    expect(body.read(10)).toEqual(Buffer.from(opened.subarray(0, 10)));
    const rest = await body.transformToByteArray();
    expect(Buffer.compare(rest, opened.subarray(10))).toBe(0);
  });

  it.each<[string, (body: Readable) => unknown]>([
    ["waited until it is readable", (body) => once(body, "readable")],
    ["had it read ahead", (body) => body.read(0)],
  ])("is transformed as a whole for who %s", async (_, prepare) => {
    const body = outputBody(cut(opened, [1000]), undefined) as Readable & OutputBody;
    await prepare(body);
    const transformed = await body.transformToByteArray();
    expect(Buffer.compare(transformed, opened)).toBe(0);
  });

  it("is no body to send once it was transformed as a whole, also before it ends", async () => {
    const body = outputBody(cut(opened, [1000]), undefined) as Readable & OutputBody;
    await body.transformToByteArray();
    expect(() => readBody(body)).toThrow(/^The body was already read or is being read\./);
  });

  it("takes nothing from whoever listens already", async () => {
    const body = outputBody(cut(opened, [1000]), undefined) as Readable & OutputBody;
    const seen: Buffer[] = [];
    body.on("data", (chunk: Buffer) => seen.push(chunk));
    const transformed = await body.transformToByteArray();
    expect(Buffer.compare(transformed, opened)).toBe(0);
    expect(Buffer.compare(Buffer.concat(seen), opened)).toBe(0);
  });

  it("isn't transformed once it was destroyed", async () => {
    const body = outputBody([opened], undefined) as Readable & OutputBody;
    body.destroy();
    await expect(body.transformToByteArray()).rejects.toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
  });

  it("can't become a web stream once it flows", () => {
    const body = outputBody(opened, undefined) as Readable & OutputBody;
    body.pause();
    expect(() => body.transformToWebStream()).toThrow(/^The stream has been consumed by other callbacks\.$/);
  });
});

/** A source that waits for ever for its second chunk, as on a connection that hangs, unless `like` is ended. */
function hanging(like: PassThrough): { source: AsyncGenerator<Uint8Array>; ended: () => boolean } {
  let ended = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield Uint8Array.of(1);
      for await (const chunk of like) yield chunk as Uint8Array;
    } finally {
      ended = true;
    }
  }
  return { source: source(), ended: () => ended };
}

/** A source that fails while it's ended, which is nobody's concern any more. */
async function* endingBadly(): AsyncGenerator<Uint8Array> {
  try {
    yield opened;
    yield opened;
  } finally {
    await Promise.reject(new Error("late"));
  }
}

describe("ending an opened body early", () => {
  it("ends the SDK's body and the source, though the source waits for a chunk", async () => {
    const like = new PassThrough();
    const { source, ended } = hanging(like);
    let told = 0;
    const body = outputBody(source, like, () => (told += 1)) as Readable;
    await once(body.resume(), "data");
    await settle();
    body.destroy();
    await once(body, "close");
    await settle();
    expect([like.destroyed, ended(), told]).toEqual([true, true, 1]);
  });

  it("ends the SDK's web body when its own is cancelled", async () => {
    let cancelled = 0;
    let told = 0;
    const like = new ReadableStream({ cancel: () => void (cancelled += 1) });
    let ended = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* [opened, opened];
      } finally {
        ended = true;
      }
    }
    const body = outputBody(source(), like, () => (told += 1)) as ReadableStream;
    const reader = body.getReader();
    await reader.read();
    await reader.cancel();
    await settle();
    expect([cancelled, told, ended]).toEqual([1, 1, true]);
  });

  it("ends the SDK's body when nothing was read of the new one", async () => {
    const like = new PassThrough();
    (outputBody(opened, like) as Readable).destroy();
    await settle();
    expect(like.destroyed).toBe(true);
  });

  it("ends a source that could go on", async () => {
    let ended = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        while (true) yield opened;
      } finally {
        ended = true;
      }
    }
    const body = outputBody(source(), undefined) as Readable;
    body.once("data", () => body.destroy());
    await once(body, "close");
    await settle();
    expect(ended).toBe(true);
  });

  it("passes the error it's destroyed with to its reader, and no other", async () => {
    const error = new Error("caller");
    const body = outputBody(endingBadly(), undefined) as Readable;
    body.resume();
    await once(body, "data");
    body.destroy(error);
    expect(await once(body, "error")).toEqual([error]);
    await settle();
  });

  it("does without a way to end a source that has none", async () => {
    const source: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false, value: opened }) }),
    };
    const body = outputBody(source, undefined) as Readable;
    await once(body.resume(), "data");
    body.destroy();
    await once(body, "close");
    expect(body.errored).toBeNull();
  });
});
