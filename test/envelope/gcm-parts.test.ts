import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ContentKey,
  MAX_PLAINTEXT_BYTES,
  v2ContentKey,
  v3ContentKey,
} from "../../src/envelope/content-key.ts";
import { GcmParts } from "../../src/envelope/gcm-parts.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** One invocation of GCM: what the parts must add up to. */
function oneShot(key: ContentKey, plaintext: Uint8Array): { ciphertext: Buffer; tag: Buffer } {
  const cipher = createCipheriv("aes-256-gcm", key.bytes, key.iv);
  if (key.aad !== undefined) cipher.setAAD(key.aad);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return { ciphertext, tag: cipher.getAuthTag() };
}

/** Derived from the first published key-derivation answer of the Go client: data key 80d9..., message id b8ea.... */
const known = (): ContentKey =>
  v3ContentKey(
    new Uint8Array(Buffer.from("6dd14f546cc006e639126e83f5d4d1b118576bb5df97f38c6fb3a1db87bbc338", "hex")),
  );
const counted = (bytes: number): Uint8Array => Uint8Array.from({ length: bytes }, (_, i) => i);
const randomKey = (): ContentKey => v3ContentKey(new Uint8Array(randomBytes(32)));

describe("GCM in parts", () => {
  it("gives the known answer of 33 bytes sealed as 16 + 17", () => {
    const parts = new GcmParts(known());
    const [first, second] = [
      parts.crypt(counted(33).subarray(0, 16), 0),
      parts.crypt(counted(33).subarray(16), 16),
    ];
    expect(hex(first) + hex(second)).toBe(
      "a25a831a4663b59e58976a3487808f788f0181db775a30d5988b5d7f21abffc448",
    );
    const runs = [first, second].map((run) => ({ bytes: run.length, q: parts.digest(run) }));
    expect(runs.map(({ q }) => hex(q))).toEqual([
      "c9c00e20333cce917941f150de7987b3",
      "aec98462ad65ff60c3cb73e5b0483b72",
    ]);
    expect(hex(parts.tag(runs))).toBe("fa400d8a8eb264409700d9378e96e418");
  });

  it.each([
    [0, "c83916237f9a697e8473d528860a96e3"],
    [1, "f9f47ccb7bc7f1ecb18c46e13ba25692"],
    [16, "ba0388808de421de27f08e00993df280"],
  ])("gives the known tag of %i bytes in one run", (bytes, tag) => {
    const parts = new GcmParts(known());
    const ciphertext = parts.crypt(counted(bytes), 0);
    expect(hex(parts.tag([{ bytes, q: parts.digest(ciphertext) }]))).toBe(tag);
  });

  it("gives the tag of the empty message for no runs at all, with and without additional data", () => {
    expect(hex(new GcmParts(known()).tag([]))).toBe("c83916237f9a697e8473d528860a96e3");
    const plain = v2ContentKey(known().bytes, new Uint8Array(12).fill(7));
    expect(hex(new GcmParts(plain).tag([]))).toBe(hex(oneShot(plain, new Uint8Array(0)).tag));
  });

  it("equals one invocation for 500 random cases of parts in any order, V3 and V2", () => {
    const length = fc.oneof(
      fc.constantFrom(0, 1, 15, 16, 17, 31, 32, 33),
      fc.integer({ min: 0, max: 2000 }),
      fc.constantFrom(65_535, 65_536, 65_537, 140_000),
    );
    fc.assert(
      fc.property(
        length,
        fc.integer({ min: 1, max: 700 }),
        fc.boolean(),
        fc.infiniteStream(fc.nat()),
        (total, size, v3, order) => {
          const bytes = new Uint8Array(randomBytes(32));
          const key = v3 ? v3ContentKey(bytes) : v2ContentKey(bytes, new Uint8Array(randomBytes(12)));
          const plaintext = randomBytes(total);
          const expected = oneShot(key, plaintext);
          const parts = new GcmParts(key);
          // Parts of any size, encrypted in a random order.
          const partBytes = total > 4000 ? size * 97 : size;
          const offsets: number[] = [];
          for (let at = 0; at < total; at += partBytes) offsets.push(at);
          const rank = new Map(offsets.map((offset) => [offset, order.next().value]));
          const ciphertext = Buffer.alloc(total);
          for (const offset of offsets.toSorted((a, b) => rank.get(a)! - rank.get(b)!)) {
            ciphertext.set(parts.crypt(plaintext.subarray(offset, offset + partBytes), offset), offset);
          }
          expect(ciphertext.equals(expected.ciphertext)).toBe(true);
          // Runs of whole blocks, digested in a random order.
          const runBytes = 16 * Math.ceil(partBytes / 16);
          const runs: { bytes: number; q: Uint8Array }[] = [];
          const starts: number[] = [];
          for (let at = 0; at < total; at += runBytes) starts.push(at);
          for (const start of starts.toReversed()) {
            const run = ciphertext.subarray(start, start + runBytes);
            runs.unshift({ bytes: run.length, q: parts.digest(run) });
          }
          expect(hex(parts.tag(runs))).toBe(hex(expected.tag));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("decrypts what it encrypted, at every alignment", () => {
    const parts = new GcmParts(known());
    const plaintext = counted(64);
    const ciphertext = parts.crypt(plaintext, 0);
    for (let offset = 0; offset < 64; offset++) {
      expect(parts.crypt(ciphertext.subarray(offset), offset)).toEqual(plaintext.subarray(offset));
    }
  });

  it("leaves its input alone and writes to memory of its own", () => {
    const plaintext = counted(40);
    const ciphertext = new GcmParts(known()).crypt(plaintext, 3);
    expect(plaintext).toEqual(counted(40));
    expect([ciphertext.constructor, ciphertext.byteOffset, ciphertext.buffer.byteLength]).toEqual([
      Uint8Array,
      0,
      40,
    ]);
  });

  it("encrypts and digests in one pass what crypt and digest give in two", () => {
    const key = randomKey();
    const parts = new GcmParts(key);
    for (const [bytes, offset] of [
      [0, 0],
      [1, 0],
      [40, 0],
      [40, 5],
      [11, 5],
      [3, 5],
      [3, 13],
      [200_001, 32],
      [200_001, 7],
    ] as const) {
      const plaintext = randomBytes(bytes);
      const sealed = parts.seal(plaintext, offset);
      expect(parts.crypt(plaintext, offset).every((byte, i) => byte === sealed.ciphertext[i])).toBe(true);
      expect([sealed.ciphertext.length, sealed.ciphertext.buffer.byteLength]).toEqual([bytes, bytes]);
      const head = Math.min(bytes, (16 - (offset % 16)) % 16);
      const blocks = 16 * Math.floor((bytes - head) / 16);
      expect(sealed.head).toEqual(sealed.ciphertext.subarray(0, head));
      expect(sealed.run).toEqual({
        bytes: blocks,
        q: parts.digest(sealed.ciphertext.subarray(head, head + blocks)),
      });
      expect(sealed.tail).toEqual(sealed.ciphertext.subarray(head + blocks));
    }
  });

  it("digests a run the same in one array, in several, and in updates of any length", () => {
    const parts = new GcmParts(known());
    const run = new Uint8Array(randomBytes(200_000));
    const whole = hex(parts.digest(run));
    expect(hex(parts.digest([run.subarray(0, 5), run.subarray(5, 5), run.subarray(5)]))).toBe(whole);
    const digest = parts.newDigest();
    for (let at = 0; at < run.length; at += 77_777) digest.update(run.subarray(at, at + 77_777));
    expect(hex(digest.end())).toBe(whole);
    // The digest of nothing is the zero of the field; a run's length is part of it only through its blocks.
    expect(parts.digest(new Uint8Array(0))).toEqual(new Uint8Array(16));
    expect(hex(parts.digest(Uint8Array.of(1)))).toBe(hex(parts.digest(Uint8Array.of(1, 0))));
  });

  it("keeps digests and tags in memory of their own", () => {
    const parts = new GcmParts(known());
    const q = parts.digest(counted(32));
    for (const block of [q, parts.tag([{ bytes: 32, q }])]) {
      expect([block.constructor, block.length, block.buffer.byteLength]).toEqual([Uint8Array, 16, 16]);
    }
  });

  it("encrypts the last byte GCM allows, with block counter 2^32 - 1", () => {
    const key = randomKey();
    const keystream = createCipheriv("aes-256-ecb", key.bytes, null).update(
      Buffer.concat([key.iv, Buffer.from("ffffffff", "hex")]),
    );
    const parts = new GcmParts(key);
    expect(hex(parts.crypt(new Uint8Array(16), MAX_PLAINTEXT_BYTES - 16))).toBe(hex(keystream));
    expect(hex(parts.crypt(new Uint8Array(1), MAX_PLAINTEXT_BYTES - 1))).toBe(hex(keystream.subarray(15)));
    expect(parts.crypt(new Uint8Array(0), MAX_PLAINTEXT_BYTES)).toEqual(new Uint8Array(0));
  });

  it.each([
    [1, MAX_PLAINTEXT_BYTES],
    [17, MAX_PLAINTEXT_BYTES - 16],
    [0, MAX_PLAINTEXT_BYTES + 1],
    [16, 2 ** 36 - 16],
    [16, 2 ** 36],
  ])("refuses %i bytes at offset %d: no block counter outside 2 to 2^32 - 1", (bytes, offset) => {
    const parts = new GcmParts(known());
    const refusal = expect.objectContaining({
      code: "ERR_BUCKET_KEY_ENVELOPE_REFUSED",
      problem: "too-large",
    });
    expect(() => parts.crypt(new Uint8Array(bytes), offset)).toThrow(refusal);
    expect(() => parts.seal(new Uint8Array(bytes), offset)).toThrow(refusal);
  });

  it.each([-1, -16, Number.NaN])("refuses an offset of %d, whose counter could be 1", (offset) => {
    const parts = new GcmParts(known());
    expect(() => parts.crypt(new Uint8Array(1), offset)).toThrow(RangeError);
    expect(() => parts.seal(new Uint8Array(1), offset)).toThrow(RangeError);
  });

  it("does nothing more once wiped, so nothing is encrypted under a zeroed key; the key is its owner's", () => {
    const key = known();
    const parts = new GcmParts(key);
    const digest = parts.newDigest();
    digest.update(counted(16));
    parts.wipe();
    parts.wipe();
    expect(key).toEqual(known());
    const closed = expect.objectContaining({ problem: "closed" });
    expect(() => parts.crypt(counted(1), 0)).toThrow(closed);
    expect(() => parts.seal(counted(1), 0)).toThrow(closed);
    expect(() => parts.digest(counted(1))).toThrow(closed);
    expect(() => parts.newDigest()).toThrow(closed);
    expect(() => digest.end()).toThrow(closed);
    expect(() => parts.tag([])).toThrow(closed);
  });

  it("opens with one invocation of GCM what it sealed in parts", () => {
    const key = randomKey();
    const parts = new GcmParts(key);
    const plaintext = randomBytes(100_000);
    const runs = [0, 48_000, 96_000].map((offset) =>
      parts.seal(plaintext.subarray(offset, offset + 48_000), offset),
    );
    const last = runs[2]!;
    const tail = { bytes: last.tail.length, q: parts.digest(last.tail) };
    const decipher = createDecipheriv("aes-256-gcm", key.bytes, key.iv).setAAD(Uint8Array.of(0, 0x73));
    decipher.setAuthTag(parts.tag([...runs.map(({ run }) => run), tail]));
    const opened = Buffer.concat([
      ...runs.map(({ ciphertext }) => decipher.update(ciphertext)),
      decipher.final(),
    ]);
    expect(opened.equals(plaintext)).toBe(true);
  });
});
