/** With the simulator: the real client, the real plugin, a real wire, and the KMS requests S3 would make. */
import { S3Client } from "@aws-sdk/client-s3";
import { bucketKeys } from "s3-bucket-keys";
import { startSimulator } from "s3-bucket-keys/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { uploadReport } from "./upload-report.ts";

let simulator: Awaited<ReturnType<typeof startSimulator>>;
let s3: S3Client;

beforeAll(async () => {
  simulator = await startSimulator({ buckets: ["acme-lake-raw"] });
  s3 = new S3Client(simulator.clientConfig);
  s3.middlewareStack.use(bucketKeys({ mode: "enforce" }));
});

afterAll(async () => {
  s3.destroy();
  await simulator.close();
});

it("a thousand reports cost one KMS request, not a thousand", async () => {
  for (let i = 0; i < 1_000; i++) await uploadReport(s3, `day-${i}`, "all is well");

  const kmsRequests = simulator.kmsRequests().reduce((sum, { count }) => sum + count, 0);
  expect(kmsRequests).toBe(1);
});
