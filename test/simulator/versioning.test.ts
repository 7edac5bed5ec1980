/** Versions: what is written, read, deleted and listed in a bucket that keeps them. */
import { beforeEach, describe, expect, it } from "vitest";
import { Bucket as StoredBucket, versionName, type StoredObject } from "../../src/simulator/s3/store.ts";
import { NEW_BUCKET_ENCRYPTION } from "../../src/simulator/s3/default-encryption.ts";
import { errorOf, newBucket, rawExchange, rawHead, type RawAnswer, withSimulator } from "./support.ts";

const fixture = withSimulator({ minimumPartBytes: 1 });
const Key = "k";
let Bucket: string;

const setVersioning = (Status: "Enabled" | "Suspended"): Promise<unknown> =>
  fixture.s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status } });

async function put(Body: string, key = Key): Promise<string | undefined> {
  return (await fixture.s3.putObject({ Bucket, Key: key, Body })).VersionId;
}

async function read(VersionId?: string): Promise<string | undefined> {
  return (await fixture.s3.getObject({ Bucket, Key, VersionId })).Body?.transformToString();
}

/** All versions of the bucket as `key id latest`, delete markers with a cross. */
async function listed(): Promise<string[]> {
  const { Versions = [], DeleteMarkers = [] } = await fixture.s3.listObjectVersions({ Bucket });
  return [
    ...Versions.map(({ Key: key, VersionId, IsLatest }) => `${key} ${VersionId} ${IsLatest}`),
    ...DeleteMarkers.map(({ Key: key, VersionId, IsLatest }) => `x ${key} ${VersionId} ${IsLatest}`),
  ];
}

beforeEach(async () => {
  Bucket = await newBucket(fixture.s3);
});

describe("a bucket that never had versions", () => {
  it("shows none, and knows only the null version", async () => {
    const { s3 } = fixture;
    expect(await put("x")).toBeUndefined();
    expect((await s3.headObject({ Bucket, Key })).VersionId).toBeUndefined();
    expect(await read("null")).toBe("x");
    expect(await listed()).toEqual(["k null true"]);
    expect(await s3.deleteObject({ Bucket, Key, VersionId: "null" })).not.toHaveProperty("VersionId");
    expect(await listed()).toEqual([]);
  });
});

describe("a bucket with versioning", () => {
  beforeEach(() => setVersioning("Enabled"));

  it("says so", async () => {
    expect((await fixture.s3.getBucketVersioning({ Bucket })).Status).toBe("Enabled");
  });

  it("keeps what was written, newest first, each under an id of its own", async () => {
    const first = await put("one");
    const second = await put("two");
    expect(first).toMatch(/^[\w-]{32}$/);
    expect(await read()).toBe("two");
    expect(await read(first)).toBe("one");
    expect((await fixture.s3.headObject({ Bucket, Key, VersionId: first })).VersionId).toBe(first);
    expect(await listed()).toEqual([`k ${second} true`, `k ${first} false`]);
  });

  it("gives ids to copies and to multipart uploads, and says which version was copied", async () => {
    const { s3 } = fixture;
    const first = await put("one");
    await put("two");
    const CopySource = `${Bucket}/${Key}?versionId=${first}`;
    const copy = await s3.copyObject({ Bucket, Key, CopySource });
    expect(copy.CopySourceVersionId).toBe(first);
    expect(await read(copy.VersionId)).toBe("one");
    const { UploadId } = await s3.createMultipartUpload({ Bucket, Key });
    const part = await s3.uploadPartCopy({ Bucket, Key, UploadId, PartNumber: 1, CopySource });
    expect(part.CopySourceVersionId).toBe(first);
    const Parts = [{ PartNumber: 1, ETag: part.CopyPartResult?.ETag }];
    const done = await s3.completeMultipartUpload({ Bucket, Key, UploadId, MultipartUpload: { Parts } });
    expect(await read(done.VersionId)).toBe("one");
    expect(await listed()).toHaveLength(4);
  });

  it("makes a new version of a copy onto itself, and keeps the encryption of the old one", async () => {
    const { s3, key } = fixture;
    const kms = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: key.arn } as const;
    const { VersionId: old } = await s3.putObject({ Bucket, Key, Body: "x", ...kms });
    await s3.copyObject({ Bucket, Key, CopySource: `${Bucket}/${Key}`, ...kms, BucketKeyEnabled: true });
    expect((await s3.headObject({ Bucket, Key })).BucketKeyEnabled).toBe(true);
    expect((await s3.headObject({ Bucket, Key, VersionId: old })).BucketKeyEnabled).toBeUndefined();
  });

  it("updates the encryption of the current version, or of the one that is named, in its place", async () => {
    const { s3, key } = fixture;
    const [first, second, third] = [await put("1"), await put("2"), await put("3")];
    const ObjectEncryption = { SSEKMS: { KMSKeyArn: key.arn, BucketKeyEnabled: true } };
    await s3.updateObjectEncryption({ Bucket, Key, ObjectEncryption });
    await s3.updateObjectEncryption({ Bucket, Key, VersionId: first, ObjectEncryption });
    const flags = [first, second, third].map(
      async (VersionId) => (await s3.headObject({ Bucket, Key, VersionId })).BucketKeyEnabled,
    );
    expect(await Promise.all(flags)).toEqual([true, undefined, true]);
    expect(await listed()).toEqual([`k ${third} true`, `k ${second} false`, `k ${first} false`]);
  });

  it("covers what is deleted with a marker, and shows it again without", async () => {
    const { s3 } = fixture;
    const version = await put("x");
    const { DeleteMarker, VersionId: marker } = await s3.deleteObject({ Bucket, Key });
    expect(DeleteMarker).toBe(true);
    expect(await listed()).toEqual([`k ${version} false`, `x k ${marker} true`]);
    expect((await s3.listObjectsV2({ Bucket })).KeyCount).toBe(0);
    expect(await read(version)).toBe("x");
    expect((await errorOf(s3.deleteBucket({ Bucket }))).name).toBe("BucketNotEmpty");
    const again = await s3.deleteObject({ Bucket, Key, VersionId: marker });
    expect([again.DeleteMarker, again.VersionId]).toEqual([true, marker]);
    expect(await read()).toBe("x");
  });

  it("answers for a delete marker with its headers", async () => {
    await put("x");
    const { VersionId: marker } = await fixture.s3.deleteObject({ Bucket, Key });
    const plain = await rawExchange(fixture.sim, rawHead(`GET /${Bucket}/${Key}`));
    const named = await rawExchange(fixture.sim, rawHead(`GET /${Bucket}/${Key}?versionId=${marker}`));
    const head = await rawExchange(fixture.sim, rawHead(`HEAD /${Bucket}/${Key}`, { connection: "close" }));
    const shown = [plain, named, head].map(({ status, headers }) => [
      status,
      headers["x-amz-delete-marker"],
      headers["x-amz-version-id"],
    ]);
    expect(shown).toEqual([
      [404, "true", marker],
      [405, "true", marker],
      [404, "true", marker],
    ]);
    expect(plain.body).toContain("NoSuchKey");
    expect(named.body).toContain("MethodNotAllowed");
    expect(named.headers["allow"]).toBe("DELETE");
  });

  it("deletes a version for good", async () => {
    const { s3 } = fixture;
    const first = await put("one");
    const second = await put("two");
    await s3.deleteObject({ Bucket, Key, VersionId: second });
    expect(await read()).toBe("one");
    await s3.deleteObject({ Bucket, Key, VersionId: first });
    expect(await listed()).toEqual([]);
    await s3.deleteBucket({ Bucket });
  });

  it("deletes many at once, versions and keys", async () => {
    const { s3 } = fixture;
    const first = await put("one");
    const { Deleted, Errors } = await s3.deleteObjects({
      Bucket,
      Delete: {
        Objects: [{ Key, VersionId: first }, { Key: "absent" }, { Key: "odd", VersionId: "odd" }],
      },
    });
    expect(Deleted).toEqual([
      { Key, VersionId: first },
      { Key: "absent", DeleteMarker: true, DeleteMarkerVersionId: expect.any(String) },
    ]);
    expect(Errors?.map(({ Code }) => Code)).toEqual(["NoSuchVersion"]);
  });

  it.each([
    ["that was never made", "A".repeat(32), 404, "NoSuchVersion"],
    ["that is none", "odd", 400, "InvalidArgument"],
    ["null, when there is none", "null", 404, "NoSuchVersion"],
  ])("has no version %s", async (_says, VersionId, status, code) => {
    await put("x");
    const error = await errorOf(fixture.s3.getObject({ Bucket, Key, VersionId }));
    expect([error.$metadata.httpStatusCode, error.name]).toEqual([status, code]);
    const CopySource = `${Bucket}/${Key}?versionId=${VersionId}`;
    expect((await errorOf(fixture.s3.copyObject({ Bucket, Key: "c", CopySource }))).name).toBe(code);
  });

  it("copies no delete marker", async () => {
    const { s3 } = fixture;
    await put("x");
    const { VersionId } = await s3.deleteObject({ Bucket, Key });
    const from = (CopySource: string) => errorOf(s3.copyObject({ Bucket, Key: "c", CopySource }));
    expect((await from(`${Bucket}/${Key}`)).name).toBe("NoSuchKey");
    expect((await from(`${Bucket}/${Key}?versionId=${VersionId}`)).name).toBe("InvalidRequest");
  });
});

describe("a bucket whose versioning is suspended", () => {
  it("writes the null version over and over, and keeps the others", async () => {
    const { s3 } = fixture;
    await put("before");
    await setVersioning("Enabled");
    const kept = await put("kept");
    await setVersioning("Suspended");
    expect(await put("null 1")).toBe("null");
    expect(await put("null 2")).toBe("null");
    expect(await listed()).toEqual(["k null true", `k ${kept} false`]);
    expect(await read("null")).toBe("null 2");
    const { VersionId, DeleteMarker } = await s3.deleteObject({ Bucket, Key });
    expect([VersionId, DeleteMarker]).toEqual(["null", true]);
    expect(await listed()).toEqual([`k ${kept} false`, "x k null true"]);
    expect((await s3.getBucketVersioning({ Bucket })).Status).toBe("Suspended");
  });

  it("keeps under a new version the null version that was there before versioning was on", async () => {
    await put("before");
    await setVersioning("Enabled");
    const kept = await put("kept");
    expect(await listed()).toEqual([`k ${kept} true`, "k null false"]);
    expect(await read("null")).toBe("before");
  });
});

describe("ListObjectVersions", () => {
  it.each([1, 2, 3, 7])("comes in pages of %i without loss or repeat", async (MaxKeys) => {
    await setVersioning("Enabled");
    for (const key of ["a", "b/1", "b/2", "c"]) {
      for (const body of ["1", "2", "3"]) await put(body, key);
    }
    await fixture.s3.deleteObject({ Bucket, Key: "c" });
    const whole = await listed();
    const paged: string[] = [];
    let markers: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
    for (let pages = 0; ; pages++) {
      expect(pages).toBeLessThan(20);
      const page = await fixture.s3.listObjectVersions({ Bucket, MaxKeys, ...markers });
      for (const { Key: key, VersionId, IsLatest } of page.Versions ?? []) {
        paged.push(`${key} ${VersionId} ${IsLatest}`);
      }
      for (const { Key: key, VersionId, IsLatest } of page.DeleteMarkers ?? []) {
        paged.push(`x ${key} ${VersionId} ${IsLatest}`);
      }
      if (page.IsTruncated !== true) break;
      markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
    expect(paged.toSorted()).toEqual(whole.toSorted());
    expect(whole).toHaveLength(13);
  });

  it("rolls up at the delimiter, after a prefix", async () => {
    const { s3 } = fixture;
    await setVersioning("Enabled");
    for (const key of ["a", "b/1", "b/2", "b/3/x", "c"]) await put("x", key);
    const top = await s3.listObjectVersions({ Bucket, Delimiter: "/" });
    expect(top.Versions?.map(({ Key: key }) => key)).toEqual(["a", "c"]);
    expect(top.CommonPrefixes).toEqual([{ Prefix: "b/" }]);
    const under = await s3.listObjectVersions({ Bucket, Delimiter: "/", Prefix: "b/", MaxKeys: 2 });
    expect(under.Versions?.map(({ Key: key }) => key)).toEqual(["b/1", "b/2"]);
    const rest = await s3.listObjectVersions({
      Bucket,
      Delimiter: "/",
      Prefix: "b/",
      KeyMarker: under.NextKeyMarker,
      VersionIdMarker: under.NextVersionIdMarker,
    });
    expect([rest.Versions ?? [], rest.CommonPrefixes]).toEqual([[], [{ Prefix: "b/3/" }]]);
  });

  it("takes no version marker without a key marker", async () => {
    const error = await errorOf(fixture.s3.listObjectVersions({ Bucket, VersionIdMarker: "null" }));
    expect(error.name).toBe("InvalidArgument");
  });
});

const putVersioning = (content: string): Promise<RawAnswer> => {
  const body = `<VersioningConfiguration>${content}</VersioningConfiguration>`;
  const head = rawHead(`PUT /${Bucket}?versioning`, { "content-length": body.length });
  return rawExchange(fixture.sim, head, body);
};

describe("PutBucketVersioning", () => {
  it.each([
    ["no status", "", 400, "IllegalVersioningConfigurationException"],
    ["another status", "<Status>Off</Status>", 400, "MalformedXML"],
    ["MFA delete", "<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>", 501, "NotImplemented"],
  ])("refuses %s", async (_says, content, status, code) => {
    const answer = await putVersioning(content);
    expect(answer.status).toBe(status);
    expect(answer.body).toContain(`<Code>${code}</Code>`);
    expect((await fixture.s3.getBucketVersioning({ Bucket })).Status).toBeUndefined();
  });
});

const object = (key: string): StoredObject => ({
  key,
  bytes: { pieces: [], length: 0 },
  etag: "e",
  lastModifiedMs: 0,
  headers: {},
  encryption: { algorithm: "AES256", bucketKeyEnabled: false, headers: {} },
});

describe("the store of versions", () => {
  it("agrees with a plain list of versions, whatever is done in whatever order", () => {
    let seed = 7;
    const next = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((seed / 2_147_483_648) * below);
    };
    const bucket = new StoredBucket("b", 0, NEW_BUCKET_ENCRYPTION);
    // Newest first, as a reader sees it.
    let plain: { name: string; marker: boolean }[] = [];
    for (let step = 0; step < 3_000; step++) {
      if (step === 50) bucket.versioning = "Enabled";
      if (step > 50 && next(20) === 0) bucket.versioning = next(2) === 0 ? "Enabled" : "Suspended";
      const kind = next(10);
      if (kind < 5) {
        const name = versionName(bucket.put(object(Key)));
        plain = [{ name, marker: false }, ...plain.filter((version) => version.name !== name)];
      } else if (kind < 7) {
        const marker = bucket.delete(Key, 0);
        const name = marker === undefined ? "null" : versionName(marker);
        plain = plain.filter((version) => version.name !== name);
        if (marker !== undefined) plain.unshift({ name, marker: true });
      } else {
        const name = plain[next(plain.length)]?.name ?? "null";
        bucket.deleteVersion(Key, name);
        plain = plain.filter((version) => version.name !== name);
      }
      const seen = bucket.versions(Key).map((version) => ({
        name: versionName(version),
        marker: "isDeleteMarker" in version,
      }));
      expect(seen).toEqual(plain);
      expect(bucket.get(Key) !== undefined).toBe(plain[0]?.marker === false);
      expect(bucket.isEmpty).toBe(plain.length === 0);
      expect(bucket.sortedKeysWithOlder()).toEqual(plain.length === 0 ? [] : [Key]);
      expect(bucket.sortedKeys()).toEqual(plain[0]?.marker === false ? [Key] : []);
    }
  });
});
