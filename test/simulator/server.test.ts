/** The running thing: options, requesters, many at once, and its end. */
import { KMSClient, ListKeysCommand } from "@aws-sdk/client-kms";
import { spawn } from "node:child_process";
import { connect, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { startSimulator, type SimulatorOptions } from "../../src/simulator/index.ts";
import { errorOf, rawExchange, rawHead, stockClient, withSimulator } from "./support.ts";

const kms = { ServerSideEncryption: "aws:kms" } as const;

describe("the direct API", () => {
  it("makes buckets with a default encryption, and KMS keys with an alias", async () => {
    const sim = await startSimulator({
      buckets: ["plain", { name: "kms-default", encryption: { sse: "aws:kms", bucketKey: true } }],
    });
    const s3 = stockClient(sim);
    const key = sim.createKmsKey({ alias: "alias/lake" });
    sim.createBucket("lake", { encryption: { sse: "aws:kms", kmsKey: "alias/lake", bucketKey: true } });
    const put = (Bucket: string) => s3.putObject({ Bucket, Key: "k", Body: "x" });
    expect((await put("plain")).ServerSideEncryption).toBe("AES256");
    expect((await put("kms-default")).BucketKeyEnabled).toBe(true);
    expect(await put("lake")).toMatchObject({ SSEKMSKeyId: key.arn, BucketKeyEnabled: true });
    s3.destroy();
    await sim.close();
  });

  it("refuses what PutBucketEncryption refuses", async () => {
    const sim = await startSimulator();
    expect(() => sim.createBucket("x")).toThrow("not valid");
    expect(() => sim.createBucket("xyz", { encryption: { sse: "AES256", kmsKey: "k" } })).toThrow(
      "KMSMasterKeyID",
    );
    expect(() => sim.createBucket("lake--euw1-az1--x-s3")).toThrow("not simulated");
    sim.createBucket("twice");
    expect(() => sim.createBucket("twice")).toThrow("already own");
    await sim.close();
  });

  it.each([
    ["accountId", { accountId: "1234" }],
    ["verifySignatures", { verifySignatures: "yes" }],
    ["clock", { clock: "atomic" as "real" }],
    ["minimumPartBytes", { minimumPartBytes: -1 }],
    ["bucketKeyLifetimeSeconds", { bucketKeyLifetimeSeconds: Number.NaN }],
    ["unknownRows", { unknownRows: { R17: "reject" as "error" } }],
    ["unknownRows", { unknownRows: { R1: "ignore" } }],
  ])("says which option is out of range: %s", async (name, options) => {
    await expect(startSimulator(options as SimulatorOptions)).rejects.toThrow(new RegExp(`^${name} `));
  });

  it("serves S3 and KMS clients with one configuration", async () => {
    const sim = await startSimulator({ region: "us-east-1", accountId: "444455556666" });
    const key = sim.createKmsKey();
    expect(key.arn).toMatch(/^arn:aws:kms:us-east-1:444455556666:key\//);
    const client = new KMSClient(sim.clientConfig);
    expect((await client.send(new ListKeysCommand({}))).Keys?.map(({ KeyArn }) => KeyArn)).toEqual([key.arn]);
    expect(sim.kmsClientRequests()).toMatchObject([{ action: "ListKeys", count: 1 }]);
    expect(sim.kmsRequestCount()).toBe(0);
    client.destroy();
    await sim.close();
  });
});

describe("the requester", () => {
  const alice = {
    accessKeyId: "ALICE",
    secretAccessKey: "a",
    principalArn: "arn:aws:iam::111122223333:role/alice",
  };
  const bob = {
    accessKeyId: "BOB",
    secretAccessKey: "b",
    principalArn: "arn:aws:iam::111122223333:role/bob",
  };
  const fixture = withSimulator({ credentials: [alice, bob], buckets: ["bkt"] });

  it("is the principal of the access key: each has a bucket key of its own", async () => {
    const { sim, s3 } = fixture;
    const second = stockClient(sim, { credentials: bob });
    for (const client of [s3, second, s3, second]) {
      await client.putObject({ Bucket: "bkt", Key: "k", Body: "x", ...kms, BucketKeyEnabled: true });
    }
    second.destroy();
    const seen = sim.kmsRequests().map(({ requester, action, count }) => [requester, action, count]);
    expect(seen).toEqual([
      [alice.principalArn, "GenerateDataKey", 1],
      [bob.principalArn, "GenerateDataKey", 1],
    ]);
  });

  it("is also read from a presigned URL", async () => {
    const { sim } = fixture;
    const signed =
      "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=BOB%2F20260101%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Signature=0";
    const answer = await fetch(`${sim.endpoint}/bkt/presigned?x-id=PutObject&${signed}`, {
      method: "PUT",
      body: "x",
    });
    expect(answer.status).toBe(200);
  });

  it.each([
    [
      "an unknown access key",
      { authorization: "AWS4-HMAC-SHA256 Credential=EVE/x, Signature=0" },
      "InvalidAccessKeyId",
    ],
    ["an unknown key of SigV2", { authorization: "AWS EVE:c2ln" }, "InvalidAccessKeyId"],
    ["garbage for a signature", { authorization: "AWS4-HMAC-SHA256 garbage" }, "InvalidAccessKeyId"],
    ["nobody", {}, "AccessDenied"],
  ])("is refused: %s", async (_says, headers, code) => {
    const answer = await fetch(`${fixture.sim.endpoint}/bkt/k`, { method: "PUT", body: "x", headers });
    expect([answer.status, await answer.text()]).toEqual([
      403,
      expect.stringContaining(`<Code>${code}</Code>`),
    ]);
  });

  it("may be anyone when no credentials are given", async () => {
    const sim = await startSimulator({ buckets: ["bkt"] });
    const s3 = stockClient(sim, { credentials: { accessKeyId: "CAROL", secretAccessKey: "c" } });
    await s3.putObject({ Bucket: "bkt", Key: "k", Body: "x", ...kms });
    expect(sim.kmsRequests()[0]?.requester).toBe("arn:aws:iam::111122223333:user/CAROL");
    expect((await fetch(`${sim.endpoint}/bkt/k`, { method: "PUT", body: "x" })).status).toBe(200);
    s3.destroy();
    await sim.close();
  });
});

describe("many requests at once", () => {
  const fixture = withSimulator({ buckets: ["bkt"] });

  it("do not mix: each object has its own bytes", async () => {
    const { s3 } = fixture;
    const names = Array.from({ length: 200 }, (_, i) => `k${i}`);
    await Promise.all(names.map((Key) => s3.putObject({ Bucket: "bkt", Key, Body: Key.repeat(5_000) })));
    const read = await Promise.all(
      names.map(async (Key) => (await s3.getObject({ Bucket: "bkt", Key })).Body?.transformToString()),
    );
    expect(read).toEqual(names.map((name) => name.repeat(5_000)));
  });

  it("on one connection, sent ahead, are answered in their order", async () => {
    const { sim } = fixture;
    const put = rawHead("PUT /bkt/ahead", { "content-length": 5 });
    const answer = await rawExchange(sim, `${put}hello${rawHead("HEAD /bkt/ahead")}`);
    expect(answer.headers["etag"]).toBe('"5d41402abc4b2a76b9719d911017c592"');
  });

  it("read a large object slowly without harm to others", async () => {
    const { sim, s3 } = fixture;
    await s3.putObject({ Bucket: "bkt", Key: "large", Body: Buffer.alloc(8_000_000) });
    const slow = connect(Number(new URL(sim.endpoint).port), "127.0.0.1");
    slow.pause();
    slow.write(rawHead("GET /bkt/large"));
    const fast = await s3.getObject({ Bucket: "bkt", Key: "large" });
    expect((await fast.Body?.transformToByteArray())?.length).toBe(8_000_000);
    slow.destroy();
  });
});

describe("close", () => {
  it("ends open and half-sent connections at once", async () => {
    const sim = await startSimulator({ buckets: ["bkt"] });
    const { port } = new URL(sim.endpoint);
    const sockets = await Promise.all(
      ["", rawHead("PUT /bkt/k", { "content-length": 100 }), "GET /bkt/k HT"].map(
        (text) =>
          new Promise<{ closed: Promise<void> }>((resolve) => {
            const socket = connect(Number(port), "127.0.0.1", () => {
              socket.write(text);
              resolve({ closed: new Promise((done) => socket.once("close", () => done())) });
            });
            socket.on("error", () => {});
            socket.resume();
          }),
      ),
    );
    const start = performance.now();
    await sim.close();
    await Promise.all(sockets.map(({ closed }) => closed));
    expect(performance.now() - start).toBeLessThan(1_000);
    const refused = stockClient(sim);
    expect((await errorOf(refused.headBucket({ Bucket: "bkt" }))).message).toContain("ECONNREFUSED");
    refused.destroy();
  });

  it("leaves nothing that keeps the process alive", async () => {
    const program = `
      import { startSimulator } from ${JSON.stringify(new URL("../../src/simulator/index.ts", import.meta.url).href)};
      const sim = await startSimulator({ buckets: ["bkt"] });
      await fetch(sim.endpoint + "/bkt/k", { method: "PUT", body: "x" });
      await sim.close();
      process.stdout.write("closed");
    `;
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 15_000,
    });
    let output = "";
    child.stdout.on("data", (data) => (output += String(data)));
    child.stderr.on("data", (data) => (output += String(data)));
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect([code, output]).toEqual([0, "closed"]);
  });

  it("frees the port, and a port that is taken is an error", async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve));
    const { port } = blocker.address() as { port: number };
    await expect(startSimulator({ port })).rejects.toThrow("EADDRINUSE");
    await new Promise((resolve) => blocker.close(resolve));
    const first = await startSimulator({ port });
    await Promise.all([first.close(), first.close()]);
    await first.close();
    const second = await startSimulator({ port });
    expect(second.endpoint).toBe(`http://127.0.0.1:${port}`);
    await second.close();
  });
});
