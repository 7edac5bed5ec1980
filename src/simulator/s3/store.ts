import { randomBytes } from "node:crypto";
import type { Bytes } from "./bytes.ts";
import type { Checksum, ChecksumAlgorithm } from "./checksums.ts";
import type { DefaultEncryption } from "./default-encryption.ts";
import {
  rulesForMarker,
  rulesForObject,
  type PendingReplica,
  type Replication,
  type ReplicationRule,
} from "./replication-rules.ts";
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
  /** Undefined for the null version: written before versioning was on, or while it is suspended. */
  readonly versionId?: string | undefined;
  readonly replicationStatus?: "PENDING" | "COMPLETED" | "FAILED" | "REPLICA" | undefined;
}

/** What a DELETE leaves on top of the versions of a key. */
export interface DeleteMarker {
  readonly key: string;
  readonly lastModifiedMs: number;
  readonly versionId?: string | undefined;
  readonly isDeleteMarker: true;
}

/** An entry in the history of a key. */
export type Version = StoredObject | DeleteMarker;

export function isDeleteMarker(version: Version): version is DeleteMarker {
  return "isDeleteMarker" in version;
}

/** How a version is named to a client. */
export function versionName(version: Pick<Version, "versionId">): string {
  return version.versionId ?? NULL_VERSION;
}

export const NULL_VERSION = "null";

/** Versioning of a bucket. Once on it can only be suspended. */
export type Versioning = "never" | "Enabled" | "Suspended";

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

/**
 * A general purpose bucket.
 *
 * Current objects lie in one map; what is under them, delete markers included, in another one that stays empty
 * as long as nobody turns versioning on.
 */
export class Bucket {
  readonly name: string;
  readonly createdMs: number;
  readonly uploads: Map<string, Upload> = new Map();
  encryption: DefaultEncryption;
  versioning: Versioning = "never";
  replication: Replication | undefined;
  /** Versions that are to be replicated, oldest first. */
  readonly pendingReplicas: PendingReplica[] = [];
  readonly #current = new Map<string, StoredObject>();
  /** Oldest first. Without a current object, the last one is a delete marker and is the current version. */
  readonly #older = new Map<string, Version[]>();
  #sorted: string[] | undefined;
  #sortedWithOlder: string[] | undefined;

  constructor(name: string, createdMs: number, encryption: DefaultEncryption) {
    this.name = name;
    this.createdMs = createdMs;
    this.encryption = encryption;
  }

  /** Whether it holds nothing at all: no object, no old version, no delete marker. */
  get isEmpty(): boolean {
    return this.#current.size === 0 && this.#older.size === 0;
  }

  /** The current object; undefined under a delete marker too. */
  get(key: string): StoredObject | undefined {
    return this.#current.get(key);
  }

  /** The current version, which may be a delete marker, or the one of that name. */
  version(key: string, name?: string): Version | undefined {
    const current = this.#current.get(key);
    if (name === undefined) return current ?? this.#older.get(key)?.at(-1);
    if (current !== undefined && versionName(current) === name) return current;
    return this.#older.get(key)?.find((version) => versionName(version) === name);
  }

  /** All versions of a key, newest first: the first one is the current one. */
  versions(key: string): readonly Version[] {
    const current = this.#current.get(key);
    const older = this.#older.get(key)?.toReversed() ?? [];
    return current === undefined ? older : [current, ...older];
  }

  /** Makes an object the current version; it gets the version id that the bucket's versioning gives it. */
  put(object: StoredObject): StoredObject {
    if (this.versioning === "never") {
      this.#setCurrent(object);
      return object;
    }
    const versionId = this.#nextVersionId();
    const { replication } = this;
    const rules = replication === undefined ? [] : rulesForObject(replication, object);
    const stored: StoredObject = {
      ...object,
      versionId,
      ...(rules.length > 0 && { replicationStatus: "PENDING" }),
    };
    this.#place(stored);
    this.#queue(stored, rules);
    return stored;
  }

  /** Makes a version with an id of its own the current one, in the place of one of the same id. */
  putVersion(version: Version): void {
    this.deleteVersion(version.key, versionName(version));
    this.#place(version);
  }

  /** Puts another record of a version in its place: encryption and replication status may change. */
  replace(object: StoredObject): void {
    if (this.#current.get(object.key)?.versionId === object.versionId) {
      this.#current.set(object.key, object);
      return;
    }
    const older = this.#older.get(object.key) ?? [];
    const at = older.findIndex(({ versionId }) => versionId === object.versionId);
    if (at !== -1) older[at] = object;
  }

  /** Deletes a key as its versioning has it: for good, or by a delete marker on top, which is returned. */
  delete(key: string, nowMs: number): DeleteMarker | undefined {
    if (this.versioning === "never") {
      this.#dropCurrent(key);
      return undefined;
    }
    const marker: DeleteMarker = {
      key,
      lastModifiedMs: nowMs,
      versionId: this.#nextVersionId(),
      isDeleteMarker: true,
    };
    this.#place(marker);
    if (this.replication !== undefined) this.#queue(marker, rulesForMarker(this.replication, key));
    return marker;
  }

  /** Deletes one version for good; the newest of the others becomes the current one. */
  deleteVersion(key: string, name: string): Version | undefined {
    const current = this.#current.get(key);
    const older = this.#older.get(key);
    if (current !== undefined && versionName(current) === name) {
      this.#dropCurrent(key);
      this.#promote(key);
      return current;
    }
    const at = older?.findIndex((version) => versionName(version) === name) ?? -1;
    if (older === undefined || at === -1) return undefined;
    const [deleted] = older.splice(at, 1);
    if (current === undefined) this.#promote(key);
    this.#forgetEmpty(key);
    return deleted;
  }

  /** Keys in the order of their UTF-8 bytes, as S3 lists them. */
  sortedKeys(): readonly string[] {
    this.#sorted ??= [...this.#current.keys()].toSorted(compareUtf8);
    return this.#sorted;
  }

  /** The same with the keys that have old versions or delete markers only. */
  sortedKeysWithOlder(): readonly string[] {
    if (this.#older.size === 0) return this.sortedKeys();
    this.#sortedWithOlder ??= [...new Set([...this.#current.keys(), ...this.#older.keys()])].toSorted(
      compareUtf8,
    );
    return this.#sortedWithOlder;
  }

  /** There is one null version at most; other ids are new. */
  #place(version: Version): void {
    const { key } = version;
    if (version.versionId === undefined) this.deleteVersion(key, NULL_VERSION);
    const current = this.#current.get(key);
    if (current !== undefined) this.#addOlder(key, current);
    if (!isDeleteMarker(version)) {
      this.#setCurrent(version);
      return;
    }
    this.#dropCurrent(key);
    this.#addOlder(key, version);
  }

  #queue(version: Version, rules: readonly ReplicationRule[]): void {
    if (this.replication === undefined || rules.length === 0) return;
    const { role } = this.replication;
    this.pendingReplicas.push({ key: version.key, version: versionName(version), role, rules });
  }

  /** Opaque, as S3's. */
  #nextVersionId(): string | undefined {
    return this.versioning === "Enabled" ? randomBytes(24).toString("base64url") : undefined;
  }

  #setCurrent(object: StoredObject): void {
    if (!this.#current.has(object.key)) this.#keysChanged();
    this.#current.set(object.key, object);
  }

  #dropCurrent(key: string): void {
    if (this.#current.delete(key)) this.#keysChanged();
  }

  #addOlder(key: string, version: Version): void {
    const older = this.#older.get(key);
    if (older !== undefined) {
      older.push(version);
      return;
    }
    this.#older.set(key, [version]);
    this.#keysChanged();
  }

  /** After the current version went: an object on top of the others is the current one. */
  #promote(key: string): void {
    const older = this.#older.get(key);
    const top = older?.at(-1);
    if (older === undefined || top === undefined || isDeleteMarker(top)) return;
    older.pop();
    this.#setCurrent(top);
    this.#forgetEmpty(key);
  }

  #forgetEmpty(key: string): void {
    if (this.#older.get(key)?.length !== 0) return;
    this.#older.delete(key);
    this.#keysChanged();
  }

  #keysChanged(): void {
    this.#sorted = undefined;
    this.#sortedWithOlder = undefined;
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
