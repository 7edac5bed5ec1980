/** How long S3 is modelled to reuse one bucket key. AWS publishes no figure. */
const WINDOW_MS = 5 * 60 * 1_000;
/** Bucket and key pairs remembered; beyond them nothing counts as avoided. */
const MAX_PAIRS = 1_000;

/** The KMS request that S3 would have made for an operation without a bucket key. */
const KMS_OPERATION: Readonly<Record<string, "GenerateDataKey" | "Decrypt">> = {
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
 * Every answer with a bucket key counts as avoided, but for one per bucket, KMS key, KMS operation and five
 * minutes: the request for the bucket key itself. It sees one process, so where many processes share a role
 * it says too little. HeadObject makes no KMS request and counts nothing.
 */
export class AvoidedRequests {
  readonly #windows = new Map<string, Record<"GenerateDataKey" | "Decrypt", number>>();
  readonly totals = { GenerateDataKey: 0, Decrypt: 0 };

  /** @param nowMs - Any clock, in milliseconds; one that goes backwards opens no window and loses none. */
  add(operation: string, bucket: string, kmsKey: string | undefined, nowMs: number): void {
    const kmsOperation = KMS_OPERATION[operation];
    if (kmsOperation === undefined) return;
    const windows = this.#windowsOf(`${bucket} ${kmsKey ?? ""}`);
    if (windows === undefined) return;
    if (nowMs >= windows[kmsOperation]) windows[kmsOperation] = nowMs + WINDOW_MS;
    else this.totals[kmsOperation]++;
  }

  #windowsOf(pair: string): Record<"GenerateDataKey" | "Decrypt", number> | undefined {
    const known = this.#windows.get(pair);
    if (known !== undefined || this.#windows.size >= MAX_PAIRS) return known;
    const fresh = { GenerateDataKey: -Infinity, Decrypt: -Infinity };
    this.#windows.set(pair, fresh);
    return fresh;
  }
}
