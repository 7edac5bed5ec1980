/** CreateBucket, HeadBucket, DeleteBucket, ListBuckets, GetBucketLocation. */
import { receiveBody } from "./body.ts";
import type { Answer, S3Call } from "./call.ts";
import { NEW_BUCKET_ENCRYPTION, type DefaultEncryption } from "./default-encryption.ts";
import { pageSize } from "./page-size.ts";
import { notImplemented, S3Error } from "./s3-error.ts";
import { bucketOf, type S3State } from "./state.ts";
import { Bucket } from "./store.ts";
import { parseXml, s3Xml } from "./xml.ts";

const MAX_XML_BYTES = 64 * 1024;
const MAX_BUCKETS = 10_000;

export async function createBucket(state: S3State, call: S3Call): Promise<Answer> {
  const { bytes } = await receiveBody(call, { maxBytes: MAX_XML_BYTES });
  if (bytes.length > 0)
    refuseOtherRegion(parseXml(bytes, "CreateBucketConfiguration").text("LocationConstraint"), state.region);
  addBucket(state, call.bucket);
  return { status: 200, headers: { location: `/${call.bucket}` } };
}

/** @throws `S3Error` for a name that is invalid, taken, or a directory bucket's. */
export function addBucket(
  state: S3State,
  name: string,
  encryption: DefaultEncryption = NEW_BUCKET_ENCRYPTION,
): void {
  refuseDirectoryBucket(name);
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) || name.includes("..")) {
    throw new S3Error(400, "InvalidBucketName", "The specified bucket is not valid.", { BucketName: name });
  }
  if (state.buckets.has(name)) {
    throw new S3Error(
      409,
      "BucketAlreadyOwnedByYou",
      "Your previous request to create the named bucket succeeded and you already own it.",
      { BucketName: name },
    );
  }
  state.buckets.set(name, new Bucket(name, state.clock.nowMs(), encryption));
}

/** @throws `S3Error` 501: directory buckets have rules of their own (section 6), none of which is simulated. */
export function refuseDirectoryBucket(name: string): void {
  if (!name.endsWith("-x-s3") && !name.endsWith("-xa-s3")) return;
  if (!name.includes("--")) return;
  throw notImplemented(`Directory buckets are not simulated: ${name}`);
}

function refuseOtherRegion(location: string | undefined, region: string): void {
  if (location === undefined || location === region) return;
  throw new S3Error(
    400,
    "IllegalLocationConstraintException",
    `The ${location} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  );
}

export function headBucket(state: S3State, call: S3Call): Answer {
  bucketOf(state, call.bucket);
  return { status: 200, headers: { "x-amz-bucket-region": state.region } };
}

export function deleteBucket(state: S3State, call: S3Call): Answer {
  if (!bucketOf(state, call.bucket).isEmpty) {
    throw new S3Error(409, "BucketNotEmpty", "The bucket you tried to delete is not empty", {
      BucketName: call.bucket,
    });
  }
  state.buckets.delete(call.bucket);
  return { status: 204 };
}

export function listBuckets(state: S3State, call: S3Call): Answer {
  const prefix = call.query.get("prefix") ?? "";
  const region = call.query.get("bucket-region") ?? state.region;
  const after = call.query.get("continuation-token") ?? "";
  const wanted = region === state.region ? [...state.buckets.values()] : [];
  const buckets = wanted
    .filter(({ name }) => name.startsWith(prefix) && name > after)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const page = buckets.slice(0, pageSize(call, "max-buckets", MAX_BUCKETS));
  return {
    status: 200,
    body: s3Xml("ListAllMyBucketsResult", {
      Owner: { ID: state.accountId },
      Prefix: prefix === "" ? undefined : prefix,
      ContinuationToken: page.length < buckets.length ? page.at(-1)?.name : undefined,
      Buckets: {
        Bucket: page.map(({ name, createdMs }) => ({
          Name: name,
          CreationDate: new Date(createdMs).toISOString(),
          BucketRegion: state.region,
        })),
      },
    }),
  };
}

/** Empty for us-east-1, as S3 has it. */
export function getBucketLocation(state: S3State, call: S3Call): Answer {
  bucketOf(state, call.bucket);
  const location = state.region === "us-east-1" ? {} : { "#text": state.region };
  return { status: 200, body: s3Xml("LocationConstraint", location) };
}
