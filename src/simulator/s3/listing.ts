/** ListObjectsV2, ListObjects, ListMultipartUploads, ListParts: pages over sorted names. */
import type { Answer, S3Call } from "./call.ts";
import { uploadOf } from "./multipart.ts";
import { pageSize } from "./page-size.ts";
import { invalidArgument } from "./s3-error.ts";
import { bucketOf, type S3State } from "./state.ts";
import { compareUtf8, type Bucket, type StoredObject, type Upload } from "./store.ts";
import { s3Xml, type XmlObject } from "./xml.ts";

export function listObjectsV2(state: S3State, call: S3Call): Answer {
  const bucket = bucketOf(state, call.bucket);
  const query = listQuery(call);
  const token = call.query.get("continuation-token");
  const startAfter = call.query.get("start-after") ?? "";
  const page = pageOf(bucket.sortedKeys(), query, token === undefined ? startAfter : fromToken(token));
  const fetchOwner = call.query.get("fetch-owner") === "true";
  return {
    status: 200,
    body: s3Xml("ListBucketResult", {
      Name: bucket.name,
      Prefix: query.encode(query.prefix),
      StartAfter: startAfter === "" ? undefined : query.encode(startAfter),
      ContinuationToken: token,
      NextContinuationToken: page.next === undefined ? undefined : toToken(page.next),
      KeyCount: page.names.length + page.prefixes.length,
      MaxKeys: query.maxKeys,
      ...listHead(query),
      IsTruncated: page.next !== undefined,
      ...listBody(state, bucket, query, page, fetchOwner),
    }),
  };
}

export function listObjects(state: S3State, call: S3Call): Answer {
  const bucket = bucketOf(state, call.bucket);
  const query = listQuery(call);
  const marker = call.query.get("marker") ?? "";
  const page = pageOf(bucket.sortedKeys(), query, marker);
  const showNext = page.next !== undefined && query.delimiter !== "";
  return {
    status: 200,
    body: s3Xml("ListBucketResult", {
      Name: bucket.name,
      Prefix: query.encode(query.prefix),
      Marker: query.encode(marker),
      NextMarker: showNext ? query.encode(page.next) : undefined,
      MaxKeys: query.maxKeys,
      ...listHead(query),
      IsTruncated: page.next !== undefined,
      ...listBody(state, bucket, query, page, true),
    }),
  };
}

export interface ListQuery {
  readonly prefix: string;
  readonly delimiter: string;
  readonly maxKeys: number;
  readonly encodingType: string | undefined;
  encode(text: string): string;
}

export function listQuery(call: S3Call, limit = "max-keys"): ListQuery {
  const encodingType = call.query.get("encoding-type");
  if (encodingType !== undefined && encodingType !== "url") {
    throw invalidArgument("Invalid Encoding Method specified in Request", {
      ArgumentName: "encoding-type",
      ArgumentValue: encodingType,
    });
  }
  return {
    prefix: call.query.get("prefix") ?? "",
    delimiter: call.query.get("delimiter") ?? "",
    maxKeys: pageSize(call, limit),
    encodingType,
    encode: encodingType === undefined ? (text) => text : encodeKey,
  };
}

/** URL encoding of keys keeps the slash. */
function encodeKey(key: string): string {
  return encodeURIComponent(key).replaceAll("%2F", "/");
}

interface Page {
  readonly names: readonly string[];
  readonly prefixes: readonly string[];
  /** The last name or prefix of a page that is not the last one. */
  readonly next: string | undefined;
}

/** Names after `after`, rolled up at the delimiter. A rolled-up prefix counts as one and is passed in one step. */
function pageOf(sorted: readonly string[], query: ListQuery, after: string): Page {
  const { prefix, delimiter, maxKeys } = query;
  const names: string[] = [];
  const prefixes: string[] = [];
  let last: string | undefined;
  let at = firstAfter(sorted, after);
  if (after < prefix || after === "") at = Math.max(at, firstFrom(sorted, prefix));
  if (maxKeys === 0) return { names, prefixes, next: undefined };
  for (; at < sorted.length; at++) {
    const name = sorted[at] as string;
    if (!name.startsWith(prefix)) break;
    const rolledUp = rollUp(name, prefix, delimiter);
    if (rolledUp !== undefined && (rolledUp === last || after.startsWith(rolledUp))) continue;
    if (names.length + prefixes.length === maxKeys) return { names, prefixes, next: last };
    if (rolledUp === undefined) names.push(name);
    else prefixes.push(rolledUp);
    last = rolledUp ?? name;
  }
  return { names, prefixes, next: undefined };
}

export function rollUp(name: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === "") return undefined;
  const at = name.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : name.slice(0, at + delimiter.length);
}

function firstAfter(sorted: readonly string[], name: string): number {
  return lowerBound(sorted, (candidate) => compareUtf8(candidate, name) > 0);
}

export function firstFrom(sorted: readonly string[], name: string): number {
  return lowerBound(sorted, (candidate) => compareUtf8(candidate, name) >= 0);
}

function lowerBound(sorted: readonly string[], isBeyond: (name: string) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBeyond(sorted[middle] as string)) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function listHead(query: ListQuery): XmlObject {
  return {
    Delimiter: query.delimiter === "" ? undefined : query.encode(query.delimiter),
    EncodingType: query.encodingType,
  };
}

function listBody(
  state: S3State,
  bucket: Bucket,
  query: ListQuery,
  page: Page,
  withOwner: boolean,
): XmlObject {
  return {
    Contents: page.names.map((name) => ({
      Key: query.encode(name),
      ...listedObject(bucket.get(name) as StoredObject),
      ...(withOwner && { Owner: { ID: state.accountId } }),
    })),
    CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: query.encode(prefix) })),
  };
}

/** A listing says nothing of encryption. */
export function listedObject(object: StoredObject): XmlObject {
  return {
    LastModified: new Date(object.lastModifiedMs).toISOString(),
    ETag: `"${object.etag}"`,
    ...(object.checksum !== undefined && {
      ChecksumAlgorithm: object.checksum.algorithm,
      ChecksumType: object.checksum.type,
    }),
    Size: object.bytes.length,
    StorageClass: object.headers["x-amz-storage-class"] ?? "STANDARD",
  };
}

function toToken(name: string): string {
  return Buffer.from(name, "utf8").toString("base64url");
}

function fromToken(token: string): string {
  const name = Buffer.from(token, "base64url").toString("utf8");
  if (token === "" || toToken(name) !== token) {
    throw invalidArgument("The continuation token provided is incorrect", {
      ArgumentName: "continuation-token",
    });
  }
  return name;
}

export function listMultipartUploads(state: S3State, call: S3Call): Answer {
  const bucket = bucketOf(state, call.bucket);
  const query = listQuery(call, "max-uploads");
  const keyMarker = call.query.get("key-marker") ?? "";
  const idMarker = call.query.get("upload-id-marker") ?? "";
  const uploads = [...bucket.uploads.values()]
    .filter((upload) => upload.key.startsWith(query.prefix))
    .toSorted((a, b) => compareUtf8(a.key, b.key) || a.initiatedMs - b.initiatedMs || (a.id < b.id ? -1 : 1));
  const from = keyMarker === "" ? 0 : firstUploadAfter(uploads, keyMarker, idMarker);
  const shown = uploads.slice(from, from + query.maxKeys);
  const last = from + query.maxKeys < uploads.length ? shown.at(-1) : undefined;
  return {
    status: 200,
    body: s3Xml("ListMultipartUploadsResult", {
      Bucket: bucket.name,
      KeyMarker: query.encode(keyMarker),
      UploadIdMarker: idMarker,
      Prefix: query.encode(query.prefix),
      NextKeyMarker: last && query.encode(last.key),
      NextUploadIdMarker: last?.id,
      MaxUploads: query.maxKeys,
      EncodingType: query.encodingType,
      IsTruncated: last !== undefined,
      Upload: shown.map((upload) => ({ Key: query.encode(upload.key), ...listedUpload(upload) })),
    }),
  };
}

/** With an upload id: after that upload of that key; without: after all of that key. */
function firstUploadAfter(uploads: readonly Upload[], keyMarker: string, idMarker: string): number {
  const exact = uploads.findIndex(({ key, id }) => key === keyMarker && id === idMarker);
  if (exact !== -1) return exact + 1;
  const beyond = uploads.findIndex(({ key }) => compareUtf8(key, keyMarker) > 0);
  return beyond === -1 ? uploads.length : beyond;
}

function listedUpload(upload: Upload): XmlObject {
  return {
    UploadId: upload.id,
    Initiator: { ID: upload.requester },
    StorageClass: upload.headers["x-amz-storage-class"] ?? "STANDARD",
    Initiated: new Date(upload.initiatedMs).toISOString(),
    ChecksumAlgorithm: upload.checksumAlgorithm,
    ChecksumType: upload.checksumType,
  };
}

export function listParts(state: S3State, call: S3Call): Answer {
  const upload = uploadOf(bucketOf(state, call.bucket), call);
  const maxParts = pageSize(call, "max-parts");
  const marker = Number(call.query.get("part-number-marker") ?? 0);
  const parts = [...upload.parts.values()]
    .filter((part) => part.number > marker)
    .toSorted((a, b) => a.number - b.number);
  const shown = parts.slice(0, maxParts);
  const isTruncated = parts.length > shown.length;
  return {
    status: 200,
    body: s3Xml("ListPartsResult", {
      Bucket: call.bucket,
      Key: call.key,
      UploadId: upload.id,
      Initiator: { ID: upload.requester },
      StorageClass: upload.headers["x-amz-storage-class"] ?? "STANDARD",
      PartNumberMarker: marker,
      NextPartNumberMarker: shown.at(-1)?.number ?? marker,
      MaxParts: maxParts,
      IsTruncated: isTruncated,
      ChecksumAlgorithm: upload.checksumAlgorithm,
      Part: shown.map((part) => ({
        PartNumber: part.number,
        LastModified: new Date(part.lastModifiedMs).toISOString(),
        ETag: `"${part.etag}"`,
        Size: part.bytes.length,
        ...(part.checksum && { [`Checksum${part.checksum.algorithm}`]: part.checksum.value }),
      })),
    }),
  };
}
