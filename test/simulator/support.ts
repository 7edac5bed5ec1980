import { DescribeKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { S3, type S3ClientConfig, type ServerSideEncryptionRule } from "@aws-sdk/client-s3";
import { connect } from "node:net";
import { afterAll, beforeAll } from "vitest";
import {
  startSimulator,
  type KmsKey,
  type Simulator,
  type SimulatorOptions,
} from "../../src/simulator/index.ts";

export interface Fixture {
  readonly sim: Simulator;
  readonly s3: S3;
  /** A customer managed key, and another one. */
  readonly key: KmsKey;
  readonly otherKey: KmsKey;
}

/** A simulator with a stock client for the tests of one file or one `describe`. */
export function withSimulator(options: SimulatorOptions = {}): Fixture {
  const fixture = {} as { -readonly [Name in keyof Fixture]: Fixture[Name] };
  beforeAll(async () => {
    fixture.sim = await startSimulator(options);
    fixture.s3 = stockClient(fixture.sim);
    fixture.key = fixture.sim.createKmsKey();
    fixture.otherKey = fixture.sim.createKmsKey();
  });
  afterAll(async () => {
    fixture.s3.destroy();
    await fixture.sim.close();
  });
  return fixture;
}

export function stockClient(sim: Simulator, config: S3ClientConfig = {}): S3 {
  return new S3({ ...sim.clientConfig, maxAttempts: 1, ...config });
}

let buckets = 0;

/** A new bucket, by CreateBucket and, for a rule, PutBucketEncryption. */
export async function newBucket(s3: S3, rule?: ServerSideEncryptionRule): Promise<string> {
  const Bucket = `bucket-${++buckets}`;
  await s3.createBucket({ Bucket });
  if (rule !== undefined) {
    await s3.putBucketEncryption({ Bucket, ServerSideEncryptionConfiguration: { Rules: [rule] } });
  }
  return Bucket;
}

/** The ARN of the key behind `alias/aws/s3`. */
export async function managedKeyArn(sim: Simulator): Promise<string | undefined> {
  const kms = new KMSClient(sim.clientConfig);
  try {
    return (await kms.send(new DescribeKeyCommand({ KeyId: "alias/aws/s3" }))).KeyMetadata?.Arn;
  } finally {
    kms.destroy();
  }
}

export interface SdkError {
  readonly name: string;
  readonly message: string;
  readonly $metadata: { readonly httpStatusCode?: number };
}

/** The error of a call that has to fail. */
export async function errorOf(call: Promise<unknown>): Promise<SdkError> {
  try {
    await call;
  } catch (error) {
    return error as SdkError;
  }
  throw new Error("the call succeeded");
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const AUTHORIZATION =
  "AWS4-HMAC-SHA256 Credential=RAW/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0";

/** Headers of a request that names its requester. */
export function rawHead(
  first: string,
  headers: Readonly<Record<string, string | number>> = {},
  host = "127.0.0.1",
): string {
  const lines = Object.entries({ host, authorization: AUTHORIZATION, ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `${first} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** Sends bytes as they are, and reads until the server closes or has answered once. */
export function rawExchange(sim: Simulator, ...pieces: readonly (string | Buffer)[]): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(sim.endpoint).port), "127.0.0.1");
    let received = "";
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no answer; so far: ${received}`)));
    socket.on("connect", () => {
      for (const piece of pieces) socket.write(piece);
    });
    socket.on("data", (data) => {
      received += data.toString("latin1");
      const answer = parseAnswer(received);
      if (answer === undefined) return;
      resolve(answer);
      socket.destroy();
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`closed early: ${received}`)));
  });
}

/** Undefined until the answer is complete. */
function parseAnswer(text: string): RawAnswer | undefined {
  const rest = text.startsWith("HTTP/1.1 100 ") ? text.slice(text.indexOf("\r\n\r\n") + 4) : text;
  const blank = rest.indexOf("\r\n\r\n");
  if (blank === -1) return undefined;
  const [first = "", ...lines] = rest.slice(0, blank).split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(":")).toLowerCase(),
      line.slice(line.indexOf(":") + 1).trim(),
    ]),
  );
  const body = rest.slice(blank + 4);
  if (headers["content-length"] !== undefined && body.length < Number(headers["content-length"]))
    return undefined;
  return { status: Number(first.split(" ")[1]), headers, body };
}
