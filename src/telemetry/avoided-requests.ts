/** How long S3 is modelled to reuse one bucket key, as in the simulator. AWS publishes no figure. */
const WINDOW_MS = 60_000;
/** Bucket and key pairs remembered; beyond them nothing counts as avoided. */
const MAX_PAIRS = 1_000;

type KmsOperation = "GenerateDataKey" | "Decrypt";

/** The KMS request that S3 would have made for an operation without a bucket key. */
const KMS_OPERATION: Readonly<Record<string, KmsOperation>> = {
  PutObject: "GenerateDataKey",
  CopyObject: "GenerateDataKey",
  CreateMultipartUpload: "GenerateDataKey",
  UploadPart: "Decrypt",
  UploadPartCopy: "Decrypt",
  CompleteMultipartUpload: "Decrypt",
  GetObject: "Decrypt",
};

/**
 * A model of the KMS requests that bucket keys saved, never a measurement.
 *
 * Every answer with a bucket key counts as avoided, but for one per bucket, KMS key, KMS operation and
 * minute: the request for the bucket key itself. Where many processes share a role it says too little, since
 * each assumes requests of its own; for reads of objects written at many different times it says too much,
 * since each time has a bucket key of its own. HeadObject makes no KMS request and counts nothing.
 */
export class AvoidedRequests {
  /** When the window at hand was opened, by bucket and KMS key. */
  readonly #opened = new Map<string, Map<string, Record<KmsOperation, number>>>();
  #pairs = 0;
  readonly totals = { GenerateDataKey: 0, Decrypt: 0 };

  /** @param nowMs - Any clock, in milliseconds; one that goes backwards opens a new window. */
  add(operation: string, bucket: string, kmsKey: string | undefined, nowMs: number): void {
    const kmsOperation = KMS_OPERATION[operation];
    if (kmsOperation === undefined) return;
    const opened = this.#openedBy(bucket, kmsKey ?? "");
    if (opened === undefined) return;
    const ageMs = nowMs - opened[kmsOperation];
    if (ageMs >= 0 && ageMs < WINDOW_MS) this.totals[kmsOperation]++;
    else opened[kmsOperation] = nowMs;
  }

  #openedBy(bucket: string, kmsKey: string): Record<KmsOperation, number> | undefined {
    const byKey = this.#opened.get(bucket);
    const known = byKey?.get(kmsKey);
    if (known !== undefined || this.#pairs >= MAX_PAIRS) return known;
    const fresh = { GenerateDataKey: -Infinity, Decrypt: -Infinity };
    if (byKey === undefined) this.#opened.set(bucket, new Map([[kmsKey, fresh]]));
    else byKey.set(kmsKey, fresh);
    this.#pairs++;
    return fresh;
  }
}
