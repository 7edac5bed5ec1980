/**
 * How often KMS is asked: the real cache under a virtual clock. Two of the rows are what the official clients would
 * need a million requests for.
 */
import { BucketKeyCache } from "../../src/envelope/bucket-key-cache.ts";
import type { Clock } from "../../src/envelope/clock.ts";
import type { EncryptionContext } from "../../src/envelope/encryption-context.ts";
import type { Keyring } from "../../src/envelope/keyring.ts";
import type { Bench, Row } from "./bench.ts";
import { seededRandom } from "./statistics.ts";

const WRITERS = 100;
const HOUR_MS = 3_600_000;
const CONTEXT: EncryptionContext = { "aws:x-amz-cek-alg": "115" };
const POLICY = "REQUIRE_ENCRYPT_REQUIRE_DECRYPT";

class VirtualClock implements Clock {
  nowMs = Date.UTC(2026, 0, 1);
  readonly random: () => number;

  constructor(random: () => number) {
    this.random = random;
  }

  wallMs(): number {
    return this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }
}

const observe = (): void => {};

/** Answers at once, and counts. */
class CountingKeyring implements Keyring {
  readonly keyId = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
  requests = 0;

  generate(): Promise<{ plaintext: Uint8Array; blob: Uint8Array }> {
    this.requests++;
    return Promise.resolve({ plaintext: aKey(), blob: blobOf(this.requests) });
  }

  unwrap(): Promise<Uint8Array> {
    this.requests++;
    return Promise.resolve(aKey());
  }
}

function aKey(): Uint8Array {
  return new Uint8Array(new ArrayBuffer(32)).fill(1);
}

/** As long as KMS's. */
function blobOf(number: number): Uint8Array {
  const blob = new Uint8Array(184);
  new DataView(blob.buffer).setUint32(0, number);
  return blob;
}

/** Puts at random moments by random writers, each with a cache of its own. */
async function generateRequests(puts: number, lastsMs: number, maxAgeSeconds: number): Promise<number> {
  const clock = new VirtualClock(seededRandom(1));
  const keyring = new CountingKeyring();
  const writers = Array.from({ length: WRITERS }, () => new BucketKeyCache({ maxAgeSeconds }, clock));
  const ask = { keyring, context: CONTEXT, partition: "", policy: POLICY, bytes: 1_024, observe } as const;
  for (let put = 0; put < puts; put++) {
    clock.nowMs += lastsMs / puts;
    const writer = writers[Math.floor(clock.random() * WRITERS)] as BucketKeyCache;
    (await writer.forSealing(ask)).release();
  }
  for (const writer of writers) writer.close();
  return keyring.requests;
}

/** How many blobs 100 busy writers leave behind in a day; they write often enough to always renew ahead. */
async function blobsOfADay(maxAgeSeconds: number): Promise<number> {
  return generateRequests((24 * HOUR_MS * WRITERS) / 10_000, 24 * HOUR_MS, maxAgeSeconds);
}

/** Reads at random of all that was written, by one reader with default room. */
async function decryptRequests(reads: number, blobCount: number, maxAgeSeconds: number): Promise<number> {
  const clock = new VirtualClock(seededRandom(2));
  const keyring = new CountingKeyring();
  const reader = new BucketKeyCache({ maxAgeSeconds }, clock);
  const blobs = Array.from({ length: blobCount }, (_, number) => blobOf(number));
  for (let read = 0; read < reads; read++) {
    clock.nowMs += HOUR_MS / reads;
    const blob = blobs[Math.floor(clock.random() * blobCount)] as Uint8Array;
    // Written out: a spread would cost more than the look-up.
    const ask = {
      keyring,
      context: CONTEXT,
      partition: "",
      policy: POLICY,
      suite: "v3",
      blob,
      observe,
    } as const;
    (await reader.forOpening(ask)).release();
  }
  reader.close();
  return keyring.requests;
}

export const envelopeKms: Bench = async ({ quick }) => {
  const calls = quick ? 20_000 : 1_000_000;
  const rows: Row[] = [];
  const count = (what: string, requests: number, atMost: number): void => {
    rows.push({
      what: `${what}, ${calls.toLocaleString("en")} calls`,
      measured: { value: requests, low: requests, high: requests },
      unit: "requests",
      bar: { atMost },
      yardstick: `one request per object: ${calls.toLocaleString("en")}`,
    });
  };
  const puts = "KMS GenerateDataKey, puts by 100 writers in 1 simulated hour";
  count(`${puts}, maxAge 300 s`, await generateRequests(calls, HOUR_MS, 300), 1_700);
  count(`${puts}, maxAge 1 h`, await generateRequests(calls, HOUR_MS, 3_600), 200);
  const reads = "KMS Decrypt, random reads by 1 reader in 1 simulated hour of a day's objects of 100 writers";
  const short = await blobsOfADay(300);
  const long = await blobsOfADay(3_600);
  count(
    `${reads} (${short} bucket keys), maxAge 300 s on both sides`,
    await decryptRequests(calls, short, 300),
    320_000,
  );
  count(
    `${reads} (${long} bucket keys), maxAge 1 h of writers, 300 s of the reader`,
    await decryptRequests(calls, long, 300),
    37_000,
  );
  count(
    `${reads} (${long} bucket keys), maxAge 1 h on both sides`,
    await decryptRequests(calls, long, 3_600),
    37_000,
  );
  return rows;
};
