/** R29: what ends in KMS has to be signed with version 4. */
import { header, type S3Call } from "./call.ts";
import { SSE, SSE_CUSTOMER_ALGORITHM } from "./header-names.ts";
import { invalidArgument, invalidRequest, type S3Error } from "./s3-error.ts";
import type { S3State } from "./state.ts";

export function signatureV4Needed(): S3Error {
  return invalidArgument(
    "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.",
    { ArgumentName: "Authorization" },
  );
}

/** The answer to a signature of version 2 where signatures are verified: there are none of those. */
export function versionTwoRefused(state: S3State, call: S3Call): S3Error {
  if (endsInKms(state, call)) return signatureV4Needed();
  return invalidRequest(
    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
  );
}

function endsInKms(state: S3State, call: S3Call): boolean {
  const bucket = state.buckets.get(call.bucket);
  const named = header(call, SSE);
  if (named !== undefined) return named.startsWith("aws:kms");
  if (call.method === "GET") return bucket?.get(call.key)?.encryption.kmsKeyArn !== undefined;
  const isWrite = call.method === "PUT" || call.method === "POST";
  if (!isWrite || header(call, SSE_CUSTOMER_ALGORITHM) !== undefined) return false;
  return call.key !== "" && bucket?.encryption.algorithm.startsWith("aws:kms") === true;
}
