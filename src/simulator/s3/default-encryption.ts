import type { BucketDefault } from "./encryption.ts";

/** Default encryption of a bucket, as PutBucketEncryption sets it. */
export interface DefaultEncryption {
  readonly algorithm: "AES256" | "aws:kms" | "aws:kms:dsse";
  /** As it was written: an ARN, an id or an alias, resolved when it is used; it is not checked before. */
  readonly kmsKey?: string | undefined;
  readonly bucketKeyEnabled: boolean;
  readonly blocksCustomerKeys: boolean;
}

/** A new bucket: SSE-S3, no bucket key, and since April 2026 no SSE-C. */
export const NEW_BUCKET_ENCRYPTION: DefaultEncryption = {
  algorithm: "AES256",
  bucketKeyEnabled: false,
  blocksCustomerKeys: true,
};

/** The default in the words of the decision table. */
export function bucketDefaultOf(encryption: DefaultEncryption): BucketDefault {
  const flag = encryption.bucketKeyEnabled ? " + flag" : "";
  switch (encryption.algorithm) {
    case "AES256":
      return `SSE-S3${flag}`;
    case "aws:kms":
      return encryption.kmsKey === undefined ? `aws/s3${flag}` : `CMK${flag}`;
    case "aws:kms:dsse":
      return `DSSE${flag}`;
  }
}
