export const SSE = "x-amz-server-side-encryption";
export const SSE_KEY_ID: string = `${SSE}-aws-kms-key-id`;
export const SSE_BUCKET_KEY: string = `${SSE}-bucket-key-enabled`;
export const SSE_CONTEXT: string = `${SSE}-context`;
export const SSE_CUSTOMER_ALGORITHM: string = `${SSE}-customer-algorithm`;
export const SSE_CUSTOMER_KEY: string = `${SSE}-customer-key`;
export const SSE_CUSTOMER_MD5: string = `${SSE}-customer-key-md5`;
export const COPY_SOURCE = "x-amz-copy-source";
