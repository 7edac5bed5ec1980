import type { Authenticator } from "../auth/authenticator.ts";
import type { VirtualClock } from "../clock.ts";
import type { DataTrail } from "../cloudtrail/data-trail.ts";
import type { FaultBook } from "../faults/fault-book.ts";
import type { KeyStore } from "../kms/key-store.ts";
import type { KmsLedger } from "../ledger/ledger.ts";
import type { UnknownRows } from "./encryption.ts";
import { noSuchBucket } from "./s3-error.ts";
import type { Bucket } from "./store.ts";

/** Everything the operations work on. */
export interface S3State {
  readonly authenticator: Authenticator;
  readonly buckets: Map<string, Bucket>;
  readonly clock: VirtualClock;
  readonly keys: KeyStore;
  readonly ledger: KmsLedger;
  readonly faults: FaultBook;
  /** Undefined when nobody asked for data events. */
  readonly dataTrail: DataTrail | undefined;
  readonly region: string;
  readonly accountId: string;
  readonly unknownRows: UnknownRows;
  readonly minimumPartBytes: number;
}

/** @throws `S3Error` 404 `NoSuchBucket`. */
export function bucketOf(state: S3State, name: string): Bucket {
  const bucket = state.buckets.get(name);
  if (bucket === undefined) throw noSuchBucket(name);
  return bucket;
}
