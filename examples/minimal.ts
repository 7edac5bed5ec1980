/** One line on a client: every SSE-KMS write it sends asks for an S3 Bucket Key. */
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { bucketKeys } from "s3-bucket-keys";

const plugin = bucketKeys({ mode: "enforce" });
const s3 = new S3Client({});
s3.middlewareStack.use(plugin);

const { BucketKeyEnabled } = await s3.send(
  new PutObjectCommand({
    Bucket: "acme-lake-raw",
    Key: "hello.txt",
    Body: "hello",
    ServerSideEncryption: "aws:kms",
    SSEKMSKeyId: "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
  }),
);

console.log("bucket key:", BucketKeyEnabled);
console.log("decided:", plugin.stats().requests);
