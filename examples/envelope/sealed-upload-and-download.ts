/**
 * Client-side encryption: what leaves the process is sealed, what comes back is verified and opened. Any number of
 * objects costs one KMS request to seal and one to open per bucket key, not one each.
 *
 * Against the simulator, without AWS: start it, put what it prints into the environment, and run this file.
 *
 *     npx s3-bucket-keys simulate --bucket acme-vault \
 *       --kms-key arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
 *     npx tsx sealed-upload-and-download.ts
 */
import { KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { bucketKeys } from "s3-bucket-keys";
import { envelope, kmsKeyring } from "s3-bucket-keys/envelope";

const keyId = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const sealer = envelope({ keyring: kmsKeyring({ client: new KMSClient({}), keyId }) });
const s3 = new S3Client({});
s3.middlewareStack.use(bucketKeys({ envelope: sealer }));

await s3.send(new PutObjectCommand({ Bucket: "acme-vault", Key: "letter.txt", Body: "dear Ada" }));
const { Body } = await s3.send(new GetObjectCommand({ Bucket: "acme-vault", Key: "letter.txt" }));
console.log("opened:", await Body?.transformToString());

// Zeroes the bucket keys; without it they are gone with the process.
await sealer.close();
