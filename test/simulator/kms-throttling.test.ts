/** E6: KMS answers only so many requests a second, and S3 says so in its own words. */
import { GenerateDataKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { describe, expect, it } from "vitest";
import { startSimulator } from "../../src/simulator/index.ts";
import { errorOf, stockClient, withSimulator, type SdkError } from "./support.ts";

const QUOTA = 10;
const WRITES = 50;

describe("a request quota of KMS", () => {
  const fixture = withSimulator({ buckets: ["lake"] });

  /** How many of a workload's writes S3 takes, and what it answers to the others. */
  async function write(BucketKeyEnabled: boolean): Promise<{ taken: number; errors: Set<string> }> {
    const { s3, key } = fixture;
    const kms = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: key.arn, BucketKeyEnabled } as const;
    const errors = new Set<string>();
    let taken = 0;
    for (let i = 0; i < WRITES; i++) {
      try {
        await s3.putObject({ Bucket: "lake", Key: `k${i}`, Body: "x", ...kms });
        taken++;
      } catch (thrown) {
        const error = thrown as SdkError;
        errors.add(`${error.$metadata.httpStatusCode} ${error.name}: ${error.message}`);
      }
    }
    return { taken, errors };
  }

  it("stops a workload without bucket keys and lets the same with bucket keys pass", async () => {
    const { sim } = fixture;
    sim.resetKmsRequests();
    sim.throttleKms({ requestsPerSecond: QUOTA });
    expect(await write(false)).toEqual({
      taken: QUOTA,
      errors: new Set(["503 SlowDown: Please reduce your request rate for operations involving AWS KMS."]),
    });
    expect(sim.kmsRequestCount()).toBe(QUOTA);
    sim.advance(1_000);
    expect(await write(true)).toEqual({ taken: WRITES, errors: new Set() });
    expect(sim.kmsRequestCount()).toBe(QUOTA + 1);
    sim.throttleKms();
    expect(await write(false)).toEqual({ taken: WRITES, errors: new Set() });
  });

  it("comes back with time, and never beyond one second's worth", async () => {
    const { sim, key } = fixture;
    const kms = new KMSClient({ ...sim.clientConfig, maxAttempts: 1 });
    const ask = async (times: number): Promise<string[]> => {
      const codes: string[] = [];
      for (let i = 0; i < times; i++) {
        const asked = kms.send(new GenerateDataKeyCommand({ KeyId: key.arn, KeySpec: "AES_256" }));
        codes.push(
          await asked.then(
            () => "ok",
            (error: Error) => error.name,
          ),
        );
      }
      return codes;
    };
    sim.throttleKms({ requestsPerSecond: 2 });
    expect(await ask(3)).toEqual(["ok", "ok", "ThrottlingException"]);
    sim.advance(500);
    expect(await ask(2)).toEqual(["ok", "ThrottlingException"]);
    sim.advance(60_000);
    expect(await ask(3)).toEqual(["ok", "ok", "ThrottlingException"]);
    sim.throttleKms();
    kms.destroy();
  });

  it("is an account's own, whoever owns the key, and shared by S3 and clients", async () => {
    const credentials = [ACCOUNT_A, ACCOUNT_B].map((principalArn, at) => ({
      accessKeyId: `KEY${at}`,
      secretAccessKey: "secret",
      principalArn,
    }));
    const sim = await startSimulator({ buckets: ["lake"], credentials });
    const key = sim.createKmsKey();
    sim.throttleKms({ requestsPerSecond: 1 });
    const [a, b] = credentials.map((one) => stockClient(sim, { credentials: one }));
    const put = {
      Bucket: "lake",
      Key: "k",
      Body: "x",
      ServerSideEncryption: "aws:kms",
      SSEKMSKeyId: key.arn,
    } as const;
    const kms = new KMSClient({ ...sim.clientConfig, maxAttempts: 1 });
    await a?.putObject(put);
    const client = await errorOf(
      kms.send(new GenerateDataKeyCommand({ KeyId: key.arn, KeySpec: "AES_256" })),
    );
    await b?.putObject(put);
    kms.destroy();
    for (const s3 of [a, b]) s3?.destroy();
    await sim.close();
    expect([client.name, client.$metadata.httpStatusCode]).toEqual(["ThrottlingException", 400]);
  });

  it("is more than zero", () => {
    for (const requestsPerSecond of [0, -1, Number.NaN]) {
      expect(() => fixture.sim.throttleKms({ requestsPerSecond })).toThrow(RangeError);
    }
  });
});

const ACCOUNT_A = "arn:aws:iam::111122223333:user/a";
const ACCOUNT_B = "arn:aws:iam::999999999999:user/b";
