import type { S3Error } from "../s3/s3-error.ts";
import { KmsFault } from "./kms-fault.ts";

const SIGNATURE = "InvalidSignatureException";
const INCOMPLETE = "IncompleteSignatureException";

type ToFault = (error: S3Error) => KmsFault;

/** KMS has other words for what goes wrong before an operation, and says them in JSON. */
const FAULTS: ReadonlyMap<string, ToFault> = new Map<string, ToFault>([
  ["InvalidAccessKeyId", invalidToken],
  ["InvalidToken", invalidToken],
  [
    "AccessDenied",
    ({ message, details }) =>
      "HeadersNotSigned" in details
        ? new KmsFault(SIGNATURE, `${message}: ${details["HeadersNotSigned"]}`)
        : message === "Access Denied"
          ? new KmsFault("MissingAuthenticationTokenException", "Request is missing Authentication Token")
          : new KmsFault(INCOMPLETE, message),
  ],
  ["SignatureDoesNotMatch", signatureFault],
  ["RequestTimeTooSkewed", signatureFault],
  ["XAmzContentSHA256Mismatch", signatureFault],
  ["AuthorizationHeaderMalformed", incompleteFault],
  ["AuthorizationQueryParametersError", incompleteFault],
  ["InvalidArgument", incompleteFault],
  ["EntityTooLarge", () => new KmsFault("RequestEntityTooLargeException", "The request is too large.", 413)],
]);

/** What S3 would say, as KMS says it. */
export function kmsFaultOf(error: S3Error): KmsFault {
  return FAULTS.get(error.code)?.(error) ?? new KmsFault(error.code, error.message, error.status);
}

function invalidToken(): KmsFault {
  return new KmsFault(
    "UnrecognizedClientException",
    "The security token included in the request is invalid.",
  );
}

function signatureFault({ message }: S3Error): KmsFault {
  return new KmsFault(SIGNATURE, message);
}

function incompleteFault({ message }: S3Error): KmsFault {
  return new KmsFault(INCOMPLETE, message);
}
