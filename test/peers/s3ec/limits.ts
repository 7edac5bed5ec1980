/** What the official clients can't do, or get wrong. Data: each line is asserted, and so is its being needed. */
import type { Differences } from "../differences/difference.ts";
import type { S3ecCaseId } from "./cases.ts";
import type { S3ecClientName } from "./client.ts";

export interface S3ecLimits extends Differences<S3ecCaseId> {
  /** Cases that the client has no call for. */
  readonly cannot: Readonly<Partial<Record<S3ecCaseId, string>>>;
}

export const S3EC_LIMITS: Readonly<Record<S3ecClientName, S3ecLimits>> = {
  "s3ec-python": { everywhere: [], cases: {}, cannot: {} },
  "s3ec-java": { everywhere: [], cases: {}, cannot: {} },
  "s3ec-go": { everywhere: [], cases: {}, cannot: {} },
};
