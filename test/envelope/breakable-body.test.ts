import { Agent, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough, Readable } from "node:stream";
import { PutObjectCommand, S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { breakableBody } from "../../src/envelope/breakable-body.ts";

async function* then(first: readonly string[], wait: Promise<unknown>): AsyncGenerator<Uint8Array> {
  for (const text of first) yield Buffer.from(text);
  await wait;
}

const never = new Promise(() => undefined);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("a body that can be broken off", () => {
  it("is an ordinary stream of Node otherwise", async () => {
    const { body } = breakableBody(then(["12", "345"], Promise.resolve()));
    expect(body).toBeInstanceOf(Readable);
    const through = new PassThrough();
    expect(body.pipe(through)).toBe(through);
    expect(String(await through.toArray())).toBe("12,345");
    const open = new PassThrough();
    const kept = breakableBody(then(["12"], Promise.resolve())).body.pipe(open, { end: false });
    kept.resume();
    await sleep(5);
    expect([open.writableEnded, open.destroyed]).toEqual([false, false]);
  });

  it("ends neither well nor in an error for those who read it, and writes nothing into what it was piped to", async () => {
    const { body, breakOff } = breakableBody(then(["12"], never));
    const told: string[] = [];
    for (const event of ["end", "error", "close"]) body.on(event, () => told.push(event));
    const piped: string[] = [];
    const through = new PassThrough().on("data", (chunk) => piped.push(String(chunk)));
    body.pipe(through);
    await sleep(5);
    breakOff();
    await sleep(5);
    expect([told, piped, through.destroyed, through.writableEnded]).toEqual([[], ["12"], true, false]);
  });

  it("puts up with readers that can't be ended, or can't take the last chunk", async () => {
    const { body, breakOff } = breakableBody(then(["12"], never));
    const pipe = new PassThrough();
    Object.assign(pipe, { destroy: undefined });
    body.pipe(pipe);
    body.on("data", ({ byteLength }: Buffer) => void new Uint8Array(byteLength));
    await sleep(5);
    expect(breakOff).not.toThrow();
    expect(pipe.writableEnded).toBe(false);
    body.destroy();
  });
});

describe("a request whose body is broken off", () => {
  let completed = 0;
  const server = createServer((request, response) => {
    request.resume();
    request.on("error", () => undefined);
    request.on("end", () => {
      completed++;
      response.end();
    });
  });
  beforeAll(() => new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve)));
  afterAll(() => server.close().closeAllConnections());

  const ways: [string, S3ClientConfig, number | undefined][] = [
    ["in aws-chunked", {}, 1000],
    ["in aws-chunked, buffered", { requestStreamBufferSize: 8192 }, 1000],
    ["with its length", { requestChecksumCalculation: "WHEN_REQUIRED" }, 1000],
    ["chunked", { requestChecksumCalculation: "WHEN_REQUIRED" }, undefined],
  ];
  it.each(ways)("%s ends at once, gives its socket back and is never complete", async (_, config, length) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const client = new S3Client({
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      region: "eu-west-1",
      forcePathStyle: true,
      credentials: { accessKeyId: "a", secretAccessKey: "s" },
      requestHandler: new NodeHttpHandler({ httpAgent: agent }),
      ...config,
    });
    completed = 0;
    // Before anything was sent, and in the middle; and more than the way to the server holds at a time.
    for (const first of [[], ["1".repeat(100)]]) {
      const { body, breakOff } = breakableBody(then(first, never));
      const put = client.send(
        new PutObjectCommand({ Bucket: "b", Key: "k", Body: body, ContentLength: length }),
      );
      const failed = put.catch((error: Error) => error);
      await sleep(50);
      breakOff();
      expect(await failed).toBeInstanceOf(Error);
    }
    expect(completed).toBe(0);
    await client.send(new PutObjectCommand({ Bucket: "b", Key: "k", Body: "x" }));
    expect(completed).toBe(1);
    client.destroy();
  });
});
