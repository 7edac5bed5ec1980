/** A policy as code, and what it makes of a request: no client and no network needed. */
import { decide, definePolicy, explain } from "s3-bucket-keys";

const policy = definePolicy({
  version: 1,
  defaults: { mode: "enforce" },
  kmsKeys: {
    lake: {
      arn: "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
      aliases: ["alias/data-lake"],
    },
  },
  rules: [
    {
      id: "evidence",
      reason: "Audit needs the object's ARN in KMS events (RISK-1182).",
      match: { buckets: ["acme-evidence-*"] },
      bucketKey: "off",
      whenSseUnset: "send",
    },
    {
      id: "lake",
      reason: "412M KMS requests a month before the change (FIN-88).",
      match: { buckets: ["acme-lake-*"] },
      except: { prefixes: ["tmp/"] },
      kmsKey: "@lake",
      bucketKey: "on",
    },
  ],
});

const silent = { operation: "PutObject", bucket: "acme-lake-raw", key: "2026/11/25.parquet" };
const { decision, why, set } = decide(policy, silent);
console.log(decision, why, set);

console.log(explain(policy, { ...silent, sse: "AES256" }).text);
