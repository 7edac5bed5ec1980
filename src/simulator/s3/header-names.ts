export const SSE = "x-amz-server-side-encryption";
export const SSE_KEY_ID = `${SSE}-aws-kms-key-id`;
export const SSE_BUCKET_KEY = `${SSE}-bucket-key-enabled`;
export const SSE_CONTEXT = `${SSE}-context`;
export const SSE_CUSTOMER_ALGORITHM = `${SSE}-customer-algorithm`;
export const SSE_CUSTOMER_KEY = `${SSE}-customer-key`;
export const SSE_CUSTOMER_MD5 = `${SSE}-customer-key-md5`;
export const COPY_SOURCE = "x-amz-copy-source";
