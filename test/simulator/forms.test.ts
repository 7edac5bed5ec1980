/** PostObject: forms as `createPresignedPost` makes them and browsers send them. */
import { createPresignedPost, type PresignedPostOptions } from "@aws-sdk/s3-presigned-post";
import fc from "fast-check";
import { createHmac } from "node:crypto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startSimulator, type Simulator } from "../../src/simulator/index.ts";
import { errorOf, rawExchange, stockClient, withSimulator } from "./support.ts";

const alice = {
  accessKeyId: "ALICE",
  secretAccessKey: "alice's secret",
  principalArn: "arn:aws:iam::111122223333:role/alice",
};
const temporary = {
  accessKeyId: "ASIATEMPORARY",
  secretAccessKey: "temporary secret",
  sessionToken: "token/with+odd=characters",
  principalArn: "arn:aws:iam::111122223333:role/app",
};
const fixture = withSimulator({
  credentials: [alice, temporary],
  verifySignatures: true,
  buckets: ["bkt"],
});
const SSE = "x-amz-server-side-encryption";
const KEY_ID = `${SSE}-aws-kms-key-id`;
const FLAG = `${SSE}-bucket-key-enabled`;

afterEach(() => {
  vi.useRealTimers();
});

type Fields = readonly (readonly [name: string, value: string | Blob, fileName?: string])[];

/** The fields of a form that stock code signs, in order. */
async function presigned(options: Partial<PresignedPostOptions> = {}, s3 = fixture.s3): Promise<Fields> {
  const { fields } = await createPresignedPost(s3, { Bucket: "bkt", Key: "k", ...options });
  return Object.entries(fields);
}

const FILE = [["file", new Blob(["hello"]), "folder/hello.txt"]] as const;

async function post(
  fields: Fields,
  { sim = fixture.sim, bucket = "bkt" }: { sim?: Simulator; bucket?: string } = {},
): Promise<{ status: number; headers: Headers; body: string }> {
  const form = new FormData();
  for (const [name, value, fileName] of fields) {
    if (typeof value === "string") form.append(name, value);
    else form.append(name, value, fileName);
  }
  const answer = await fetch(`${sim.endpoint}/${bucket}`, { method: "POST", body: form, redirect: "manual" });
  return { status: answer.status, headers: answer.headers, body: await answer.text() };
}

function said({ status, body }: { status: number; body: string }): string {
  const [code, message] = ["Code", "Message"].map((name) => new RegExp(`<${name}>(.*?)</`).exec(body)?.[1]);
  return [String(status), code, message].filter(Boolean).join(" ").replaceAll("&quot;", '"');
}

const without = (fields: Fields, name: string): Fields => fields.filter(([field]) => field !== name);
const changed = (fields: Fields, name: string, to: string): Fields =>
  fields.map(([field, value]) => [field, field === name ? to : value]);
const read = async (Key: string): Promise<string | undefined> =>
  (await fixture.s3.getObject({ Bucket: "bkt", Key })).Body?.transformToString();

describe("a form of createPresignedPost", () => {
  it("stores its file", async () => {
    const { status, headers } = await post([...(await presigned()), ...FILE]);
    expect(status).toBe(204);
    expect(headers.get("etag")).toBe('"5d41402abc4b2a76b9719d911017c592"');
    expect(headers.get("location")).toBe(`${fixture.sim.endpoint}/bkt/k`);
    expect(await read("k")).toBe("hello");
  });

  it("makes an encrypted object with a bucket key, and says so", async () => {
    const { sim, key, s3 } = fixture;
    const Fields = { [SSE]: "aws:kms", [KEY_ID]: key.arn, [FLAG]: "true" };
    sim.resetKmsRequests();
    const { headers } = await post([...(await presigned({ Key: "kms", Fields })), ...FILE]);
    expect([SSE, KEY_ID, FLAG].map((name) => headers.get(name))).toEqual(["aws:kms", key.arn, "true"]);
    expect(sim.kmsRequests()).toMatchObject([
      { requester: alice.principalArn, context: { "aws:s3:arn": "arn:aws:s3:::bkt" }, count: 1 },
    ]);
    expect(await s3.headObject({ Bucket: "bkt", Key: "kms" })).toMatchObject({ BucketKeyEnabled: true });
  });

  it("keeps what is to be kept with the object", async () => {
    const Fields = {
      "Content-Type": "text/plain",
      "Content-Disposition": 'attachment; filename="ü.txt"',
      "x-amz-meta-note": "grün €",
      "Cache-Control": "no-store",
    };
    expect((await post([...(await presigned({ Key: "kept", Fields })), ...FILE])).status).toBe(204);
    const head = await fixture.s3.headObject({ Bucket: "bkt", Key: "kept" });
    expect(head).toMatchObject({ ContentType: "text/plain", CacheControl: "no-store" });
    const note = /^=\?UTF-8\?B\?(.*)\?=$/.exec(head.Metadata?.["note"] ?? "")?.[1] ?? "";
    expect(Buffer.from(note, "base64").toString()).toBe("grün €");
  });

  it("of temporary credentials carries their token", async () => {
    const s3 = stockClient(fixture.sim, { credentials: temporary });
    const fields = await presigned({ Key: "token" }, s3);
    expect(said(await post([...fields, ...FILE]))).toBe("204");
    expect(said(await post([...changed(fields, "X-Amz-Security-Token", "x"), ...FILE]))).toContain(
      "InvalidToken",
    );
    s3.destroy();
  });

  it("takes a large file as it comes", async () => {
    const bytes = new Uint8Array(20_000_000).fill(97);
    expect((await post([...(await presigned({ Key: "large" })), ["file", new Blob([bytes])]])).status).toBe(
      204,
    );
    expect((await fixture.s3.headObject({ Bucket: "bkt", Key: "large" })).ContentLength).toBe(20_000_000);
  });

  it("is checked against the checksum that it carries", async () => {
    const Fields = { "x-amz-checksum-crc32": "NhCmhg==" };
    const fields = await presigned({ Key: "checked", Fields });
    expect(said(await post([...fields, ...FILE]))).toBe("204");
    expect(said(await post([...fields, ["file", new Blob(["HELLO"]), "x"]]))).toContain("400 BadDigest");
  });
});

describe("the key of a form", () => {
  it.each([
    ["up/${filename}", "up/hello.txt"],
    ["ünï/日本 語", "ünï/日本 語"],
    ["../up/./and/down", "../up/./and/down"],
    ["a+b %41 &<>", "a+b %41 &<>"],
  ])("is taken as it is, but for the name of the file: %s", async (Key, becomes) => {
    const { status, headers } = await post([...(await presigned({ Key })), ...FILE]);
    expect(status).toBe(204);
    expect(await read(becomes)).toBe("hello");
    const encoded = becomes.split("/").map(encodeURIComponent).join("/");
    expect(headers.get("location")).toBe(`${fixture.sim.endpoint}/bkt/${encoded}`);
  });

  it("gets the name without folders of another system, and nothing for a file without a name", async () => {
    const fields = await presigned({ Key: "n/${filename}" });
    await post([...fields, ["file", new Blob(["x"]), String.raw`C:\folder\windows.txt`]]);
    expect(await read("n/windows.txt")).toBe("x");
    await post([...fields, ["file", "plain field"]]);
    expect(await read("n/")).toBe("plain field");
  });

  it.each([
    ["", "400 InvalidArgument User key must have a length greater than 0."],
    ["k".repeat(1_025), "400 KeyTooLongError Your key is too long"],
  ])("is refused: %s", async (Key, expected) => {
    const fields = changed(await presigned({ Key: "x" }), "key", Key);
    expect(said(await post([...fields, ...FILE]))).toBe(expected);
  });
});

async function answerTo(Fields: Record<string, string>): ReturnType<typeof post> {
  const fields = await presigned({ Key: "answer", Fields });
  return post([...fields, ...FILE]);
}

describe("the answer to a form", () => {
  it.each([
    ["200", 200, ""],
    ["204", 204, ""],
    ["404", 204, ""],
    ["", 204, ""],
  ])("has the status that it asks for: '%s'", async (asked, status, body) => {
    const got = await answerTo({ success_action_status: asked });
    expect([got.status, got.body]).toEqual([status, body]);
  });

  it("of status 201 is a document", async () => {
    const { status, body, headers } = await answerTo({ success_action_status: "201" });
    expect(status).toBe(201);
    expect(headers.get("content-type")).toBe("application/xml");
    expect(body).toContain(
      `<PostResponse><Location>${fixture.sim.endpoint}/bkt/answer</Location><Bucket>bkt</Bucket><Key>answer</Key>` +
        "<ETag>&quot;5d41402abc4b2a76b9719d911017c592&quot;</ETag></PostResponse>",
    );
  });

  it("sends the browser on", async () => {
    const { status, headers } = await answerTo({ success_action_redirect: "http://127.0.0.1:1/done?a=1" });
    expect(status).toBe(303);
    expect(headers.get("location")).toBe(
      "http://127.0.0.1:1/done?a=1&bucket=bkt&key=answer&etag=%225d41402abc4b2a76b9719d911017c592%22",
    );
  });

  it.each(["not a page", "javascript:alert(1)"])("does not send it to %s", async (page) => {
    expect((await answerTo({ success_action_redirect: page })).status).toBe(204);
  });
});

describe("a form that somebody changed", () => {
  const Fields = { [SSE]: "aws:kms", [FLAG]: "true" };
  const INVALID = "403 AccessDenied Invalid according to Policy:";

  it.each([
    [
      "the flag turned",
      (f: Fields) => changed(f, FLAG, "false"),
      `${INVALID} Policy Condition failed: ["eq", "$${FLAG}", "true"]`,
    ],
    [
      "the flag left out",
      (f: Fields) => without(f, FLAG),
      `${INVALID} Policy Condition failed: ["eq", "$${FLAG}", "true"]`,
    ],
    [
      "another algorithm",
      (f: Fields) => changed(f, SSE, "AES256"),
      `${INVALID} Policy Condition failed: ["eq", "$${SSE}", "aws:kms"]`,
    ],
    [
      "another key",
      (f: Fields) => changed(f, "key", "other"),
      `${INVALID} Policy Condition failed: ["eq", "$key", "k"]`,
    ],
    [
      "one more field (E14)",
      (f: Fields) => [["acl", "public-read"] as const, ...f],
      `${INVALID} Extra input fields: acl`,
    ],
    [
      "two more fields",
      (f: Fields) => [["a", "1"] as const, ["B", "2"] as const, ...f],
      `${INVALID} Extra input fields: a, b`,
    ],
    ["a field to ignore", (f: Fields) => [["x-ignore-me", "1"] as const, ...f], "204"],
    [
      "names in another case",
      (f: Fields) => f.map(([name, value]) => [name.toUpperCase(), value] as const),
      "204",
    ],
    [
      "a field twice",
      (f: Fields) => [...f, ["KEY", "k"] as const],
      "400 InvalidArgument The form has the field 'KEY' more than once.",
    ],
    [
      "another signature",
      (f: Fields) => changed(f, "X-Amz-Signature", "0".repeat(64)),
      "403 SignatureDoesNotMatch The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    ],
    [
      "an unknown access key",
      (f: Fields) => changed(f, "X-Amz-Credential", `EVE/${today()}/eu-west-1/s3/aws4_request`),
      "403 InvalidAccessKeyId The AWS Access Key Id you provided does not exist in our records.",
    ],
    [
      "another region",
      (f: Fields) => changed(f, "X-Amz-Credential", `ALICE/${today()}/us-east-1/s3/aws4_request`),
      "400 AuthorizationQueryParametersError Error parsing the X-Amz-Credential parameter; the region 'us-east-1' is wrong; expecting 'eu-west-1'",
    ],
    [
      "half a credential",
      (f: Fields) => changed(f, "X-Amz-Credential", "ALICE"),
      "400 AuthorizationQueryParametersError",
    ],
    [
      "another algorithm of the signature",
      (f: Fields) => changed(f, "X-Amz-Algorithm", "AWS4-HMAC-SHA1"),
      "400 AuthorizationQueryParametersError",
    ],
    [
      "the date of another day",
      (f: Fields) => changed(f, "X-Amz-Date", "20130524T000000Z"),
      "400 AuthorizationQueryParametersError",
    ],
    [
      "no signature",
      (f: Fields) => without(f, "X-Amz-Signature"),
      "400 InvalidArgument Bucket POST must contain a field named 'X-Amz-Signature'.  If it is specified, please check the order of the fields.",
    ],
    [
      "no policy",
      (f: Fields) => without(f, "Policy"),
      "400 InvalidArgument Bucket POST must contain a field named 'policy'.  If it is specified, please check the order of the fields.",
    ],
    [
      "neither",
      (f: Fields) => without(without(f, "Policy"), "X-Amz-Signature"),
      "403 AccessDenied Access Denied",
    ],
    [
      "no key",
      (f: Fields) => without(f, "key"),
      "400 InvalidArgument Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
    ],
    [
      "a signature of version 2",
      (f: Fields) => [...f, ["AWSAccessKeyId", "ALICE"] as const],
      "400 InvalidArgument Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.",
    ],
    [
      "another bucket in it",
      (f: Fields) => changed(f, "bucket", "other"),
      "400 InvalidArgument The field 'bucket' is not the bucket that the form is sent to.",
    ],
  ])("is refused: %s", async (_says, change, expected) => {
    const { s3 } = fixture;
    await s3.deleteObject({ Bucket: "bkt", Key: "k" });
    const answer = said(await post([...change(await presigned({ Fields })), ...FILE]));
    expect(answer).toContain(expected);
    const isThere = await s3.headObject({ Bucket: "bkt", Key: "k" }).then(
      () => true,
      () => false,
    );
    expect(isThere).toBe(expected === "204");
  });

  it("cannot be sent to another bucket", async () => {
    fixture.sim.createBucket("other");
    const fields = without(await presigned(), "bucket");
    expect(said(await post([...fields, ...FILE], { bucket: "other" }))).toBe(
      `${INVALID} Policy Condition failed: ["eq", "$bucket", "bkt"]`,
    );
  });

  it("is too late when its policy has expired, by the real time", async () => {
    const fields = await presigned({ Expires: 60 });
    fixture.sim.advance(3_600_000);
    expect(said(await post([...fields, ...FILE]))).toBe("204");
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
    expect(said(await post([...fields, ...FILE]))).toBe(`${INVALID} Policy expired.`);
  });

  it.each([
    [3, "400 EntityTooSmall Your proposed upload is smaller than the minimum allowed size"],
    [4, "204"],
    [6, "204"],
    [7, "400 EntityTooLarge Your proposed upload exceeds the maximum allowed size"],
    [9_000_000, "400 EntityTooLarge Your proposed upload exceeds the maximum allowed size"],
  ])("holds a file of %d bytes to its range of 4 to 6", async (bytes, expected) => {
    const fields = await presigned({ Conditions: [["content-length-range", 4, 6]] });
    expect(said(await post([...fields, ["file", new Blob(["x".repeat(bytes)])]]))).toBe(expected);
  });

  it("is refused with what S3 refuses of any write", async () => {
    const flagged = await presigned({ Fields: { [SSE]: "AES256", [KEY_ID]: fixture.key.arn } });
    expect(said(await post([...flagged, ...FILE]))).toContain("requires HTTP header");
    const unknown = await presigned({ Fields: { [SSE]: "AES256", [FLAG]: "true" } });
    expect(said(await post([...unknown, ...FILE]))).toContain("501 SimulatorUnknownRow");
    const line = await presigned({ Fields: { "x-amz-meta-a": "one\r\ntwo" } });
    expect(said(await post([...line, ...FILE]))).toContain(
      "400 InvalidArgument A field that becomes a header",
    );
    expect(said(await post([...(await presigned()), ...FILE], { bucket: "nowhere" }))).toContain("bucket");
  });
});

/** Bytes as they are; the simulator is another one where no signature is wanted. */
function send(type: string, body: string, sim = fixture.sim): ReturnType<typeof rawExchange> {
  const head = `POST /bkt HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: ${type}\r\n`;
  return rawExchange(sim, Buffer.from(`${head}content-length: ${body.length}\r\n\r\n${body}`, "latin1"));
}

function part(name: string, value: string): string {
  return `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}`;
}

describe("what is no such form", () => {
  it.each([
    ["no file", [], "400 InvalidArgument POST requires exactly one file upload per request."],
    [
      "two files",
      [...FILE, ...FILE],
      "400 InvalidArgument POST requires exactly one file upload per request.",
    ],
    ["a field behind the file", [...FILE, ["acl", "public-read"]], "204"],
    [
      "too many bytes of fields",
      [["x-ignore-a", "a".repeat(21_000)], ...FILE],
      "400 MaxPostPreDataLengthExceededError Your POST request fields preceding the upload file were too large.",
    ],
    [
      "too many bytes in many fields",
      [...Array.from({ length: 30 }, (_, i) => [`x-ignore-${i}`, "a".repeat(1_000)] as const), ...FILE],
      "400 MaxPostPreDataLengthExceededError Your POST request fields preceding the upload file were too large.",
    ],
  ] as const)("is answered: %s", async (_says, more, expected) => {
    expect(said(await post([...(await presigned()), ...(more as Fields)]))).toBe(expected);
  });

  it.each([
    ["no boundary", "multipart/form-data", "x", "400 MalformedPOSTRequest"],
    ["no parts", "multipart/form-data; boundary=b", "garbage", "400 MalformedPOSTRequest"],
    [
      "a part that breaks off",
      "multipart/form-data; boundary=b",
      part("key", "k"),
      "400 MalformedPOSTRequest",
    ],
    [
      "a file that breaks off",
      "multipart/form-data; boundary=b",
      `${part("key", "k")}\r\n${part("file", "hello")}`,
      "403 AccessDenied",
    ],
    [
      "a form without files",
      "multipart/form-data; boundary=b",
      `${part("key", "k")}\r\n--b--\r\n`,
      "400 InvalidArgument",
    ],
  ])("is answered: %s", async (_says, type, body, expected) => {
    expect(said(await send(type, body))).toContain(expected);
  });

  it("stores nothing of a file that breaks off", async () => {
    const sim = await startSimulator({ buckets: ["bkt"] });
    const body = `${part("key", "k")}\r\n${part("file", "hello")}`;
    const answer = await send("multipart/form-data; boundary=b", body, sim);
    expect(said(answer)).toContain("400 MalformedPOSTRequest");
    const s3 = stockClient(sim);
    expect((await errorOf(s3.headObject({ Bucket: "bkt", Key: "k" }))).name).toBe("NotFound");
    s3.destroy();
    await sim.close();
  });

  it("with any byte changed has an answer of S3's, and never becomes another object", async () => {
    const fields = await presigned({ Key: "fuzzed", Conditions: [["content-length-range", 5, 5]] });
    const parts = [...fields, ["file", "hello"] as const].map(([name, value]) => part(name, value as string));
    const whole = Buffer.from([...parts, "--b--", ""].join("\r\n"));
    const { s3 } = fixture;
    const keysBefore = (await s3.listObjectsV2({ Bucket: "bkt" })).Contents?.map(({ Key }) => Key);
    const change = fc.record({ at: fc.nat(whole.length - 1), byte: fc.integer({ min: 0, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(change, async ({ at, byte }) => {
        const body = Buffer.from(whole);
        body[at] = byte;
        const { status } = await send("multipart/form-data; boundary=b", body.toString("latin1"));
        expect([204, 400, 403]).toContain(status);
      }),
      { numRuns: 200 },
    );
    const keys = (await s3.listObjectsV2({ Bucket: "bkt" })).Contents?.map(({ Key }) => Key);
    expect(keys?.filter((Key) => Key !== "fuzzed")).toEqual(keysBefore?.filter((Key) => Key !== "fuzzed"));
  });

  it("is a POST of something else", async () => {
    const type = await fetch(`${fixture.sim.endpoint}/bkt`, { method: "POST", body: "x" });
    expect(type.status).toBe(403);
    const sim = await startSimulator({ buckets: ["bkt"] });
    const answer = await fetch(`${sim.endpoint}/bkt`, { method: "POST", body: "x" });
    expect([answer.status, await answer.text()]).toEqual([
      412,
      expect.stringContaining("multipart/form-data"),
    ]);
    await sim.close();
  });

  it("does not make another operation of it", async () => {
    const form = new FormData();
    form.append("key", "k");
    form.append("file", new Blob(["<Delete/>"]));
    const answer = await fetch(`${fixture.sim.endpoint}/bkt?delete`, { method: "POST", body: form });
    expect(answer.status).toBe(403);
  });
});

describe("without verifySignatures", () => {
  it("the policy holds, and the signature is not looked at", async () => {
    const sim = await startSimulator({ buckets: ["bkt"] });
    const s3 = stockClient(sim, { credentials: alice });
    const fields = await presigned({ Fields: { [SSE]: "aws:kms" } }, s3);
    const forged = changed(fields, "X-Amz-Signature", "0");
    expect(said(await post([...forged, ...FILE], { sim }))).toBe("204");
    expect(sim.kmsRequests()[0]?.requester).toBe("arn:aws:iam::111122223333:user/ALICE");
    expect(said(await post([...changed(forged, "key", "x"), ...FILE], { sim }))).toContain(
      "Condition failed",
    );
    s3.destroy();
    await sim.close();
  });

  it("a form without a policy is anybody's, but not for KMS (R29)", async () => {
    const sim = await startSimulator({ buckets: ["bkt"] });
    expect(said(await post([["key", "k"], ...FILE], { sim }))).toBe("204");
    const answer = await post([["key", "k"], [SSE, "aws:kms"], ...FILE], { sim });
    expect(said(answer)).toContain("require AWS Signature Version 4");
    const v2 = [
      ["key", "k"],
      [SSE, "aws:kms"],
      ["AWSAccessKeyId", "BOB"],
      ["signature", "x"],
    ] as const;
    expect(said(await post([...v2, ...FILE], { sim }))).toContain("require AWS Signature Version 4");
    await sim.close();
  });

  it("strangers stay out where credentials are given", async () => {
    const sim = await startSimulator({ buckets: ["bkt"], credentials: [alice] });
    expect(said(await post([["key", "k"], ...FILE], { sim }))).toContain("403 AccessDenied");
    const eve = [["key", "k"], ["x-amz-credential", "EVE/x"], ...FILE] as const;
    expect(said(await post(eve, { sim }))).toContain("403 InvalidAccessKeyId");
    await sim.close();
  });
});

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** A policy of one's own, signed as `createPresignedPost` does it. */
function signed(document: string): Fields {
  const policy = Buffer.from(document).toString("base64");
  const scope = `${today()}/eu-west-1/s3/aws4_request`;
  const key = scope.split("/").reduce<string | Buffer>(hmac, `AWS4${alice.secretAccessKey}`) as Buffer;
  return [
    ["policy", policy],
    ["x-amz-algorithm", "AWS4-HMAC-SHA256"],
    ["x-amz-credential", `ALICE/${scope}`],
    ["x-amz-date", `${today()}T000000Z`],
    ["x-amz-signature", hmac(key, policy).toString("hex")],
  ];
}

function today(): string {
  return new Date().toISOString().slice(0, 10).replaceAll("-", "");
}

describe("the policy", () => {
  const OWN = [
    ["starts-with", "$x-amz-algorithm", ""],
    ["starts-with", "$x-amz-credential", ""],
    ["starts-with", "$x-amz-date", ""],
  ];
  const expiration = "2126-01-01T00:00:00Z";
  const ask = async (conditions: readonly unknown[], fields: Fields): Promise<string> => {
    const policy = signed(JSON.stringify({ expiration, conditions: [...OWN, ...conditions] }));
    return said(await post([...policy, ...fields, ...FILE]));
  };
  const KEY = ["key", "a/b"] as const;

  it.each([
    ["an object", [{ key: "a/b" }], [KEY], "204"],
    ["eq", [["eq", "$key", "a/b"]], [KEY], "204"],
    ["an operator and a field in another case", [["EQ", "$KEY", "a/b"]], [KEY], "204"],
    ["another case of a value", [{ key: "A/B" }], [KEY], "failed"],
    ["starts-with", [["starts-with", "$key", "a/"]], [KEY], "204"],
    [
      "starts-with something else",
      [["starts-with", "$key", "b/"]],
      [KEY],
      'failed: ["starts-with", "$key", "b/"]',
    ],
    ["anything", [["starts-with", "$key", ""]], [KEY], "204"],
    [
      "anything, but there",
      [{ key: "a/b" }, ["starts-with", "$Content-Type", ""]],
      [KEY],
      'failed: ["starts-with", "$Content-Type", ""]',
    ],
    [
      "a list of types",
      [{ key: "a/b" }, ["starts-with", "$Content-Type", "image/"]],
      [KEY, ["Content-Type", "image/png, image/gif"]],
      "204",
    ],
    [
      "a list with another type",
      [{ key: "a/b" }, ["starts-with", "$Content-Type", "image/"]],
      [KEY, ["Content-Type", "image/png,text/html"]],
      "failed",
    ],
    [
      "a number",
      [{ key: "a/b" }, { success_action_status: 200 }],
      [KEY, ["success_action_status", "200"]],
      "200",
    ],
    [
      "two for one field",
      [
        ["starts-with", "$key", "a"],
        ["starts-with", "$key", "b"],
      ],
      [KEY],
      "failed",
    ],
    [
      "two ranges",
      [{ key: "a/b" }, ["content-length-range", 0, 9], ["content-length-range", "6", "99"]],
      [KEY],
      "EntityTooSmall",
    ],
    ["the file's name put in", [["eq", "$key", "a/hello.txt"]], [["key", "a/${filename}"]], "204"],
    ["a range that is none", [["content-length-range", 9, 1]], [KEY], "400 InvalidPolicyDocument"],
    ["half a range", [["content-length-range", 9]], [KEY], "400 InvalidPolicyDocument"],
    ["an operator that is none", [["ends-with", "$key", "b"]], [KEY], "400 InvalidPolicyDocument"],
    ["a field without its dollar", [["eq", "key", "a/b"]], [KEY], "400 InvalidPolicyDocument"],
    ["two words", [["eq", "$key"]], [KEY], "400 InvalidPolicyDocument"],
    ["two members", [{ key: "a/b", acl: "private" }], [KEY], "400 InvalidPolicyDocument"],
    ["an object inside", [{ key: {} }], [KEY], "400 InvalidPolicyDocument"],
    ["a text", ["key"], [KEY], "400 InvalidPolicyDocument"],
  ] as const)("has a condition: %s", async (_says, conditions, fields, expected) => {
    expect(await ask(conditions, fields as Fields)).toContain(expected);
  });

  it.each([
    ["nothing", "", "400 InvalidArgument Bucket POST must contain a field named 'policy'"],
    ["no JSON", "{", "Invalid Policy: Invalid JSON."],
    ["a list", "[]", "Invalid Policy: Invalid JSON."],
    ["no expiration", '{"conditions":[]}', "Invalid Policy: Policy missing expiration."],
    [
      "an expiration that is none",
      '{"expiration":"soon","conditions":[]}',
      "Invalid Policy: Invalid 'expiration' value: 'soon'",
    ],
    [
      "an expiration that is no date",
      '{"expiration":"2126-13-01T00:00:00Z","conditions":[]}',
      "Invalid Policy: Invalid 'expiration' value",
    ],
    ["no conditions", `{"expiration":"${expiration}"}`, "Invalid Policy: Policy missing conditions."],
  ])("is malformed: %s", async (_says, document, expected) => {
    expect(said(await post([...signed(document), KEY, ...FILE]))).toContain(expected);
  });

  it("is malformed: no base64", async () => {
    const sim = await startSimulator({ buckets: ["bkt"] });
    const answer = await post([["policy", "{}"], ["key", "k"], ["x-amz-credential", "A/b"], ...FILE], {
      sim,
    });
    expect(said(answer)).toContain("400 InvalidPolicyDocument");
    await sim.close();
  });
});

describe("a page of another origin", () => {
  const asks = { "access-control-request-method": "PUT", "access-control-request-headers": FLAG };
  const preflight = (origin: string, headers: Readonly<Record<string, string>> = asks): Promise<Response> =>
    fetch(`${fixture.sim.endpoint}/bkt`, { method: "OPTIONS", headers: { origin, ...headers } });

  it.each(["http://127.0.0.1:1", "http://localhost:3000", "https://app.localhost", "http://[::1]:8080"])(
    "may ask before it sends: %s",
    async (origin) => {
      const answer = await preflight(origin);
      expect(answer.status).toBe(200);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        "access-control-allow-origin": origin,
        "access-control-allow-methods": "GET, HEAD, PUT, POST, DELETE",
        "access-control-allow-headers": FLAG,
      });
    },
  );

  it("may read every answer, errors too", async () => {
    const origin = "http://127.0.0.1:1";
    const answer = await fetch(`${fixture.sim.endpoint}/bkt/k`, { headers: { origin } });
    expect(answer.status).toBe(403);
    expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
    expect(answer.headers.get("access-control-expose-headers")).toBe("*");
  });

  it.each(["https://example.com", "http://localhost.example.com", "null", "garbage"])(
    "may not when it is not on loopback: %s",
    async (origin) => {
      const asked = await preflight(origin);
      expect([asked.status, await asked.text()]).toEqual([403, expect.stringContaining("AccessForbidden")]);
      const answer = await fetch(`${fixture.sim.endpoint}/bkt/k`, { headers: { origin } });
      for (const { headers } of [asked, answer])
        expect(headers.get("access-control-allow-origin")).toBeNull();
    },
  );

  it("has to say what it wants", async () => {
    expect((await preflight("http://127.0.0.1:1", {})).status).toBe(400);
    expect((await fetch(fixture.sim.endpoint, { method: "OPTIONS" })).status).toBe(400);
  });
});
