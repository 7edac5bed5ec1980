/** What first passes over large objects found out, kept so that the next range of the same version needs none. */
import { timingSafeEqual } from "node:crypto";
import { wipe, type ContentKey } from "./content-key.ts";
import type { GcmParts } from "./gcm-parts.ts";
import type { ChunkIndex } from "./verified-chunks.ts";

/** One version of an object, under one content key, on loan; `release` it. */
export interface IndexLease {
  readonly parts: GcmParts;
  readonly index: ChunkIndex;
  /** Whether an object that was answered now is the one of the index. */
  isOf(version: ObjectVersion, key: ContentKey): boolean;
  /** Gives it back; the second time nothing happens. */
  release(): void;
}

/** What S3 tells versions apart by. */
export interface ObjectVersion {
  readonly etag: unknown;
  readonly versionId: unknown;
}

interface Entry {
  readonly version: ObjectVersion;
  /** What `parts` works with. */
  readonly key: ContentKey;
  readonly parts: GcmParts;
  readonly index: ChunkIndex;
  /** Those on loan, and the cache itself: the last one to let go wipes. */
  holders: number;
}

/** An index of 64 GiB takes 1 MiB; a field element and keys come on top. */
const MAX_BYTES = 16 * 2 ** 20;
const ENTRY_BYTES = 4096;

/** Secret, all of it: least recently used out first, and wiped when nobody holds it any more. */
export class ChunkIndexes {
  readonly #maxBytes: number;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #closed = false;

  constructor(maxBytes: number = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** The latest index under a name, whatever version it is of. */
  find(name: string): IndexLease | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    return lend(entry);
  }

  /** Takes over all that was found, and lends it back. */
  keep(name: string, found: Omit<Entry, "holders">): IndexLease {
    const entry: Entry = { ...found, holders: 1 };
    const lease = lend(entry);
    this.#drop(name);
    if (this.#closed) {
      letGo(entry);
      return lease;
    }
    this.#entries.set(name, entry);
    this.#bytes += found.index.bytes + ENTRY_BYTES;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#drop(oldest);
    }
    return lease;
  }

  /** Lets go of all, and keeps nothing any more. */
  close(): void {
    this.#closed = true;
    this.clear();
  }

  /** Lets go of all; what is on loan is wiped when it comes back. */
  clear(): void {
    for (const name of this.#entries.keys()) this.#drop(name);
  }

  #drop(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    this.#bytes -= entry.index.bytes + ENTRY_BYTES;
    letGo(entry);
  }
}

function lend(entry: Entry): IndexLease {
  entry.holders += 1;
  let released = false;
  return {
    parts: entry.parts,
    index: entry.index,
    isOf: ({ etag, versionId }, { bytes }) =>
      etag === entry.version.etag &&
      versionId === entry.version.versionId &&
      timingSafeEqual(bytes, entry.key.bytes),
    release: () => {
      if (!released) letGo(entry);
      released = true;
    },
  };
}

function letGo(entry: Entry): void {
  entry.holders -= 1;
  if (entry.holders > 0) return;
  entry.parts.wipe();
  entry.index.wipe();
  wipe(entry.key.bytes);
}
