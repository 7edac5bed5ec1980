export const SSE = "x-amz-server-side-encryption";
export const SSE_KEY_ID: string = "x-amz-server-side-encryption-aws-kms-key-id";
export const SSE_BUCKET_KEY: string = "x-amz-server-side-encryption-bucket-key-enabled";
export const SSE_CONTEXT: string = "x-amz-server-side-encryption-context";
export const SSE_CUSTOMER_ALGORITHM: string = "x-amz-server-side-encryption-customer-algorithm";
export const SSE_CUSTOMER_KEY: string = "x-amz-server-side-encryption-customer-key";
export const SSE_CUSTOMER_MD5: string = "x-amz-server-side-encryption-customer-key-md5";
export const COPY_SOURCE = "x-amz-copy-source";
