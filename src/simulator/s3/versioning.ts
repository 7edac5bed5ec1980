/** PutBucketVersioning and GetBucketVersioning, and how a request names a version and an answer shows it. */
import { receiveBody } from "./body.ts";
import type { Answer, S3Call } from "./call.ts";
import { invalidArgument, malformedXml, noSuchKey, notImplemented, S3Error } from "./s3-error.ts";
import { bucketOf, type S3State } from "./state.ts";
import {
  isDeleteMarker,
  NULL_VERSION,
  versionName,
  type Bucket,
  type StoredObject,
  type Version,
} from "./store.ts";
import { parseXml, s3Xml } from "./xml.ts";

const MAX_XML_BYTES = 64 * 1024;

export async function putBucketVersioning(state: S3State, call: S3Call): Promise<Answer> {
  const bucket = bucketOf(state, call.bucket);
  const { bytes } = await receiveBody(call, { maxBytes: MAX_XML_BYTES });
  const configuration = parseXml(bytes, "VersioningConfiguration");
  if (configuration.text("MfaDelete") === "Enabled") throw notImplemented("MFA delete is not simulated.");
  const status = configuration.text("Status");
  switch (status) {
    case "Suspended":
      if (bucket.replication !== undefined) throw replicationStands();
      bucket.versioning = status;
      return { status: 200 };
    case "Enabled":
      bucket.versioning = status;
      return { status: 200 };
    case undefined:
      throw new S3Error(
        400,
        "IllegalVersioningConfigurationException",
        "The Versioning element must be specified",
      );
    default:
      throw malformedXml();
  }
}

function replicationStands(): S3Error {
  return new S3Error(
    409,
    "InvalidBucketState",
    "A replication configuration is present on this bucket, so the versioning state cannot be changed.",
  );
}

/** Without a status as long as nobody configured it. */
export function getBucketVersioning(state: S3State, call: S3Call): Answer {
  const { versioning } = bucketOf(state, call.bucket);
  return {
    status: 200,
    body: s3Xml("VersioningConfiguration", { Status: versioning === "never" ? undefined : versioning }),
  };
}

/** A bucket that never had versions does not show any. */
export function versionHeaders(bucket: Bucket, version: Pick<Version, "versionId">): Record<string, string> {
  return bucket.versioning === "never" ? {} : { "x-amz-version-id": versionName(version) };
}

/**
 * The version that the query names, undefined for the current one.
 *
 * @throws `S3Error` 400 `InvalidArgument` for what cannot be a version id.
 */
export function requestedVersion(call: S3Call): string | undefined {
  const name = call.query.get("versionId");
  return name === undefined ? undefined : checkedVersionName(name);
}

export function isVersionName(name: string): boolean {
  return name === NULL_VERSION || /^[\w-]{32}$/.test(name);
}

export function checkedVersionName(name: string): string {
  if (isVersionName(name)) return name;
  throw invalidArgument("Invalid version id specified", {
    ArgumentName: "versionId",
    ArgumentValue: name,
  });
}

/**
 * The current object of a key, or the one of that version.
 *
 * @throws `S3Error` 404 `NoSuchKey` or `NoSuchVersion`; 405 `MethodNotAllowed` for a delete marker by its name.
 */
export function findObject(bucket: Bucket, key: string, name: string | undefined): StoredObject {
  const current = name === undefined ? bucket.get(key) : undefined;
  if (current !== undefined) return current;
  const found = bucket.version(key, name);
  if (found === undefined) throw name === undefined ? noSuchKey(key) : noSuchVersion(key, name);
  if (!isDeleteMarker(found)) return found;
  const headers = { "x-amz-delete-marker": "true", ...versionHeaders(bucket, found) };
  if (name === undefined) throw noSuchKey(key, headers);
  throw new S3Error(
    405,
    "MethodNotAllowed",
    "The specified method is not allowed against this resource.",
    { Method: "GET", ResourceType: "DeleteMarker" },
    { ...headers, allow: "DELETE", "last-modified": new Date(found.lastModifiedMs).toUTCString() },
  );
}

function noSuchVersion(key: string, name: string): S3Error {
  return new S3Error(404, "NoSuchVersion", "The specified version does not exist.", {
    Key: key,
    VersionId: name,
  });
}
