import { isDeleteMarker, type StoredObject, type Version } from "./store.ts";
import { isEncrypted, type StoredEncryption } from "./stored-encryption.ts";

/**
 * An optional field of S3 Inventory.
 *
 * @public
 */
export type InventoryField =
  | "Size"
  | "LastModifiedDate"
  | "ETag"
  | "StorageClass"
  | "IsMultipartUploaded"
  | "ReplicationStatus"
  | "EncryptionStatus"
  | "BucketKeyStatus"
  | "ChecksumAlgorithm";

export interface InventoryColumn {
  readonly name: string;
  readonly cell: (version: Version, isLatest: boolean) => string;
}

interface ColumnOptions {
  readonly bucket: string;
  readonly fields: readonly InventoryField[];
  readonly versions: "Current" | "All";
  readonly withoutKms: string;
}

type ObjectCell = (object: StoredObject, withoutKms: string) => string;

/** In the order of S3's schema. */
const CELLS: { readonly [Field in InventoryField]: ObjectCell } = {
  Size: (object) => String(object.bytes.length),
  LastModifiedDate: (object) => new Date(object.lastModifiedMs).toISOString(),
  ETag: (object) => object.etag,
  StorageClass: (object) => object.headers["x-amz-storage-class"] ?? "STANDARD",
  IsMultipartUploaded: (object) => String(object.parts !== undefined),
  ReplicationStatus: (object) => object.replicationStatus ?? "",
  EncryptionStatus: (object) => encryptionStatus(object.encryption),
  BucketKeyStatus: (object, withoutKms) => bucketKeyStatus(object.encryption, withoutKms),
  ChecksumAlgorithm: (object) => object.checksum?.algorithm ?? "",
};

export const INVENTORY_FIELDS: readonly InventoryField[] = Object.keys(CELLS) as InventoryField[];

/** The columns of a report; S3 decides their order. */
export function inventoryColumns({
  bucket,
  fields,
  versions,
  withoutKms,
}: ColumnOptions): readonly InventoryColumn[] {
  const chosen = INVENTORY_FIELDS.filter((field) => fields.includes(field));
  return [
    { name: "Bucket", cell: () => bucket },
    { name: "Key", cell: ({ key }) => encodedKey(key) },
    ...(versions === "All" ? VERSION_COLUMNS : []),
    ...chosen.map((field) => ({ name: field, cell: cellOf(field, withoutKms) })),
  ];
}

const VERSION_COLUMNS: readonly InventoryColumn[] = [
  // The null version has none.
  { name: "VersionId", cell: ({ versionId }) => versionId ?? "" },
  { name: "IsLatest", cell: (_, isLatest) => String(isLatest) },
  { name: "IsDeleteMarker", cell: (version) => String(isDeleteMarker(version)) },
];

/** A delete marker has a date, and nothing else that an object has. */
function cellOf(field: InventoryField, withoutKms: string): InventoryColumn["cell"] {
  return (version) => {
    if (!isDeleteMarker(version)) return CELLS[field](version, withoutKms);
    return field === "LastModifiedDate" ? new Date(version.lastModifiedMs).toISOString() : "";
  };
}

/** URL-encoded but for slashes; space and plus so that readers who take plus for space and others agree. */
function encodedKey(key: string): string {
  return encodeURIComponent(key).replaceAll("%2F", "/");
}

function encryptionStatus(encryption: StoredEncryption): string {
  if (encryption.customerKeyMd5 !== undefined) return "SSE-C";
  if (!isEncrypted(encryption)) return "NOT-SSE";
  return STATUS[encryption.algorithm] ?? encryption.algorithm;
}

const STATUS: Readonly<Record<string, string>> = {
  AES256: "SSE-S3",
  "aws:kms": "SSE-KMS",
  "aws:kms:dsse": "DSSE-KMS",
};

function bucketKeyStatus({ algorithm, bucketKeyEnabled }: StoredEncryption, withoutKms: string): string {
  if (algorithm !== "aws:kms") return withoutKms;
  return bucketKeyEnabled ? "ENABLED" : "DISABLED";
}
