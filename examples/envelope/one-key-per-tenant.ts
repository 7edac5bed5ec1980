/**
 * One KMS key per tenant, chosen by the first part of the object's key. A tenant's data is gone for good with its KMS
 * key, and no tenant's bucket key ever serves another.
 *
 * Against the simulator, without AWS: start it, put what it prints into the environment, and run this file.
 *
 *     npx s3-bucket-keys simulate --bucket acme-tenants \
 *       --kms-key arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab \
 *       --kms-key arn:aws:kms:eu-west-1:111122223333:key/9999abcd-12ab-34cd-56ef-1234567890ab
 *     npx tsx one-key-per-tenant.ts
 */
import { KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { bucketKeys, definePolicy } from "s3-bucket-keys";
import { envelope, type Keyring, kmsKeyring, type Place } from "s3-bucket-keys/envelope";

const KEYS: Readonly<Record<string, string>> = {
  ada: "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
  bob: "arn:aws:kms:eu-west-1:111122223333:key/9999abcd-12ab-34cd-56ef-1234567890ab",
};

const kms = new KMSClient({});
const keyrings = new Map(
  Object.entries(KEYS).map(([tenant, keyId]) => [tenant, kmsKeyring({ client: kms, keyId })]),
);

function tenantOf({ key }: Place): string {
  const [tenant = "", rest] = key.split("/", 2);
  if (rest === undefined) throw new Error("Keys are written as tenant/name.");
  return tenant;
}

/** The same keyring each time, so that its bucket keys are found again. */
function keyringOf(place: Place): Keyring {
  const keyring = keyrings.get(tenantOf(place));
  if (keyring === undefined) throw new Error("No KMS key is known for this tenant.");
  return keyring;
}

const sealer = envelope({
  keyring: keyringOf,
  // Stands in each tenant's CloudTrail events, and has to be given again by whoever reads.
  encryptionContext: (place) => ({ tenant: tenantOf(place) }),
});
const s3 = new S3Client({});
s3.middlewareStack.use(
  bucketKeys({
    policy: definePolicy({
      version: 1,
      rules: [
        {
          id: "tenants",
          reason: "Tenants' data is sealed before it leaves the process.",
          match: { buckets: ["acme-tenants"] },
          envelope: "seal",
        },
      ],
    }),
    envelope: sealer,
  }),
);

for (const tenant of Object.keys(KEYS)) {
  const place = { Bucket: "acme-tenants", Key: `${tenant}/note.txt` };
  await s3.send(new PutObjectCommand({ ...place, Body: `a note of ${tenant}` }));
  const { Body } = await s3.send(new GetObjectCommand(place));
  console.log(await Body?.transformToString());
}
await sealer.close();
