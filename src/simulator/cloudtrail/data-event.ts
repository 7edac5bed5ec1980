import type { CloudTrailIdentity } from "./event.ts";

/**
 * A CloudTrail data event of S3: one request for an object (simulated).
 *
 * `requestParameters`, `responseElements` and `additionalEventData` have only what published records attest (K5): they
 * say nothing of bucket keys (U6). The rest is the envelope that every record has.
 *
 * @public
 */
export interface S3DataEvent {
  /** Version of the record format. */
  readonly eventVersion: "1.11";
  /** Who asked. */
  readonly userIdentity: Omit<CloudTrailIdentity, "invokedBy">;
  /** ISO 8601, whole seconds, of the simulator's clock. */
  readonly eventTime: string;
  /** The service that was asked. */
  readonly eventSource: "s3.amazonaws.com";
  /** The operation, `PutObject`. */
  readonly eventName: string;
  /** Region of the bucket. */
  readonly awsRegion: string;
  /** The simulator listens on loopback only. */
  readonly sourceIPAddress: "127.0.0.1";
  /** What the client says it is. */
  readonly userAgent: string;
  /** S3's code, when it refused. */
  readonly errorCode?: string;
  /** S3's message, when it refused. */
  readonly errorMessage?: string;
  /** `bucketName`, `key`, and the encryption headers that were sent, without the flag. */
  readonly requestParameters: Readonly<Record<string, string>>;
  /** Algorithm and key of a write, as answered. */
  readonly responseElements: Readonly<Record<string, string>> | null;
  /** For PutObject, CopyObject and CreateMultipartUpload. */
  readonly additionalEventData?: { readonly SSEApplied: SseApplied };
  /** UUID of the request. */
  readonly requestID: string;
  /** UUID of the record. */
  readonly eventID: string;
  /** Whether it only read. */
  readonly readOnly: boolean;
  /** Kind of the record. */
  readonly eventType: "AwsApiCall";
  /** Requests for objects are data events. */
  readonly managementEvent: false;
  /** The account that gets the record. */
  readonly recipientAccountId: string;
  /** Kind of the event. */
  readonly eventCategory: "Data";
}

/**
 * How a write was encrypted: `Default_...` when the bucket's default decided.
 *
 * @public
 */
export type SseApplied =
  | "Default_SSE_S3"
  | "Default_SSE_KMS"
  | "Default_DSSE_KMS"
  | "SSE_S3"
  | "SSE_KMS"
  | "DSSE_KMS"
  | "SSE_C";

/** What a data event is built from. */
export interface DataRequestFacts {
  readonly timeMs: number;
  readonly operation: string;
  readonly requester: string;
  readonly userAgent: string;
  readonly bucket: string;
  /** Empty for a request to the bucket. */
  readonly key: string;
  readonly isRead: boolean;
  /** Encryption headers of the request, by name; not the flag. */
  readonly asked: Readonly<Record<string, string>>;
  /** Encryption headers of the answer to a write, by name; not the flag. */
  readonly answered: Readonly<Record<string, string>> | undefined;
  readonly sseApplied: SseApplied | undefined;
  readonly error: { readonly code: string; readonly message: string } | undefined;
}
