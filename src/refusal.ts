import { BucketKeyRefusedError, shownName } from "./errors.ts";
import type { Decision, RefusedWhy, RequestFacts } from "./policy/policy.ts";

/** What the caller can change in the request, for each word of a refusal. */
const IN_THE_REQUEST: Readonly<Record<RefusedWhy, string>> = {
  "refused-flag": "leave BucketKeyEnabled out, or set it to what the rule wants",
  "refused-key": 'leave ServerSideEncryption and SSEKMSKeyId out, or name "aws:kms" with the rule\'s kmsKey',
  "refused-unproven": "leave BucketKeyEnabled out: this algorithm has no bucket keys",
  "refused-presigned": "send the request itself instead of presigning it",
  "refused-seal":
    "send the object itself through this client (a presigned URL, a form and UploadPartCopy can't be sealed)",
  "refused-lookup":
    "name ServerSideEncryption and SSEKMSKeyId in the request, or let this principal call GetBucketEncryption",
  "refused-policy": "nothing in it is wrong, it waits for a policy",
};

const NO_SEALER = "give bucketKeys the option envelope, envelope({ keyring }) of s3-bucket-keys/envelope";

/** In a browser form the members of the SDK are fields. */
const FORM_FIELDS: Readonly<Record<string, string>> = {
  ServerSideEncryption: "x-amz-server-side-encryption",
  SSEKMSKeyId: "x-amz-server-side-encryption-aws-kms-key-id",
  BucketKeyEnabled: "x-amz-server-side-encryption-bucket-key-enabled",
};

/** Where the policy would allow it, for each word of a refusal. */
const IN_THE_POLICY: Readonly<Record<RefusedWhy, string>> = {
  "refused-flag": "set onConflict to keep-caller or override",
  "refused-key": "set onKeyConflict to keep-caller or override",
  "refused-unproven": "set onUnproven to pass or strip",
  "refused-presigned": "set presigned to skip or header",
  "refused-seal": "remove envelope: seal for this place",
  "refused-lookup": "set onLookupFailure to leave",
  "refused-policy":
    "repair the policy file, whose error was reported when it failed to load, load it with onError: fail-open",
};

const OWN_POLICY =
  "give bucketKeys a policy of your own, with envelope: seal in the rules of the places that are to be sealed";

/**
 * The error of a refused request: rule, reason and the two ways out.
 *
 * The object key stays out: keys can carry personal data, and errors end in logs.
 *
 * @param plugin - Whether bodies could be sealed at all, and whether the policy is one that somebody wrote.
 */
export function refusal(
  decision: Decision,
  facts: RequestFacts,
  reason: string,
  policyDigest: string,
  { hasSealer = true, hasPolicy = true }: { readonly hasSealer?: boolean; readonly hasPolicy?: boolean } = {},
): BucketKeyRefusedError {
  const why = decision.why as RefusedWhy;
  const { operation, bucket } = facts;
  const { rule } = decision;
  const exception =
    rule === "defaults" ? "add a rule" : `add an except to rule ${rule}, or a rule before it,`;
  const inTheRequest =
    why === "refused-seal" && !hasSealer
      ? NO_SEALER
      : operation === "PostObject"
        ? IN_THE_REQUEST[why].replace(/[A-Z]\w+/g, (name) => FORM_FIELDS[name] ?? name)
        : IN_THE_REQUEST[why];
  return new BucketKeyRefusedError(
    { why, rule, reason, operation, bucket, policyDigest },
    `${operation} to bucket ${shownName(bucket)} was refused before anything was sent (${why}). ` +
      `Rule ${rule}: ${asSentence(reason)} ` +
      `Either ${hasSealer || why !== "refused-seal" ? "change the request: " : ""}${inTheRequest}. ` +
      `Or ${hasPolicy ? `change the policy: ${IN_THE_POLICY[why]}, or ${exception} for this place` : OWN_POLICY}. ` +
      `(policy ${policyDigest})`,
  );
}

/** Whoever wrote the reason may have left its end out, or a line break behind it, as block texts of YAML do. */
function asSentence(reason: string): string {
  const text = reason.trimEnd();
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
