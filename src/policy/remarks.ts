import { OBJECT_WRITES } from "./match.ts";
import type { BucketDefault, Decision, RequestFacts } from "./policy.ts";

/** A write as it will be sent, the decision carried out. */
interface Sent {
  readonly sse: string | undefined;
  readonly kmsKey: string | undefined;
  readonly bucketKey: boolean | undefined;
}

/** What surprises people about such a request: sentences for `explain`, about sealing or about what S3 makes of a write. */
export function remarksOn(facts: RequestFacts, decision: Decision): readonly string[] {
  // A session moves no object.
  if (decision.seal === "seal" && facts.operation !== "CreateSession") return [ON_SEALING];
  if (!OBJECT_WRITES.has(facts.operation)) return [];
  if (decision.decision === "refuse" || decision.why === "not-applicable") return [];
  const sent = asSent(facts, decision);
  const remarks: string[] = [];
  if (facts.operation === "UpdateObjectEncryption") remarks.push(...ON_UPDATE);
  if (facts.operation === "CopyObject" && sent.sse === undefined) remarks.push(onSilentCopy(facts, sent));
  if (sent.sse === "aws:kms" && sent.kmsKey === undefined && facts.operation !== "UpdateObjectEncryption") {
    remarks.push(
      "aws:kms without a key means the account's key aws/s3, even where the bucket's default names another.",
    );
  }
  return remarks;
}

const ON_SEALING =
  "The policy seals this place, whatever the mode: bodies are encrypted and opened by the plugin's option envelope, " +
  "and without that option every request here is refused (refused-seal).";

const ON_UPDATE = [
  "UpdateObjectEncryption turns the bucket key off when its flag is absent: absent means false.",
  "S3 takes the full ARN of a key there, no alias and no id.",
  "Send it to AWS only: some S3-compatible servers (moto, Ceph RGW, MinIO, versitygw) take it for PutObject " +
    "and overwrite the object with the request's XML.",
];

function asSent({ sse, kmsKey, bucketKey }: RequestFacts, { mode, set = {} }: Decision): Sent {
  if (mode !== "enforce") return { sse, kmsKey, bucketKey };
  return {
    sse: set.sse ?? sse,
    kmsKey: set.kmsKey ?? kmsKey,
    bucketKey: set.bucketKey === undefined ? bucketKey : (set.bucketKey ?? undefined),
  };
}

/** S3 hands nothing of the source's encryption on. */
function onSilentCopy({ bucketDefault }: RequestFacts, { bucketKey }: Sent): string {
  const given = bucketKey === undefined ? "algorithm, key and bucket key" : "algorithm and key";
  const found =
    bucketDefault === undefined || bucketDefault === "lookup-failed" ? "" : ` (${inWords(bucketDefault)})`;
  return (
    "A copy inherits nothing from its source: without an algorithm of its own it takes " +
    `${given} from the default of the destination bucket${found}.`
  );
}

function inWords({ sse, kmsKey, bucketKey }: BucketDefault): string {
  if (sse !== "aws:kms") return sse;
  return `${sse} under ${kmsKey ?? "the account's key aws/s3"}, ${bucketKey ? "with" : "without"} a bucket key`;
}
