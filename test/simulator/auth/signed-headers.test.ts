/** Signatures in the Authorization header: what stock clients send is taken, what anybody changed is not. */
import { KMSClient, ListKeysCommand, GenerateDataKeyCommand } from "@aws-sdk/client-kms";
import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startSimulator } from "../../../src/simulator/index.ts";
import { errorOf, newBucket, stockClient, withSimulator } from "../support.ts";
import { outcome, send, signedRequest, type SignedRequest } from "./support.ts";

const alice = {
  accessKeyId: "ALICE",
  secretAccessKey: "alice's secret",
  principalArn: "arn:aws:iam::111122223333:role/alice",
};
const temporary = {
  accessKeyId: "ASIATEMPORARY",
  secretAccessKey: "temporary secret",
  sessionToken: "token/with+odd=characters",
  principalArn: "arn:aws:sts::111122223333:assumed-role/app/session",
};
const fixture = withSimulator({
  credentials: [alice, temporary],
  verifySignatures: true,
  buckets: ["bkt"],
});
const kms = { ServerSideEncryption: "aws:kms" } as const;

afterEach(() => {
  vi.useRealTimers();
});

const signedPut = (input: Partial<PutObjectCommandInput> = {}): Promise<SignedRequest> =>
  signedRequest(fixture.s3, () => fixture.s3.putObject({ Bucket: "bkt", Key: "k", Body: "hello", ...input }));

describe("a stock client", () => {
  it("does everything it did before", async () => {
    const { s3, sim, key } = fixture;
    const Bucket = await newBucket(s3);
    const put = await s3.putObject({ Bucket, Key: "a", Body: "x", ...kms, SSEKMSKeyId: key.arn });
    expect(put.SSEKMSKeyId).toBe(key.arn);
    await s3.copyObject({ Bucket, Key: "b", CopySource: `${Bucket}/a` });
    const { Contents } = await s3.listObjectsV2({ Bucket, Prefix: "", Delimiter: "/" });
    expect(Contents?.map(({ Key }) => Key)).toEqual(["a", "b"]);
    await s3.deleteObjects({ Bucket, Delete: { Objects: [{ Key: "a" }] } });
    expect(sim.kmsRequests().at(-1)?.requester).toBe(alice.principalArn);
  });

  it.each([
    "a b",
    "a+b",
    "100%",
    "%41",
    "ünï/cødé/日本語/😀",
    "../up/./and/../down",
    "//double//",
    "(a)*'!~-_.",
    "a?b#c&d=e;f:g@h,$i",
    '<xml attr="&amp;">',
    " ",
  ])("signs a key as the simulator reads it: %s", async (Key) => {
    const { s3 } = fixture;
    await s3.putObject({ Bucket: "bkt", Key, Body: Key });
    const { Body } = await s3.getObject({ Bucket: "bkt", Key });
    expect(await Body?.transformToString()).toBe(Key);
    const { Contents } = await s3.listObjectsV2({ Bucket: "bkt", Prefix: Key });
    expect(Contents?.map((object) => object.Key)).toContain(Key);
  });

  it("signs any key", async () => {
    const { s3 } = fixture;
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(text, async (Key) => {
        expect((await s3.putObject({ Bucket: "bkt", Key, Body: "x" })).ETag).toBeDefined();
      }),
      { numRuns: 60 },
    );
  });

  it("talks to a virtual host", async () => {
    const { sim } = fixture;
    for (const host of ["bkt.localhost", "bkt.s3.localhost"]) {
      const endpoint = `http://${host.slice("bkt.".length)}:1`;
      const client = stockClient(sim, { endpoint, forcePathStyle: false });
      const signed = await signedRequest(client, () => client.getObject({ Bucket: "bkt", Key: "virtual" }));
      expect(signed.headers["host"]).toBe(`${host}:1`);
      expect(await outcome(send(sim, signed))).toBe("404 NoSuchKey");
      expect(await outcome(send(sim, signed, { host: "other.localhost:1" }))).toBe(
        "403 SignatureDoesNotMatch",
      );
      client.destroy();
    }
  });

  it("sends the session token of temporary credentials", async () => {
    const s3 = stockClient(fixture.sim, { credentials: temporary });
    await s3.putObject({ Bucket: "bkt", Key: "k", Body: "x", ...kms });
    expect(fixture.sim.kmsRequests().at(-1)?.requester).toBe("arn:aws:iam::111122223333:role/app");
    s3.destroy();
  });

  it("is given the session token of the first principal", async () => {
    const sim = await startSimulator({ credentials: [temporary], verifySignatures: true });
    expect(sim.clientConfig.credentials).toEqual({
      accessKeyId: temporary.accessKeyId,
      secretAccessKey: temporary.secretAccessKey,
      sessionToken: temporary.sessionToken,
    });
    await sim.close();
  });

  it("without credentials of its own knows those of clientConfig only", async () => {
    const sim = await startSimulator({ verifySignatures: true, buckets: ["bkt"] });
    const [known, stranger] = [stockClient(sim), stockClient(sim, { credentials: alice })];
    await known.putObject({ Bucket: "bkt", Key: "k", Body: "x" });
    const refused = await errorOf(stranger.headObject({ Bucket: "bkt", Key: "k" }));
    expect(refused.$metadata.httpStatusCode).toBe(403);
    known.destroy();
    stranger.destroy();
    await sim.close();
  });
});

describe("a stranger", () => {
  it.each([
    ["with another secret", { ...alice, secretAccessKey: "another" }, "SignatureDoesNotMatch"],
    ["with an unknown access key", { ...alice, accessKeyId: "EVE" }, "InvalidAccessKeyId"],
    ["with a token of permanent credentials", { ...alice, sessionToken: "t" }, "InvalidToken"],
    ["without the token", { ...temporary, sessionToken: "" }, "InvalidAccessKeyId"],
    ["with another token", { ...temporary, sessionToken: "another" }, "InvalidToken"],
  ])("is refused: %s", async (_says, credentials, code) => {
    const s3 = stockClient(fixture.sim, { credentials });
    expect((await errorOf(s3.putObject({ Bucket: "bkt", Key: "k", Body: "x" }))).name).toBe(code);
    s3.destroy();
  });

  it("gets to see what was signed, and no secrets", async () => {
    const s3 = stockClient(fixture.sim, { credentials: { ...temporary, secretAccessKey: "another" } });
    const SSECustomerKey = "0123456789abcdef0123456789abcdef";
    const signed = await signedRequest(s3, () =>
      s3.putObject({
        Bucket: "bkt",
        Key: "k",
        Body: "x",
        SSECustomerAlgorithm: "AES256",
        SSECustomerKey,
        SSECustomerKeyMD5: "md5",
      }),
    );
    const body = (await send(fixture.sim, signed)).body.replaceAll("&#xa;", "\n");
    const element = (name: string): string | undefined =>
      new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1];
    expect(element("AWSAccessKeyId")).toBe(temporary.accessKeyId);
    expect(element("StringToSign")).toMatch(
      /^AWS4-HMAC-SHA256\n\d{8}T\d{6}Z\n.*\/eu-west-1\/s3\/aws4_request\n/,
    );
    expect(element("CanonicalRequest")).toMatch(/^PUT\n\/bkt\/k\nx-id=PutObject\n/);
    const hex = element("CanonicalRequestBytes")?.replaceAll(" ", "") ?? "";
    const shown = body + Buffer.from(hex, "hex").toString();
    for (const secret of [
      temporary.sessionToken,
      Buffer.from(SSECustomerKey).toString("base64"),
      "another",
    ]) {
      expect(shown).not.toContain(secret);
    }
    s3.destroy();
  });
});

describe("a signed request that somebody changed", () => {
  it.each([
    ["a header that is signed", { "x-amz-server-side-encryption": "AES256" }, "403 SignatureDoesNotMatch"],
    ["a signed header left out", { "x-amz-server-side-encryption": undefined }, "403 SignatureDoesNotMatch"],
    ["one more header of S3", { "x-amz-acl": "public-read" }, "403 AccessDenied"],
    [
      "one more bucket-key flag",
      { "x-amz-server-side-encryption-bucket-key-enabled": "true" },
      "403 AccessDenied",
    ],
    ["another host", { host: "elsewhere" }, "403 SignatureDoesNotMatch"],
    ["another payload hash", { "x-amz-content-sha256": "0".repeat(64) }, "403 SignatureDoesNotMatch"],
    ["UNSIGNED-PAYLOAD instead", { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" }, "403 SignatureDoesNotMatch"],
    ["no payload hash", { "x-amz-content-sha256": undefined }, "400 InvalidRequest"],
    ["a payload hash that is none", { "x-amz-content-sha256": "abc" }, "400 InvalidArgument"],
    ["no date", { "x-amz-date": undefined }, "403 AccessDenied"],
    ["no signature", { authorization: undefined }, "403 AccessDenied"],
    ["a header that S3 does not care for", { "x-forwarded-for": "10.0.0.1" }, "200"],
  ])("%s", async (_says, changed, expected) => {
    const signed = await signedPut({ ...kms });
    expect(await outcome(send(fixture.sim, signed, changed))).toBe(expected);
  });

  it.each([
    ["another method", { method: "DELETE", body: "" }, "403 SignatureDoesNotMatch"],
    ["another key", { target: "/bkt/other?x-id=PutObject" }, "403 SignatureDoesNotMatch"],
    ["another query", { target: "/bkt/k?x-id=GetObject" }, "403 SignatureDoesNotMatch"],
    ["one more parameter", { target: "/bkt/k?x-id=PutObject&encryption" }, "403 SignatureDoesNotMatch"],
    ["another body", { body: "HELLO" }, "400 XAmzContentSHA256Mismatch"],
    ["a shorter body", { body: "" }, "403 SignatureDoesNotMatch"],
    ["a path written in another way", { target: "/b%6bt/k?x-id=PutObject" }, "200"],
  ])("%s", async (_says, changed, expected) => {
    const signed = await signedPut();
    expect(await outcome(send(fixture.sim, { ...signed, ...changed }))).toBe(expected);
  });

  it("names the headers that are not signed", async () => {
    const { body } = await send(fixture.sim, await signedPut(), { "x-amz-acl": "private" });
    expect(body).toContain("There were headers present in the request which were not signed");
    expect(body).toContain("<HeadersNotSigned>x-amz-acl</HeadersNotSigned>");
  });

  it("in any character of the signature or of a signed value is refused", async () => {
    const signed = await signedPut({ ...kms, Metadata: { note: "plain text" } });
    const { authorization = "" } = signed.headers;
    const names = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(";") ?? [];
    const fragile = names.filter((name) => !["content-length", "host"].includes(name));
    expect(fragile).toContain("x-amz-meta-note");
    const places = [
      ...[...fragile.entries()].flatMap(([, name]) =>
        Array.from(signed.headers[name] ?? "", (_, at) => ({ name, at })),
      ),
      ...Array.from({ length: 64 }, (_, i) => ({ name: "authorization", at: authorization.length - 1 - i })),
    ];
    const letter = fc.constantFrom(...Array.from("0123456789abcdefXYZ"));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), letter, async ({ name, at }, other) => {
        const value = signed.headers[name] as string;
        fc.pre(value[at] !== other);
        const changed = value.slice(0, at) + other + value.slice(at + 1);
        const { status } = await send(fixture.sim, signed, { [name]: changed });
        expect([400, 403]).toContain(status);
      }),
      { numRuns: 150 },
    );
  });
});

const putWith = async (change: (authorization: string) => string): Promise<string> => {
  const signed = await signedPut();
  return outcome(send(fixture.sim, signed, { authorization: change(signed.headers["authorization"] ?? "") }));
};

describe("the Authorization header", () => {
  it.each([
    ["may do without blanks", (a: string) => a.replaceAll(", ", ","), "200"],
    [
      "needs its credential",
      (a: string) => a.replace("Credential=", "Cred="),
      "400 AuthorizationHeaderMalformed",
    ],
    [
      "needs a whole credential",
      (a: string) => a.replace("/aws4_request", ""),
      "400 AuthorizationHeaderMalformed",
    ],
    [
      "is for this region",
      (a: string) => a.replace("eu-west-1", "us-east-1"),
      "400 AuthorizationHeaderMalformed",
    ],
    ["is for S3", (a: string) => a.replace("/s3/", "/kms/"), "400 AuthorizationHeaderMalformed"],
    [
      "has the day of its date",
      (a: string) => a.replace(/\/\d{8}\//, "/20130524/"),
      "400 AuthorizationHeaderMalformed",
    ],
    ["has to sign the host", (a: string) => a.replace(";host", ""), "403 AccessDenied"],
    [
      "of SigV4A is said to be missing here",
      (a: string) => a.replace("HMAC-SHA256", "ECDSA-P256-SHA256"),
      "501 NotImplemented",
    ],
    ["of another kind is not known", () => "Basic dXNlcjpwYXNz", "400 InvalidArgument"],
    ["of version 2 is refused", () => "AWS ALICE:c2lnbmF0dXJl", "400 InvalidRequest"],
  ])("%s", async (_says, change, expected) => {
    expect(await putWith(change)).toBe(expected);
  });

  it("names the region that it should be for", async () => {
    const signed = await signedPut();
    const authorization = signed.headers["authorization"]?.replace("eu-west-1", "us-east-1");
    const { body } = await send(fixture.sim, signed, { authorization });
    expect(body).toContain("<Region>eu-west-1</Region>");
  });

  it("does not go together with a signature in the query", async () => {
    const signed = await signedPut();
    const target = `${signed.target}&X-Amz-Signature=0`;
    expect(await outcome(send(fixture.sim, { ...signed, target }))).toBe("400 InvalidArgument");
  });
});

describe("a signature of version 2 that ends in KMS (R29)", () => {
  const V2 = { authorization: "AWS ALICE:c2lnbmF0dXJl", host: "127.0.0.1" };
  const ask = async (method: string, target: string, headers = {}): Promise<string> => {
    const answer = await send(fixture.sim, { method, target, headers: { ...V2, ...headers }, body: "" });
    return answer.body;
  };
  const R29 = "require AWS Signature Version 4";

  it("is told so", async () => {
    const { s3, sim } = fixture;
    sim.createBucket("kms-default", { encryption: { sse: "aws:kms" } });
    await s3.putObject({ Bucket: "bkt", Key: "kms", Body: "x", ...kms });
    expect(await ask("PUT", "/bkt/k", { "x-amz-server-side-encryption": "aws:kms" })).toContain(R29);
    expect(await ask("PUT", "/kms-default/k")).toContain(R29);
    expect(await ask("GET", "/bkt/kms")).toContain(R29);
    expect(await ask("PUT", "/kms-default/k", { "x-amz-server-side-encryption": "AES256" })).toContain(
      "Please use AWS4-HMAC-SHA256",
    );
    expect(await ask("GET", "/kms-default/k")).toContain("Please use AWS4-HMAC-SHA256");
  });
});

const MINUTE = 60_000;

const putAt = async (ms: number): Promise<string> => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
  const signed = await signedPut();
  vi.useRealTimers();
  return outcome(send(fixture.sim, signed));
};

describe("the time of a signature", () => {
  it.each([
    [-14 * MINUTE, "200"],
    [14 * MINUTE, "200"],
    [-16 * MINUTE, "403 RequestTimeTooSkewed"],
    [16 * MINUTE, "403 RequestTimeTooSkewed"],
  ])("may differ from the real time by 15 minutes: %d ms", async (ms, expected) => {
    expect(await putAt(ms)).toBe(expected);
  });

  it("has nothing to do with the simulator's clock", async () => {
    const sim = await startSimulator({ verifySignatures: true, buckets: ["bkt"] });
    sim.advance(60 * MINUTE);
    const s3 = stockClient(sim);
    expect((await s3.putObject({ Bucket: "bkt", Key: "k", Body: "x" })).ETag).toBeDefined();
    s3.destroy();
    await sim.close();
  });

  it("may come from the Date header", async () => {
    const signed = await signedPut();
    const date = new Date().toUTCString();
    const answer = send(fixture.sim, signed, { "x-amz-date": undefined, date });
    // Its time is read; that the signature is of another time comes after that.
    expect(await outcome(answer)).toBe("403 SignatureDoesNotMatch");
  });
});

describe("KMS on the same endpoint", () => {
  const clientOf = (credentials: typeof alice): KMSClient =>
    new KMSClient({ ...fixture.sim.clientConfig, credentials, maxAttempts: 1 });

  it("takes a signature for kms", async () => {
    const kmsClient = clientOf(alice);
    const made = await kmsClient.send(
      new GenerateDataKeyCommand({ KeyId: fixture.key.arn, KeySpec: "AES_256" }),
    );
    expect(made.Plaintext?.length).toBe(32);
    expect(fixture.sim.kmsClientRequests().at(-1)?.requester).toBe(alice.principalArn);
    kmsClient.destroy();
  });

  it.each([
    ["another secret", { ...alice, secretAccessKey: "another" }, "InvalidSignatureException"],
    ["an unknown access key", { ...alice, accessKeyId: "EVE" }, "UnrecognizedClientException"],
  ])("refuses %s", async (_says, credentials, code) => {
    const kmsClient = clientOf(credentials);
    expect((await errorOf(kmsClient.send(new ListKeysCommand({})))).name).toBe(code);
    kmsClient.destroy();
  });

  it.each([
    ["another body", {}, '{"Limit":1}', "InvalidSignatureException"],
    ["another target", { "x-amz-target": "TrentService.CreateKey" }, undefined, "InvalidSignatureException"],
    ["no signature", { authorization: undefined }, undefined, "MissingAuthenticationTokenException"],
    ["one more header", { "x-amz-more": "1" }, undefined, "InvalidSignatureException"],
    ["garbage", { authorization: "AWS4-HMAC-SHA256 x" }, undefined, "IncompleteSignatureException"],
  ])("refuses %s", async (_says, changed, body, code) => {
    const kmsClient = clientOf(alice);
    const signed = await signedRequest(kmsClient, () => kmsClient.send(new ListKeysCommand({})));
    const answer = await send(fixture.sim, { ...signed, ...(body !== undefined && { body }) }, changed);
    expect([answer.status, answer.body]).toEqual([400, expect.stringContaining(`"__type":"${code}"`)]);
    kmsClient.destroy();
  });
});
