/** UpdateObjectEncryption: another KMS key or flag for an object that stays where it is (section 8.2). */
import { receiveBody } from "./body.ts";
import type { Answer, S3Call } from "./call.ts";
import { settleUnknown } from "./encryption.ts";
import { invalidRequest, S3Error } from "./s3-error.ts";
import { bucketOf, type S3State } from "./state.ts";
import { findObject, requestedVersion } from "./versioning.ts";
import { decryptObject, encryptObject, passingFaultsOn } from "./write-encryption.ts";
import { parseXml, type XmlElement } from "./xml.ts";

const MAX_XML_BYTES = 64 * 1024;
const KEY_ARN = /^arn:[\w-]+:kms:([a-z0-9-]+):(\d{12}):key\/[\w-]+$/;

/** ETag, dates, version and checksum stay, and nothing is replicated. KMS is asked to open the old data key and to make a new one: a model. */
export async function updateObjectEncryption(state: S3State, call: S3Call): Promise<Answer> {
  const bucket = bucketOf(state, call.bucket);
  const { bytes } = await receiveBody(call, { maxBytes: MAX_XML_BYTES });
  if (call.requester.signedWith !== "v4")
    throw invalidRequest("This operation requires AWS Signature Version 4.");
  const object = findObject(bucket, call.key, requestedVersion(call));
  const target = parseTarget(parseXml(bytes, "ObjectEncryption"));
  const { algorithm } = object.encryption;
  if (algorithm !== "AES256" && algorithm !== "aws:kms") {
    throw invalidRequest(`The encryption type of the source object is not supported: ${algorithm}.`);
  }
  const kmsKeyArn = ownKeyArn(state, target.kmsKeyArn);
  decryptObject(state, call, call, object.encryption);
  const encryption = encryptObject(state, call, {
    algorithm: "aws:kms",
    kmsKeyArn,
    customerKeyMd5: undefined,
    bucketKeyEnabled: target.bucketKeyEnabled,
    context: undefined,
  });
  bucket.replace({ ...object, encryption });
  return { status: 200 };
}

/** A flag that is left out means false, whatever the object has. */
function parseTarget(request: XmlElement): { kmsKeyArn: string; bucketKeyEnabled: boolean } {
  const kms = request.child("SSE-KMS");
  if (kms === undefined)
    throw invalidRequest("The target encryption type is not supported: only SSE-KMS is.");
  const kmsKeyArn = kms.text("KMSKeyArn") ?? "";
  if (!KEY_ARN.test(kmsKeyArn)) throw invalidRequest("The AWS KMS key ARN is missing or not a key ARN.");
  const flag = kms.text("BucketKeyEnabled") ?? "false";
  if (flag !== "true" && flag !== "false") {
    throw invalidRequest("The BucketKeyEnabled value isn't valid. Valid values are true or false.");
  }
  return { kmsKeyArn, bucketKeyEnabled: flag === "true" };
}

function ownKeyArn(state: S3State, arn: string): string {
  if (KEY_ARN.exec(arn)?.[2] !== state.accountId) {
    throw new S3Error(403, "AccessDenied", "The AWS KMS key belongs to another account.");
  }
  const key = passingFaultsOn(() => state.keys.resolve(arn));
  if (key.manager === "AWS") {
    settleUnknown("U8", "the key ARN of aws/s3 in UpdateObjectEncryption", state.unknownRows);
  }
  return key.arn;
}
