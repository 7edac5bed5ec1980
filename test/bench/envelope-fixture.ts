/** What the benchmarks of envelope mode share: a sealer whose data keys cost nothing, bodies, and where they go. */
import { createCipheriv, createDecipheriv, randomBytes, type CipherGCM, type DecipherGCM } from "node:crypto";
import { Writable, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type * as EnvelopeEntry from "../../src/envelope/index.ts";
import type { Envelope, EnvelopeOptions, Keyring } from "../../src/envelope/index.ts";
import type { Row } from "./bench.ts";
import { built } from "./bench.ts";
import { median, type Blocks } from "./statistics.ts";

export const MIB: number = 2 ** 20;
export const LARGE_BYTES: number = 64 * MIB;
export const STEP_BYTES: number = 64 * 1_024;
/** Ciphers take random bytes as they take any; made once, for it takes longer than to seal them. */
export const LARGE: Uint8Array = randomBytes(LARGE_BYTES);
export const SMALL: Uint8Array = randomBytes(1_024);

export type EnvelopeModule = typeof EnvelopeEntry;

export function envelopeModule(dist: URL): Promise<EnvelopeModule> {
  return built<EnvelopeModule>(dist, "envelope/index.js");
}

function aKey(): Uint8Array {
  return new Uint8Array(new ArrayBuffer(32)).fill(7);
}

/** As fast as a KMS can be: what is measured is what comes after it. */
function instantKeyring(): Keyring {
  return {
    keyId: "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    generate: () => Promise.resolve({ plaintext: aKey(), blob: new Uint8Array(184).fill(1) }),
    unwrap: () => Promise.resolve(aKey()),
  };
}

export function instantSealer(
  { envelope }: EnvelopeModule,
  options: Omit<EnvelopeOptions, "keyring"> = {},
): Envelope {
  return envelope({ keyring: instantKeyring(), ...options });
}

/** The bytes as a file's stream brings them; views, so that a body costs nothing to read. */
export async function* inChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += STEP_BYTES) yield bytes.subarray(at, at + STEP_BYTES);
}

/** Reads a stream as a socket does, and throws its bytes away. */
export function drain(stream: Readable | NodeJS.ReadWriteStream): Promise<void> {
  const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
  return pipeline(stream, sink);
}

const RAW_KEY = randomBytes(32);
const RAW_IV = randomBytes(12);

export function rawCipher(): CipherGCM {
  return createCipheriv("aes-256-gcm", RAW_KEY, RAW_IV);
}

/** The floor: the cipher alone, over memory that is there. */
export function rawSeal(plaintext: Uint8Array): Buffer {
  const cipher = rawCipher();
  for (let at = 0; at < plaintext.length; at += STEP_BYTES) {
    cipher.update(plaintext.subarray(at, at + STEP_BYTES));
  }
  cipher.final();
  return cipher.getAuthTag();
}

/** A body for `rawOpen`. */
export function rawSealed(plaintext: Uint8Array): { ciphertext: Uint8Array; tag: Buffer } {
  const cipher = rawCipher();
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  return { ciphertext, tag: cipher.getAuthTag() };
}

/** @throws When the tag is wrong. */
export function rawOpen({ ciphertext, tag }: ReturnType<typeof rawSealed>): void {
  const decipher: DecipherGCM = createDecipheriv("aes-256-gcm", RAW_KEY, RAW_IV);
  for (let at = 0; at < ciphertext.length; at += STEP_BYTES) {
    decipher.update(ciphertext.subarray(at, at + STEP_BYTES));
  }
  decipher.setAuthTag(tag);
  decipher.final();
}

/** "raw GCM: 2,543 MB/s", for `LARGE_BYTES` in each operation. */
export function megabytesPerSecond(what: string, times: Blocks): string {
  const rate = LARGE_BYTES / median(times.flatMap((block) => [...block]));
  return `${what}: ${Math.round(rate).toLocaleString("en")} MB/s`;
}

/** A figure that is counted, or known as it is. */
export function exactly(value: number): Row["measured"] {
  return { value, low: value, high: value };
}
