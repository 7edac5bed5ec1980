/** CopyObject, and the source that UploadPartCopy shares with it. */
import { createHash } from "node:crypto";
import type { Bytes } from "./bytes.ts";
import { header, type Answer, type S3Call } from "./call.ts";
import { checksumElement, checksumOf, type Checksum } from "./checksums.ts";
import { checkCopySourceConditions, checkWriteConditions } from "./conditions.ts";
import { customerKeyMd5, requireCustomerKey } from "./customer-key.ts";
import { COPY_SOURCE, SSE, SSE_CUSTOMER_ALGORITHM } from "./header-names.ts";
import { keptHeaders } from "./kept-headers.ts";
import { etagOf, requestedAlgorithm } from "./objects.ts";
import { invalidArgument, invalidRequest, notImplemented } from "./s3-error.ts";
import { bucketOf, type S3State } from "./state.ts";
import { isDeleteMarker, versionName, type Bucket, type StoredObject } from "./store.ts";
import { hasMd5Etag } from "./stored-encryption.ts";
import { checkedVersionName, findObject, versionHeaders } from "./versioning.ts";
import { decryptObject, encryptObject, planEncryption } from "./write-encryption.ts";
import { s3Xml, type XmlObject } from "./xml.ts";

/** The destination decides how the copy is encrypted; nothing of the source's encryption is inherited. */
export function copyObject(state: S3State, call: S3Call): Answer {
  const bucket = bucketOf(state, call.bucket);
  const replaces = directive(call) === "REPLACE";
  const source = copySource(state, call);
  if (!replaces) refuseCopyOntoItself(call, bucket, source);
  const planned = planEncryption(state, call, bucket);
  checkWriteConditions(call, call.key, bucket.get(call.key));
  decryptObject(state, call, source.at, source.object.encryption);
  const encryption = encryptObject(state, call, planned);
  const { bytes } = source.object;
  const copy: StoredObject = {
    key: call.key,
    bytes,
    etag: etagOf({ md5: hasMd5Etag(encryption) ? md5Of(bytes) : undefined }),
    lastModifiedMs: state.clock.nowMs(),
    headers: replaces ? keptHeaders(call) : copiedHeaders(call, source.object),
    encryption,
    checksum: checksumOfCopy(call, source.object),
  };
  const stored = bucket.put(copy);
  return {
    status: 200,
    headers: {
      ...versionHeaders(bucket, stored),
      ...sourceVersionHeaders(state, source),
      ...encryption.headers,
    },
    body: s3Xml("CopyObjectResult", copyResult(copy)),
  };
}

/** The members that CopyObjectResult and CopyPartResult share. */
export function copyResult(copy: Pick<StoredObject, "etag" | "lastModifiedMs" | "checksum">): XmlObject {
  return {
    LastModified: new Date(copy.lastModifiedMs).toISOString(),
    ETag: `"${copy.etag}"`,
    ...checksumMembers(copy.checksum),
  };
}

export function checksumMembers(checksum: Checksum | undefined): XmlObject {
  if (checksum === undefined) return {};
  return { [checksumElement(checksum.algorithm)]: checksum.value, ChecksumType: checksum.type };
}

export interface CopySource {
  readonly at: { readonly bucket: string; readonly key: string };
  readonly object: StoredObject;
}

/**
 * The object that `x-amz-copy-source` names, with its conditions and customer key checked.
 *
 * @throws `S3Error` for a source that is missing, malformed or not simulated.
 */
export function copySource(state: S3State, call: S3Call): CopySource {
  const at = parseCopySource(header(call, COPY_SOURCE) ?? "");
  const object = sourceObject(bucketOf(state, at.bucket), at);
  requireCustomerKey(object.encryption, customerKeyMd5(call, "copy-source"));
  checkCopySourceConditions(call, object);
  return { at, object };
}

/** A delete marker has nothing that could be copied. */
function sourceObject(bucket: Bucket, { key, version }: SourceName): StoredObject {
  const found = bucket.version(key, version);
  if (version !== undefined && found !== undefined && isDeleteMarker(found)) {
    throw invalidRequest(
      "The source of a copy request may not specifically refer to a delete marker by version id.",
    );
  }
  return findObject(bucket, key, version);
}

/** Which version was copied, when the source's bucket has versions. */
export function sourceVersionHeaders(state: S3State, { at, object }: CopySource): Record<string, string> {
  if (bucketOf(state, at.bucket).versioning === "never") return {};
  return { "x-amz-copy-source-version-id": versionName(object) };
}

interface SourceName {
  readonly bucket: string;
  readonly key: string;
  readonly version: string | undefined;
}

/** `bucket/key` or `/bucket/key`, URL-encoded or not, perhaps with `?versionId=...`. */
function parseCopySource(value: string): SourceName {
  const [path, query] = splitOnce(value, "?versionId=");
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    decoded = "";
  }
  if (decoded.startsWith("arn:")) throw notImplemented("Access points as copy source are not simulated.");
  const [bucket, key = ""] = splitOnce(decoded.replace(/^\//, ""), "/");
  if (bucket === "" || key === "") {
    throw invalidArgument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey", {
      ArgumentName: COPY_SOURCE,
      ArgumentValue: value,
    });
  }
  return { bucket, key, version: query === undefined ? undefined : checkedVersionName(query) };
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

function directive(call: S3Call): "COPY" | "REPLACE" {
  const value = header(call, "x-amz-metadata-directive") ?? "COPY";
  if (value === "COPY" || value === "REPLACE") return value;
  throw invalidArgument("Unknown metadata directive.", {
    ArgumentName: "x-amz-metadata-directive",
    ArgumentValue: value,
  });
}

/** E9. An encryption header counts as a change, and so does a copy that ends up in other encryption. */
function refuseCopyOntoItself(call: S3Call, bucket: Bucket, { at, object }: CopySource): void {
  if (at.bucket !== call.bucket || at.key !== call.key) return;
  // An older version copied onto its key becomes the current one: that is a change.
  if (bucket.get(call.key) !== object) return;
  const changes = [
    SSE,
    SSE_CUSTOMER_ALGORITHM,
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
    "x-amz-checksum-algorithm",
  ];
  if (changes.some((name) => call.headers[name] !== undefined)) return;
  if (object.encryption.algorithm !== "AES256" || bucket.encryption.algorithm !== "AES256") return;
  throw invalidRequest(
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  );
}

/** Metadata comes along; storage class and website redirect belong to the request. */
function copiedHeaders(call: S3Call, source: StoredObject): Readonly<Record<string, string>> {
  const headers: Record<string, string> = { ...source.headers };
  for (const name of ["x-amz-storage-class", "x-amz-website-redirect-location"]) {
    const value = header(call, name);
    if (value === undefined || value === "STANDARD") delete headers[name];
    else headers[name] = value;
  }
  return headers;
}

/** The source's checksum, made anew when another one is asked for or it was one of parts. */
function checksumOfCopy(call: S3Call, source: StoredObject): Checksum | undefined {
  const algorithm = requestedAlgorithm(call, "x-amz-checksum-algorithm") ?? source.checksum?.algorithm;
  if (algorithm === undefined) return undefined;
  const { checksum } = source;
  return checksum?.algorithm === algorithm && checksum.type === "FULL_OBJECT"
    ? checksum
    : checksumOf(algorithm, source.bytes);
}

export function md5Of(bytes: Bytes): string {
  const hash = createHash("md5");
  for (const piece of bytes.pieces) hash.update(piece);
  return hash.digest("hex");
}
