import { SSE, SSE_BUCKET_KEY, SSE_CUSTOMER_ALGORITHM, SSE_CUSTOMER_MD5, SSE_KEY_ID } from "./header-names.ts";

/** How an object or an upload is encrypted. The record is real, the encryption is not: bytes are kept plain. */
export interface StoredEncryption {
  readonly algorithm: string;
  readonly kmsKeyArn?: string | undefined;
  readonly bucketKeyEnabled: boolean;
  /** The encryption context that the writer gave, without what S3 adds. */
  readonly context?: Readonly<Record<string, string>> | undefined;
  /** The bucket key that protects the object, when it has one. */
  readonly generation?: string | undefined;
  /** MD5 of the customer's key, base64, under SSE-C. */
  readonly customerKeyMd5?: string | undefined;
  /** What every answer about the object says of it. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The flag is shown only when it is true; without a bucket key the header is absent, also under SSE-KMS. */
export function storedEncryption(record: Omit<StoredEncryption, "headers">): StoredEncryption {
  const headers: Record<string, string> = {};
  if (record.customerKeyMd5 === undefined) {
    headers[SSE] = record.algorithm;
    if (record.kmsKeyArn !== undefined) headers[SSE_KEY_ID] = record.kmsKeyArn;
    if (record.bucketKeyEnabled) headers[SSE_BUCKET_KEY] = "true";
  } else {
    headers[SSE_CUSTOMER_ALGORITHM] = "AES256";
    headers[SSE_CUSTOMER_MD5] = record.customerKeyMd5;
  }
  return { ...record, headers };
}

/** SSE-KMS, DSSE and SSE-C objects have ETags that are not the MD5 of their content. */
export function hasMd5Etag(encryption: Pick<StoredEncryption, "kmsKeyArn" | "customerKeyMd5">): boolean {
  return encryption.kmsKeyArn === undefined && encryption.customerKeyMd5 === undefined;
}

/** An object from before 2023, when S3 encrypted only what was told to: no answer says anything of encryption. */
export const UNENCRYPTED: StoredEncryption = { algorithm: "none", bucketKeyEnabled: false, headers: {} };

export function isEncrypted(encryption: Pick<StoredEncryption, "algorithm">): boolean {
  return encryption.algorithm !== UNENCRYPTED.algorithm;
}
