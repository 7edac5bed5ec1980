/** Defaults of buckets. */
import {
  CreateBucketCommand,
  GetBucketEncryptionCommand,
  HeadObjectCommand,
  PutBucketEncryptionCommand,
  type ServerSideEncryptionRule,
} from "@aws-sdk/client-s3";
import { definePolicy } from "../../../src/index.ts";
import type { Session } from "../session.ts";
import type { Cases } from "./case.ts";
import { compliant, HEAD, honoured, STATE } from "./lines.ts";
import { flagOnly } from "./wears.ts";

export const BUCKETS = {
  "bucket-default": {
    does: "leaves a silent put to a bucket whose default has a bucket key, and sees that it got one",
    wears: flagOnly,
    async run(s) {
      const Bucket = await bucketWithDefault(s, { BucketKeyEnabled: true });
      await s.put({ Bucket });
      await s.attempt(() => s.s3.send(new HeadObjectCommand({ Bucket, Key: s.key })));
    },
    aws: [
      "the bucket has its default",
      `PutObject -> 200 ${STATE}`,
      HEAD,
      "decided: PutObject unenforced",
      compliant("PutObject"),
      compliant("HeadObject"),
    ],
  },
  "bucket-default-send": {
    does: "sends the flag alone to a bucket whose default is SSE-KMS without a bucket key (R6)",
    wears: () => ({
      policy: definePolicy({
        version: 1,
        defaults: { bucketKey: "on", whenSseUnset: "send", mode: "enforce" },
      }),
    }),
    async run(s) {
      const Bucket = await bucketWithDefault(s, {});
      await s.put({ Bucket });
    },
    aws: [
      "the bucket has its default",
      `PutObject true -> 200 ${STATE}`,
      "decided: PutObject set",
      honoured("PutObject"),
    ],
  },
  "bucket-configuration": {
    does: "gives the flag to a bucket's default where a rule lists PutBucketEncryption",
    wears: () => ({
      policy: definePolicy({
        version: 1,
        defaults: { mode: "enforce" },
        rules: [
          {
            id: "configuration",
            reason: "The peers' suite.",
            bucketKey: "on",
            match: { operations: ["PutBucketEncryption"] },
          },
        ],
      }),
    }),
    async run(s) {
      const Bucket = await ownBucket(s);
      await s.attempt(() => s.s3.send(new PutBucketEncryptionCommand(kmsDefault(s, Bucket, {}))));
      await s.attempt(async () => {
        const { ServerSideEncryptionConfiguration } = await s.plain.send(
          new GetBucketEncryptionCommand({ Bucket }),
        );
        s.say(`the bucket says ${ServerSideEncryptionConfiguration?.Rules?.[0]?.BucketKeyEnabled}`);
      });
    },
    aws: [
      "PutBucketEncryption -> 200",
      "the bucket says true",
      "decided: PutBucketEncryption set",
      "judged: PutBucketEncryption unknown, unverified",
    ],
  },
} satisfies Cases;

async function ownBucket(s: Session): Promise<string> {
  const Bucket = `${s.bucket}-${s.key}`;
  await s.plain.send(new CreateBucketCommand({ Bucket }));
  return Bucket;
}

async function bucketWithDefault(s: Session, fields: Partial<ServerSideEncryptionRule>): Promise<string> {
  const Bucket = await ownBucket(s);
  await s.attempt(async () => {
    await s.plain.send(new PutBucketEncryptionCommand(kmsDefault(s, Bucket, fields)));
    s.say("the bucket has its default");
  });
  return Bucket;
}

function kmsDefault(s: Session, Bucket: string, fields: Partial<ServerSideEncryptionRule>) {
  const byDefault = { SSEAlgorithm: "aws:kms", KMSMasterKeyID: s.kmsKeys.rule } as const;
  const Rules = [{ ApplyServerSideEncryptionByDefault: byDefault, ...fields }];
  return { Bucket, ServerSideEncryptionConfiguration: { Rules } };
}
