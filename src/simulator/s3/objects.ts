/** PutObject, GetObject, HeadObject, DeleteObject, DeleteObjects. */
import { randomUUID } from "node:crypto";
import { receiveBody, requireLength, type BodyNeeds, type ReceivedBody } from "./body.ts";
import { sliceBytes } from "./bytes.ts";
import { header, type Answer, type S3Call } from "./call.ts";
import { CHECKSUM_ALGORITHMS, checksumHeader, checksumHeaders, type ChecksumAlgorithm } from "./checksums.ts";
import { checkReadConditions, checkWriteConditions } from "./conditions.ts";
import { customerKeyMd5, requireCustomerKey } from "./customer-key.ts";
import { SSE, SSE_BUCKET_KEY, SSE_CONTEXT, SSE_KEY_ID } from "./header-names.ts";
import { keptHeaders } from "./kept-headers.ts";
import { parseRange, type ByteRange } from "./ranges.ts";
import { invalidArgument, invalidRequest, malformedXml } from "./s3-error.ts";
import { bucketOf, type S3State } from "./state.ts";
import { isDeleteMarker, versionName, type Bucket, type DeleteMarker, type StoredObject } from "./store.ts";
import { hasMd5Etag } from "./stored-encryption.ts";
import { findObject, isVersionName, requestedVersion, versionHeaders } from "./versioning.ts";
import { decryptObject, encryptObject, planEncryption } from "./write-encryption.ts";
import { parseXml, s3Xml, type XmlObject } from "./xml.ts";

const MAX_DELETES = 1_000;
const MAX_XML_BYTES = 4 * 1024 ** 2;

export async function putObject(state: S3State, call: S3Call): Promise<Answer> {
  bucketOf(state, call.bucket);
  requireLength(call);
  return storeObject(state, call, (needs) => receiveBody(call, needs));
}

/** What PutObject and PostObject have in common: all but the way in which the body arrives. */
export async function storeObject(
  state: S3State,
  call: S3Call,
  receive: (needs: BodyNeeds) => Promise<ReceivedBody>,
): Promise<Answer> {
  const bucket = bucketOf(state, call.bucket);
  const headers = keptHeaders(call);
  const planned = planEncryption(state, call, bucket);
  checkWriteConditions(call, call.key, bucket.get(call.key));
  const body = await receive({ md5: hasMd5Etag(planned), checksum: requestedAlgorithm(call) });
  checkWriteConditions(call, call.key, bucket.get(call.key));
  const encryption = encryptObject(state, call, planned);
  const etag = etagOf(body);
  const stored = bucket.put({
    key: call.key,
    bytes: body.bytes,
    etag,
    lastModifiedMs: state.clock.nowMs(),
    headers,
    encryption,
    checksum: body.checksum,
  });
  return {
    status: 200,
    headers: {
      etag: `"${etag}"`,
      ...versionHeaders(bucket, stored),
      ...encryption.headers,
      ...checksumHeaders(body.checksum),
    },
  };
}

/** The MD5 where S3 uses it, else something that is none. */
export function etagOf(body: Pick<ReceivedBody, "md5">): string {
  return body.md5 ?? randomUUID().replaceAll("-", "");
}

/**
 * The algorithm of a checksum that S3 shall make itself.
 *
 * @throws `S3Error` 400 `InvalidRequest` for one it does not know.
 */
export function requestedAlgorithm(
  call: S3Call,
  name = "x-amz-sdk-checksum-algorithm",
): ChecksumAlgorithm | undefined {
  const value = header(call, name)?.toUpperCase();
  if (value === undefined) return undefined;
  const found = CHECKSUM_ALGORITHMS.find((algorithm) => algorithm === value);
  if (found === undefined) {
    throw invalidRequest(
      "Checksum algorithm provided is unsupported. Please try again with any of the valid types",
    );
  }
  return found;
}

export function getObject(state: S3State, call: S3Call): Answer {
  const { object, range, answer } = readObject(state, call);
  if (answer.status === 304) return answer;
  decryptObject(state, call, call, object.encryption);
  const bytes = range === undefined ? object.bytes : sliceBytes(object.bytes, range.start, range.end);
  return { ...answer, body: bytes };
}

/** KMS has no part in a plain HEAD; with the checksum mode S3 asks it (10.2). */
export function headObject(state: S3State, call: S3Call): Answer {
  const { object, answer } = readObject(state, call);
  if (answer.status !== 304 && wantsChecksum(call)) decryptObject(state, call, call, object.encryption);
  return answer;
}

interface Read {
  readonly object: StoredObject;
  readonly range: ByteRange | undefined;
  readonly answer: Answer;
}

function readObject(state: S3State, call: S3Call): Read {
  const bucket = bucketOf(state, call.bucket);
  const object = findObject(bucket, call.key, requestedVersion(call));
  refuseEncryptionHeaders(call);
  requireCustomerKey(object.encryption, customerKeyMd5(call));
  const headers: Record<string, string | number> = {
    "last-modified": new Date(object.lastModifiedMs).toUTCString(),
    etag: `"${object.etag}"`,
    "accept-ranges": "bytes",
    ...versionHeaders(bucket, object),
    ...object.headers,
    ...object.encryption.headers,
  };
  if (object.replicationStatus !== undefined) headers["x-amz-replication-status"] = object.replicationStatus;
  if (checkReadConditions(call, object) === "not-modified") {
    return { object, range: undefined, answer: { status: 304, headers } };
  }
  const range = partRange(call, object) ?? parseRange(header(call, "range"), object.bytes.length);
  headers["content-length"] = range === undefined ? object.bytes.length : range.end - range.start;
  if (range !== undefined) {
    headers["content-range"] = `bytes ${range.start}-${range.end - 1}/${object.bytes.length}`;
  } else if (wantsChecksum(call)) {
    Object.assign(headers, checksumHeaders(object.checksum));
  }
  if (call.query.has("partNumber") && object.parts !== undefined) {
    headers["x-amz-mp-parts-count"] = object.parts.length;
  }
  for (const [parameter, name] of OVERRIDES) {
    const value = call.query.get(parameter);
    if (value !== undefined) headers[name] = latin1(value, parameter);
  }
  return { object, range, answer: { status: range === undefined ? 200 : 206, headers } };
}

const OVERRIDES: readonly (readonly [parameter: string, header: string])[] = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
].map((name) => [`response-${name}`, name]);

/** A header cannot carry other characters, nor the end of a line. */
function latin1(value: string, parameter: string): string {
  if (/^[\t\x20-\x7e\xa0-\xff]*$/.test(value)) return value;
  throw invalidArgument("Header value cannot be represented using ISO-8859-1.", {
    ArgumentName: parameter,
    ArgumentValue: value,
  });
}

function wantsChecksum(call: S3Call): boolean {
  return header(call, "x-amz-checksum-mode")?.toUpperCase() === "ENABLED";
}

/** E12: a read does not say how the object is encrypted. */
function refuseEncryptionHeaders(call: S3Call): void {
  for (const name of [SSE, SSE_KEY_ID, SSE_BUCKET_KEY, SSE_CONTEXT]) {
    if (call.headers[name] === undefined) continue;
    throw invalidArgument(`${name} header is not supported for this operation.`, { ArgumentName: name });
  }
}

/** `partNumber=N` reads one part of a multipart object. */
function partRange(call: S3Call, object: StoredObject): ByteRange | undefined {
  const wanted = call.query.get("partNumber");
  if (wanted === undefined) return undefined;
  const number = Number(wanted);
  const parts = object.parts ?? [object.bytes.length];
  if (!Number.isInteger(number) || number < 1 || number > parts.length) {
    throw invalidArgument("The requested partnumber is not satisfiable", {
      ArgumentName: "partNumber",
      ArgumentValue: wanted,
    });
  }
  if (object.bytes.length === 0) return undefined;
  const start = parts.slice(0, number - 1).reduce((sum, bytes) => sum + bytes, 0);
  return { start, end: start + (parts[number - 1] as number) };
}

/** Deleting what does not exist succeeds too; with versions it leaves a delete marker. */
export function deleteObject(state: S3State, call: S3Call): Answer {
  const bucket = bucketOf(state, call.bucket);
  const version = requestedVersion(call);
  if (call.headers["if-match"] !== undefined) checkWriteConditions(call, call.key, bucket.get(call.key));
  const { marker, name } = deleteOne(state, bucket, call.key, version);
  return {
    status: 204,
    headers: {
      ...(name !== undefined && { "x-amz-version-id": name }),
      ...(marker !== undefined && { "x-amz-delete-marker": "true" }),
    },
  };
}

interface Deleted {
  /** The delete marker that was made, or that was deleted by its name. */
  readonly marker: DeleteMarker | undefined;
  /** What the answer says: the version that went, or the marker that came. */
  readonly name: string | undefined;
}

function deleteOne(state: S3State, bucket: Bucket, key: string, version: string | undefined): Deleted {
  if (version === undefined) {
    const marker = bucket.delete(key, state.clock.nowMs());
    return { marker, name: marker && versionName(marker) };
  }
  const gone = bucket.deleteVersion(key, version);
  return {
    marker: gone !== undefined && isDeleteMarker(gone) ? gone : undefined,
    name: bucket.versioning === "never" ? undefined : version,
  };
}

export async function deleteObjects(state: S3State, call: S3Call): Promise<Answer> {
  const bucket = bucketOf(state, call.bucket);
  requireIntegrity(call);
  const { bytes } = await receiveBody(call, { maxBytes: MAX_XML_BYTES });
  const request = parseXml(bytes, "Delete");
  const entries = request.children("Object").map((entry) => ({
    key: entry.requiredText("Key"),
    version: entry.text("VersionId"),
  }));
  if (entries.length === 0 || entries.length > MAX_DELETES) throw malformedXml();
  const deleted: XmlObject[] = [];
  const errors: XmlObject[] = [];
  for (const { key, version } of entries) {
    if (version !== undefined && !isVersionName(version)) {
      errors.push({
        Key: key,
        VersionId: version,
        Code: "NoSuchVersion",
        Message: "The specified version does not exist.",
      });
      continue;
    }
    const { marker } = deleteOne(state, bucket, key, version);
    deleted.push({
      Key: key,
      VersionId: version,
      ...(marker !== undefined && { DeleteMarker: true, DeleteMarkerVersionId: versionName(marker) }),
    });
  }
  const quiet = request.text("Quiet") === "true";
  return {
    status: 200,
    body: s3Xml("DeleteResult", { Deleted: quiet ? [] : deleted, Error: errors }),
  };
}

function requireIntegrity(call: S3Call): void {
  const given = ["content-md5", "x-amz-trailer", ...CHECKSUM_ALGORITHMS.map(checksumHeader)];
  if (given.some((name) => call.headers[name] !== undefined)) return;
  throw invalidRequest("Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
}
