import { spawn } from "node:child_process";
import { createCipheriv, randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { GenerateDataKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startSimulator, type Simulator } from "../src/simulator/index.ts";

const KMS_KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab";
const BOBS_KEY_ID = "9999abcd-12ab-34cd-56ef-1234567890ab";
const BUCKETS = ["acme-lake-raw", "acme-reports-2026", "acme-vault", "acme-tenants", "acme-inbox"];

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({ buckets: BUCKETS });
  simulator.createKmsKey({ id: KMS_KEY_ID });
  simulator.createKmsKey({ id: BOBS_KEY_ID });
  // What a machine with AWS credentials has; the endpoint is where the simulator stands.
  vi.stubEnv("AWS_REGION", "eu-west-1");
  vi.stubEnv("AWS_ENDPOINT_URL", simulator.endpoint);
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await simulator.close();
});

async function head(Bucket: string, Key: string): Promise<boolean | undefined> {
  const s3 = new S3Client(simulator.clientConfig);
  const { BucketKeyEnabled } = await s3.send(new HeadObjectCommand({ Bucket, Key }));
  s3.destroy();
  return BucketKeyEnabled;
}

/** Runs an example as a person would; resolves with what it printed. */
async function run(example: string): Promise<{ code: number | null; output: string }> {
  const file = fileURLToPath(new URL(`../examples/${example}`, import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", file], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, output };
}

/** Mail as Amazon SES stores it when a rule encrypts: V2, wrapped as `kms`, the context as it stands there. */
async function storeMail(mail: string): Promise<void> {
  const context = { kms_cmk_id: KMS_KEY_ID, "aws:ses:message-id": "m1", "aws:ses:rule-name": "inbox" };
  const kms = new KMSClient(simulator.clientConfig);
  const { Plaintext, CiphertextBlob } = await kms.send(
    new GenerateDataKeyCommand({ KeyId: KMS_KEY_ID, KeySpec: "AES_256", EncryptionContext: context }),
  );
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", Plaintext as Uint8Array, iv);
  const body = Buffer.concat([cipher.update(mail), cipher.final(), cipher.getAuthTag()]);
  const s3 = new S3Client(simulator.clientConfig);
  await s3.send(
    new PutObjectCommand({
      Bucket: "acme-inbox",
      Key: "message",
      Body: body,
      Metadata: {
        "x-amz-key-v2": Buffer.from(CiphertextBlob as Uint8Array).toString("base64"),
        "x-amz-iv": iv.toString("base64"),
        "x-amz-matdesc": JSON.stringify(context),
        "x-amz-wrap-alg": "kms",
        "x-amz-cek-alg": "AES/GCM/NoPadding",
        "x-amz-tag-len": "128",
      },
    }),
  );
  kms.destroy();
  s3.destroy();
}

async function storedText(Bucket: string, Key: string): Promise<string> {
  const s3 = new S3Client(simulator.clientConfig);
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  const text = (await Body?.transformToString("latin1")) ?? "";
  s3.destroy();
  return text;
}

describe("examples", () => {
  it("minimal: one line, and the object has a bucket key", async () => {
    const { code, output } = await run("minimal.ts");
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain("bucket key: true");
    expect(await head("acme-lake-raw", "hello.txt")).toBe(true);
  });

  it("client-factory: every client obeys the policy file", async () => {
    const { s3Client, stop } = await import("../examples/client-factory.ts");
    const s3 = s3Client();
    await s3.send(new PutObjectCommand({ Bucket: "acme-lake-raw", Key: "factory", Body: "x" }));
    expect(await head("acme-lake-raw", "factory")).toBe(true);
    s3.destroy();
    await stop();
  });

  it("sealed-upload-and-download: what is stored is no plaintext, what comes back is", async () => {
    const { code, output } = await run("envelope/sealed-upload-and-download.ts");
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain("opened: dear Ada");
    const stored = await storedText("acme-vault", "letter.txt");
    expect(stored).toHaveLength("dear Ada".length + 16);
    expect(stored).not.toContain("Ada");
  });

  it("edit-sealed-object: what was opened is sealed anew, with the caller's own metadata", async () => {
    const { code, output } = await run("envelope/edit-sealed-object.ts");
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain("edited: dear Ada, and Eve by bob");
    expect(await storedText("acme-vault", "notes.txt")).not.toContain("Ada");
  });

  it("one-key-per-tenant: each tenant's objects ask for its own KMS key", async () => {
    const { code, output } = await run("envelope/one-key-per-tenant.ts");
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain("a note of ada\na note of bob");
    const bobs = simulator.kmsClientRequests().filter(({ kmsKeyArn }) => kmsKeyArn?.endsWith(BOBS_KEY_ID));
    expect(bobs.map(({ action, count }) => [action, count])).toEqual([
      ["GenerateDataKey", 1],
      ["Decrypt", 1],
    ]);
  });

  it("read-ses-message: mail in the old form opens, by opt-in", async () => {
    await storeMail("From: ada@example.org\r\n\r\nhello");
    const { code, output } = await run("envelope/read-ses-message.ts");
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain("From: ada@example.org");
  });

  it("lambda-handler: an invocation writes its report and hands over its counts", async () => {
    const { handler } = await import("../examples/lambda-handler.ts");
    expect(await handler({ bucket: "acme-reports-2026", key: "r" })).toMatch(/^"[0-9a-f]{32}"$/);
    expect(await head("acme-reports-2026", "r")).toBe(true);
  });

  it("policy-in-typescript: decides and explains without a client", async () => {
    const { code, output } = await run("policy-in-typescript.ts");
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain("amend completed");
    expect(output).toContain("refuse (refused-key)");
  });

  it("replication: a bucket key is kept where there is none by default, and taken where there is one", async () => {
    const { code, output } = await run("replication.ts");
    expect({ code, output }).toMatchObject({ code: 0 });
    const objects = [
      ...output.matchAll(/^ {2}(source|replica) +(\S+) +key (\S+) +bucket key (\w+) +ETag (.+)$/gm),
    ].map(([, name, algorithm, key, bucketKey]) => [name, algorithm, key, bucketKey]);
    expect(objects).toEqual([
      ["source", "aws:kms", "111111111111", "true"],
      ["replica", "aws:kms", "222222222222", "true"],
      ["source", "none", "-", "false"],
      ["replica", "aws:kms", "222222222222", "true"],
    ]);
    const etags = [...output.matchAll(/ETag (.+)$/gm)].map(([, etag]) => etag);
    expect(etags[1]).toBe(etags[0]);
    expect(etags[3]).not.toBe(etags[2]);
    // The source's key is asked about once, the replica's twice in each example, always under a bucket's ARN.
    const contexts = [...output.matchAll(/^ {2}1 (Decrypt|Encrypt) .* context (.+)$/gm)].map(
      ([, , arn]) => arn,
    );
    expect(contexts).toEqual([
      "arn:aws:s3:::acme-orders",
      ...Array.from({ length: 4 }, () => "arn:aws:s3:::acme-orders-copy"),
    ]);
    expect(Math.max(...output.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  }, 60_000);

  it("key-policy: bucket keys break a policy that names objects, and two values mend it", async () => {
    const { code, output } = await run("key-policy.ts");
    expect({ code, output }).toMatchObject({ code: 0 });
    const [before, broken, mended] = output
      .split(/^\d\. .*\n/m)
      .slice(1)
      .map((part) => part.replace(/\s+/g, " "));
    expect(before).toContain(
      "get monday.json: done; S3 asked Decrypt for arn:aws:s3:::acme-lake-raw/monday.json",
    );
    expect(broken).toContain(
      "put tuesday.json: AccessDenied. User: arn:aws:iam::111122223333:role/lake-writer is not",
    );
    expect(broken).toContain("because no resource-based policy allows the kms:GenerateDataKey action");
    expect(broken).toContain(
      "plugin s3-bucket-keys: PutObject to bucket acme-lake-raw was denied (AccessDenied)",
    );
    expect(mended).toContain(
      "put tuesday.json: done; S3 asked GenerateDataKey for arn:aws:s3:::acme-lake-raw ",
    );
    expect(mended).toContain(
      "get monday.json: done; S3 asked Decrypt for arn:aws:s3:::acme-lake-raw/monday.json",
    );
    expect(Math.max(...output.split("\n").map((line) => line.length))).toBeLessThanOrEqual(96);
  }, 60_000);

  it("demo: enforcing saves most KMS requests, auditing none, and nothing drifts", async () => {
    const { code, output } = await run("demo.ts");
    expect({ code, output }).toMatchObject({ code: 0 });
    const saved = [...output.matchAll(/^(no plugin|plugin, \w+) .* (\d+) %/gm)].map(([, name, percent]) => [
      name,
      Number(percent),
    ]);
    expect(saved.slice(0, 2)).toEqual([
      ["no plugin", 0],
      ["plugin, audit", 0],
    ]);
    expect(saved[2]?.[0]).toBe("plugin, enforce");
    expect(saved[2]?.[1]).toBeGreaterThanOrEqual(90);
    expect(output).toMatch(/s3_bucket_key_responses_total +PutObject +enabled +aws:kms +honoured +250/);
    expect(output).toMatch(/s3_bucket_key_drifts_total +sum of \d+ series +0/);
    expect(output).toContain("was refused before anything was sent (refused-key)");
    expect(Math.max(...output.split("\n").map((line) => line.length))).toBeLessThanOrEqual(110);
  }, 60_000);
});
