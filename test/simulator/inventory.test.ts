/** S3 Inventory (section 9): manifest and data files as S3 delivers them, with what they say of bucket keys. */
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import type { InventoryOptions, InventoryReport } from "../../src/simulator/index.ts";
import { newBucket, withSimulator } from "./support.ts";

const fixture = withSimulator({ minimumPartBytes: 1 });
let Bucket: string;

beforeEach(async () => {
  Bucket = await newBucket(fixture.s3, { BlockedEncryptionTypes: { EncryptionType: ["NONE"] } });
});

function bodyOf({ files }: InventoryReport, key: string): Buffer {
  return Buffer.from(files.find((file) => file.key === key)?.body ?? "");
}

/** All data files of a report as one text. */
function csvOf(report: InventoryReport): string {
  return report.manifest.files.map(({ key }) => gunzipSync(bodyOf(report, key)).toString()).join("");
}

/** Rows by the names of the schema: no cell of these tests holds a comma or a quotation mark. */
function rowsOf(report: InventoryReport): Record<string, string>[] {
  const names = report.manifest.fileSchema.split(", ");
  return csvOf(report)
    .trimEnd()
    .split("\n")
    .map((line) => {
      const cells = line.split(",").map((cell) => cell.slice(1, -1));
      expect(cells).toHaveLength(names.length);
      return Object.fromEntries(names.map((name, at) => [name, cells[at] as string]));
    });
}

const put = (Key: string, asked: object = {}): Promise<{ VersionId?: string | undefined }> =>
  fixture.s3.putObject({ Bucket, Key, Body: "x", ...asked });

/** One object per way to be encrypted, its key the way. */
async function putAll(): Promise<void> {
  await put("s3");
  await put("kms", { ServerSideEncryption: "aws:kms" });
  await put("kms-bucket-key", { ServerSideEncryption: "aws:kms", BucketKeyEnabled: true });
  await put("dsse", { ServerSideEncryption: "aws:kms:dsse" });
  await put("customer", { SSECustomerAlgorithm: "AES256", SSECustomerKey: "k".repeat(32) });
  fixture.sim.putUnencryptedObject(Bucket, "none", "x");
}

describe("what a report says of encryption", () => {
  it.each([
    ["by default", {}, "DISABLED"],
    ["with an empty status elsewhere (U9)", { bucketKeyStatusWithoutKms: "" }, ""],
  ] as const)("%s", async (_says, options, elsewhere) => {
    await putAll();
    const fields = ["EncryptionStatus", "BucketKeyStatus"] as const;
    const report = fixture.sim.inventory(Bucket, { fields, ...options });
    expect(report.manifest.fileSchema).toBe("Bucket, Key, EncryptionStatus, BucketKeyStatus");
    const found = rowsOf(report).map((row) => [row["Key"], row["EncryptionStatus"], row["BucketKeyStatus"]]);
    expect(found).toEqual([
      ["customer", "SSE-C", elsewhere],
      ["dsse", "DSSE-KMS", elsewhere],
      ["kms", "SSE-KMS", "DISABLED"],
      ["kms-bucket-key", "SSE-KMS", "ENABLED"],
      ["none", "NOT-SSE", elsewhere],
      ["s3", "SSE-S3", elsewhere],
    ]);
  });
});

describe("the data files", () => {
  it("have every field in S3's order, whatever the order they were asked in", async () => {
    const { sim, s3 } = fixture;
    const { UploadId } = await s3.createMultipartUpload({
      Bucket,
      Key: "parts",
      ChecksumAlgorithm: "SHA256",
    });
    const upload = { Bucket, Key: "parts", UploadId };
    const part = await s3.uploadPart({ ...upload, PartNumber: 1, Body: "abc", ChecksumAlgorithm: "SHA256" });
    const { ETag } = await s3.completeMultipartUpload({
      ...upload,
      MultipartUpload: { Parts: [{ PartNumber: 1, ETag: part.ETag }] },
    });
    const { LastModified } = await s3.headObject({ Bucket, Key: "parts" });
    const [row] = rowsOf(sim.inventory(Bucket));
    expect(row).toEqual({
      Bucket,
      Key: "parts",
      Size: "3",
      LastModifiedDate: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      ETag: ETag?.replaceAll('"', ""),
      StorageClass: "STANDARD",
      IsMultipartUploaded: "true",
      ReplicationStatus: "",
      EncryptionStatus: "SSE-S3",
      BucketKeyStatus: "DISABLED",
      ChecksumAlgorithm: "SHA256",
    });
    expect(row?.["LastModifiedDate"]?.slice(0, 19)).toBe(LastModified?.toISOString().slice(0, 19));
    const fields = ["BucketKeyStatus", "Size", "ETag"] as const;
    expect(sim.inventory(Bucket, { fields }).manifest.fileSchema).toBe(
      "Bucket, Key, Size, ETag, BucketKeyStatus",
    );
  });

  it.each([
    ["a b+c", "a%20b%2Bc"],
    ['quote"comma,', "quote%22comma%2C"],
    ["dir/é\n", "dir/%C3%A9%0A"],
    ["100%", "100%25"],
  ])("write the key %j as %s, between quotation marks", async (key, written) => {
    await put(key);
    expect(csvOf(fixture.sim.inventory(Bucket, { fields: [] }))).toBe(`"${Bucket}","${written}"\n`);
  });

  it("list current objects, or all versions and delete markers", async () => {
    const { sim, s3 } = fixture;
    await put("old");
    await s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled" } });
    const { VersionId } = await put("old", { ServerSideEncryption: "aws:kms", BucketKeyEnabled: true });
    await put("gone");
    const { VersionId: marker } = await s3.deleteObject({ Bucket, Key: "gone" });
    const fields = ["EncryptionStatus", "BucketKeyStatus"] as const;
    expect(rowsOf(sim.inventory(Bucket, { fields })).map((row) => row["Key"])).toEqual(["old"]);
    const report = sim.inventory(Bucket, { fields, versions: "All" });
    expect(report.manifest.fileSchema).toBe(
      "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, EncryptionStatus, BucketKeyStatus",
    );
    expect(rowsOf(report).map((row) => Object.values(row).slice(1))).toEqual([
      ["gone", marker, "true", "true", "", ""],
      ["gone", expect.stringMatching(/^[\w-]{32}$/), "false", "false", "SSE-S3", "DISABLED"],
      ["old", VersionId, "true", "false", "SSE-KMS", "ENABLED"],
      ["old", "", "false", "false", "SSE-S3", "DISABLED"],
    ]);
  });

  it("are as many as it takes, and one for an empty bucket", async () => {
    const { sim } = fixture;
    expect(csvOf(sim.inventory(Bucket))).toBe("");
    expect(sim.inventory(Bucket).manifest.files).toHaveLength(1);
    for (const key of ["a", "b", "c"]) await put(key);
    const report = sim.inventory(Bucket, { recordsPerFile: 2 });
    expect(report.manifest.files).toHaveLength(2);
    expect(rowsOf(report).map((row) => row["Key"])).toEqual(["a", "b", "c"]);
  });
});

describe("the manifest", () => {
  it("names bucket, time, schema and the data files with their sums", async () => {
    const { sim } = fixture;
    await put("a");
    const report = sim.inventory(Bucket, { destinationPrefix: "reports", id: "weekly" });
    const { manifest, manifestKey, files } = report;
    const folder = `reports/${Bucket}/weekly`;
    expect(manifestKey).toMatch(
      new RegExp(`^${folder}/\\d{4}-\\d\\d-\\d\\dT\\d\\d-\\d\\dZ/manifest\\.json$`),
    );
    const body = bodyOf(report, manifestKey);
    expect(JSON.parse(body.toString())).toEqual(manifest);
    const [data] = manifest.files;
    expect(manifest).toEqual({
      sourceBucket: Bucket,
      destinationBucket: `arn:aws:s3:::${Bucket}`,
      version: "2016-11-30",
      creationTimestamp: expect.stringMatching(/^\d{13}$/),
      fileFormat: "CSV",
      fileSchema: expect.stringMatching(/^Bucket, Key, Size, /),
      files: [
        {
          key: expect.stringMatching(`^${folder}/data/[0-9a-f-]{36}\\.csv\\.gz$`),
          size: expect.any(Number),
          MD5checksum: expect.any(String),
        },
      ],
    });
    const bytes = bodyOf(report, data?.key ?? "");
    expect([data?.size, data?.MD5checksum]).toEqual([
      bytes.length,
      createHash("md5").update(bytes).digest("hex"),
    ]);
    const checksum = bodyOf(report, manifestKey.replace(/json$/, "checksum")).toString();
    expect(checksum).toBe(createHash("md5").update(body).digest("hex"));
    const symlink = files.at(-1);
    expect(symlink?.key).toMatch(/\/hive\/dt=\d{4}-\d\d-\d\d-\d\d-\d\d\/symlink\.txt$/);
    expect(Buffer.from(symlink?.body ?? "").toString()).toBe(`s3://${Bucket}/${data?.key}`);
  });

  it("lies with its files in the destination, where a client finds them", async () => {
    const { sim, s3 } = fixture;
    await put("a", { ServerSideEncryption: "aws:kms" });
    sim.createBucket(`${Bucket}-reports`);
    sim.resetKmsRequests();
    const report = sim.inventory(Bucket, { destination: `${Bucket}-reports` });
    expect(sim.kmsRequestCount()).toBe(0);
    expect(report.manifest.destinationBucket).toBe(`arn:aws:s3:::${Bucket}-reports`);
    for (const { key, body } of report.files) {
      const found = await s3.getObject({ Bucket: `${Bucket}-reports`, Key: key });
      expect(Buffer.from((await found.Body?.transformToByteArray()) ?? [])).toEqual(Buffer.from(body));
      expect(found.ServerSideEncryption).toBe("AES256");
    }
  });

  it("is the same for the same bucket at the same time", async () => {
    await put("a");
    expect(fixture.sim.inventory(Bucket)).toEqual(fixture.sim.inventory(Bucket));
  });
});

describe("options out of range", () => {
  it.each<[string, object, RegExp]>([
    ["a field that is none", { fields: ["KmsKeyArn"] }, /KmsKeyArn is no field; there are Size, /],
    ["another format", { format: "ORC" }, /CSV only/],
    ["no record per file", { recordsPerFile: 0 }, /recordsPerFile/],
  ])("%s", (_says, options, message) => {
    expect(() => fixture.sim.inventory(Bucket, options as InventoryOptions)).toThrow(message);
  });

  it("a bucket that is not there", () => {
    const missing = expect.objectContaining({ code: "NoSuchBucket" });
    expect(() => fixture.sim.inventory("absent")).toThrow(missing);
    expect(() => fixture.sim.inventory(Bucket, { destination: "absent" })).toThrow(missing);
  });
});
