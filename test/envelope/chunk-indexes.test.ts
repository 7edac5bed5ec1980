import { describe, expect, it } from "vitest";
import { ChunkIndexes, type IndexLease } from "../../src/envelope/chunk-indexes.ts";
import { v3ContentKey, type ContentKey } from "../../src/envelope/content-key.ts";
import { GcmParts } from "../../src/envelope/gcm-parts.ts";
import type { ChunkIndex } from "../../src/envelope/verified-chunks.ts";

interface Found {
  readonly key: ContentKey;
  readonly index: ChunkIndex & { wiped: boolean };
  readonly parts: GcmParts;
}

function found(fill: number, bytes = 16): Found {
  const key = v3ContentKey(new Uint8Array(32).fill(fill));
  const digests = new Uint8Array(bytes).fill(fill);
  const index = {
    plaintextBytes: 1,
    chunkBytes: 2 ** 20,
    digests,
    bytes,
    wiped: false,
    wipe() {
      index.wiped = true;
    },
  };
  return { key, index, parts: new GcmParts(key) };
}

const version = { etag: "e", versionId: "v" };
const isWiped = ({ key, index, parts }: Found): boolean => {
  let partsWork = true;
  try {
    parts.crypt(new Uint8Array(1), 0);
  } catch {
    partsWork = false;
  }
  const all = [index.wiped, key.bytes.every((byte) => byte === 0), !partsWork];
  expect(new Set(all).size).toBe(1);
  return all[0]!;
};

function keep(indexes: ChunkIndexes, name: string, what: Found): IndexLease {
  return indexes.keep(name, { version, ...what });
}

describe("indexes of large objects", () => {
  it("are found under their name until another takes their place", () => {
    const indexes = new ChunkIndexes();
    const [one, two] = [found(1), found(2)];
    keep(indexes, "a", one).release();
    expect(indexes.find("a")?.index).toBe(one.index);
    expect(indexes.find("b")).toBeUndefined();
    keep(indexes, "a", two).release();
    expect(indexes.find("a")?.parts).toBe(two.parts);
  });

  it("tell whether an object is theirs by version and key", () => {
    const lease = keep(new ChunkIndexes(), "a", found(1));
    expect(lease.isOf(version, found(1).key)).toBe(true);
    expect(lease.isOf(version, found(2).key)).toBe(false);
    expect(lease.isOf({ ...version, etag: "f" }, found(1).key)).toBe(false);
    expect(lease.isOf({ ...version, versionId: "w" }, found(1).key)).toBe(false);
  });

  it("are wiped when the last one lets go, and not before", () => {
    const indexes = new ChunkIndexes();
    const one = found(1);
    const first = keep(indexes, "a", one);
    const second = indexes.find("a");
    keep(indexes, "a", found(2));
    expect(isWiped(one)).toBe(false);
    first.release();
    first.release();
    expect(isWiped(one)).toBe(false);
    second?.release();
    expect(isWiped(one)).toBe(true);
  });

  it("make room: those unused for longest go first", () => {
    const indexes = new ChunkIndexes(2 * (16 + 4096));
    const all = [found(1), found(2), found(3)];
    keep(indexes, "a", all[0]!).release();
    keep(indexes, "b", all[1]!).release();
    indexes.find("a")?.release();
    keep(indexes, "c", all[2]!).release();
    expect(["a", "b", "c"].map((name) => indexes.find(name) !== undefined)).toEqual([true, false, true]);
    expect(all.map(isWiped)).toEqual([false, true, false]);
  });

  it("give back the room of those that were replaced", () => {
    const indexes = new ChunkIndexes(2 * (16 + 4096));
    for (let n = 1; n < 5; n++) keep(indexes, "a", found(n)).release();
    keep(indexes, "b", found(6)).release();
    expect(indexes.find("a")).toBeDefined();
  });

  it("that are larger than all room serve whoever made them, and are gone", () => {
    const indexes = new ChunkIndexes(100);
    const one = found(1);
    const lease = keep(indexes, "a", one);
    expect(indexes.find("a")).toBeUndefined();
    expect(isWiped(one)).toBe(false);
    lease.release();
    expect(isWiped(one)).toBe(true);
  });

  it("have room for more than ten objects of the largest size", () => {
    const indexes = new ChunkIndexes();
    for (let n = 0; n < 12; n++) keep(indexes, String(n), found(n, 2 ** 20)).release();
    expect(indexes.find("0")).toBeDefined();
  });

  it("are let go by clear and close, after which none is kept", () => {
    const indexes = new ChunkIndexes();
    const all = [found(1), found(2), found(3)];
    keep(indexes, "a", all[0]!).release();
    const held = keep(indexes, "b", all[1]!);
    indexes.clear();
    expect(all.map(isWiped)).toEqual([true, false, false]);
    keep(indexes, "c", all[2]!).release();
    expect(indexes.find("c")).toBeDefined();
    indexes.close();
    held.release();
    const late = found(4);
    const lease = keep(indexes, "d", late);
    expect(indexes.find("d")).toBeUndefined();
    expect(isWiped(late)).toBe(false);
    lease.release();
    expect(isWiped(late)).toBe(true);
  });
});
