import { createHash } from "node:crypto";
import type { SeededBody } from "./job.ts";

/** A prime: no block, chunk or part of a body is like another. */
const PERIOD = 65_521;

/**
 * The body that the programs make of the same seed: SHA-256 of `<seed> 0`, `<seed> 1` and so on, put together, cut to
 * 65,521 bytes and repeated.
 */
export function bodyOf({ seed, bytes }: SeededBody): Buffer {
  const digests = Array.from({ length: Math.ceil(PERIOD / 32) }, (_, i) =>
    createHash("sha256").update(`${seed} ${i}`).digest(),
  );
  return Buffer.alloc(bytes, Buffer.concat(digests).subarray(0, PERIOD));
}

/** Digest of a body, in hex. */
export function sha256(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("hex");
}
