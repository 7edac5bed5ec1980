import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AvoidedRequests } from "../../src/telemetry/avoided-requests.ts";

const MINUTE = 60_000;
const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1";

describe("AvoidedRequests", () => {
  it("counts every write but the first of a minute: the first fetches the bucket key", () => {
    const avoided = new AvoidedRequests();
    for (let i = 0; i < 10; i++) avoided.add("PutObject", "lake", KEY, i * 1_000);
    expect(avoided.totals).toEqual({ GenerateDataKey: 9, Decrypt: 0 });
    avoided.add("PutObject", "lake", KEY, MINUTE);
    expect(avoided.totals.GenerateDataKey).toBe(9);
    avoided.add("PutObject", "lake", KEY, MINUTE + 1);
    expect(avoided.totals.GenerateDataKey).toBe(10);
  });

  it.each([
    ["PutObject", "GenerateDataKey"],
    ["CopyObject", "GenerateDataKey"],
    ["CreateMultipartUpload", "GenerateDataKey"],
    ["UploadPart", "Decrypt"],
    ["UploadPartCopy", "Decrypt"],
    ["CompleteMultipartUpload", "Decrypt"],
    ["GetObject", "Decrypt"],
  ] as const)("counts %s as %s", (operation, kmsOperation) => {
    const avoided = new AvoidedRequests();
    avoided.add(operation, "lake", KEY, 0);
    avoided.add(operation, "lake", KEY, 1);
    expect(avoided.totals).toEqual({ GenerateDataKey: 0, Decrypt: 0, [kmsOperation]: 1 });
  });

  it.each(["HeadObject", "UpdateObjectEncryption", "PutBucketEncryption", "ListObjectsV2"])(
    "counts nothing for %s, which makes no KMS request that a bucket key could save",
    (operation) => {
      const avoided = new AvoidedRequests();
      for (let i = 0; i < 5; i++) avoided.add(operation, "lake", KEY, i);
      expect(avoided.totals).toEqual({ GenerateDataKey: 0, Decrypt: 0 });
    },
  );

  it("assumes a bucket key of its own for each bucket and each KMS key", () => {
    const avoided = new AvoidedRequests();
    avoided.add("PutObject", "lake", KEY, 0);
    avoided.add("PutObject", "river", KEY, 0);
    avoided.add("PutObject", "lake", "another", 0);
    avoided.add("PutObject", "lake", undefined, 0);
    expect(avoided.totals.GenerateDataKey).toBe(0);
  });

  it("assumes a new bucket key when the clock goes backwards", () => {
    const avoided = new AvoidedRequests();
    avoided.add("PutObject", "lake", KEY, 60 * MINUTE);
    avoided.add("PutObject", "lake", KEY, 0);
    expect(avoided.totals.GenerateDataKey).toBe(0);
    avoided.add("PutObject", "lake", KEY, 6 * MINUTE);
    expect(avoided.totals.GenerateDataKey).toBe(0);
  });

  it("counts nothing for pairs beyond the 1,000 it remembers", () => {
    const avoided = new AvoidedRequests();
    for (let i = 0; i < 1_500; i++) avoided.add("PutObject", `bucket-${i}`, KEY, 0);
    for (let i = 0; i < 1_500; i++) avoided.add("PutObject", `bucket-${i}`, KEY, 1);
    expect(avoided.totals.GenerateDataKey).toBe(1_000);
  });

  it("never says that more was avoided than was asked for, less one per pair", () => {
    const call = fc.record({
      bucket: fc.constantFrom("a", "b", "c"),
      nowMs: fc.integer({ min: 0, max: 60 * MINUTE }),
    });
    fc.assert(
      fc.property(fc.array(call), (calls) => {
        const avoided = new AvoidedRequests();
        for (const { bucket, nowMs } of calls) avoided.add("PutObject", bucket, KEY, nowMs);
        const pairs = new Set(calls.map(({ bucket }) => bucket)).size;
        expect(avoided.totals.GenerateDataKey).toBeLessThanOrEqual(calls.length - pairs);
      }),
    );
  });
});
