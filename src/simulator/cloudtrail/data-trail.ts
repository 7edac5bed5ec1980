import type { DataRequestFacts, S3DataEvent } from "./data-event.ts";
import { eventTime, identityOf, numbered } from "./record.ts";

/**
 * The last requests for objects: a ring, so that memory stays bounded however long it runs.
 *
 * Ids go on after `clear`: no two events of a simulator share one.
 */
export class DataTrail {
  readonly #trail: Readonly<{ region: string; accountId: string }>;
  readonly #capacity: number;
  readonly #ring: { readonly sequence: number; readonly facts: DataRequestFacts }[] = [];
  #sequence = 0;
  #written = 0;

  /** @param capacity - Events kept. @defaultValue 10,000 */
  constructor(trail: Readonly<{ region: string; accountId: string }>, capacity = 10_000) {
    this.#trail = trail;
    this.#capacity = capacity;
  }

  add(facts: DataRequestFacts): void {
    this.#ring[this.#written++ % this.#capacity] = { sequence: ++this.#sequence, facts };
  }

  /** Oldest first. */
  events(): readonly S3DataEvent[] {
    return this.#ring
      .toSorted((a, b) => a.sequence - b.sequence)
      .map(({ sequence, facts }) => dataEvent(facts, sequence, this.#trail));
  }

  clear(): void {
    this.#ring.length = 0;
    this.#written = 0;
  }
}

function dataEvent(
  request: DataRequestFacts,
  sequence: number,
  trail: Readonly<{ region: string; accountId: string }>,
): S3DataEvent {
  const { invokedBy: _, ...userIdentity } = identityOf(request.requester);
  const { sseApplied, error } = request;
  return {
    eventVersion: "1.11",
    userIdentity,
    eventTime: eventTime(request.timeMs),
    eventSource: "s3.amazonaws.com",
    eventName: request.operation,
    awsRegion: trail.region,
    sourceIPAddress: "127.0.0.1",
    userAgent: request.userAgent,
    ...(error !== undefined && { errorCode: error.code, errorMessage: error.message }),
    requestParameters: {
      bucketName: request.bucket,
      ...(request.key !== "" && { key: request.key }),
      ...request.asked,
    },
    responseElements: request.answered ?? null,
    ...(sseApplied !== undefined && { additionalEventData: { SSEApplied: sseApplied } }),
    requestID: numbered("00000003", sequence),
    eventID: numbered("00000004", sequence),
    readOnly: request.isRead,
    eventType: "AwsApiCall",
    managementEvent: false,
    recipientAccountId: trail.accountId,
    eventCategory: "Data",
  };
}
