/** The workloads behind the three published measurements (section 10.5), with what is assumed about each. */

/** Takes the place of S3: the ledger alone, or a client of the whole simulator. */
export interface Bucket {
  put(key: string): Promise<void> | void;
  get(key: string): Promise<void> | void;
  advance(ms: number): void;
}

/**
 * 2020: 10,000 writes and 10,000 reads made about 10 GenerateDataKey and 60 Decrypt.
 *
 * Assumed: one requester in a plain loop. Writes one after another, 60 ms each: 10 minutes, so 10 lifetimes
 * of 60 seconds and 10 bucket keys. Reads one after another, 36 ms each, every object once in no particular
 * order: 6 minutes, so each of the 10 bucket keys is opened in each of 6 lifetimes.
 */
export async function tenThousandObjects(bucket: Bucket): Promise<void> {
  const keys = Array.from({ length: 10_000 }, (_, i) => `object-${i}`);
  for (const key of keys) {
    await bucket.put(key);
    bucket.advance(60);
  }
  for (const key of shuffled(keys)) {
    await bucket.get(key);
    bucket.advance(36);
  }
}

/**
 * 50 writes and 100 reads made 4 KMS requests instead of 150.
 *
 * Known from the published sample: one role; 50 writes one after another, then 100 reads one after another of
 * objects 1 to 9; all within the 600 seconds of a function that did the same in another bucket before.
 * Assumed: 1.5 seconds per write and 1 second per read. So writes take 75 seconds and two bucket keys; reads
 * take 100 seconds, meet only the first of them, and open it in two lifetimes.
 */
export async function fiftyPutsHundredGets(
  bucket: Bucket,
  pace: Readonly<{ putMs: number; getMs: number }> = { putMs: 1_500, getMs: 1_000 },
): Promise<void> {
  for (let i = 0; i < 50; i++) {
    await bucket.put(`tripdata_${i}.csv`);
    bucket.advance(pace.putMs);
  }
  for (let i = 0; i < 100; i++) {
    await bucket.get(`tripdata_${1 + ((i * 7) % 9)}.csv`);
    bucket.advance(pace.getMs);
  }
}

/** Objects of the third workload. */
export const MANY_READS = 52_000;

/**
 * 2026: about 52,000 reads by one role with many threads still made nearly 5,000 Decrypt.
 *
 * Assumed: the objects had been written one every 5 seconds, over 3 days, 12 to a bucket key; then each is
 * read once, in the order it was written (names by time), in 10 minutes. So nearly every bucket key is opened
 * exactly once: what was saved is set by how the objects were written, not by the lifetime of reads.
 */
export async function fiftyTwoThousandReads(
  bucket: Bucket,
  order: (keys: readonly string[]) => readonly string[] = (keys) => keys,
): Promise<void> {
  const keys = Array.from({ length: MANY_READS }, (_, i) => `2026/${String(i).padStart(6, "0")}`);
  for (const key of keys) {
    await bucket.put(key);
    bucket.advance(5_000);
  }
  for (const key of order(keys)) {
    await bucket.get(key);
    bucket.advance(600_000 / MANY_READS);
  }
}

/** In no particular order, and in the same one each time: a linear congruential generator deals the cards. */
export function shuffled(keys: readonly string[]): readonly string[] {
  const dealt = [...keys];
  let seed = 1;
  for (let i = dealt.length - 1; i > 0; i--) {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    const j = Math.floor((seed / 2_147_483_648) * (i + 1));
    [dealt[i], dealt[j]] = [dealt[j] as string, dealt[i] as string];
  }
  return dealt;
}
