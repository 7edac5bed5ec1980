import type { Bytes } from "./bytes.ts";
import type { Checksum, ChecksumAlgorithm } from "./checksums.ts";
import type { DefaultEncryption } from "./default-encryption.ts";
import type { StoredEncryption } from "./stored-encryption.ts";

/** An object as it lies in a bucket. The simulator keeps the plain bytes: only the record of encryption is real. */
export interface StoredObject {
  readonly key: string;
  readonly bytes: Bytes;
  /** Without quotation marks. MD5 of the content only for plain and SSE-S3 objects of one part. */
  readonly etag: string;
  readonly lastModifiedMs: number;
  /** Headers kept for the reader: content type, user metadata and their like, in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly encryption: StoredEncryption;
  readonly checksum?: Checksum | undefined;
  /** Byte lengths of the parts of a multipart object. */
  readonly parts?: readonly number[] | undefined;
}

export interface Part {
  readonly number: number;
  readonly bytes: Bytes;
  readonly etag: string;
  readonly lastModifiedMs: number;
  readonly checksum?: Checksum | undefined;
}

/** A multipart upload in progress: its encryption was decided when it was created. */
export interface Upload {
  readonly id: string;
  readonly key: string;
  readonly initiatedMs: number;
  readonly requester: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly encryption: StoredEncryption;
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: Checksum["type"] | undefined;
  readonly parts: Map<number, Part>;
}

/** A general purpose bucket, without versions. */
export class Bucket {
  readonly name: string;
  readonly createdMs: number;
  readonly uploads: Map<string, Upload> = new Map();
  encryption: DefaultEncryption;
  readonly #objects = new Map<string, StoredObject>();
  #sorted: string[] | undefined;

  constructor(name: string, createdMs: number, encryption: DefaultEncryption) {
    this.name = name;
    this.createdMs = createdMs;
    this.encryption = encryption;
  }

  get isEmpty(): boolean {
    return this.#objects.size === 0;
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  put(object: StoredObject): void {
    if (!this.#objects.has(object.key)) this.#sorted = undefined;
    this.#objects.set(object.key, object);
  }

  delete(key: string): void {
    if (this.#objects.delete(key)) this.#sorted = undefined;
  }

  /** Keys in the order of their UTF-8 bytes, as S3 lists them. */
  sortedKeys(): readonly string[] {
    this.#sorted ??= [...this.#objects.keys()].toSorted(compareUtf8);
    return this.#sorted;
  }
}

/**
 * Order of the UTF-8 bytes. UTF-16 code units order the same way, except that surrogates (characters beyond
 * U+FFFF) come before U+E000 to U+FFFF and have to go after them.
 */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return utf8Rank(x) - utf8Rank(y);
  }
  return a.length - b.length;
}

function utf8Rank(unit: number): number {
  if (unit < 0xd8_00) return unit;
  return unit > 0xdf_ff ? unit - 0x8_00 : unit + 0x20_00;
}
