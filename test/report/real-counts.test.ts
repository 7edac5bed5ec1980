/** What a real plugin counts, through the example that writes it down. */
import { S3Client, PutObjectCommand } from "@aws-sdk/client-s3";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { writeSnapshots } from "../../examples/observability/snapshot.ts";
import { bucketKeys } from "../../src/index.ts";
import { readCounts } from "../../src/report/read.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "snapshots-"));
  vi.useFakeTimers({
    toFake: ["setInterval", "clearInterval", "Date"],
    now: new Date("2026-11-24T09:00:00Z"),
  });
});

afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true });
});

it("snapshots of a plugin, one at once, one a minute and a last one, are read without a complaint", async () => {
  const file = join(folder, "stats.jsonl");
  const plugin = bucketKeys();
  const stop = writeSnapshots(plugin, file);
  const client = new S3Client({
    region: "eu-west-1",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    requestHandler: { handle: () => Promise.reject(new Error("no network")) },
    maxAttempts: 1,
  });
  client.middlewareStack.use(plugin);
  vi.advanceTimersByTime(60_000);
  await client.send(new PutObjectCommand({ Bucket: "lake", Key: "k", Body: "x" })).catch(() => {});
  vi.advanceTimersByTime(60_000);
  stop();
  client.destroy();
  expect(await readFile(file, "utf8")).toMatch(
    /^(?:\{"time":"2026-11-24T09:0[0-2]:00.000Z","instance":"[^"]+:\d+".*\n){4}$/,
  );
  const reading = readCounts(await readFile(file, "utf8"));
  expect(reading).toMatchObject({
    lines: 4,
    sources: 1,
    problems: [],
    toMs: Date.parse("2026-11-24T09:02:00Z"),
  });
  expect(reading.increments).toMatchObject([{ what: "requests", count: 1, atMs: reading.toMs }]);
});
