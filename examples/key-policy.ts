/**
 * A key policy that bucket keys break, and the statement that mends it: against a simulated S3 and KMS.
 *
 * 1. A role may use the KMS key for the objects of a bucket. Without bucket keys that works.
 * 2. The plugin switches bucket keys on. S3 now asks KMS about the bucket, and the policy knows only objects.
 * 3. The statement of a transition names both: new objects and old ones.
 */
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { bucketKeys } from "s3-bucket-keys";
import { startSimulator } from "s3-bucket-keys/testing";

const BUCKET = "acme-lake-raw";
const ROLE = "arn:aws:iam::111122223333:role/lake-writer";
const OBJECTS = `arn:aws:s3:::${BUCKET}/*`;

/** The key policy: the role may use the key through S3, for what these ARNs name. */
function keyPolicy(arns: readonly string[]): string {
  const use = {
    Effect: "Allow",
    Principal: { AWS: ROLE },
    Action: ["kms:GenerateDataKey", "kms:Decrypt"],
    Resource: "*",
    Condition: {
      StringLike: { "kms:EncryptionContext:aws:s3:arn": arns },
      StringEquals: { "kms:ViaService": "s3.eu-west-1.amazonaws.com" },
    },
  };
  return JSON.stringify({ Version: "2012-10-17", Statement: [use] });
}

const simulator = await startSimulator({
  region: "eu-west-1",
  accountId: "111122223333",
  buckets: [BUCKET],
  credentials: [{ accessKeyId: "WRITER", secretAccessKey: "secret", principalArn: ROLE }],
});
const kmsKey = simulator.createKmsKey({ id: "1234abcd-12ab-34cd-56ef-1234567890ab" });
const s3 = new S3Client(simulator.clientConfig);
const plugin = bucketKeys({ mode: "enforce", logger: { warn: (line) => print("plugin", line) } });

const put = (Key: string): Promise<unknown> =>
  s3.send(
    new PutObjectCommand({
      Bucket: BUCKET,
      Key,
      Body: "{}",
      ServerSideEncryption: "aws:kms",
      SSEKMSKeyId: kmsKey.arn,
    }),
  );
const get = (Key: string): Promise<unknown> => s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));

console.log("\n1. The policy names objects, and nobody uses bucket keys\n");
givePolicy([OBJECTS]);
await attempt("put", "monday.json", put);
await attempt("get", "monday.json", get);

console.log("\n2. The plugin switches bucket keys on: S3 asks KMS about the bucket\n");
s3.middlewareStack.use(plugin);
await attempt("put", "tuesday.json", put);

console.log("\n3. The statement of a transition: the bucket for new objects, its objects for old ones\n");
givePolicy([`arn:aws:s3:::${BUCKET}`, OBJECTS]);
await attempt("put", "tuesday.json", put);
await attempt("get", "tuesday.json", get);
await attempt("get", "monday.json", get);

s3.destroy();
await plugin.close();
await simulator.close();

function givePolicy(arns: readonly string[]): void {
  simulator.putKeyPolicy(kmsKey.arn, keyPolicy(arns));
  print("allowed", arns.join("  "));
}

/** Does it, and prints how it ended and what S3 asked of KMS for it (simulated). */
async function attempt(verb: string, key: string, act: (key: string) => Promise<unknown>): Promise<void> {
  simulator.resetKmsRequests();
  try {
    await act(key);
    const [asked] = simulator.kmsRequests();
    print(verb, `${key}: done; S3 asked ${asked?.action} for ${asked?.context["aws:s3:arn"]}`);
  } catch (error) {
    const { name, message } = error as Error;
    print(verb, `${key}: ${name}. ${message}`);
  }
}

/** Lines of at most 96 columns. */
function print(label: string, text: string): void {
  let line = `   ${label.padEnd(9)}`;
  for (const word of text.split(" ")) {
    if (line.length + word.length > 95) {
      console.log(line.trimEnd());
      line = " ".repeat(12);
    }
    line += `${word} `;
  }
  console.log(line.trimEnd());
}
