/** The examples that AWS publishes of S3's SigV4 ("Authenticating Requests"), held against the verifier. */
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { canonicalRequest, wireRequest } from "../../../src/simulator/auth/canonical-request.ts";
import { ChunkSignatures, type ChunkChain } from "../../../src/simulator/auth/chunk-signatures.ts";
import { claimOf, type SignatureClaim } from "../../../src/simulator/auth/claim.ts";
import { EMPTY_SHA256, SigningKeys } from "../../../src/simulator/auth/signing-key.ts";
import { SignatureVerifier } from "../../../src/simulator/auth/verifier.ts";

const secretAccessKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const known = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey, principalArn: "arn:aws:iam::1:user/a" };
const scope = { date: "20130524", region: "us-east-1", service: "s3" };
const HOST = "examplebucket.s3.amazonaws.com";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2013-05-24T00:00:00Z") });
});
afterEach(() => {
  vi.useRealTimers();
});

function verify(method: string, url: string, headers: Readonly<Record<string, string>>): unknown {
  const wire = wireRequest(method, url, Object.entries({ Host: HOST, ...headers }).flat());
  return new SignatureVerifier("us-east-1", [known]).verify(wire, claimOf(wire) as SignatureClaim, {
    service: "s3",
  });
}

const authorization = (signedHeaders: string, signature: string): string =>
  `AWS4-HMAC-SHA256 Credential=${known.accessKeyId}/20130524/us-east-1/s3/aws4_request,` +
  `SignedHeaders=${signedHeaders},Signature=${signature}`;

const dated = { "x-amz-date": "20130524T000000Z", "x-amz-content-sha256": EMPTY_SHA256 };
const welcome = createHash("sha256").update("Welcome to Amazon S3.").digest("hex");

const EXAMPLES: readonly (readonly [string, string, string, string, string, Record<string, string>])[] = [
  [
    "GET Object",
    "GET",
    "/test.txt",
    "host;range;x-amz-content-sha256;x-amz-date",
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    { Range: "bytes=0-9", ...dated },
  ],
  [
    "PUT Object",
    "PUT",
    "/test$file.text",
    "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    {
      Date: "Fri, 24 May 2013 00:00:00 GMT",
      ...dated,
      "x-amz-content-sha256": welcome,
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
      "content-length": "21",
    },
  ],
  [
    "GET Bucket Lifecycle",
    "GET",
    "/?lifecycle",
    "host;x-amz-content-sha256;x-amz-date",
    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    dated,
  ],
  [
    "GET Bucket",
    "GET",
    "/?max-keys=2&prefix=J",
    "host;x-amz-content-sha256;x-amz-date",
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    dated,
  ],
];

describe("the published example", () => {
  it.each(EXAMPLES)("%s is verified", (_name, method, url, signedHeaders, signature, headers) => {
    const signed = { ...headers, Authorization: authorization(signedHeaders, signature) };
    expect(verify(method, url, signed)).toMatchObject({ known });
  });

  it.each(EXAMPLES)("%s with another signature isn't", (_name, method, url, names, signature, headers) => {
    const other = signature.replace(/^./, (first) => (first === "0" ? "1" : "0"));
    const signed = { ...headers, Authorization: authorization(names, other) };
    expect(() => verify(method, url, signed)).toThrow("does not match");
  });

  it("of a PUT is held to its payload hash when no body comes", () => {
    const [, , , names, signature, { "content-length": _, ...headers }] = EXAMPLES[1] as (typeof EXAMPLES)[1];
    const signed = { ...headers, Authorization: authorization(names, signature) };
    expect(() => verify("PUT", "/test$file.text", signed)).toThrow("does not match what was computed");
  });

  it("of a presigned URL is verified", () => {
    const url =
      "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request" +
      "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host" +
      "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    expect(verify("GET", url, {})).toMatchObject({ known, payload: { hash: "UNSIGNED-PAYLOAD" } });
  });
});

const chainFrom = (seed: string): ChunkChain => ({
  signingKey: new SigningKeys().keyOf(secretAccessKey, scope),
  scope: "20130524/us-east-1/s3/aws4_request",
  timestamp: "20130524T000000Z",
  seed,
});

function feed(signatures: ChunkSignatures, chunks: readonly (readonly [bytes: number, signature: string])[]) {
  for (const [bytes, signature] of chunks) {
    signatures.begin(`chunk-signature=${signature}`);
    signatures.update(Buffer.alloc(bytes, "a"));
    signatures.end();
  }
}

describe("the published example of chunks", () => {
  const seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
  const chunks = [
    [65_536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"],
    [1_024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"],
    [0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"],
  ] as const;

  it("has the seed that its headers are signed with", () => {
    const headers = {
      "x-amz-date": "20130524T000000Z",
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
      "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
      "Content-Encoding": "aws-chunked",
      "x-amz-decoded-content-length": "66560",
      "Content-Length": "66824",
      Authorization: authorization(
        "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
        seed,
      ),
      Host: "s3.amazonaws.com",
    };
    expect(verify("PUT", "/examplebucket/chunkObject.txt", headers)).toMatchObject({
      payload: { chain: { seed } },
    });
  });

  it("is verified chunk by chunk", () => {
    const signatures = new ChunkSignatures(chainFrom(seed), false);
    feed(signatures, chunks);
    expect(signatures.isComplete).toBe(true);
  });

  it("isn't when two chunks change places, or one is left out", () => {
    expect(() => feed(new ChunkSignatures(chainFrom(seed), false), chunks.toReversed())).toThrow("not match");
    expect(() => feed(new ChunkSignatures(chainFrom(seed), false), chunks.slice(1))).toThrow("not match");
  });

  it("with a trailer is verified to its end", () => {
    const signatures = new ChunkSignatures(
      chainFrom("106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"),
      true,
    );
    feed(signatures, [
      [65_536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"],
      [1_024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"],
      [0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"],
    ]);
    expect(signatures.isComplete).toBe(false);
    signatures.endTrailers(
      "x-amz-checksum-crc32c:sOO8/Q==\n",
      "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435",
    );
    expect(signatures.isComplete).toBe(true);
  });
});

const pathOf = (url: string): string | undefined =>
  canonicalRequest(wireRequest("GET", url, []), [], "").split("\n")[1];

const queryOf = (query: string): string | undefined =>
  canonicalRequest(wireRequest("GET", `/?${query}`, []), [], "").split("\n")[2];

const headerOf = (...raw: readonly string[]): string | undefined =>
  canonicalRequest(wireRequest("GET", "/", raw), ["x-a"], "").split("\n")[3];

describe("the canonical request", () => {
  it.each([
    ["/a/b.txt", "/a/b.txt"],
    ["/a//b/../c/./d", "/a//b/../c/./d"],
    ["/a%20b", "/a%20b"],
    ["/a+b", "/a%2Bb"],
    ["/a(b)*'!", "/a%28b%29%2A%27%21"],
    ["/%41%7e%2f", "/A~/"],
    ["/%c3%a9", "/%C3%A9"],
    ["/%2525", "/%2525"],
  ])("encodes the path once, however it was sent: %s", (sent, canonical) => {
    expect(pathOf(sent)).toBe(canonical);
  });

  it.each([
    ["b=2&a=1", "a=1&b=2"],
    ["a=2&a=1", "a=1&a=2"],
    ["a", "a="],
    ["A=1&a=1", "A=1&a=1"],
    ["prefix=a%2Fb", "prefix=a%2Fb"],
    ["prefix=a/b+c", "prefix=a%2Fb%20c"],
    ["x=1&X-Amz-Signature=00&&", "x=1"],
    ["a-b=1&a=1", "a=1&a-b=1"],
  ])("sorts and encodes the query: %s", (sent, canonical) => {
    expect(queryOf(sent)).toBe(canonical);
  });

  it.each([
    [["X-A", "  a   b  "], "x-a:a b"],
    [["x-a", "1", "X-A", "2"], "x-a:1,2"],
    [["x-b", "1"], "x-a:"],
  ])("trims headers and joins those of one name: %j", (raw, line) => {
    expect(headerOf(...raw)).toBe(line);
  });
});
