/** Code that uses a client, as an application would have it; the tests beside it show two ways to test it. */
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";

export async function uploadReport(s3: S3Client, day: string, body: string): Promise<string> {
  const Key = `reports/${day}.txt`;
  await s3.send(
    new PutObjectCommand({ Bucket: "acme-lake-raw", Key, Body: body, ServerSideEncryption: "aws:kms" }),
  );
  return Key;
}
