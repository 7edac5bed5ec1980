/** `/_simulator/...`, as a program in another language uses it. */
import { describe, expect, it } from "vitest";
import { startSimulator } from "../../src/simulator/index.ts";
import { rawExchange, rawHead, stockClient, withSimulator } from "./support.ts";

const fixture = withSimulator({ buckets: ["bkt"], credentials: [known("ALICE")] });

function known(accessKeyId: string) {
  return { accessKeyId, secretAccessKey: "s", principalArn: `arn:aws:iam::111122223333:user/${accessKeyId}` };
}

async function ask(route: string, body?: string): Promise<{ status: number; json: Record<string, unknown> }> {
  const [method = "", path = ""] = route.split(" ");
  const answer = await fetch(fixture.sim.endpoint + path, { method, ...(body !== undefined && { body }) });
  expect(answer.headers.get("content-type")).toBe("application/json");
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
}
const put = (Key = "k") =>
  fixture.s3.putObject({
    Bucket: "bkt",
    Key,
    Body: "x",
    ServerSideEncryption: "aws:kms",
    BucketKeyEnabled: true,
  });

describe("over HTTP, without an access key", () => {
  it("is said what this is and what can be asked", async () => {
    const { status, json } = await ask("GET /_simulator");
    expect(status).toBe(200);
    expect(json).toMatchObject({
      simulator: "s3-bucket-keys",
      region: "eu-west-1",
      accountId: "111122223333",
    });
    expect(json["routes"]).toContain("POST /_simulator/advance");
    expect((await ask("GET /_simulator/")).json).toEqual(json);
  });

  it("KMS requests are the same as in the process, with their sum, and can be forgotten", async () => {
    const { sim } = fixture;
    await put();
    await put("k2");
    const { json } = await ask("GET /_simulator/kms-requests");
    expect(json).toEqual({ simulated: true, total: 1, requests: sim.kmsRequests() });
    expect((await ask("GET /_simulator/cloudtrail")).json).toEqual({
      simulated: true,
      Records: structuredClone(sim.cloudTrail()),
    });
    expect((await ask("POST /_simulator/reset")).json).toEqual({ total: 0 });
    expect(sim.kmsRequestCount()).toBe(0);
    expect((await ask("GET /_simulator/kms-client-requests")).json).toEqual({ requests: [] });
  });

  it("time moves on, and bucket keys grow old", async () => {
    await put();
    await ask("POST /_simulator/reset");
    const { json: before } = await ask("GET /_simulator");
    const { json: after } = await ask("POST /_simulator/advance?ms=61000");
    expect(Date.parse(String(after["time"])) - Date.parse(String(before["time"]))).toBe(61_000);
    await put();
    expect((await ask("GET /_simulator/kms-requests")).json).toMatchObject({ total: 1 });
  });

  it("what waits to be replicated is, and what became of it is told", async () => {
    const { sim, s3 } = fixture;
    sim.createBucket("originals", { versioned: true });
    sim.createBucket("replicas", { versioned: true });
    const Rules = [
      {
        Prefix: "",
        Status: "Enabled" as const,
        Destination: { Bucket: "arn:aws:s3:::replicas" },
      },
    ];
    const ReplicationConfiguration = { Role: "arn:aws:iam::111122223333:role/r", Rules };
    await s3.putBucketReplication({ Bucket: "originals", ReplicationConfiguration });
    const { VersionId } = await s3.putObject({ Bucket: "originals", Key: "k", Body: "x" });
    expect((await ask("POST /_simulator/replicate")).json).toEqual({
      outcomes: [
        { source: "originals", destination: "replicas", key: "k", versionId: VersionId, status: "COMPLETED" },
      ],
    });
    expect((await s3.headObject({ Bucket: "replicas", Key: "k" })).ReplicationStatus).toBe("REPLICA");
  });

  it("faults are set, listed and removed", async () => {
    const rule = { operation: "PutObject", fault: { kind: "error", code: "SlowDown" } };
    await ask("POST /_simulator/faults", JSON.stringify(rule));
    await expect(put()).rejects.toMatchObject({ name: "SlowDown" });
    expect((await ask("GET /_simulator/faults")).json).toEqual({ faults: [{ ...rule, hits: 1 }] });
    expect((await ask("DELETE /_simulator/faults")).json).toEqual({ faults: [] });
    await expect(put()).resolves.toBeDefined();
  });

  it.each([
    ["POST /_simulator/advance", 400, "?ms=60000"],
    ["POST /_simulator/advance?ms=-5", 400, "-5"],
    ["POST /_simulator/advance?ms=1e3", 400, "1e3"],
    ["POST /_simulator/advance?ms=99999999999999999", 400, "year 9999"],
    ["POST /_simulator/faults", 400, "Send a fault rule as JSON"],
    ["GET /_simulator/advance", 405, "POST /_simulator/advance"],
    ["GET /_simulator/kms", 404, "GET /_simulator/kms-requests"],
    ["GET /_simulator/toString", 404, "There is"],
  ])("%s is answered with %i and what to write", async (route, status, says) => {
    const answer = await ask(route, route.startsWith("POST") ? "" : undefined);
    expect(answer).toEqual({ status, json: { error: expect.stringContaining(says) } });
  });

  it("the clock stays where it is when it is told to go too far", async () => {
    const { json: before } = await ask("GET /_simulator");
    await ask("POST /_simulator/advance?ms=99999999999999999", "");
    const { status, json: after } = await ask("GET /_simulator");
    expect([status, after["time"]]).toEqual([200, before["time"]]);
    await expect(put()).resolves.toBeDefined();
  });

  it("a fault that can't be is answered with what to write", async () => {
    expect((await ask("POST /_simulator/faults", '{"fault":{"kind":"lag"}}')).json["error"]).toMatch(
      /kind is one of/,
    );
  });

  it("a web page is refused", async () => {
    const answer = await fetch(`${fixture.sim.endpoint}/_simulator/reset`, {
      method: "POST",
      headers: { origin: "https://example.com" },
    });
    expect(answer.status).toBe(403);
  });
});

describe("what only looks like it", () => {
  it.each([
    ["a host that is not loopback's own", "/_simulator/kms-requests", "example.com"],
    ["another path", "/_simulators", "127.0.0.1"],
  ])("%s goes to S3", async (_what, path, host) => {
    const answer = await rawExchange(fixture.sim, rawHead(`GET ${path}`, {}, host));
    expect(answer.status).toBe(403);
    expect(answer.body).toContain("<Code>InvalidAccessKeyId</Code>");
  });

  it("an object of that key in a bucket of the host is an object", async () => {
    const sim = await startSimulator({ buckets: ["bkt"] });
    const s3 = stockClient(sim);
    await s3.putObject({ Bucket: "bkt", Key: "_simulator/reset", Body: "mine" });
    const answer = await rawExchange(sim, rawHead("GET /_simulator/reset", {}, "bkt.localhost"));
    s3.destroy();
    await sim.close();
    expect([answer.status, answer.body]).toEqual([200, "mine"]);
  });
});

describe("a clock that is real", () => {
  it("goes on by itself, and further when told to", async () => {
    const sim = await startSimulator({ buckets: ["bkt"], clock: "real", bucketKeyLifetimeSeconds: 0.2 });
    const s3 = stockClient(sim);
    const kms = { ServerSideEncryption: "aws:kms", BucketKeyEnabled: true } as const;
    const asksKms = async () => {
      sim.resetKmsRequests();
      await s3.putObject({ Bucket: "bkt", Key: "k", Body: "x", ...kms });
      return sim.kmsRequestCount();
    };
    expect(await asksKms()).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 210));
    expect(await asksKms()).toBe(1);
    sim.advance(1_000);
    expect(await asksKms()).toBe(1);
    s3.destroy();
    await sim.close();
  });
});
