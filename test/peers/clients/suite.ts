import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HeadObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../../src/simulator/index.ts";
import { progress } from "../cache.ts";
import { expectedFrom, idleFrom, reasonsFrom } from "../expected.ts";
import type { Client, Order, Worker } from "./client.ts";
import { type Job, JOB_LIST, JOBS, type JobId, type Road } from "./jobs.ts";
import { LIMITS } from "./limits.ts";
import { usePresigned, usePresignedRead } from "./presigned.ts";

const BUCKET = "clients";
const PRINCIPAL = {
  accessKeyId: "AKIASIMULATORCLIENT",
  secretAccessKey: "a/secret+with=signs",
  principalArn: "arn:aws:iam::111122223333:user/a-client",
};
/** Set by `run.ts --smoke`. */
const SMOKE = process.env["PEERS_SMOKE"] === "1";

/** A job is up to six starts of a program, which a busy machine makes slow. */
const JOB_MILLISECONDS = 180_000;

/** All jobs, or their core, done by one client. */
export function describeClient(client: Client): void {
  const limits = LIMITS[client.name];
  describe(`${client.name} ${client.version}, at the simulator,`, () => {
    let worker: Worker | undefined;

    beforeAll(async () => {
      worker = await client.install();
    });

    for (const { id, ...job } of JOB_LIST.filter((one) => !SMOKE || one.smoke)) {
      if (limits.cannot[id] !== undefined) continue;
      it(`${job.does} (${id})`, { timeout: JOB_MILLISECONDS }, async ({ task, onTestFailed }) => {
        const differences = reasonsFrom(limits, JOBS[id].comesOf, id);
        task.meta.knownDifferences = differences;
        onTestFailed(() => {
          if (differences.length > 0)
            progress(`${client.name}, ${id}, is known to differ: ${differences.join(" ")}`);
        });
        if (worker === undefined) throw new Error(`${client.name} is not installed`);
        const came = await whatComesOf(job, worker);
        expect(came).toEqual(expectedFrom(limits, JOBS[id].comesOf, id).toSorted());
      });
    }

    it("has no limit on file that no job shows", () => {
      const table = Object.fromEntries(
        Object.entries(JOBS)
          .filter(([id]) => limits.cannot[id as JobId] === undefined)
          .map(([id, { comesOf }]) => [id, comesOf]),
      );
      expect(idleFrom(limits, table)).toEqual([]);
    });
  });
}

/** What is done with what a client signed. */
const USES: Readonly<Partial<Record<Road, typeof usePresigned>>> = {
  presigned: usePresigned,
  "presigned-read": usePresignedRead,
};

/** Does the job at a simulator of its own. Sorted: what counts is what there is, and how often. */
async function whatComesOf(job: Job, worker: Worker): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "client-"));
  const sim = await startSimulator({ credentials: [PRINCIPAL], verifySignatures: true });
  try {
    const kmsKey = sim.createKmsKey().arn;
    sim.createBucket(
      BUCKET,
      job.bucketDefault === undefined ? {} : { encryption: { ...job.bucketDefault, kmsKey } },
    );
    const order = orderOf(job, sim, { folder, kmsKey });
    const output = await attempt(worker, order);
    const said = output.match(/^(?:put|get) said.*|^refused: .*/gm) ?? [];
    const used = (await USES[job.road]?.(output, order)) ?? [];
    const askedKms = kmsLines(sim);
    const objects = job.wrongSecret ? [] : await objectLines(order, sim);
    const lines = [...said, ...used, ...askedKms, ...objects];
    return lines.map((line) => line.replaceAll(kmsKey, "key").trimEnd()).toSorted();
  } finally {
    await sim.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A refusal of the server is an outcome; any other failure is none. */
async function attempt(worker: Worker, order: Order): Promise<string> {
  try {
    return await worker(order);
  } catch (error) {
    const code = /\b(?:SignatureDoesNotMatch|Forbidden)\b/.exec((error as Error).message)?.[0];
    if (code === undefined) throw error;
    return `refused: ${code}`;
  }
}

function orderOf(
  job: Job,
  { endpoint, clientConfig }: Simulator,
  { folder, kmsKey }: Readonly<{ folder: string; kmsKey: string }>,
): Order {
  const home = join(folder, "home");
  mkdirSync(home);
  const objects = job.keys.map((key, i) => {
    const from = join(folder, `from-${i}`);
    writeFileSync(from, Buffer.alloc(job.bytes, `${i} ${key} `));
    return { key, from, to: join(folder, `to-${i}`) };
  });
  const { region } = clientConfig;
  const { accessKeyId, secretAccessKey } = PRINCIPAL;
  return {
    road: job.road,
    ...(job.flag && { flag: true }),
    ...(job.namesKey && { kmsKey }),
    endpoint,
    region,
    accessKeyId,
    secretAccessKey: job.wrongSecret ? "another secret" : secretAccessKey,
    bucket: BUCKET,
    objects,
    folder: home,
  };
}

function kmsLines(sim: Simulator): readonly string[] {
  return sim
    .kmsRequests()
    .flatMap(({ action, bucketLevel, count }) =>
      Array.from({ length: count }, () => `S3 asked KMS: ${action}, ${bucketLevel ? "bucket" : "object"}`),
    );
}

/** What the simulator says of each object, and whether the client read what it had written. */
async function objectLines({ objects, bucket }: Order, sim: Simulator): Promise<readonly string[]> {
  const s3 = new S3Client(sim.clientConfig);
  const lines: string[] = [];
  try {
    for (const { key, from, to } of objects) {
      const { ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled } = await s3.send(
        new HeadObjectCommand({ Bucket: bucket, Key: key }),
      );
      lines.push(["stored", ServerSideEncryption, SSEKMSKeyId, BucketKeyEnabled].join(" "));
      lines.push(readFileSync(from).equals(readFileSync(to)) ? "the bytes are right" : "other bytes");
    }
  } finally {
    s3.destroy();
  }
  return lines;
}
