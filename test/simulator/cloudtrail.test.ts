import { describe, expect, it } from "vitest";
import type { KmsRequestFacts } from "../../src/simulator/cloudtrail/event.ts";
import { cloudTrailRecord } from "../../src/simulator/cloudtrail/record.ts";
import { VirtualClock } from "../../src/simulator/clock.ts";
import { KmsLedger } from "../../src/simulator/ledger/ledger.ts";

const TRAIL = { region: "eu-west-1", accountId: "111122223333" };
const KMS_KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const SESSION = "arn:aws:sts::111122223333:assumed-role/example-writer/example-run";
const AT = Date.UTC(2026, 0, 1, 0, 10, 0);

const facts = (changes: Partial<KmsRequestFacts> = {}): KmsRequestFacts => ({
  sequence: 1,
  timeMs: AT,
  action: "GenerateDataKey",
  requester: SESSION,
  kmsKeyArn: KMS_KEY,
  context: { "aws:s3:arn": "arn:aws:s3:::example-bucket" },
  ...changes,
});

describe("a CloudTrail record", () => {
  it("K3: of a bucket-level GenerateDataKey has the attested fields", () => {
    expect(cloudTrailRecord(facts(), TRAIL)).toEqual({
      eventVersion: "1.11",
      userIdentity: {
        type: "AssumedRole",
        arn: SESSION,
        accountId: "111122223333",
        sessionContext: {
          sessionIssuer: {
            type: "Role",
            arn: "arn:aws:iam::111122223333:role/example-writer",
            accountId: "111122223333",
            userName: "example-writer",
          },
        },
        invokedBy: "AWS Internal",
      },
      eventTime: "2026-01-01T00:10:00Z",
      eventSource: "kms.amazonaws.com",
      eventName: "GenerateDataKey",
      awsRegion: "eu-west-1",
      sourceIPAddress: "AWS Internal",
      userAgent: "AWS Internal",
      requestParameters: {
        keyId: KMS_KEY,
        encryptionContext: { "aws:s3:arn": "arn:aws:s3:::example-bucket" },
        keySpec: "AES_256",
      },
      responseElements: null,
      additionalEventData: { keyMaterialId: expect.stringMatching(/^[0-9a-f]{64}$/) },
      requestID: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      eventID: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      readOnly: true,
      resources: [{ accountId: "111122223333", type: "AWS::KMS::Key", ARN: KMS_KEY }],
      eventType: "AwsApiCall",
      managementEvent: true,
      recipientAccountId: "111122223333",
      eventCategory: "Management",
    });
  });

  it("K1: of a Decrypt names no key but in its resources (C4)", () => {
    const context = { "aws:s3:arn": "arn:aws:s3:::example-bucket/reports/a.csv" };
    const requester = "arn:aws:iam::111122223333:user/team/example-reader";
    const record = cloudTrailRecord(facts({ action: "Decrypt", context, requester }), TRAIL);
    expect(record.requestParameters).toEqual({
      encryptionAlgorithm: "SYMMETRIC_DEFAULT",
      encryptionContext: context,
    });
    expect(record).not.toHaveProperty("additionalEventData");
    expect(record.resources[0].ARN).toBe(KMS_KEY);
    expect(record.userIdentity).toEqual({
      type: "IAMUser",
      arn: requester,
      accountId: "111122223333",
      userName: "example-reader",
      invokedBy: "AWS Internal",
    });
  });

  it.each([
    ["arn:aws:iam::111122223333:root", { type: "Root", accountId: "111122223333" }],
    ["anonymous", { type: "Unknown", arn: "anonymous" }],
  ])("says who S3 asks for: %s", (requester, identity) => {
    expect(cloudTrailRecord(facts({ requester }), TRAIL).userIdentity).toMatchObject(identity);
  });

  it("names the account of the key, where the key is another account's", () => {
    const kmsKeyArn = KMS_KEY.replace("111122223333", "444455556666");
    const record = cloudTrailRecord(facts({ kmsKeyArn }), TRAIL);
    expect(record.resources[0].accountId).toBe("444455556666");
    expect(record.recipientAccountId).toBe("111122223333");
  });

  it("is the same for the same request, and has ids of its own for the next", () => {
    const record = cloudTrailRecord(facts(), TRAIL);
    expect(cloudTrailRecord(facts(), TRAIL)).toEqual(record);
    const next = cloudTrailRecord(facts({ sequence: 2 }), TRAIL);
    expect(new Set([record.eventID, record.requestID, next.eventID, next.requestID]).size).toBe(4);
  });
});

describe("the events of a ledger", () => {
  it("tell object-level from bucket-level requests by their context (C2), oldest first, in the clock's time", () => {
    const clock = new VirtualClock(AT);
    const ledger = new KmsLedger({ ...TRAIL, clock });
    const access = { bucket: "example-bucket", key: "a/b", kmsKeyArn: KMS_KEY, requester: SESSION };
    ledger.encrypt({ ...access, bucketKey: false, context: { tenant: "x" } });
    clock.advance(1_999);
    const generation = ledger.encrypt({ ...access, bucketKey: true })!;
    ledger.decrypt({ ...access, bucketKey: true, generation });
    const seen = ledger
      .events()
      .map((event) => [
        event.eventName,
        event.eventTime,
        event.requestParameters.encryptionContext,
        event.userIdentity.arn,
      ]);
    const bucketLevel = { "aws:s3:arn": "arn:aws:s3:::example-bucket" };
    expect(seen).toEqual([
      [
        "GenerateDataKey",
        "2026-01-01T00:10:00Z",
        { tenant: "x", "aws:s3:arn": "arn:aws:s3:::example-bucket/a/b" },
        SESSION,
      ],
      ["GenerateDataKey", "2026-01-01T00:10:01Z", bucketLevel, SESSION],
      ["Decrypt", "2026-01-01T00:10:01Z", bucketLevel, SESSION],
    ]);
  });
});
