import { afterEach, describe, expect, it, vi } from "vitest";
import { watchMemory } from "./memory.ts";
import { World } from "./world.ts";

afterEach(() => void vi.useRealTimers());
afterEach(() => void vi.restoreAllMocks());

const at = { Bucket: "bucket", Key: "k" };

const denied = (): Promise<never> => Promise.reject(new Error("AccessDenied"));

/** A world whose uploads have an id, and whose parts are kept. */
function uploads(options: ConstructorParameters<typeof World>[0] = {}): World {
  const world = new World(options);
  world.spoil = (output, operation) => {
    if (operation === "CreateMultipartUpload") return { UploadId: "u1" };
    if (operation === "UploadPart") return { ETag: '"e1"' };
    return output;
  };
  return world;
}

describe("CreateMultipartUpload in a place that seals", () => {
  it("writes the envelope now, and seals parts under it", async () => {
    const world = uploads();
    await world.send("CreateMultipartUpload", {
      ...at,
      Metadata: { color: "red" },
      ChecksumType: "COMPOSITE",
    });
    expect(world.requests[0]?.input).toMatchObject({
      ...at,
      ChecksumType: "COMPOSITE",
      Metadata: { color: "red", "x-amz-c": "115" },
    });
    const part = { ...at, UploadId: "u1", PartNumber: 1 };
    expect(world.sealer.ownsUpload({ operation: "UploadPart", input: part, scope: world.scope })).toBe(true);
    expect(world.sealer.ownsUpload({ operation: "UploadPart", input: part, scope: {} })).toBe(false);
    await world.send("UploadPart", { ...part, Body: "dear Ada" });
    const sent = world.requests[1]?.input["Body"] as Uint8Array;
    expect(Buffer.from(sent).includes("dear")).toBe(false);
    expect(world.told()).toEqual([{ kind: "io", direction: "seal", bytes: 8 }]);
  });

  it("counts the bytes of parts against the bucket key", async () => {
    const world = uploads({ maxBytes: 4 });
    await world.send("CreateMultipartUpload", at);
    await world.send("UploadPart", { ...at, UploadId: "u1", PartNumber: 1, Body: "12345" });
    await world.put("other", "x");
    expect(world.keyring.calls).toEqual(["generate", "generate"]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["a checksum of the plaintext", { ChecksumCRC32: "AAAAAA==" }, "caller-checksum"],
    ["metadata of the envelope", { Metadata: { "x-amz-3": "x" } }, "caller-metadata"],
  ])("refuses %s", async (_, input, problem) => {
    const world = uploads();
    await expect(world.send("CreateMultipartUpload", { ...at, ...input })).rejects.toMatchObject({ problem });
    expect(world.requests).toEqual([]);
  });

  it("has no upload when S3 refused it, or gave no id", async () => {
    const world = uploads();
    await expect(world.send("CreateMultipartUpload", at, { next: denied })).rejects.toThrow("AccessDenied");
    // However often: such an answer stands in nobody's way.
    for (const output of [undefined, {}, { UploadId: 7 }]) {
      const nothing = await world.send("CreateMultipartUpload", at, {
        next: async () => ({ response: {}, output }),
      });
      expect(nothing.output).toBe(output);
    }
    const part = world.send("UploadPart", { ...at, UploadId: "u1", PartNumber: 1, Body: "x" });
    await expect(part).rejects.toMatchObject({ problem: "unknown-upload" });
  });

  it("keeps no key when what sends it throws at once", async () => {
    const world = uploads();
    const thrown = new Error("a middleware");
    const keys = watchMemory(({ length }) => length === 32);
    const next = (): never => {
      throw thrown;
    };
    await expect(world.send("CreateMultipartUpload", at, { next })).rejects.toBe(thrown);
    // The bucket key, which stays for the next call, and the upload's own.
    expect(keys.map((key) => key.every((byte) => byte === 0))).toEqual([false, true]);
  });

  it("has parts of the size that the option partBytes says, and of no larger one", async () => {
    const world = uploads({ partBytes: 16 });
    await world.send("CreateMultipartUpload", at);
    const part = { ...at, UploadId: "u1", PartNumber: 2 };
    // Part 1 is waited for by nobody.
    await world.send("UploadPart", { ...part, Body: Buffer.alloc(16) });
    await expect(
      world.send("UploadPart", { ...part, PartNumber: 1, Body: Buffer.alloc(17) }),
    ).rejects.toMatchObject({
      problem: "part-size",
      message: expect.stringContaining("the parts of this upload have 16"),
    });
  });

  it("is given up after the time that the option uploadIdleSeconds says", async () => {
    vi.useFakeTimers();
    const world = uploads({ uploadIdleSeconds: 20 });
    await world.send("CreateMultipartUpload", at);
    await vi.advanceTimersByTimeAsync(19_999);
    const part = { ...at, UploadId: "u1", PartNumber: 1, Body: "x" };
    await world.send("UploadPart", part);
    await vi.advanceTimersByTimeAsync(20_000);
    await expect(world.send("UploadPart", part)).rejects.toMatchObject({
      problem: "upload-state",
      message: expect.stringContaining("uploadIdleSeconds"),
    });
  });

  it("refuses an id that is live already", async () => {
    const world = uploads();
    await world.send("CreateMultipartUpload", at);
    await expect(world.send("CreateMultipartUpload", at)).rejects.toMatchObject({ problem: "upload-state" });
  });

  it("ends with Abort", async () => {
    const world = uploads();
    await world.send("CreateMultipartUpload", at);
    await world.send("AbortMultipartUpload", { ...at, UploadId: "u1" });
    expect(
      world.sealer.ownsUpload({
        operation: "UploadPart",
        input: { ...at, UploadId: "u1" },
        scope: world.scope,
      }),
    ).toBe(true);
    const complete = world.send("CompleteMultipartUpload", { ...at, UploadId: "u1" });
    await expect(complete).rejects.toMatchObject({ problem: "upload-state" });
    const requests = world.requests.length;
    for (const operation of ["UploadPart", "UploadPartCopy", "CompleteMultipartUpload"]) {
      const late = world.send(
        operation,
        { ...at, UploadId: "u1", PartNumber: 1, Body: "x", CopySource: "bucket/plain" },
        { place: "unseal" },
      );
      await expect(late).rejects.toMatchObject({ code: "ERR_BUCKET_KEY_ENVELOPE_REFUSED" });
    }
    expect(world.requests).toHaveLength(requests);
  });

  it("stays plain where the place unseals, and can't be presigned where it seals", async () => {
    const world = uploads();
    await world.send("CreateMultipartUpload", at, { place: "unseal" });
    expect(world.requests[0]?.input).toEqual(at);
    await world.send("UploadPart", { ...at, UploadId: "u1", PartNumber: 1, Body: "x" }, { place: "unseal" });
    expect(world.requests[1]?.input["Body"]).toBe("x");
    await expect(world.send("CreateMultipartUpload", at, { presigning: true })).rejects.toMatchObject({
      problem: "unsupported-operation",
    });
  });
});
