/**
 * Every S3 operation that can carry or show a bucket key, and what the plugin does with it.
 *
 * A test walks the operation schemas of the newest client and fails when one carries the flag and stands
 * neither here nor in `IGNORED_OPERATIONS`.
 */

/**
 * `write`: decided and verified. `part`, `read`: observed. `session`: observed, and held against no rule; the SDK
 * makes these by itself, through the same client, for requests to directory buckets.
 */
export type OperationRole = "write" | "part" | "read" | "session";

export type Operation =
  | "PutObject"
  | "CopyObject"
  | "CreateMultipartUpload"
  | "UpdateObjectEncryption"
  | "PutBucketEncryption"
  | "UploadPart"
  | "UploadPartCopy"
  | "CompleteMultipartUpload"
  | "GetObject"
  | "HeadObject"
  | "CreateSession";

export const OPERATIONS: Readonly<Record<Operation, OperationRole>> = {
  PutObject: "write",
  CopyObject: "write",
  CreateMultipartUpload: "write",
  UpdateObjectEncryption: "write",
  PutBucketEncryption: "write",
  UploadPart: "part",
  UploadPartCopy: "part",
  CompleteMultipartUpload: "part",
  GetObject: "read",
  HeadObject: "read",
  CreateSession: "session",
};

/**
 * Operations that move the bytes of an object, so that a sealer has to see them where bodies are sealed. All others
 * work on sealed objects as they are.
 */
export const MOVING_BODIES: ReadonlySet<Operation> = new Set<Operation>([
  "PutObject",
  "CopyObject",
  "CreateMultipartUpload",
  "UploadPart",
  "UploadPartCopy",
  "CompleteMultipartUpload",
  "GetObject",
  "HeadObject",
]);

/** Operations that say nothing of bucket keys and are looked at only where bodies are sealed. */
export type SealingOperation =
  | "AbortMultipartUpload"
  | "PutObjectAnnotation"
  | "RenameObject"
  | "SelectObjectContent"
  | "WriteGetObjectResponse";

export const SEALING_OPERATIONS: readonly SealingOperation[] = [
  "AbortMultipartUpload",
  "PutObjectAnnotation",
  "RenameObject",
  "SelectObjectContent",
  "WriteGetObjectResponse",
];

/** Operations whose members carry the flag, and why the plugin leaves them alone. */
export const IGNORED_OPERATIONS: Readonly<Record<string, string>> = {
  GetBucketEncryption: "shows a bucket's default, not an object's state",
  WriteGetObjectResponse: "echoes metadata of an Object Lambda answer; not an encryption request",
};
