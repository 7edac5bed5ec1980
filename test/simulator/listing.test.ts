/** Buckets and listings: pages, prefixes, delimiters, order. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { compareUtf8 } from "../../src/simulator/s3/store.ts";
import { errorOf, newBucket, withSimulator } from "./support.ts";

const fixture = withSimulator();
let Bucket: string;
const KEYS = ["a", "b/1", "b/2", "b/c/3", "b0", "d e", "z/9"];
beforeAll(async () => {
  Bucket = await newBucket(fixture.s3);
  for (const Key of KEYS.toReversed()) await fixture.s3.putObject({ Bucket, Key, Body: Key });
});

/** Names and rolled-up prefixes of all pages, in order, and how many pages there were. */
async function pages(query: object): Promise<{ names: string[]; pages: number }> {
  const names: string[] = [];
  let token: string | undefined;
  let count = 0;
  do {
    const page = await fixture.s3.listObjectsV2({ Bucket, ContinuationToken: token, ...query });
    names.push(...(page.Contents ?? []).map(({ Key = "" }) => Key));
    names.push(...(page.CommonPrefixes ?? []).map(({ Prefix = "" }) => Prefix));
    expect(page.KeyCount).toBe((page.Contents?.length ?? 0) + (page.CommonPrefixes?.length ?? 0));
    token = page.NextContinuationToken;
    expect(page.IsTruncated).toBe(token !== undefined);
    count++;
  } while (token !== undefined);
  return { names: names.toSorted(), pages: count };
}

describe("ListObjectsV2", () => {
  it.each([1, 2, 3, 7, 1_000])("gives every key once, in pages of %i", async (MaxKeys) => {
    const found = await pages({ MaxKeys });
    expect(found).toEqual({ names: KEYS, pages: Math.ceil(KEYS.length / MaxKeys) });
  });

  it.each([
    [{ Prefix: "b" }, ["b/1", "b/2", "b/c/3", "b0"]],
    [{ Prefix: "b/" }, ["b/1", "b/2", "b/c/3"]],
    [{ Prefix: "nothing" }, []],
    [{ Delimiter: "/" }, ["a", "b/", "b0", "d e", "z/"]],
    [{ Delimiter: "/", Prefix: "b/" }, ["b/1", "b/2", "b/c/"]],
    [{ Delimiter: "/c/" }, ["a", "b/1", "b/2", "b/c/", "b0", "d e", "z/9"]],
    [{ StartAfter: "b/2" }, ["b/c/3", "b0", "d e", "z/9"]],
    [{ StartAfter: "b/2", Delimiter: "/", Prefix: "b/" }, ["b/c/"]],
    [{ StartAfter: "a", Prefix: "z" }, ["z/9"]],
    [{ StartAfter: "zz" }, []],
  ])("with %o gives %o, in pages of any size", async (query, names) => {
    for (const MaxKeys of [1, 2, 1_000]) {
      expect((await pages({ ...query, MaxKeys })).names).toEqual(names);
    }
  });

  it("gives nothing for pages of none", async () => {
    const page = await fixture.s3.listObjectsV2({ Bucket, MaxKeys: 0 });
    expect([page.KeyCount, page.IsTruncated]).toEqual([0, false]);
  });

  it("encodes names when asked to", async () => {
    const page = await fixture.s3.listObjectsV2({ Bucket, Prefix: "d ", EncodingType: "url" });
    expect([page.Prefix, page.Contents?.[0]?.Key]).toEqual(["d%20", "d%20e"]);
  });

  it("says nothing of encryption, and shows the owner when asked to", async () => {
    const page = await fixture.s3.listObjectsV2({ Bucket, Prefix: "a", FetchOwner: true });
    expect(Object.keys(page.Contents?.[0] ?? {}).toSorted()).toEqual([
      "ChecksumAlgorithm",
      "ChecksumType",
      "ETag",
      "Key",
      "LastModified",
      "Owner",
      "Size",
      "StorageClass",
    ]);
  });

  it.each([[{ ContinuationToken: "!" }], [{ MaxKeys: -1 }], [{ EncodingType: "base64" as "url" }]])(
    "refuses %o",
    async (query) => {
      expect((await errorOf(fixture.s3.listObjectsV2({ Bucket, ...query }))).name).toBe("InvalidArgument");
    },
  );

  it("passes over a long rolled-up prefix in one step of a page", async () => {
    const { s3 } = fixture;
    const many = await newBucket(s3);
    await Promise.all(
      Array.from({ length: 60 }, (_, i) => s3.putObject({ Bucket: many, Key: `p/${i}`, Body: "x" })),
    );
    await s3.putObject({ Bucket: many, Key: "q", Body: "x" });
    const first = await s3.listObjectsV2({ Bucket: many, Delimiter: "/", MaxKeys: 1 });
    const second = await s3.listObjectsV2({
      Bucket: many,
      Delimiter: "/",
      MaxKeys: 1,
      ContinuationToken: first.NextContinuationToken,
    });
    expect(first.CommonPrefixes?.map(({ Prefix }) => Prefix)).toEqual(["p/"]);
    expect([second.Contents?.map(({ Key }) => Key), second.CommonPrefixes, second.IsTruncated]).toEqual([
      ["q"],
      undefined,
      false,
    ]);
  });
});

describe("ListObjects, the older one", () => {
  it("goes on from its marker", async () => {
    const { s3 } = fixture;
    const first = await s3.listObjects({ Bucket, MaxKeys: 3, Delimiter: "/" });
    expect([first.NextMarker, first.IsTruncated]).toEqual(["b0", true]);
    const second = await s3.listObjects({ Bucket, Marker: first.NextMarker, Delimiter: "/" });
    expect(second.Contents?.map(({ Key }) => Key)).toEqual(["d e"]);
    expect(second.CommonPrefixes?.map(({ Prefix }) => Prefix)).toEqual(["z/"]);
  });
});

describe("the order of keys", () => {
  it("is that of their UTF-8 bytes", () => {
    const key = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });

  it("puts what is beyond U+FFFF last, where UTF-16 would not", async () => {
    const { s3 } = fixture;
    const odd = await newBucket(s3);
    for (const Key of ["😀", "\uff5e", "é", "z"]) await s3.putObject({ Bucket: odd, Key, Body: "x" });
    const list = await s3.listObjectsV2({ Bucket: odd });
    expect(list.Contents?.map(({ Key }) => Key)).toEqual(["z", "é", "\uff5e", "😀"]);
  });
});

describe("deleting", () => {
  it("one object, there or not, succeeds", async () => {
    const { s3 } = fixture;
    const own = await newBucket(s3);
    await s3.putObject({ Bucket: own, Key: "k", Body: "x" });
    await s3.deleteObject({ Bucket: own, Key: "k" });
    await s3.deleteObject({ Bucket: own, Key: "k" });
    expect((await s3.listObjectsV2({ Bucket: own })).KeyCount).toBe(0);
  });

  it("many objects at once tells which, unless quiet", async () => {
    const { s3 } = fixture;
    const own = await newBucket(s3);
    for (const Key of ["a & <b>", "c", "stays"]) await s3.putObject({ Bucket: own, Key, Body: "x" });
    const loud = await s3.deleteObjects({
      Bucket: own,
      Delete: { Objects: [{ Key: "a & <b>" }, { Key: "gone" }] },
    });
    expect(loud.Deleted?.map(({ Key }) => Key)).toEqual(["a & <b>", "gone"]);
    const quiet = await s3.deleteObjects({ Bucket: own, Delete: { Objects: [{ Key: "c" }], Quiet: true } });
    expect(quiet.Deleted).toBeUndefined();
    expect((await s3.listObjectsV2({ Bucket: own })).Contents?.map(({ Key }) => Key)).toEqual(["stays"]);
  });
});

describe("buckets", () => {
  it("are made, seen, listed and deleted when they are empty", async () => {
    const { s3 } = fixture;
    const own = await newBucket(s3);
    expect((await s3.headBucket({ Bucket: own })).BucketRegion).toBe("eu-west-1");
    expect((await s3.listBuckets()).Buckets?.map(({ Name }) => Name)).toContain(own);
    await s3.putObject({ Bucket: own, Key: "k", Body: "x" });
    expect((await errorOf(s3.deleteBucket({ Bucket: own }))).name).toBe("BucketNotEmpty");
    await s3.deleteObject({ Bucket: own, Key: "k" });
    await s3.deleteBucket({ Bucket: own });
    expect((await errorOf(s3.headBucket({ Bucket: own }))).name).toBe("NotFound");
  });

  it("are listed in pages, by prefix and by region", async () => {
    const { sim, s3 } = fixture;
    for (const name of ["page-a", "page-b", "page-c"]) sim.createBucket(name);
    const first = await s3.listBuckets({ Prefix: "page-", MaxBuckets: 2 });
    expect(first.Buckets?.map(({ Name }) => Name)).toEqual(["page-a", "page-b"]);
    const ContinuationToken = first.ContinuationToken;
    const second = await s3.listBuckets({ Prefix: "page-", MaxBuckets: 2, ContinuationToken });
    expect(second.Buckets?.map(({ Name }) => Name)).toEqual(["page-c"]);
    expect(second.ContinuationToken).toBeUndefined();
    expect((await s3.listBuckets({ BucketRegion: "us-west-2" })).Buckets ?? []).toEqual([]);
  });

  it("say where they are, and that they keep no versions", async () => {
    const { s3 } = fixture;
    expect((await s3.getBucketLocation({ Bucket })).LocationConstraint).toBe("eu-west-1");
    expect((await s3.getBucketVersioning({ Bucket })).Status).toBeUndefined();
  });

  it.each([
    ["a name that is taken", () => Bucket, "BucketAlreadyOwnedByYou"],
    ["capitals", () => "Upper-Case", "InvalidBucketName"],
    ["two characters", () => "ab", "InvalidBucketName"],
    ["two dots", () => "a..b", "InvalidBucketName"],
  ])("are refused: %s", async (_says, name, code) => {
    expect((await errorOf(fixture.s3.createBucket({ Bucket: name() }))).name).toBe(code);
  });

  it("of another region are refused", async () => {
    const CreateBucketConfiguration = { LocationConstraint: "us-west-2" } as const;
    const error = await errorOf(fixture.s3.createBucket({ Bucket: "elsewhere", CreateBucketConfiguration }));
    expect(error.name).toBe("IllegalLocationConstraintException");
  });
});
