/** Signatures in the query: whoever has the URL may do what it says, and nothing else. */
import { GetObjectCommand, PutObjectCommand, UploadPartCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { stockClient, withSimulator } from "../support.ts";

const temporary = {
  accessKeyId: "ASIATEMPORARY",
  secretAccessKey: "temporary secret",
  sessionToken: "token/with+odd=characters",
  principalArn: "arn:aws:iam::111122223333:role/app",
};
const alice = {
  accessKeyId: "ALICE",
  secretAccessKey: "s",
  principalArn: "arn:aws:iam::111122223333:user/alice",
};
const fixture = withSimulator({ credentials: [alice, temporary], verifySignatures: true, buckets: ["bkt"] });
const SSE = "x-amz-server-side-encryption";
const FLAG = `${SSE}-bucket-key-enabled`;

afterEach(() => {
  vi.useRealTimers();
});

async function fetched(url: string, init: RequestInit = { method: "PUT", body: "hello" }): Promise<string> {
  const answer = await fetch(url, init);
  const code = /<Code>(.*?)<\/Code>/.exec(await answer.text())?.[1];
  return [String(answer.status), code].filter(Boolean).join(" ");
}

const put = new PutObjectCommand({ Bucket: "bkt", Key: "a b/ü+%.txt" });
const encrypted = new PutObjectCommand({
  Bucket: "bkt",
  Key: "k",
  ServerSideEncryption: "aws:kms",
  BucketKeyEnabled: true,
});
const headers = { [SSE]: "aws:kms", [FLAG]: "true" };

describe("a presigned URL", () => {
  it("is taken for what it was made for", async () => {
    const { s3, sim } = fixture;
    expect(await fetched(await getSignedUrl(s3, put))).toBe("200");
    const get = new GetObjectCommand({
      Bucket: "bkt",
      Key: "a b/ü+%.txt",
      ResponseContentType: "text/x-a+b",
    });
    const answer = await fetch(await getSignedUrl(s3, get));
    expect(await answer.text()).toBe("hello");
    expect(answer.headers.get("content-type")).toBe("text/x-a+b");
    const { UploadId } = await s3.createMultipartUpload({ Bucket: "bkt", Key: "parts" });
    const part = new UploadPartCommand({ Bucket: "bkt", Key: "parts", PartNumber: 1, UploadId });
    expect(await fetched(await getSignedUrl(s3, part))).toBe("200");
    expect(sim.kmsRequestCount()).toBe(0);
  });

  it("has a checksum of an empty body in its query, which is neither checked nor kept", async () => {
    const { s3 } = fixture;
    const url = await getSignedUrl(s3, new PutObjectCommand({ Bucket: "bkt", Key: "baked" }));
    expect(new URL(url).searchParams.get("x-amz-checksum-crc32")).toBe("AAAAAA==");
    expect(await fetched(url)).toBe("200");
    const head = await s3.headObject({ Bucket: "bkt", Key: "baked", ChecksumMode: "ENABLED" });
    expect([head.ContentLength, head.ChecksumCRC32]).toEqual([5, undefined]);
  });

  it("carries the session token of temporary credentials", async () => {
    const s3 = stockClient(fixture.sim, { credentials: temporary });
    const url = await getSignedUrl(s3, put);
    expect(await fetched(url)).toBe("200");
    expect(await fetched(url.replace(/X-Amz-Security-Token=[^&]*/, "X-Amz-Security-Token=x"))).toBe(
      "400 InvalidToken",
    );
    expect(await fetched(url.replace(/X-Amz-Security-Token=[^&]*&?/, ""))).toBe("403 InvalidAccessKeyId");
    s3.destroy();
  });

  it.each([
    ["all of them", headers, "200"],
    ["none", {}, "403 SignatureDoesNotMatch"],
    ["only some", { [SSE]: "aws:kms" }, "403 SignatureDoesNotMatch"],
    ["another value", { ...headers, [FLAG]: "false" }, "403 SignatureDoesNotMatch"],
    ["one more of S3's", { ...headers, "x-amz-acl": "private" }, "403 AccessDenied"],
    ["a content type, which nobody signed", { ...headers, "content-type": "text/plain" }, "200"],
  ])("wants the headers that it signs (E16): the sender gives %s", async (_says, given, expected) => {
    const url = await getSignedUrl(fixture.s3, encrypted, { unhoistableHeaders: new Set([SSE, FLAG]) });
    expect(new URL(url).searchParams.get("X-Amz-SignedHeaders")).toContain(FLAG);
    expect(await fetched(url, { method: "PUT", body: "hello", headers: given })).toBe(expected);
  });

  it.each([
    ["another method", (url: string) => url, { method: "DELETE" }, "403 SignatureDoesNotMatch"],
    ["another key", (url: string) => url.replace("/bkt/", "/bkt/x"), undefined, "403 SignatureDoesNotMatch"],
    ["one more parameter", (url: string) => `${url}&versionId=null`, undefined, "403 SignatureDoesNotMatch"],
    [
      "a longer life",
      (url: string) => url.replace("Expires=900", "Expires=901"),
      undefined,
      "403 SignatureDoesNotMatch",
    ],
    [
      "a life of more than a week",
      (url: string) => url.replace("Expires=900", "Expires=604801"),
      undefined,
      "400 AuthorizationQueryParametersError",
    ],
    [
      "a life that is no number",
      (url: string) => url.replace("Expires=900", "Expires=ages"),
      undefined,
      "400 AuthorizationQueryParametersError",
    ],
    [
      "a negative life",
      (url: string) => url.replace("Expires=900", "Expires=-900"),
      undefined,
      "400 AuthorizationQueryParametersError",
    ],
    [
      "no life",
      (url: string) => url.replace("&X-Amz-Expires=900", ""),
      undefined,
      "400 AuthorizationQueryParametersError",
    ],
    [
      "no algorithm",
      (url: string) => url.replace(/X-Amz-Algorithm=[^&]*&/, ""),
      undefined,
      "400 AuthorizationQueryParametersError",
    ],
    [
      "another algorithm",
      (url: string) => url.replace("HMAC-SHA256", "HMAC-SHA1"),
      undefined,
      "400 AuthorizationQueryParametersError",
    ],
    [
      "SigV4A",
      (url: string) => url.replace("HMAC-SHA256", "ECDSA-P256-SHA256"),
      undefined,
      "501 NotImplemented",
    ],
    [
      "half a credential",
      (url: string) => url.replace("%2Faws4_request", ""),
      undefined,
      "400 AuthorizationQueryParametersError",
    ],
    [
      "another region",
      (url: string) => url.replace("eu-west-1", "us-east-1"),
      undefined,
      "400 AuthorizationQueryParametersError",
    ],
    [
      "a date in another form",
      (url: string) => url.replace(/Date=\d{8}T\d{6}Z/, "Date=yesterday"),
      undefined,
      "400 AuthorizationQueryParametersError",
    ],
    [
      "the date of another day",
      (url: string) => url.replace(/Date=\d{8}/, "Date=20130524"),
      undefined,
      "400 AuthorizationQueryParametersError",
    ],
    [
      "a second signature",
      (url: string) => url,
      { method: "PUT", headers: { authorization: "AWS4-HMAC-SHA256 x" } },
      "400 InvalidArgument",
    ],
    [
      "version 2",
      (url: string) => `${url.split("?", 1)[0]}?AWSAccessKeyId=ALICE&Expires=9999999999&Signature=c2ln`,
      undefined,
      "400 InvalidRequest",
    ],
    ["its parameters in another order", reversed, undefined, "200"],
  ])("with %s", async (_says, change, init, expected) => {
    expect(await fetched(change(await getSignedUrl(fixture.s3, put)), init)).toBe(expected);
  });

  it("ends when it expires, by the real time", async () => {
    const { s3, sim } = fixture;
    const url = await getSignedUrl(s3, put, { expiresIn: 60 });
    sim.advance(3_600_000);
    expect(await fetched(url)).toBe("200");
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
    const answer = await fetch(url, { method: "PUT", body: "x" });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toMatch(/<Message>Request has expired<\/Message><X-Amz-Expires>60</);
  });

  it("is not good before its time", async () => {
    const url = await getSignedUrl(fixture.s3, put, { signingDate: new Date(Date.now() + 3_600_000) });
    expect(await fetched(url)).toBe("403 AccessDenied");
  });

  it("in which any character is another one is refused", async () => {
    const url = await getSignedUrl(fixture.s3, encrypted, { unhoistableHeaders: new Set([SSE, FLAG]) });
    const start = url.indexOf("/bkt/");
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: start + 1, max: url.length - 1 }),
        fc.constantFrom(...Array.from("0123456789abcdefXYZ&=-")),
        async (at, other) => {
          const changed = url.slice(0, at) + other + url.slice(at + 1);
          fc.pre(meaning(changed) !== meaning(url));
          const { status } = await fetch(changed, { method: "PUT", body: "hello", headers });
          expect([400, 403]).toContain(status);
        },
      ),
      { numRuns: 200 },
    );
  });
});

function reversed(url: string): string {
  const [path = "", query = ""] = url.split("?");
  return `${path}?${query.split("&").toReversed().join("&")}`;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Equal for two spellings of one address. */
function meaning(url: string): string {
  const { pathname, searchParams } = new URL(url);
  try {
    return decodeURIComponent(pathname) + JSON.stringify([...searchParams].map(String).toSorted(compare));
  } catch {
    return url;
  }
}
