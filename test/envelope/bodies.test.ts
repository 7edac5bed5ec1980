import { once } from "node:events";
import { createReadStream } from "node:fs";
import { PassThrough, Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { destroyBody, readBody } from "../../src/envelope/bodies.ts";
import { EnvelopeRefusedError } from "../../src/envelope/errors.ts";
import { broken, counting, drain, stream } from "./chunkings.ts";

const text = "zażółć 🗝";
const utf8 = new TextEncoder().encode(text);
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The whole of a body, whatever its kind. */
async function read(body: unknown): Promise<{ kind: string; bytes: Uint8Array; error: unknown }> {
  const plain = readBody(body);
  const chunks = plain.kind === "bytes" ? stream([plain.bytes]) : plain.chunks;
  const { bytes, error } = await drain(chunks);
  return { kind: plain.kind, bytes, error };
}

describe("a body in memory", () => {
  const five = counting(8).subarray(2, 7);
  const offset = counting(12).buffer;

  it.each([
    ["nothing", undefined, new Uint8Array(0)],
    ["null", null, new Uint8Array(0)],
    ["an empty string", "", new Uint8Array(0)],
    ["a string", text, utf8],
    ["a Buffer", Buffer.from(utf8), utf8],
    ["a Uint8Array that is part of a buffer", five, Uint8Array.of(2, 3, 4, 5, 6)],
    ["a typed array", new Uint16Array(offset, 4, 2), Uint8Array.of(4, 5, 6, 7)],
    ["a DataView", new DataView(offset, 1, 3), Uint8Array.of(1, 2, 3)],
    ["an ArrayBuffer", counting(3).buffer, counting(3)],
    ["a SharedArrayBuffer", new SharedArrayBuffer(2), new Uint8Array(2)],
    ["an ArrayBuffer of another realm", runInNewContext("new ArrayBuffer(2)"), new Uint8Array(2)],
    ["a Uint8Array of another realm", runInNewContext("Uint8Array.of(0, 1)"), counting(2)],
  ])("is taken as bytes: %s", async (_, body, expected) => {
    expect(await read(body)).toEqual({ kind: "bytes", bytes: expected, error: undefined });
  });
});

describe("a body that streams", () => {
  const [head, tail] = [utf8.subarray(0, 3), utf8.subarray(3)];
  const encoded = (): Readable => Readable.from([Buffer.from(head), Buffer.from(tail)]).setEncoding("utf8");

  it.each<[string, () => unknown]>([
    ["a Blob", () => new Blob([text])],
    ["a File", () => new File([head, tail], "name")],
    ["a Node stream", () => Readable.from([Buffer.from(head), Buffer.from(tail)])],
    ["a Node stream of text", encoded],
    ["a Node stream of Uint8Arrays", () => Readable.from([head, tail])],
    ["a duplex stream", () => new PassThrough().end(utf8)],
    ["a web stream", () => ReadableStream.from([head, tail])],
    ["an async generator of bytes", () => stream([head, new Uint8Array(0), tail])],
    ["an async generator of strings", () => stream([text.slice(0, 4), "", text.slice(4)])],
    ["an async generator of views", () => stream([new DataView(utf8.slice().buffer)])],
    ["an iterable that is no generator", () => ({ [Symbol.asyncIterator]: () => stream([utf8]) })],
  ])("is read whole: %s", async (_, body) => {
    expect(await read(body())).toEqual({ kind: "stream", bytes: utf8, error: undefined });
  });

  it("is read whole although its beginning was looked at and put back", async () => {
    const body = Readable.from([Buffer.from(head), Buffer.from(tail)]);
    await once(body, "readable");
    body.unshift(body.read());
    expect(body.readableDidRead).toBe(true);
    expect(await read(body)).toEqual({ kind: "stream", bytes: utf8, error: undefined });
  });

  it.each<[string, unknown, number | undefined]>([
    ["a Blob", new Blob([text]), utf8.length],
    ["an empty Blob", new Blob([]), 0],
    ["a file", createReadStream(import.meta.filename, { start: 1, end: 4 }), 4],
    ["another stream", Readable.from([]), undefined],
  ])("says how long it is where it can: %s", (_, body, expected) => {
    expect(readBody(body)).toMatchObject({ kind: "stream", bytes: expected });
    destroyBody(body);
  });

  it("ends in its own error", async () => {
    const error = new Error("disk");
    expect(await read(broken([utf8], error))).toEqual({ kind: "stream", bytes: utf8, error });
    const destroyed = new PassThrough();
    const reading = read(destroyed);
    destroyed.destroy(error);
    expect((await reading).error).toBe(error);
  });

  it("may break before it's read: the error comes with the reading", async () => {
    const error = new Error("disk");
    const body = new PassThrough();
    const plain = readBody(body);
    expect(() => body.emit("error", error)).not.toThrow();
    body.destroy(error);
    await settle();
    expect(await drain((plain as { chunks: AsyncIterable<Uint8Array> }).chunks)).toMatchObject({ error });
  });

  it("is closed when a chunk can't be sealed", async () => {
    const body = Readable.from([utf8, 42]);
    expect(await read(body)).toMatchObject({
      bytes: utf8,
      error: {
        problem: "body",
        message: expect.stringMatching(/^A chunk of type Number can't be sealed\. Give a /),
      },
    });
    expect(body.destroyed).toBe(true);
  });
});

describe("a body that can't be sealed", () => {
  it.each<[string, unknown, string]>([
    ["a number", 1, "Number"],
    ["an object", {}, "Object"],
    ["an array, even of bytes", [1, 2], "Array"],
    ["an iterable that isn't asynchronous", new Set([utf8]), "Set"],
    ["a promise", Promise.resolve(text), "Promise"],
    ["a function", () => text, "Function"],
    ["false", false, "Boolean"],
  ])("is refused: %s", (_, body, type) => {
    expect(() => readBody(body)).toThrow(
      expect.objectContaining({
        constructor: EnvelopeRefusedError,
        problem: "body",
        message: `A body of type ${type} can't be sealed. Give a string, Buffer, typed array, ArrayBuffer, Blob, or an unread Node Readable, web ReadableStream or async iterable of Uint8Arrays or strings.`,
      }),
    );
  });

  it.each<[string, () => Promise<unknown>]>([
    [
      "a Node stream that was read to its end",
      async () => {
        const body = Readable.from([utf8]);
        await drain(body);
        return body;
      },
    ],
    [
      "a web stream that was read",
      async () => {
        const body = ReadableStream.from([utf8]);
        await drain(body);
        return body;
      },
    ],
    [
      "a web stream that is being read",
      async () => {
        const body = new ReadableStream();
        body.getReader();
        return body;
      },
    ],
  ])("is refused, or nothing would be sealed in its place: %s", async (_, make) => {
    const body = await make();
    expect(() => readBody(body)).toThrow(/^The body was already read or is being read\. Give a /);
  });
});

describe("a body that nobody will read", () => {
  it("is destroyed when it's a Node stream, and its errors end there", async () => {
    const body = new PassThrough({
      destroy: (_, callback) => {
        callback(new Error("late"));
      },
    });
    destroyBody(body);
    await settle();
    expect(body.destroyed).toBe(true);
    expect(body.errored).toMatchObject({ message: "late" });
  });

  it("is cancelled when it's a web stream, and its errors end there", async () => {
    let cancelled = false;
    destroyBody(
      new ReadableStream({
        cancel() {
          cancelled = true;
          throw new Error("late");
        },
      }),
    );
    await settle();
    expect(cancelled).toBe(true);
  });

  it("is returned when it's a generator", async () => {
    let ended = false;
    async function* body(): AsyncGenerator<Uint8Array> {
      try {
        yield utf8;
      } finally {
        ended = true;
      }
    }
    const generator = body();
    await generator.next();
    destroyBody(generator);
    await settle();
    expect(ended).toBe(true);
  });

  it.each([undefined, null, "text", 1, {}, new Blob([])])("may be anything else: %s", async (body) => {
    expect(() => destroyBody(body)).not.toThrow();
    await settle();
  });

  it("doesn't throw what its stream throws", async () => {
    expect(() =>
      destroyBody({
        destroy() {
          throw new Error("odd stream");
        },
      }),
    ).not.toThrow();
    await settle();
  });
});
