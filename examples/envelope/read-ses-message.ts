/**
 * Amazon SES can store incoming mail encrypted on the client side, in the oldest form that still is in use: a data key
 * wrapped by KMS under the name `kms`. It is read by opt-in only, since that form commits to no key.
 *
 *     npx tsx read-ses-message.ts
 *
 * It needs a message that SES stored, in the bucket and under the key below: there is none in a simulator that
 * `npx s3-bucket-keys simulate --bucket acme-inbox --kms-key ...` starts, and the read ends in `NoSuchKey` there.
 */
import { KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { bucketKeys, definePolicy } from "s3-bucket-keys";
import { envelope, kmsKeyring } from "s3-bucket-keys/envelope";

const keyId = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const sealer = envelope({
  keyring: kmsKeyring({ client: new KMSClient({}), keyId }),
  commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
  legacyWrappingAlgorithms: true,
});
const s3 = new S3Client({});
s3.middlewareStack.use(
  bucketKeys({
    policy: definePolicy({
      version: 1,
      rules: [
        {
          id: "inbox",
          reason: "SES writes here, in its own form; nobody else does.",
          match: { buckets: ["acme-inbox"] },
          envelope: "unseal",
        },
      ],
    }),
    envelope: sealer,
  }),
);

const { Body } = await s3.send(new GetObjectCommand({ Bucket: "acme-inbox", Key: "message" }));
console.log(await Body?.transformToString());
await sealer.close();
