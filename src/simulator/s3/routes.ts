/** Which operation a request is. A query parameter that nobody here knows is another operation: never a guess. */
import { deleteBucketEncryption, getBucketEncryption, putBucketEncryption } from "./bucket-encryption.ts";
import { createBucket, deleteBucket, getBucketLocation, headBucket, listBuckets } from "./buckets.ts";
import { deleteBucketReplication, getBucketReplication, putBucketReplication } from "./bucket-replication.ts";
import type { Answer, S3Call } from "./call.ts";
import { copyObject } from "./copy.ts";
import { COPY_SOURCE } from "./header-names.ts";
import { listMultipartUploads, listObjects, listObjectsV2, listParts } from "./listing.ts";
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  uploadPart,
  uploadPartCopy,
} from "./multipart.ts";
import { deleteObject, deleteObjects, getObject, headObject, putObject } from "./objects.ts";
import { postObject } from "./post-object.ts";
import { notImplemented } from "./s3-error.ts";
import type { S3State } from "./state.ts";
import { updateObjectEncryption } from "./update-encryption.ts";
import { listObjectVersions } from "./versions-listing.ts";
import { getBucketVersioning, putBucketVersioning } from "./versioning.ts";

type Handler = (state: S3State, call: S3Call) => Answer | Promise<Answer>;

interface Route {
  readonly operation: string;
  readonly handle: Handler;
  /** Query parameters that the operation reads, besides those that select it. */
  readonly parameters: ReadonlySet<string>;
}

const LIST = ["prefix", "delimiter", "encoding-type"];
const READ = [
  "versionId",
  "partNumber",
  "response-cache-control",
  "response-content-disposition",
  "response-content-encoding",
  "response-content-language",
  "response-content-type",
  "response-expires",
];

/** Method, level, and the query parameters that select the operation, in this order. */
const ROUTES: ReadonlyMap<string, Route> = new Map([
  route("GET service", "ListBuckets", listBuckets, [
    "bucket-region",
    "continuation-token",
    "max-buckets",
    "prefix",
  ]),

  route("PUT bucket", "CreateBucket", createBucket),
  route("HEAD bucket", "HeadBucket", headBucket),
  route("DELETE bucket", "DeleteBucket", deleteBucket),
  route("GET bucket ?location", "GetBucketLocation", getBucketLocation),
  route("PUT bucket ?versioning", "PutBucketVersioning", putBucketVersioning),
  route("GET bucket ?versioning", "GetBucketVersioning", getBucketVersioning),
  route("PUT bucket ?encryption", "PutBucketEncryption", putBucketEncryption),
  route("GET bucket ?encryption", "GetBucketEncryption", getBucketEncryption),
  route("DELETE bucket ?encryption", "DeleteBucketEncryption", deleteBucketEncryption),
  route("PUT bucket ?replication", "PutBucketReplication", putBucketReplication),
  route("GET bucket ?replication", "GetBucketReplication", getBucketReplication),
  route("DELETE bucket ?replication", "DeleteBucketReplication", deleteBucketReplication),
  route("GET bucket ?list-type", "ListObjectsV2", listObjectsV2, [
    ...LIST,
    "continuation-token",
    "fetch-owner",
    "max-keys",
    "start-after",
  ]),
  route("GET bucket", "ListObjects", listObjects, [...LIST, "marker", "max-keys"]),
  route("GET bucket ?versions", "ListObjectVersions", listObjectVersions, [
    ...LIST,
    "key-marker",
    "max-keys",
    "version-id-marker",
  ]),
  route("GET bucket ?uploads", "ListMultipartUploads", listMultipartUploads, [
    "prefix",
    "encoding-type",
    "key-marker",
    "max-uploads",
    "upload-id-marker",
  ]),
  route("POST bucket", "PostObject", postObject),
  route("POST bucket ?delete", "DeleteObjects", deleteObjects),

  route("PUT object", "PutObject", putObject),
  route("PUT object copy", "CopyObject", copyObject),
  route("GET object", "GetObject", getObject, READ),
  route("HEAD object", "HeadObject", headObject, READ),
  route("DELETE object", "DeleteObject", deleteObject, ["versionId"]),
  route("PUT object ?encryption", "UpdateObjectEncryption", updateObjectEncryption, ["versionId"]),
  route("POST object ?uploads", "CreateMultipartUpload", createMultipartUpload),
  route("PUT object ?uploadId", "UploadPart", uploadPart, ["partNumber"]),
  route("PUT object ?uploadId copy", "UploadPartCopy", uploadPartCopy, ["partNumber"]),
  route("POST object ?uploadId", "CompleteMultipartUpload", completeMultipartUpload),
  route("DELETE object ?uploadId", "AbortMultipartUpload", abortMultipartUpload),
  route("GET object ?uploadId", "ListParts", listParts, ["encoding-type", "max-parts", "part-number-marker"]),
]);

/** Names of all operations that are simulated. */
export const OPERATIONS: readonly string[] = [...ROUTES.values()].map(({ operation }) => operation);

/** Parameters that make another operation of a request. */
const SELECTORS = new Set([
  "location",
  "versioning",
  "versions",
  "encryption",
  "replication",
  "list-type",
  "uploads",
  "uploadId",
  "delete",
]);

/** The query of a signature says nothing about the operation; `x-id` is the SDK's own note. */
const SIGNATURE = new Set(["awsaccesskeyid", "signature", "expires"]);

/**
 * The operation of a request.
 *
 * @throws `S3Error` 501 `NotImplemented` for one that is not simulated.
 */
export function routeOf(call: S3Call): Route {
  const level = call.key !== "" ? "object" : call.bucket !== "" ? "bucket" : "service";
  let name = `${call.method} ${level}`;
  for (const parameter of call.query.keys()) {
    if (SELECTORS.has(parameter)) name += ` ?${parameter}`;
  }
  if (call.headers[COPY_SOURCE] !== undefined) name += " copy";
  const found = ROUTES.get(name);
  if (found === undefined) throw notImplemented(`Not simulated: ${describe(call, level)}`);
  for (const [parameter, value] of call.query) {
    if (!isKnown(found, parameter, value)) {
      throw notImplemented(
        `Not simulated: ${describe(call, level)}. The query parameter '${parameter}' may make it another operation than ${found.operation}.`,
      );
    }
  }
  return found;
}

function isKnown(found: Route, parameter: string, value: string): boolean {
  if (SELECTORS.has(parameter) || found.parameters.has(parameter)) return true;
  const lower = parameter.toLowerCase();
  if (lower === "x-id" || lower.startsWith("x-amz-") || SIGNATURE.has(lower)) return true;
  return parameter === "versionId" && value === "null";
}

function describe(call: S3Call, level: string): string {
  const query = [...call.query.keys()].map((parameter) => `?${parameter}`).join(" ");
  return `${call.method} on ${level === "object" ? "an object" : `a ${level}`}${query && ` with ${query}`}`;
}

function route(
  name: string,
  operation: string,
  handle: Handler,
  parameters: readonly string[] = [],
): readonly [string, Route] {
  return [name, { operation, handle, parameters: new Set(parameters) }];
}
