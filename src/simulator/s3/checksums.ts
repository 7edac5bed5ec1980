/** Checksums of S3 (`x-amz-checksum-*`): CRC32, CRC32C, CRC64NVME, SHA1, SHA256; values are base64. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Bytes } from "./bytes.ts";

export type ChecksumAlgorithm = "CRC32" | "CRC32C" | "CRC64NVME" | "SHA1" | "SHA256";

export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64; a composite one ends in `-` and the number of parts. */
  readonly value: string;
  readonly type: "FULL_OBJECT" | "COMPOSITE";
}

/** Takes a body piece by piece. */
export interface Digest {
  update(piece: Buffer): void;
  /** Base64. */
  digest(): string;
}

export const CHECKSUM_ALGORITHMS: readonly ChecksumAlgorithm[] = [
  "CRC32",
  "CRC32C",
  "CRC64NVME",
  "SHA1",
  "SHA256",
];

const HEADERS = new Map<string, ChecksumAlgorithm>(
  CHECKSUM_ALGORITHMS.map((algorithm) => [checksumHeader(algorithm), algorithm]),
);

export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** The algorithm of a header such as `x-amz-checksum-crc32`. */
export function algorithmOfHeader(header: string): ChecksumAlgorithm | undefined {
  return HEADERS.get(header.toLowerCase());
}

/** The member of XML answers and requests, such as `ChecksumCRC32`. */
export function checksumElement(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm}`;
}

/** The headers that show a checksum to the reader. */
export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined) return {};
  return {
    [checksumHeader(checksum.algorithm)]: checksum.value,
    "x-amz-checksum-type": checksum.type,
  };
}

export function startDigest(algorithm: ChecksumAlgorithm): Digest {
  switch (algorithm) {
    case "CRC32": {
      let crc = 0;
      return { update: (piece) => (crc = crc32(piece, crc)), digest: () => bigEndian(crc) };
    }
    case "CRC32C": {
      let crc = 0xff_ff_ff_ff;
      return { update: (piece) => (crc = crc32c(piece, crc)), digest: () => bigEndian(~crc) };
    }
    case "CRC64NVME":
      return new Crc64();
    case "SHA1":
    case "SHA256": {
      const hash = createHash(algorithm.toLowerCase());
      return { update: (piece) => hash.update(piece), digest: () => hash.digest("base64") };
    }
  }
}

export function checksumOf(algorithm: ChecksumAlgorithm, bytes: Bytes): Checksum {
  const digest = startDigest(algorithm);
  for (const piece of bytes.pieces) digest.update(piece);
  return { algorithm, value: digest.digest(), type: "FULL_OBJECT" };
}

/** The checksum of the parts' checksums, as S3 makes it for a multipart object. */
export function compositeChecksum(algorithm: ChecksumAlgorithm, parts: readonly string[]): Checksum {
  const digest = startDigest(algorithm);
  for (const part of parts) digest.update(Buffer.from(part, "base64"));
  return { algorithm, value: `${digest.digest()}-${parts.length}`, type: "COMPOSITE" };
}

function bigEndian(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc >>> 0);
  return bytes.toString("base64");
}

/** Castagnoli polynomial, reflected (RFC 3720, B.4). */
const CRC32C_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82_f6_3b_78 : crc >>> 1;
  return crc;
});

function crc32c(piece: Buffer, start: number): number {
  let crc = start;
  for (let i = 0; i < piece.length; i++) {
    crc = (CRC32C_TABLE[(crc ^ (piece[i] as number)) & 0xff] as number) ^ (crc >>> 8);
  }
  return crc;
}

/** Polynomial of CRC-64/NVME, reflected, in two halves: numbers are faster than BigInt. */
const CRC64_HIGH = new Uint32Array(256);
const CRC64_LOW = new Uint32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let high = 0;
  let low = byte;
  for (let bit = 0; bit < 8; bit++) {
    const carry = low & 1;
    low = ((low >>> 1) | (high << 31)) >>> 0;
    high >>>= 1;
    if (carry === 1) {
      high = (high ^ 0x9a_6c_93_29) >>> 0;
      low = (low ^ 0xac_4b_c9_b5) >>> 0;
    }
  }
  CRC64_HIGH[byte] = high;
  CRC64_LOW[byte] = low;
}

class Crc64 implements Digest {
  #high = 0xff_ff_ff_ff;
  #low = 0xff_ff_ff_ff;

  update(piece: Buffer): void {
    let high = this.#high;
    let low = this.#low;
    for (let i = 0; i < piece.length; i++) {
      const at = (low ^ (piece[i] as number)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (CRC64_LOW[at] as number);
      high = (high >>> 8) ^ (CRC64_HIGH[at] as number);
    }
    this.#high = high;
    this.#low = low;
  }

  digest(): string {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32BE(~this.#high >>> 0);
    bytes.writeUInt32BE(~this.#low >>> 0, 4);
    return bytes.toString("base64");
  }
}
