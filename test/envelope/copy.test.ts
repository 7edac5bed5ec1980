import { describe, expect, it } from "vitest";
import type { SealedCall } from "../../src/body-sealer.ts";
import type { EnvelopeOptions, ObjectAddress, ObjectHead } from "../../src/envelope/options.ts";
import { V1, V2, V2_KMS, V3, without } from "./envelope-samples.ts";
import { etagOf, s3Error, World } from "./world.ts";

/** A world whose objects can be looked at, and what was looked at. */
function looking(options: Partial<EnvelopeOptions> = {}): { world: World; looked: ObjectAddress[] } {
  const looked: ObjectAddress[] = [];
  const world: World = new World({
    headObject: (input) => {
      looked.push(input);
      return world.headObject(input);
    },
    ...options,
  });
  return { world, looked };
}

const copyOf = (world: World, input: object = {}, call: Partial<SealedCall> = {}): Promise<unknown> =>
  world.send("CopyObject", { Bucket: "bucket", Key: "copy", CopySource: "bucket/k", ...input }, call);

/** What reached S3 last. */
const sent = (world: World): Record<string, unknown> | undefined => world.requests.at(-1)?.input;

describe("CopyObject into a place that seals", () => {
  it("takes a sealed source as it is, pinned to what was looked at", async () => {
    const { world, looked } = looking();
    await world.put("k", "dear Ada");
    await copyOf(world, { CopySource: "bucket/k?versionId=v" });
    expect(looked).toEqual([{ Bucket: "bucket", Key: "k", VersionId: "v" }]);
    expect(sent(world)).toEqual({
      Bucket: "bucket",
      Key: "copy",
      CopySource: "bucket/k?versionId=v",
      CopySourceIfMatch: etagOf(world.stored("k").bytes),
    });
  });

  it("keeps the caller's own condition when it names what was looked at", async () => {
    const { world } = looking();
    await world.put("k", "x");
    const etag = etagOf(world.stored("k").bytes);
    for (const CopySourceIfMatch of [etag, etag.slice(1, -1)]) {
      await copyOf(world, { CopySourceIfMatch });
      expect(sent(world)?.["CopySourceIfMatch"]).toBe(CopySourceIfMatch);
    }
    for (const CopySourceIfMatch of [undefined, null]) {
      await copyOf(world, { CopySourceIfMatch });
      expect(sent(world)?.["CopySourceIfMatch"]).toBe(etag);
    }
  });

  it.each(["*", "mine", "", 5, `"mine"`])("refuses %j as the caller's own condition", async (condition) => {
    const { world } = looking();
    await world.put("k", "x");
    const etag = etagOf(world.stored("k").bytes);
    await expect(copyOf(world, { CopySourceIfMatch: condition })).rejects.toMatchObject({
      problem: "copy-source",
      message:
        `CopySourceIfMatch of this CopyObject doesn't name the source as it was found (ETag ${etag}), so that another ` +
        "object could be moved than the one that was looked at: leave it out, or give that ETag. Nothing was sent.",
    });
    expect(world.requests.at(-1)?.operation).toBe("HeadObject");
  });

  it("takes no condition for the ETag whose quotes stand elsewhere", async () => {
    const { world } = looking();
    await world.put("k", "x");
    const tag = etagOf(world.stored("k").bytes).slice(1, -1);
    for (const condition of [`${tag[0]}"${tag.slice(1)}"`, `"${tag.slice(0, -1)}"${tag.at(-1)}`]) {
      await expect(copyOf(world, { CopySourceIfMatch: condition })).rejects.toMatchObject({
        problem: "copy-source",
      });
    }
  });

  it("refuses a condition where S3 tells no ETag to hold it against", async () => {
    const { world } = looking({ headObject: async () => ({ Metadata: world.stored("k").metadata }) });
    await world.put("k", "x");
    await expect(copyOf(world, { CopySourceIfMatch: "*" })).rejects.toThrow("(ETag unknown)");
  });

  it("carries the envelope over when metadata is replaced", async () => {
    const { world } = looking();
    await world.put("k", "x", { Metadata: { old: "1" } });
    const { metadata } = world.stored("k");
    metadata["x-amz-m"] = "";
    await copyOf(world, { MetadataDirective: "REPLACE", Metadata: { new: "2" } });
    const { old: _, "x-amz-m": __, ...envelope } = metadata;
    expect(sent(world)?.["Metadata"]).toEqual({ new: "2", ...envelope });
    await copyOf(world, { MetadataDirective: "REPLACE" });
    expect(sent(world)?.["Metadata"]).toEqual(envelope);
    await copyOf(world, { MetadataDirective: "COPY", Metadata: { new: "2" } });
    expect(sent(world)?.["Metadata"]).toEqual({ new: "2" });
  });

  it.each<[string, object, string]>([
    ["metadata of the envelope", { "x-amz-iv": "x" }, "caller-metadata"],
    ["a value without text", { owner: Object.create(null) as object }, "caller-metadata"],
    ["more than there is room for", { long: "x".repeat(1900) }, "metadata-budget"],
  ])("refuses %s beside it", async (_, Metadata, problem) => {
    const { world } = looking();
    await world.put("k", "x");
    const before = world.requests.length;
    await expect(copyOf(world, { MetadataDirective: "REPLACE", Metadata })).rejects.toMatchObject({
      problem,
    });
    expect(world.requests.slice(before).map(({ operation }) => operation)).toEqual(["HeadObject"]);
  });

  const otherContext = {
    problem: "copy-source",
    message:
      "The source was sealed under another encryption context than your options give for the destination (bindBucket: " +
      "one per bucket), so that the copy couldn't be opened there: read it and write it anew. Nothing was sent.",
  };

  it.each<[string, Record<string, string>, object]>([
    [
      "a plain source",
      { color: "red" },
      {
        problem: "copy-source",
        message:
          "The source of this CopyObject is a plain object, and would be plain in a place that seals: read it and write " +
          "it with PutObject or an upload, which seal. Nothing was sent.",
      },
    ],
    ["a damaged source", without(V3, "x-amz-d"), { code: "ERR_BUCKET_KEY_INTEGRITY" }],
    [
      "a source with an instruction file",
      without(V3, "x-amz-3", "x-amz-w", "x-amz-t"),
      {
        problem: "instruction-file",
        message:
          "The source's wrapped key lies in an instruction file, which a copy leaves behind: read the object and write " +
          "it anew. Nothing was sent.",
      },
    ],
    ["a source under another context", V3, otherContext],
    ["a V2 source under another context", V2, otherContext],
  ])("refuses %s", async (_, metadata, problem) => {
    const { world } = looking();
    world.store("k", Buffer.alloc(50), metadata);
    await expect(copyOf(world)).rejects.toMatchObject(problem);
    expect(world.requests.map(({ operation }) => operation)).toEqual(["HeadObject"]);
  });

  it.each<[string, Record<string, string>]>([
    ["V3", V3],
    ["V2", V2],
    ["V2 under kms", V2_KMS],
    ["V1", V1],
  ])("takes a source of %s under the context of the destination", async (_, metadata) => {
    const { world } = looking({ encryptionContext: { tenant: "blue" } });
    world.store("k", Buffer.alloc(50), metadata);
    await copyOf(world);
    expect(world.requests.map(({ operation }) => operation)).toEqual(["HeadObject", "CopyObject"]);
  });

  it("with bindBucket stays inside its bucket", async () => {
    const { world } = looking({ bindBucket: true });
    await world.put("k", "x");
    await copyOf(world);
    await expect(copyOf(world, { Bucket: "elsewhere" })).rejects.toMatchObject({ problem: "copy-source" });
    expect(sent(world)).toEqual({ Bucket: "bucket", Key: "k" });
  });

  it.each<[string, World]>([
    ["has no option headObject", new World()],
    [
      "has one that gives nothing",
      looking({ headObject: async () => undefined as unknown as ObjectHead }).world,
    ],
  ])("is refused where the sealer %s, saying how to give it", async (_, world) => {
    await expect(copyOf(world)).rejects.toMatchObject({
      problem: "copy-source",
      message:
        "Whether the source of this CopyObject is sealed can't be told. Give envelope() the option headObject, which looks " +
        "at it: (input) => s3.send(new HeadObjectCommand(input)). Nothing was sent.",
    });
    expect(world.requests).toEqual([]);
  });

  it.each(["nope", "", undefined])(
    "is refused where the source is %j, saying how it's written",
    async (CopySource) => {
      for (const world of [looking().world, new World()]) {
        await expect(copyOf(world, { CopySource })).rejects.toMatchObject({
          problem: "copy-source",
          message:
            "Whether the source of this CopyObject is sealed can't be told. Write CopySource as bucket/key, or as an access " +
            "point's ARN with /object/key, URL-encoded either way. Nothing was sent.",
        });
        expect(world.requests).toEqual([]);
      }
    },
  );

  it("fails as the look at the source fails", async () => {
    const { world } = looking({ headObject: () => Promise.reject(s3Error("NotFound", 404)) });
    await expect(copyOf(world)).rejects.toThrow("NotFound");
  });

  it("refuses a source of which S3 holds metadata back, wherever it may go", async () => {
    for (const place of ["seal", "unseal"] as const) {
      const { world } = looking({ headObject: async () => ({ Metadata: { color: "red" }, MissingMeta: 1 }) });
      await expect(copyOf(world, { MetadataDirective: "REPLACE" }, { place })).rejects.toMatchObject({
        problem: "copy-source",
        message:
          "S3 holds back metadata of the source of this CopyObject (x-amz-missing-meta), so whether it's sealed can't be " +
          "told: read the object and write it anew. Nothing was sent.",
      });
      expect(world.requests).toEqual([]);
    }
  });

  it("pins nothing where S3 tells no ETag", async () => {
    const { world } = looking({ headObject: async () => ({ Metadata: world.stored("k").metadata }) });
    await world.put("k", "x");
    await copyOf(world);
    expect(sent(world)).not.toHaveProperty("CopySourceIfMatch");
  });
});

describe("CopyObject into a place that unseals", () => {
  it("passes either kind with its metadata, unlooked at", async () => {
    const { world, looked } = looking();
    await copyOf(world, {}, { place: "unseal" });
    await copyOf(world, { MetadataDirective: "COPY" }, { place: "unseal" });
    expect(looked).toEqual([]);
    expect(world.requests).toHaveLength(2);
  });

  it("looks when metadata is replaced: an envelope is carried over, a plain source passes", async () => {
    const { world } = looking();
    await world.put("k", "x");
    await copyOf(world, { MetadataDirective: "REPLACE", Metadata: { new: "2" } }, { place: "unseal" });
    expect(sent(world)?.["Metadata"]).toMatchObject({ new: "2", "x-amz-c": "115" });
    world.store("k", Buffer.from("plain"), { old: "1" });
    await copyOf(world, { MetadataDirective: "REPLACE", Metadata: { new: "2" } }, { place: "unseal" });
    expect(sent(world)).toEqual({
      Bucket: "bucket",
      Key: "copy",
      CopySource: "bucket/k",
      CopySourceIfMatch: etagOf(Buffer.from("plain")),
      MetadataDirective: "REPLACE",
      Metadata: { new: "2" },
    });
    const blind = copyOf(new World(), { MetadataDirective: "REPLACE" }, { place: "unseal" });
    await expect(blind).rejects.toMatchObject({ problem: "copy-source" });
  });
});

const rename = (world: World, call: Partial<SealedCall> = {}): Promise<unknown> =>
  world.send(
    "RenameObject",
    { Bucket: "bucket", Key: "new", RenameSource: "k", MetadataDirective: "REPLACE" },
    call,
  );

describe("RenameObject", () => {
  it("takes a sealed source only, where bodies are sealed", async () => {
    const { world } = looking();
    await world.put("k", "x");
    await rename(world);
    expect(sent(world)).toMatchObject({ RenameSource: "k", SourceIfMatch: etagOf(world.stored("k").bytes) });
    expect(sent(world)).not.toHaveProperty("Metadata");
    await expect(
      world.send("RenameObject", { Bucket: "bucket", Key: "new", RenameSource: "k", SourceIfMatch: "*" }),
    ).rejects.toMatchObject({ problem: "copy-source" });
    world.store("k", Buffer.from("plain"));
    await expect(rename(world)).rejects.toMatchObject({ problem: "copy-source" });
    await expect(rename(new World())).rejects.toThrow("the source of this RenameObject");
    const nameless = world.send("RenameObject", { Bucket: "bucket", Key: "new", RenameSource: "/" });
    await expect(nameless).rejects.toMatchObject({
      problem: "copy-source",
      message:
        "Whether the source of this RenameObject is sealed can't be told. Write RenameSource as the key of an object in " +
        "the same bucket, URL-encoded. Nothing was sent.",
    });
  });

  it("passes where the place unseals", async () => {
    const world = new World();
    await rename(world, { place: "unseal" });
    expect(world.requests).toHaveLength(1);
  });
});

describe.each(["UploadPartCopy", "SelectObjectContent", "WriteGetObjectResponse"])("%s", (operation) => {
  const input = { Bucket: "bucket", Key: "k", CopySource: "bucket/k", UploadId: "u1", PartNumber: 1 };
  const look =
    "For plain objects, give envelope() the option headObject: (input) => s3.send(new HeadObjectCommand(input)). Nothing " +
    "was sent.";

  it("is refused where bodies are sealed", async () => {
    const { world } = looking();
    await expect(world.send(operation, input)).rejects.toMatchObject({
      problem: "unsupported-operation",
      message:
        `${operation} moves bytes past the client, which has to seal or open them: read the object with GetObject and ` +
        "write it with PutObject or an upload. Nothing was sent.",
    });
    expect(world.requests).toEqual([]);
  });

  it("passes where the place unseals and the source is plain, not where it's sealed or unknown", async () => {
    const { world } = looking();
    world.store("k", Buffer.from("plain"));
    await world.send(operation, input, { place: "unseal" });
    expect(world.requests.map((request) => request.operation)).toEqual(["HeadObject", operation]);
    await world.put("k", "x");
    await expect(world.send(operation, input, { place: "unseal" })).rejects.toMatchObject({
      problem: "unsupported-operation",
      message: `${operation} works on what is stored, which is sealed here. ${look}`,
    });
    const blind = new World();
    await expect(blind.send(operation, input, { place: "unseal" })).rejects.toMatchObject({
      problem: "unsupported-operation",
      message: `${operation} works on what is stored, which may be sealed here. ${look}`,
    });
    expect(blind.requests).toEqual([]);
  });
});

describe("parts that are copied", () => {
  const input = { Bucket: "bucket", Key: "k", CopySource: "bucket/plain", UploadId: "u1", PartNumber: 1 };

  it("are pinned to the plain source that was looked at", async () => {
    const { world } = looking();
    world.store("plain", Buffer.from("plain"));
    await world.send("UploadPartCopy", input, { place: "unseal" });
    expect(sent(world)).toEqual({ ...input, CopySourceIfMatch: etagOf(Buffer.from("plain")) });
    await world.send("SelectObjectContent", { Bucket: "bucket", Key: "plain" }, { place: "unseal" });
    expect(sent(world)).toEqual({ Bucket: "bucket", Key: "plain" });
  });

  it("never go into an upload that was begun sealed", async () => {
    const { world } = looking();
    world.spoil = (output, operation) =>
      operation === "CreateMultipartUpload" ? { UploadId: "u1" } : output;
    await world.send("CreateMultipartUpload", { Bucket: "bucket", Key: "k" });
    world.store("plain", Buffer.from("plain"));
    await expect(world.send("UploadPartCopy", input, { place: "unseal" })).rejects.toMatchObject({
      problem: "unsupported-operation",
    });
  });
});
