/** What no SDK sends: odd addresses, missing lengths, garbage, senders that go away. */
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { newBucket, rawExchange, rawHead, withSimulator, type RawAnswer } from "./support.ts";

const fixture = withSimulator({ buckets: ["bkt"] });
const codeOf = ({ body }: RawAnswer): string | undefined => /<Code>(.*)<\/Code>/.exec(body)?.[1];
const ask = (first: string, headers: Record<string, string | number> = {}, body = ""): Promise<RawAnswer> =>
  rawExchange(fixture.sim, rawHead(first, { "content-length": Buffer.byteLength(body), ...headers }), body);

/** A PUT of ten bytes, during which something else happens. */
async function putWithPause(
  path: string,
  headers: Record<string, string>,
  meanwhile: () => Promise<unknown>,
): Promise<string> {
  const { sim, s3 } = fixture;
  const socket = connect(Number(new URL(sim.endpoint).port), "127.0.0.1");
  const answer = new Promise<string>((resolve) => socket.once("data", (data) => resolve(data.toString())));
  socket.write(`${rawHead(`PUT ${path}`, { "content-length": 10, ...headers })}12345`);
  // One round trip: the server has seen the head before the rest happens.
  await s3.headBucket({ Bucket: "bkt" });
  await meanwhile();
  socket.write("67890");
  await answer;
  socket.destroy();
  return answer;
}

describe("an upload", () => {
  it("without a length is refused as S3 does", async () => {
    const answer = await rawExchange(fixture.sim, rawHead("PUT /bkt/k"));
    expect([answer.status, codeOf(answer)]).toEqual([411, "MissingContentLength"]);
  });

  it("that is only chunked by HTTP is refused as S3 does", async () => {
    const head = rawHead("PUT /bkt/k", { "transfer-encoding": "chunked" });
    const answer = await rawExchange(fixture.sim, head, "5\r\nhello\r\n0\r\n\r\n");
    expect([answer.status, codeOf(answer)]).toEqual([501, "NotImplemented"]);
  });

  it("of more than 5 GiB is refused before it is sent", async () => {
    const answer = await rawExchange(
      fixture.sim,
      rawHead("PUT /bkt/k", { "content-length": 5 * 1024 ** 3 + 1 }),
    );
    expect([answer.status, codeOf(answer)]).toEqual([400, "EntityTooLarge"]);
  });

  it("that asks whether to go on gets one 100 Continue", async () => {
    const head = rawHead("PUT /bkt/expect", { "content-length": 5, expect: "100-continue" });
    expect((await rawExchange(fixture.sim, head, "hello")).status).toBe(200);
  });

  it("that breaks off leaves nothing behind, and the server answers on", async () => {
    const { sim, s3 } = fixture;
    const Bucket = await newBucket(s3);
    const socket = connect(Number(new URL(sim.endpoint).port), "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    socket.write(rawHead(`PUT /${Bucket}/k`, { "content-length": 1_000 }));
    socket.write("x".repeat(500));
    // The server has seen the first half once another request is answered after it.
    await s3.headBucket({ Bucket });
    socket.destroy();
    await s3.putObject({ Bucket, Key: "other", Body: "x" });
    const list = await s3.listObjectsV2({ Bucket });
    expect(list.Contents?.map(({ Key }) => Key)).toEqual(["other"]);
  });

  it("of a part whose upload is aborted on its way is refused", async () => {
    const { s3 } = fixture;
    const Bucket = await newBucket(s3);
    const upload = {
      Bucket,
      Key: "k",
      UploadId: (await s3.createMultipartUpload({ Bucket, Key: "k" })).UploadId,
    };
    const path = `/${Bucket}/k?partNumber=1&uploadId=${upload.UploadId}`;
    const answer = await putWithPause(path, {}, () => s3.abortMultipartUpload(upload));
    expect(answer).toContain("<Code>NoSuchUpload</Code>");
  });

  it("that may only create is refused when another was faster", async () => {
    const { s3 } = fixture;
    const Bucket = await newBucket(s3);
    const answer = await putWithPause(`/${Bucket}/k`, { "if-none-match": "*" }, () =>
      s3.putObject({ Bucket, Key: "k", Body: "faster" }),
    );
    expect(answer).toContain("<Code>PreconditionFailed</Code>");
    expect(await (await s3.getObject({ Bucket, Key: "k" })).Body?.transformToString()).toBe("faster");
  });

  it("that is refused early is answered while it is still being sent", async () => {
    const body = "x".repeat(300_000);
    const refused = rawHead("PUT /absent/k", { "content-length": body.length });
    const answer = await rawExchange(fixture.sim, refused, body);
    expect([answer.status, codeOf(answer)]).toEqual([404, "NoSuchBucket"]);
  });
});

describe("an operation that is not simulated", () => {
  it.each([
    ["PUT /bkt/k?acl"],
    ["PUT /bkt/k?tagging"],
    ["PUT /bkt/k?something-new"],
    ["PUT /bkt/k?versionId=abc"],
    ["GET /bkt/k?attributes"],
    ["GET /bkt?policy"],
    ["PUT /bkt?lifecycle"],
    ["POST /bkt/k?select"],
    ["PATCH /bkt/k"],
    ["DELETE /"],
    ["GET /bkt?session"],
    ["PUT /bkt--euw1-az1--x-s3"],
    ["PUT /bkt--euw1-az1--x-s3/k"],
  ])("%s: NotImplemented, and nothing is written", async (first) => {
    const answer = await ask(first, {}, "<Something/>");
    expect([answer.status, codeOf(answer)]).toEqual([501, "NotImplemented"]);
    expect(answer.body).toMatch(/Not simulated|not simulated/);
    expect((await fixture.s3.listObjectsV2({ Bucket: "bkt", Prefix: "k" })).KeyCount).toBe(0);
  });

  it("object lock is one", async () => {
    const answer = await ask("PUT /bkt/k", { "x-amz-object-lock-mode": "GOVERNANCE" }, "x");
    expect([answer.status, codeOf(answer)]).toEqual([501, "NotImplemented"]);
  });
});

describe("a body that should be XML", () => {
  const bomb = `<!DOCTYPE x [<!ENTITY a "${"a".repeat(50)}"><!ENTITY b "${"&a;".repeat(50)}">]>`;
  it.each([
    ["no XML", "garbage"],
    ["nothing", ""],
    ["another root", "<Other/>"],
    ["an end missing", "<Delete><Object>"],
    ["invalid UTF-8", Buffer.from([0x3c, 0x44, 0xff, 0xfe, 0x3e]).toString("latin1")],
    ["a document type", `${bomb}<Delete><Object><Key>&b;</Key></Object></Delete>`],
    ["deep nesting", "<Delete>".repeat(10_000)],
    ["an object without a key", "<Delete><Object><Name>k</Name></Object></Delete>"],
    ["elements where text belongs", "<Delete><Object><Key><a/></Key></Object></Delete>"],
    ["no object", "<Delete></Delete>"],
    ["1,001 objects", `<Delete>${"<Object><Key>k</Key></Object>".repeat(1_001)}</Delete>`],
    ["prototype pollution", "<__proto__><Object><Key>k</Key></Object></__proto__>"],
  ])("%s: MalformedXML", async (_says, xml) => {
    const body = Buffer.from(xml, "latin1");
    const head = rawHead("POST /bkt?delete", { "content-length": body.length, "x-amz-checksum-crc32": "" });
    const headers = head.replace("x-amz-checksum-crc32: \r\n", "content-md5: MD5\r\n");
    const md5 = (await import("node:crypto")).createHash("md5").update(body).digest("base64");
    const answer = await rawExchange(fixture.sim, headers.replace("MD5", md5), body);
    expect([answer.status, codeOf(answer)]).toEqual([400, "MalformedXML"]);
  });

  it("a megabyte of it is refused by its length", async () => {
    const answer = await ask("PUT /bkt?encryption", { "content-length": 1_000_000 });
    expect([answer.status, codeOf(answer)]).toEqual([400, "EntityTooLarge"]);
  });

  it("DeleteObjects without any checksum is refused", async () => {
    const answer = await ask("POST /bkt?delete", {}, "<Delete><Object><Key>k</Key></Object></Delete>");
    expect([answer.status, codeOf(answer)]).toEqual([400, "InvalidRequest"]);
  });
});

describe("an address", () => {
  it.each(["bkt.localhost", "bkt.localhost:8080", "bkt.s3.localhost"])(
    "may name the bucket as virtual host %s",
    async (host) => {
      const head = rawHead("PUT /virtual/key", { "content-length": 5 }, host);
      expect((await rawExchange(fixture.sim, head, "hello")).status).toBe(200);
      const get = await fixture.s3.getObject({ Bucket: "bkt", Key: "virtual/key" });
      expect(await get.Body?.transformToString()).toBe("hello");
    },
  );

  it.each(["localhost", "s3.localhost:8080", "[::1]"])("names no bucket by the host %s", async (host) => {
    const answer = await rawExchange(fixture.sim, rawHead("HEAD /bkt", {}, host));
    expect(answer.status).toBe(200);
  });

  it.each(["a//b", "/leading", "../up", "./dot", "a b+c", "ключ/😀", "%41", "a?b#c", "quote\"'&<>"])(
    "carries the key %s as it is",
    async (Key) => {
      const { s3 } = fixture;
      const Bucket = await newBucket(s3);
      await s3.putObject({ Bucket, Key, Body: Key });
      expect(await (await s3.getObject({ Bucket, Key })).Body?.transformToString()).toBe(Key);
      expect((await s3.listObjectsV2({ Bucket })).Contents?.map((object) => object.Key)).toEqual([Key]);
    },
  );

  it.each([
    ["broken escapes", "GET /bkt/%zz", 400, "InvalidURI"],
    ["a key of 1,025 bytes", `GET /bkt/${"k".repeat(1_025)}`, 400, "KeyTooLongError"],
    ["no such key", "GET /bkt/absent", 404, "NoSuchKey"],
    ["no such bucket", "GET /absent/k", 404, "NoSuchBucket"],
  ])("is answered: %s", async (_says, first, status, code) => {
    const answer = await ask(first);
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
  });
});

describe("headers", () => {
  it("of more than 16 KB are refused by HTTP itself", async () => {
    const answer = await ask("PUT /bkt/k", { "x-amz-meta-a": "a".repeat(20_000) });
    expect(answer.status).toBe(431);
  });

  it("of user metadata over 2 KB are refused", async () => {
    const answer = await ask("PUT /bkt/k", { "x-amz-meta-a": "a".repeat(2_048) });
    expect([answer.status, codeOf(answer)]).toEqual([400, "MetadataTooLarge"]);
  });

  it("that are no HTTP end the connection and not the server", async () => {
    const answer = await rawExchange(fixture.sim, "THIS IS NOT HTTP\r\n\r\n");
    expect(answer.status).toBe(400);
    expect((await ask("GET /bkt/absent")).status).toBe(404);
  });

  it("of another bucket owner are refused", async () => {
    const answer = await ask("GET /bkt?location", { "x-amz-expected-bucket-owner": "999999999999" });
    expect([answer.status, codeOf(answer)]).toEqual([403, "AccessDenied"]);
  });
});
