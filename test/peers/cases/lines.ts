/** What AWS says of an object under the rule's key with a bucket key: what the rule of most cases wants. */
export const STATE = "aws:kms rule true";

export const PUT = `PutObject ${STATE} -> 200 ${STATE}`;
export const HEAD = `HeadObject -> 200 ${STATE}`;
export const GET = `GetObject -> 200 ${STATE}`;
export const COPY = `CopyObject ${STATE} -> 200 ${STATE}`;
export const CREATE = `CreateMultipartUpload ${STATE} -> 200 ${STATE}`;
export const PART_DONE = `UploadPart -> 200 ${STATE}`;
export const PART_COPIED = `UploadPartCopy -> 200 ${STATE}`;
export const COMPLETE = `CompleteMultipartUpload -> 200 ${STATE}`;
export const RIGHT = "the bytes are right";

/** A write that got the bucket key it was to get. */
export const honoured = (operation: string): string => `judged: ${operation} enabled, honoured`;

/** A read or a part of an object that is as the rule wants it. */
export const compliant = (operation: string): string => `judged: ${operation} enabled, compliant`;

export const times = (count: number, line: string): readonly string[] =>
  Array.from({ length: count }, () => line);
