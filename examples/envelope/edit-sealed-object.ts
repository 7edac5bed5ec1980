/**
 * A sealed object is read, changed and written anew with the metadata it had. `Metadata` of an opened object holds the
 * envelope's names beside your own; the new object gets an envelope of its own, so only yours go back.
 *
 * Against the simulator, without AWS: start it, put what it prints into the environment, and run this file.
 *
 *     npx s3-bucket-keys simulate --bucket acme-vault \
 *       --kms-key arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
 *     npx tsx edit-sealed-object.ts
 */
import { KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { bucketKeys } from "s3-bucket-keys";
import { envelope, kmsKeyring } from "s3-bucket-keys/envelope";

const keyId = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const sealer = envelope({ keyring: kmsKeyring({ client: new KMSClient({}), keyId }) });
const s3 = new S3Client({});
s3.middlewareStack.use(bucketKeys({ envelope: sealer }));

const place = { Bucket: "acme-vault", Key: "notes.txt" };
await s3.send(new PutObjectCommand({ ...place, Body: "dear Ada", Metadata: { author: "bob" } }));

const got = await s3.send(new GetObjectCommand(place));
const text = (await got.Body?.transformToString()) ?? "";
const own = Object.fromEntries(
  Object.entries(got.Metadata ?? {}).filter(([name]) => !name.startsWith("x-amz-")),
);
await s3.send(new PutObjectCommand({ ...place, Body: `${text}, and Eve`, Metadata: own, IfMatch: got.ETag }));

const edited = await s3.send(new GetObjectCommand(place));
console.log("edited:", await edited.Body?.transformToString(), "by", edited.Metadata?.["author"]);
await sealer.close();
