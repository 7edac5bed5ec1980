/** S3 Inventory: the files of one report, as S3 delivers them to a bucket. Only in CSV. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { INVENTORY_FIELDS, inventoryColumns, type InventoryField } from "./inventory-columns.ts";
import { bucketOf, type S3State } from "./state.ts";
import { isDeleteMarker, type Bucket, type Version } from "./store.ts";
import { storedEncryption } from "./stored-encryption.ts";

/**
 * Options of {@link Simulator.inventory}; each may be left out.
 *
 * @public
 */
export interface InventoryOptions {
  /** Optional fields; their columns stand in S3's order, whatever the order here. @defaultValue all */
  readonly fields?: readonly InventoryField[];
  /** ORC and Parquet are not made. @defaultValue "CSV" */
  readonly format?: "CSV";
  /**
   * `All` lists old versions and delete markers too, with the columns VersionId, IsLatest and IsDeleteMarker.
   *
   * @defaultValue "Current"
   */
  readonly versions?: "Current" | "All";
  /** A bucket of the simulator that gets the files, encrypted with SSE-S3. Left out: they are only returned. */
  readonly destination?: string;
  /** In front of the keys of the files, without a slash at its end. @defaultValue none */
  readonly destinationPrefix?: string;
  /** Id of the inventory configuration, a part of the keys. @defaultValue "inventory" */
  readonly id?: string;
  /**
   * What `BucketKeyStatus` says of objects that are not under SSE-KMS: AWS documents `ENABLED` and `DISABLED` only, and
   * nobody has shown such a row (U9). @defaultValue "DISABLED", presumed
   */
  readonly bucketKeyStatusWithoutKms?: "DISABLED" | "";
  /** More objects make another data file. @defaultValue 1,000,000 */
  readonly recordsPerFile?: number;
}

/**
 * A report of S3 Inventory (simulated).
 *
 * @public
 */
export interface InventoryReport {
  /** Key of `manifest.json`. */
  readonly manifestKey: string;
  /** What stands in it. */
  readonly manifest: InventoryManifest;
  /** Data files, `manifest.json`, `manifest.checksum` and Hive's `symlink.txt`. */
  readonly files: readonly { readonly key: string; readonly body: Uint8Array }[];
}

/**
 * `manifest.json` of a report.
 *
 * @public
 */
export interface InventoryManifest {
  /** Name of the bucket that is listed. */
  readonly sourceBucket: string;
  /** ARN of the bucket of the report. */
  readonly destinationBucket: string;
  /** Version of the format. */
  readonly version: "2016-11-30";
  /** Milliseconds since 1970, of the simulator's clock. */
  readonly creationTimestamp: string;
  /** Format of the data files. */
  readonly fileFormat: "CSV";
  /** The columns: `Bucket, Key, Size`. */
  readonly fileSchema: string;
  /** The data files; `size` in bytes. */
  readonly files: readonly { readonly key: string; readonly size: number; readonly MD5checksum: string }[];
}

/**
 * The report of a bucket as it is now; the same bucket at the same time gives the same one.
 *
 * @throws `S3Error` 404 `NoSuchBucket`; `RangeError` for an option out of range.
 */
export function inventoryOf(state: S3State, name: string, options: InventoryOptions = {}): InventoryReport {
  checkOptions(options);
  const bucket = bucketOf(state, name);
  const destination = options.destination === undefined ? undefined : bucketOf(state, options.destination);
  const {
    destinationPrefix = "",
    id = "inventory",
    versions = "Current",
    recordsPerFile = 1_000_000,
  } = options;
  const folder = `${destinationPrefix === "" ? "" : `${destinationPrefix}/`}${name}/${id}`;
  const columns = inventoryColumns({
    bucket: name,
    fields: options.fields ?? INVENTORY_FIELDS,
    versions,
    withoutKms: options.bucketKeyStatusWithoutKms ?? "DISABLED",
  });
  const lines = [...rowsOf(bucket, versions)].map(
    ({ version, isLatest }) =>
      `${columns.map(({ cell }) => `"${cell(version, isLatest).replaceAll('"', '""')}"`).join(",")}\n`,
  );
  const data = chunks(lines, recordsPerFile).map((chunk, index) => {
    const body = gzipSync(chunk.join(""));
    return { key: `${folder}/data/${fileId(name, index, chunk)}.csv.gz`, body };
  });
  const manifest: InventoryManifest = {
    sourceBucket: name,
    destinationBucket: `arn:aws:s3:::${options.destination ?? name}`,
    version: "2016-11-30",
    creationTimestamp: String(state.clock.nowMs()),
    fileFormat: "CSV",
    fileSchema: columns.map((column) => column.name).join(", "),
    files: data.map(({ key, body }) => ({ key, size: body.length, MD5checksum: md5(body) })),
  };
  const minute = new Date(state.clock.nowMs()).toISOString().slice(0, 16).replace(":", "-");
  const manifestKey = `${folder}/${minute}Z/manifest.json`;
  const manifestBody = Buffer.from(JSON.stringify(manifest, undefined, 2));
  const files = [
    ...data,
    { key: manifestKey, body: manifestBody },
    { key: `${folder}/${minute}Z/manifest.checksum`, body: Buffer.from(md5(manifestBody)) },
    {
      key: `${folder}/hive/dt=${minute.replace("T", "-")}/symlink.txt`,
      body: Buffer.from(data.map(({ key }) => `s3://${options.destination ?? name}/${key}`).join("\n")),
    },
  ];
  if (destination !== undefined) for (const file of files) deliver(state, destination, file);
  return { manifestKey, manifest, files };
}

function checkOptions({ format = "CSV", fields = [], recordsPerFile = 1 }: InventoryOptions): void {
  if (format !== "CSV") throw new RangeError(`inventory() makes CSV only: ${String(format)}`);
  const odd = fields.find((field) => !INVENTORY_FIELDS.includes(field));
  if (odd !== undefined) {
    throw new RangeError(`${odd} is no field; there are ${INVENTORY_FIELDS.join(", ")}`);
  }
  if (!Number.isInteger(recordsPerFile) || recordsPerFile < 1) {
    throw new RangeError(`recordsPerFile must be a whole number above zero: ${recordsPerFile}`);
  }
}

function* rowsOf(
  bucket: Bucket,
  versions: "Current" | "All",
): Generator<{ version: Version; isLatest: boolean }> {
  for (const key of bucket.sortedKeysWithOlder()) {
    let isLatest = true;
    for (const version of bucket.versions(key)) {
      if (versions === "All" || (isLatest && !isDeleteMarker(version))) yield { version, isLatest };
      isLatest = false;
    }
  }
}

/** An empty bucket has one empty file. */
function chunks(lines: readonly string[], size: number): readonly (readonly string[])[] {
  if (lines.length === 0) return [[]];
  const count = Math.ceil(lines.length / size);
  return Array.from({ length: count }, (_, index) => lines.slice(index * size, (index + 1) * size));
}

/** A UUID by its looks. */
function fileId(bucket: string, index: number, lines: readonly string[]): string {
  const hash = createHash("sha256").update(`${bucket}\n${index}\n`);
  for (const line of lines) hash.update(line);
  return hash
    .digest("hex")
    .slice(0, 32)
    .replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-8$4-$5");
}

function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

function deliver(
  state: S3State,
  bucket: Bucket,
  { key, body }: { readonly key: string; readonly body: Buffer },
): void {
  bucket.put({
    key,
    bytes: { pieces: [body], length: body.length },
    etag: md5(body),
    lastModifiedMs: state.clock.nowMs(),
    headers: { "content-type": "binary/octet-stream" },
    encryption: storedEncryption({ algorithm: "AES256", bucketKeyEnabled: false }),
  });
}
