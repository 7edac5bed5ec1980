/** Multipart uploads: encryption is decided once, at CreateMultipartUpload; every later step only shows it. */
import { randomBytes } from "node:crypto";
import { receiveBody, requireLength } from "./body.ts";
import { joinBytes, sliceBytes } from "./bytes.ts";
import { header, type Answer, type S3Call } from "./call.ts";
import {
  CHECKSUM_ALGORITHMS,
  checksumElement,
  checksumHeader,
  checksumOf,
  compositeChecksum,
  type Checksum,
} from "./checksums.ts";
import { checkWriteConditions } from "./conditions.ts";
import { checksumMembers, copyResult, copySource, md5Of, sourceVersionHeaders } from "./copy.ts";
import { customerKeyMd5, requireCustomerKey } from "./customer-key.ts";
import { keptHeaders } from "./kept-headers.ts";
import { etagOf, requestedAlgorithm } from "./objects.ts";
import { badDigest, invalidArgument, malformedXml, noSuchUpload, S3Error } from "./s3-error.ts";
import { bucketOf, type S3State } from "./state.ts";
import type { Bucket, Part, Upload } from "./store.ts";
import { hasMd5Etag } from "./stored-encryption.ts";
import { versionHeaders } from "./versioning.ts";
import { decryptObject, encryptObject, planEncryption } from "./write-encryption.ts";
import { parseXml, s3Xml, type XmlElement } from "./xml.ts";

const MAX_PARTS = 10_000;
/** 10,000 parts with their ETags and longest checksums. */
const MAX_COMPLETE_BYTES = 8 * 1024 ** 2;

export function createMultipartUpload(state: S3State, call: S3Call): Answer {
  const bucket = bucketOf(state, call.bucket);
  const planned = planEncryption(state, call, bucket);
  const upload: Upload = {
    id: randomBytes(48).toString("base64url"),
    key: call.key,
    initiatedMs: state.clock.nowMs(),
    requester: call.requester.principalArn,
    headers: keptHeaders(call),
    encryption: encryptObject(state, call, planned),
    checksumAlgorithm: requestedAlgorithm(call, "x-amz-checksum-algorithm"),
    checksumType: checksumType(call),
    parts: new Map(),
  };
  bucket.uploads.set(upload.id, upload);
  const { checksumAlgorithm } = upload;
  return {
    status: 200,
    headers: {
      ...upload.encryption.headers,
      ...(checksumAlgorithm !== undefined && {
        "x-amz-checksum-algorithm": checksumAlgorithm,
        "x-amz-checksum-type": typeOf(upload),
      }),
    },
    body: s3Xml("InitiateMultipartUploadResult", {
      Bucket: call.bucket,
      Key: call.key,
      UploadId: upload.id,
    }),
  };
}

function checksumType(call: S3Call): Checksum["type"] | undefined {
  const value = header(call, "x-amz-checksum-type");
  if (value === undefined || value === "FULL_OBJECT" || value === "COMPOSITE") return value;
  throw invalidArgument("Value for x-amz-checksum-type header is invalid.");
}

function typeOf(upload: Upload): Checksum["type"] {
  return upload.checksumType ?? (upload.checksumAlgorithm === "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE");
}

export async function uploadPart(state: S3State, call: S3Call): Promise<Answer> {
  const bucket = bucketOf(state, call.bucket);
  const { upload, number } = openPart(bucket, call);
  requireLength(call);
  const body = await receiveBody(call, {
    md5: hasMd5Etag(upload.encryption),
    checksum: requestedAlgorithm(call) ?? upload.checksumAlgorithm,
  });
  // The upload may have been aborted while the part was on its way.
  uploadOf(bucket, call);
  decryptObject(state, call, call, upload.encryption);
  const part = addPart(state, upload, {
    number,
    bytes: body.bytes,
    etag: etagOf(body),
    checksum: body.checksum,
  });
  return {
    status: 200,
    headers: {
      etag: `"${part.etag}"`,
      ...upload.encryption.headers,
      ...(part.checksum !== undefined && { [checksumHeader(part.checksum.algorithm)]: part.checksum.value }),
    },
  };
}

export function uploadPartCopy(state: S3State, call: S3Call): Answer {
  const { upload, number } = openPart(bucketOf(state, call.bucket), call);
  const source = copySource(state, call);
  const range = copyRange(header(call, "x-amz-copy-source-range"), source.object.bytes.length);
  decryptObject(state, call, source.at, source.object.encryption);
  decryptObject(state, call, call, upload.encryption);
  const bytes =
    range === undefined ? source.object.bytes : sliceBytes(source.object.bytes, range[0], range[1]);
  const part = addPart(state, upload, {
    number,
    bytes,
    etag: etagOf({ md5: hasMd5Etag(upload.encryption) ? md5Of(bytes) : undefined }),
    checksum: upload.checksumAlgorithm && checksumOf(upload.checksumAlgorithm, bytes),
  });
  return {
    status: 200,
    headers: { ...sourceVersionHeaders(state, source), ...upload.encryption.headers },
    body: s3Xml("CopyPartResult", copyResult(part)),
  };
}

/** Here S3 knows only `bytes=a-b`, and it must lie within the source. */
function copyRange(value: string | undefined, length: number): readonly [number, number] | undefined {
  if (value === undefined) return undefined;
  const found = /^bytes=(\d+)-(\d+)$/.exec(value);
  const start = Number(found?.[1]);
  const end = Number(found?.[2]) + 1;
  if (found === null || end <= start || end > length) {
    throw invalidArgument(`Range specified is not valid for source object of size: ${length}`, {
      ArgumentName: "x-amz-copy-source-range",
      ArgumentValue: value,
    });
  }
  return [start, end];
}

export async function completeMultipartUpload(state: S3State, call: S3Call): Promise<Answer> {
  const bucket = bucketOf(state, call.bucket);
  uploadOf(bucket, call);
  const { bytes } = await receiveBody(
    { ...call, headers: transportHeaders(call) },
    { maxBytes: MAX_COMPLETE_BYTES },
  );
  const upload = uploadOf(bucket, call);
  const listed = parseXml(bytes, "CompleteMultipartUpload").children("Part");
  if (listed.length === 0 || listed.length > MAX_PARTS) throw malformedXml();
  const parts = listed.map((entry) => listedPart(upload, entry));
  checkOrderAndSizes(parts, state.minimumPartBytes);
  checkWriteConditions(call, call.key, bucket.get(call.key));
  const whole = joinBytes(parts.map((part) => part.bytes));
  const checksum = checksumOfWhole(call, upload, parts);
  decryptObject(state, call, call, upload.encryption);
  const etag = `${md5Of({ pieces: parts.map((part) => Buffer.from(part.etag, "hex")), length: 0 })}-${parts.length}`;
  bucket.uploads.delete(upload.id);
  const stored = bucket.put({
    key: upload.key,
    bytes: whole,
    etag,
    lastModifiedMs: state.clock.nowMs(),
    headers: upload.headers,
    encryption: upload.encryption,
    checksum,
    parts: parts.map((part) => part.bytes.length),
  });
  return {
    status: 200,
    headers: { ...versionHeaders(bucket, stored), ...upload.encryption.headers },
    body: s3Xml("CompleteMultipartUploadResult", {
      Location: `http://${header(call, "host") ?? ""}/${call.bucket}/${encodeURIComponent(call.key)}`,
      Bucket: call.bucket,
      Key: call.key,
      ETag: `"${etag}"`,
      ...checksumMembers(checksum),
    }),
  };
}

/** A checksum header of Complete is about the object, not about this body. */
function transportHeaders(call: S3Call): S3Call["headers"] {
  const headers = { ...call.headers };
  for (const algorithm of CHECKSUM_ALGORITHMS) delete headers[checksumHeader(algorithm)];
  return headers;
}

function listedPart(upload: Upload, entry: XmlElement): Part {
  const number = Number(entry.requiredText("PartNumber"));
  const etag = entry.requiredText("ETag").trim().replaceAll('"', "");
  const part = upload.parts.get(number);
  if (part === undefined || part.etag !== etag) throw invalidPart(number, etag);
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const said = entry.text(checksumElement(algorithm));
    if (said === undefined) continue;
    if (part.checksum?.algorithm === algorithm && part.checksum.value !== said)
      throw invalidPart(number, etag);
  }
  return part;
}

function checkOrderAndSizes(parts: readonly Part[], minimumPartBytes: number): void {
  let before = 0;
  for (const part of parts) {
    if (part.number <= before) {
      throw new S3Error(
        400,
        "InvalidPartOrder",
        "The list of parts was not in ascending order. Parts must be ordered by part number.",
      );
    }
    before = part.number;
  }
  const small = parts.slice(0, -1).find((part) => part.bytes.length < minimumPartBytes);
  if (small !== undefined) {
    throw new S3Error(
      400,
      "EntityTooSmall",
      "Your proposed upload is smaller than the minimum allowed size",
      {
        ProposedSize: String(small.bytes.length),
        MinSizeAllowed: String(minimumPartBytes),
        PartNumber: String(small.number),
        ETag: small.etag,
      },
    );
  }
}

function invalidPart(number: number, etag: string): S3Error {
  return new S3Error(
    400,
    "InvalidPart",
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    { PartNumber: String(number), ETag: etag },
  );
}

/** Of the object itself, or of the parts' checksums, as the upload was created. */
function checksumOfWhole(call: S3Call, upload: Upload, parts: readonly Part[]): Checksum | undefined {
  const said = CHECKSUM_ALGORITHMS.find((algorithm) => checksumHeader(algorithm) in call.headers);
  const algorithm = upload.checksumAlgorithm ?? said;
  if (algorithm === undefined) return undefined;
  const values = parts.map((part) => part.checksum?.value);
  const composite = typeOf(upload) === "COMPOSITE" && upload.checksumAlgorithm !== undefined;
  const checksum =
    composite && values.every((value) => value !== undefined)
      ? compositeChecksum(algorithm, values)
      : checksumOf(algorithm, joinBytes(parts.map((part) => part.bytes)));
  const expected = said === undefined ? undefined : header(call, checksumHeader(said));
  if (said === algorithm && expected !== undefined && !sameChecksum(expected, checksum))
    throw badDigest(algorithm);
  return checksum;
}

/** A composite checksum may be given with or without its number of parts. */
function sameChecksum(expected: string, checksum: Checksum): boolean {
  return expected === checksum.value || expected === checksum.value.replace(/-\d+$/, "");
}

export function abortMultipartUpload(state: S3State, call: S3Call): Answer {
  const bucket = bucketOf(state, call.bucket);
  bucket.uploads.delete(uploadOf(bucket, call).id);
  return { status: 204 };
}

/** @throws `S3Error` 404 `NoSuchUpload`. */
export function uploadOf(bucket: Bucket, call: S3Call): Upload {
  const id = call.query.get("uploadId") ?? "";
  const upload = bucket.uploads.get(id);
  if (upload === undefined || upload.key !== call.key) throw noSuchUpload(id);
  return upload;
}

function openPart(bucket: Bucket, call: S3Call): { upload: Upload; number: number } {
  const text = call.query.get("partNumber") ?? "";
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || number > MAX_PARTS) {
    throw invalidArgument("Part number must be an integer between 1 and 10000, inclusive", {
      ArgumentName: "partNumber",
      ArgumentValue: text,
    });
  }
  const upload = uploadOf(bucket, call);
  requireCustomerKey(upload.encryption, customerKeyMd5(call));
  return { upload, number };
}

function addPart(state: S3State, upload: Upload, part: Omit<Part, "lastModifiedMs">): Part {
  const added: Part = { ...part, lastModifiedMs: state.clock.nowMs() };
  upload.parts.set(part.number, added);
  return added;
}
