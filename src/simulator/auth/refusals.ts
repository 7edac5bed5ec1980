/** What S3 says to a signature that is not right. */
import { S3Error } from "../s3/s3-error.ts";

export function unknownAccessKey(accessKeyId: string): S3Error {
  return new S3Error(
    403,
    "InvalidAccessKeyId",
    "The AWS Access Key Id you provided does not exist in our records.",
    { AWSAccessKeyId: accessKeyId },
  );
}

export function payloadMismatch(said: string, computed: string): S3Error {
  return new S3Error(
    400,
    "XAmzContentSHA256Mismatch",
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
    { ClientComputedContentSHA256: said, S3ComputedContentSHA256: computed },
  );
}

/** Shows what was signed here, as S3 does, so that the sender can compare; secrets in it are left out. */
export function signatureDoesNotMatch(facts: {
  readonly accessKeyId?: string;
  readonly stringToSign: string;
  readonly signature: string;
  readonly canonical?: string;
}): S3Error {
  const canonical = facts.canonical === undefined ? undefined : withoutSecrets(facts.canonical);
  return new S3Error(
    403,
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    {
      ...(facts.accessKeyId !== undefined && { AWSAccessKeyId: facts.accessKeyId }),
      StringToSign: facts.stringToSign,
      SignatureProvided: facts.signature,
      StringToSignBytes: bytesOf(facts.stringToSign),
      ...(canonical !== undefined && {
        CanonicalRequest: canonical,
        CanonicalRequestBytes: bytesOf(canonical),
      }),
    },
  );
}

function withoutSecrets(canonical: string): string {
  return canonical
    .replace(/^(x-amz-(?:security-token|[a-z-]*customer-key)):.+$/gm, "$1:...")
    .replace(/(X-Amz-Security-Token=)[^&\n]+/g, "$1...");
}

function bytesOf(text: string): string {
  return Buffer.from(text, "latin1")
    .toString("hex")
    .replaceAll(/..(?=.)/g, "$& ");
}
