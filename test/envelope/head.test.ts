import { describe, expect, it } from "vitest";
import { V1, V2, V2_CBC, V2_KMS, V3, without } from "./envelope-samples.ts";
import { World } from "./world.ts";

type Metadata = Record<string, string>;

const noted = (of: Metadata, bytes: number | string): Metadata => ({
  ...of,
  "x-amz-unencrypted-content-length": String(bytes),
});
const c_d_i: Metadata = without(V3, "x-amz-3", "x-amz-w", "x-amz-t");

async function headOf(
  output: Record<string, unknown>,
  input: Record<string, unknown> = {},
  place: "seal" | "unseal" = "seal",
): Promise<unknown> {
  const world = new World();
  world.store("k", Buffer.alloc(0));
  world.spoil = () => output;
  const result = await world.send("HeadObject", { Bucket: "bucket", Key: "k", ...input }, { place });
  return (result.output as Record<string, unknown>)["ContentLength"];
}

describe("HeadObject", () => {
  it.each<[string, Metadata | undefined, number, number]>([
    ["V3", V3, 100, 84],
    ["empty V3", V3, 16, 0],
    ["damaged V3, shorter than a tag", V3, 15, 15],
    ["V3 with an instruction file", c_d_i, 100, 84],
    ["V2", V2, 100, 84],
    ["V2 under kms", V2_KMS, 100, 84],
    ["V2 in CBC", V2_CBC, 112, 112],
    ["V2 in CBC with a note", noted(V2_CBC, 100), 112, 100],
    ["V1", V1, 112, 112],
    ["V1 with a note", noted(V1, 111), 112, 111],
    ["V1 with the least that can be", noted(V1, 96), 112, 96],
    ["V1 with a note that can't be: no padding", noted(V1, 112), 112, 112],
    ["V1 with a note that can't be: too long", noted(V1, 113), 112, 112],
    ["V1 with a note that can't be: too short", noted(V1, 95), 112, 112],
    ["damaged", without(V3, "x-amz-d"), 100, 100],
    ["plain", { color: "red" }, 100, 100],
    ["plain without metadata", undefined, 100, 100],
  ])("of a %s object", async (_, metadata, stored, told) => {
    for (const place of ["seal", "unseal"] as const) {
      expect(await headOf({ ContentLength: stored, Metadata: metadata }, {}, place)).toBe(told);
    }
  });

  it.each([{ Range: "bytes=0-1" }, { PartNumber: 1 }])("leaves the length of a part: %j", async (input) => {
    expect(await headOf({ ContentLength: 50, Metadata: V3 }, input)).toBe(50);
  });

  it.each([{ Range: null }, { PartNumber: null }])("takes %j for none", async (input) => {
    expect(await headOf({ ContentLength: 50, Metadata: V3 }, input)).toBe(34);
  });

  it("leaves an answer without a length, such as a presigner's", async () => {
    const world = new World();
    const presigned = { presigned: {} };
    world.store("k", Buffer.alloc(0));
    world.spoil = () => presigned;
    const { output } = await world.send("HeadObject", { Bucket: "bucket", Key: "k" }, { presigning: true });
    expect(output).toBe(presigned);
  });

  it("keeps all else, asks KMS nothing, and works when the sealer was closed", async () => {
    const world = new World();
    await world.put("k", "dear Ada", { Metadata: { color: "red" } });
    await world.sealer.close();
    const result = await world.send("HeadObject", { Bucket: "bucket", Key: "k" });
    expect(result).toMatchObject({
      response: { statusCode: 200 },
      output: { ContentLength: 8, Metadata: { color: "red", "x-amz-c": "115" }, ETag: expect.any(String) },
    });
    expect(world.keyring.calls).toEqual(["generate"]);
  });

  it("throws what S3 throws, and nothing else", async () => {
    await expect(new World().send("HeadObject", { Bucket: "bucket", Key: "missing" })).rejects.toThrow(
      "NoSuchKey",
    );
    const odd = { "x-amz-3": 5, "X-AMZ-3": {}, "x-amz-t": "{" } as unknown as Metadata;
    expect(await headOf({ ContentLength: 100, Metadata: odd })).toBe(100);
  });
});
