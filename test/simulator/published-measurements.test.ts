import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../src/simulator/clock.ts";
import { startSimulator, type Simulator } from "../../src/simulator/index.ts";
import {
  DEFAULT_BUCKET_KEY_LIFETIME_SECONDS,
  KmsLedger,
  type KmsAction,
} from "../../src/simulator/ledger/ledger.ts";
import {
  MANY_READS,
  fiftyPutsHundredGets,
  fiftyTwoThousandReads,
  shuffled,
  tenThousandObjects,
  type Bucket,
} from "./published-workloads.ts";

type Workload = (bucket: Bucket) => Promise<void>;

/** The KMS requests of a workload (simulated): one requester, one KMS key, one bucket. */
async function simulated(
  workload: Workload,
  options: Readonly<{ bucketKey?: boolean; lifetimeSeconds?: number }> = {},
): Promise<Record<Exclude<KmsAction, "Encrypt">, number>> {
  const clock = new VirtualClock();
  const ledger = new KmsLedger({
    clock,
    region: "eu-west-1",
    accountId: "111122223333",
    bucketKeyLifetimeSeconds: options.lifetimeSeconds ?? DEFAULT_BUCKET_KEY_LIFETIME_SECONDS,
  });
  const common = {
    bucket: "lake",
    kmsKeyArn: "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    requester: "arn:aws:sts::111122223333:assumed-role/app/run",
    bucketKey: options.bucketKey ?? true,
  };
  const generations = new Map<string, string>();
  await workload({
    put(key) {
      const generation = ledger.encrypt({ ...common, key });
      if (generation !== undefined) generations.set(key, generation);
    },
    get(key) {
      const generation = generations.get(key);
      ledger.decrypt({ ...common, key, ...(generation !== undefined && { generation }) });
    },
    advance: (ms) => clock.advance(ms),
  });
  return { ...ledger.totals() };
}

describe("one lifetime of 60 seconds reproduces the published measurements (simulated)", () => {
  it("10,000 writes and 10,000 reads: 10 GenerateDataKey and 60 Decrypt", async () => {
    expect(await simulated(tenThousandObjects)).toEqual({ GenerateDataKey: 10, Decrypt: 60 });
    expect(await simulated(tenThousandObjects, { bucketKey: false })).toEqual({
      GenerateDataKey: 10_000,
      Decrypt: 10_000,
    });
  });

  it("50 writes and 100 reads: 4 instead of 150", async () => {
    expect(await simulated(fiftyPutsHundredGets)).toEqual({ GenerateDataKey: 2, Decrypt: 2 });
    expect(await simulated(fiftyPutsHundredGets, { bucketKey: false })).toEqual({
      GenerateDataKey: 50,
      Decrypt: 100,
    });
  });

  it("52,000 reads: under 5,000 Decrypt, about nine of ten saved", async () => {
    const { Decrypt } = await simulated((bucket) => fiftyTwoThousandReads(bucket));
    expect(Decrypt).toBeLessThan(5_000);
    expect(1 - Decrypt / MANY_READS).toBeGreaterThan(0.895);
    expect(1 - Decrypt / MANY_READS).toBeLessThan(0.925);
  });
});

/** The second workload over HTTP, with a stock client and the simulator's defaults. */
async function throughClient(bucketKey: boolean): Promise<Pick<Simulator, "kmsRequests" | "cloudTrail">> {
  const sim = await startSimulator();
  const s3 = new S3Client(sim.clientConfig);
  const Bucket = "lake";
  sim.createBucket(Bucket, { encryption: { sse: "aws:kms", kmsKey: sim.createKmsKey().arn, bucketKey } });
  try {
    await fiftyPutsHundredGets({
      async put(Key) {
        await s3.send(new PutObjectCommand({ Bucket, Key, Body: "Trip1,trip2" }));
      },
      async get(Key) {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
        await Body!.transformToByteArray();
      },
      advance: (ms) => sim.advance(ms),
    });
    return sim;
  } finally {
    s3.destroy();
    await sim.close();
  }
}

describe("the same through a stock client (simulated)", () => {
  it("50 writes and 100 reads: 4 requests, for the bucket", async () => {
    const sim = await throughClient(true);
    const context = { "aws:s3:arn": "arn:aws:s3:::lake" };
    expect(sim.kmsRequests()).toMatchObject([
      { action: "GenerateDataKey", context, bucketLevel: true, count: 2 },
      { action: "Decrypt", context, bucketLevel: true, count: 2 },
    ]);
    expect(sim.cloudTrail().map((event) => event.requestParameters.encryptionContext)).toEqual([
      context,
      context,
      context,
      context,
    ]);
  });

  it("50 writes and 100 reads without a bucket key: 150 requests, each for an object", async () => {
    const sim = await throughClient(false);
    const requests = sim.kmsRequests();
    expect(requests.reduce((sum, { count }) => sum + count, 0)).toBe(150);
    expect(requests.every(({ bucketLevel }) => !bucketLevel)).toBe(true);
    expect(sim.cloudTrail()).toHaveLength(150);
  });
});

describe("what the model says beyond them (simulated)", () => {
  it("reads in no particular order cost several times the reads in the order of writing", async () => {
    const inOrder = await simulated((bucket) => fiftyTwoThousandReads(bucket));
    const atRandom = await simulated((bucket) => fiftyTwoThousandReads(bucket, shuffled));
    expect(atRandom.Decrypt).toBeGreaterThan(5 * inOrder.Decrypt);
  });

  it.each([
    // Objects 1 to 9 stand under two bucket keys then, each opened in ten lifetimes; the last one is cut short.
    [10, { GenerateDataKey: 8, Decrypt: 19 }],
    [60, { GenerateDataKey: 2, Decrypt: 2 }],
    [300, { GenerateDataKey: 1, Decrypt: 1 }],
  ])("a lifetime of %i seconds would make the 150 requests %o", async (lifetimeSeconds, expected) => {
    expect(await simulated(fiftyPutsHundredGets, { lifetimeSeconds })).toEqual(expected);
  });

  it.each([
    [60, true],
    [140, true],
    [150, false],
    [300, false],
  ])(
    "a lifetime of %i seconds can make the 150 requests 4 in the time there was: %s",
    async (seconds, can) => {
      // The function had 600 seconds for two buckets alike: 300 for each.
      let reached = false;
      for (let putSeconds = 0.25; putSeconds < 6; putSeconds += 0.25) {
        for (let getSeconds = 0.25; 50 * putSeconds + 100 * getSeconds <= 300; getSeconds += 0.25) {
          const pace = { putMs: putSeconds * 1_000, getMs: getSeconds * 1_000 };
          const sums = await simulated((bucket) => fiftyPutsHundredGets(bucket, pace), {
            lifetimeSeconds: seconds,
          });
          reached ||= sums.GenerateDataKey + sums.Decrypt === 4;
        }
      }
      expect(reached).toBe(can);
    },
  );
});
