/**
 * Values of `error.type`: the codes of S3 and KMS that say no to a request because of its encryption, its
 * key or its principal. Anything else is `_OTHER`: a free-form name would split the series.
 */
export const ERROR_TYPES: readonly string[] = [
  "AccessDenied",
  "ExpiredToken",
  "InvalidAccessKeyId",
  "InvalidArgument",
  "InvalidRequest",
  "RequestTimeTooSkewed",
  "SignatureDoesNotMatch",
  "SlowDown",
  // KMS, as S3 passes it on
  "KMS.DisabledException",
  "KMS.InvalidKeyUsageException",
  "KMS.KMSInvalidStateException",
  "KMS.NotFoundException",
  "KMS.ThrottlingException",
];
