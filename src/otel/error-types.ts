/**
 * What KMS, the way to it and our own checks end in when client-side encryption asks for a key: names and codes as
 * KMS, the SDK and Node give them. A blob that KMS rejects is an `EnvelopeIntegrityError`.
 */
export const KMS_ERROR_TYPES: readonly string[] = [
  "AccessDeniedException",
  "CredentialsProviderError",
  "DependencyTimeoutException",
  "DisabledException",
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOTFOUND",
  "ETIMEDOUT",
  "EnvelopeIntegrityError",
  "EnvelopeRefusedError",
  "ExpiredTokenException",
  "IncorrectKeyException",
  "InvalidCiphertextException",
  "InvalidGrantTokenException",
  "InvalidKeyUsageException",
  "KMSInternalException",
  "KMSInvalidStateException",
  "KeyUnavailableException",
  "NotFoundException",
  "ThrottlingException",
  "TimeoutError",
  "UnrecognizedClientException",
];

/**
 * Values of `error.type`: the codes of S3 and KMS that say no to a request because of its encryption, its
 * key or its principal, and our own errors of sealed bodies. Anything else is `_OTHER`: a free-form name would
 * split the series.
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
  // KMS, asked by client-side encryption
  ...KMS_ERROR_TYPES,
  // sealing and opening, besides two of the above
  "KeyringError",
  "NotSealedError",
];
