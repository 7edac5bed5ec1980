/** From the headers of a write to the encryption of the object: table, KMS key, and the KMS request S3 makes. */
import type { KmsKey } from "../kms/key-store.ts";
import { KmsFault } from "../kms/kms-fault.ts";
import { header, type S3Call } from "./call.ts";
import { customerKeyMd5 } from "./customer-key.ts";
import { bucketDefaultOf } from "./default-encryption.ts";
import { decideEncryption, type Asks, type Encrypts, type Flag } from "./encryption.ts";
import { SSE, SSE_BUCKET_KEY, SSE_CONTEXT, SSE_KEY_ID } from "./header-names.ts";
import { invalidArgument, S3Error } from "./s3-error.ts";
import { signatureV4Needed } from "./signature-version.ts";
import type { S3State } from "./state.ts";
import type { Bucket } from "./store.ts";
import { storedEncryption, type StoredEncryption } from "./stored-encryption.ts";

/** A write whose encryption is decided and allowed; no KMS request has been made for it yet. */
export interface PlannedEncryption {
  readonly algorithm: string;
  readonly kmsKeyArn: string | undefined;
  readonly customerKeyMd5: string | undefined;
  readonly bucketKeyEnabled: boolean;
  readonly context: Readonly<Record<string, string>> | undefined;
}

const PLAIN: PlannedEncryption = {
  algorithm: "AES256",
  kmsKeyArn: undefined,
  customerKeyMd5: undefined,
  bucketKeyEnabled: false,
  context: undefined,
};
const STORED_PLAIN = storedEncryption({ algorithm: "AES256", bucketKeyEnabled: false });

/** @throws `S3Error` when the table, KMS or the signature forbids the write. */
export function planEncryption(state: S3State, call: S3Call, bucket: Bucket): PlannedEncryption {
  const customerMd5 = customerKeyMd5(call);
  const kmsKeyId = header(call, SSE_KEY_ID);
  const { encrypts } = decideEncryption(
    {
      asks: asksOf(header(call, SSE), customerMd5, bucket),
      keyId: kmsKeyId === undefined ? "none" : "named",
      flag: flagOf(header(call, SSE_BUCKET_KEY)),
      bucket: bucketDefaultOf(bucket.encryption),
    },
    state.unknownRows,
  );
  const context = contextOf(header(call, SSE_CONTEXT), encrypts);
  if (encrypts.key === "none") {
    return encrypts.algorithm === "AES256"
      ? PLAIN
      : { ...PLAIN, algorithm: encrypts.algorithm, customerKeyMd5: customerMd5 };
  }
  requireSignatureV4(call);
  const key = kmsKeyOf(state, encrypts, kmsKeyId, bucket.encryption.kmsKey);
  return {
    algorithm: encrypts.algorithm,
    kmsKeyArn: key.arn,
    customerKeyMd5: undefined,
    bucketKeyEnabled: encrypts.bucketKey,
    context,
  };
}

/** Makes the KMS request that S3 makes for the write, and returns what is kept with the object. */
export function encryptObject(state: S3State, call: S3Call, planned: PlannedEncryption): StoredEncryption {
  if (planned === PLAIN) return STORED_PLAIN;
  if (planned.kmsKeyArn === undefined) return storedEncryption(planned);
  const access = {
    bucket: call.bucket,
    key: call.key,
    kmsKeyArn: planned.kmsKeyArn,
    requester: call.requester.principalArn,
    bucketKey: planned.bucketKeyEnabled,
    ...(planned.context !== undefined && { context: planned.context }),
  };
  const generation = passingFaultsOn(() => state.ledger.encrypt(access));
  return storedEncryption({ ...planned, generation });
}

/**
 * Makes the KMS request that S3 makes to open an object or an upload; nothing when KMS has no part in it.
 *
 * @throws `S3Error` when the KMS key cannot be used, or the request is not signed with version 4.
 */
export function decryptObject(
  state: S3State,
  call: S3Call,
  at: { readonly bucket: string; readonly key: string },
  encryption: StoredEncryption,
): void {
  if (encryption.kmsKeyArn === undefined) return;
  requireSignatureV4(call);
  const access = {
    bucket: at.bucket,
    key: at.key,
    kmsKeyArn: encryption.kmsKeyArn,
    requester: call.requester.principalArn,
    bucketKey: encryption.bucketKeyEnabled,
    ...(encryption.generation !== undefined && { generation: encryption.generation }),
    ...(encryption.context !== undefined && { context: encryption.context }),
  };
  passingFaultsOn(() => state.ledger.decrypt(access));
}

function asksOf(sse: string | undefined, customerMd5: string | undefined, bucket: Bucket): Asks {
  if (customerMd5 !== undefined) {
    if (sse !== undefined) return "SSE-C and SSE";
    return bucket.encryption.blocksCustomerKeys ? "SSE-C, blocked" : "SSE-C";
  }
  switch (sse) {
    case undefined:
      return "none";
    case "AES256":
    case "aws:kms":
    case "aws:kms:dsse":
    case "aws:fsx":
    case "aws:backup":
      return sse;
    default:
      return "other";
  }
}

/** `True` is what the AWS CLI v2 of Debian 12 sends for its own `--bucket-key-enabled`, and boto3 of its time. */
const FLAGS: ReadonlyMap<string | undefined, Flag> = new Map([
  [undefined, "none"],
  ["true", "true"],
  ["True", "true"],
  ["false", "false"],
  ["False", "false"],
]);

const flagOf = (value: string | undefined): Flag => FLAGS.get(value) ?? "other";

/** Base64 of a flat JSON object of strings; only for SSE-KMS. */
function contextOf(value: string | undefined, encrypts: Encrypts): Record<string, string> | undefined {
  if (value === undefined) return undefined;
  if (encrypts.key === "none") {
    throw invalidArgument(
      "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
      { ArgumentName: SSE_CONTEXT },
    );
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(value, "base64").toString("utf8"));
  } catch {
    parsed = undefined;
  }
  if (
    typeof parsed !== "object" ||
    parsed === null ||
    Array.isArray(parsed) ||
    !Object.values(parsed).every((member) => typeof member === "string")
  ) {
    throw invalidArgument("The encryption context is not the base64 of a JSON object of strings.", {
      ArgumentName: SSE_CONTEXT,
    });
  }
  return parsed as Record<string, string>;
}

/** R29; the same holds for reading such an object. */
function requireSignatureV4(call: S3Call): void {
  if (call.requester.signedWith === "v4") return;
  throw signatureV4Needed();
}

/** An alias or id becomes the ARN that S3 keeps and shows; whether the key works, KMS says when it is asked. */
function kmsKeyOf(
  state: S3State,
  encrypts: Encrypts,
  named: string | undefined,
  ofBucket: string | undefined,
): KmsKey {
  const name = encrypts.key === "named" ? named : encrypts.key === "bucket" ? ofBucket : undefined;
  if (name === undefined) return state.keys.awsManagedS3Key();
  return passingFaultsOn(() => state.keys.resolve(name));
}

/** What KMS refuses, S3 passes on: most with `KMS.` before the code (E1 to E4), two in words of its own (E5, E6). */
export function passingFaultsOn<Result>(ask: () => Result): Result {
  try {
    return ask();
  } catch (error) {
    if (error instanceof KmsFault) throw s3ErrorOf(error);
    throw error;
  }
}

function s3ErrorOf({ code, message, status }: KmsFault): S3Error {
  switch (code) {
    case "AccessDeniedException":
      return new S3Error(403, "AccessDenied", message);
    case "ThrottlingException":
      return new S3Error(
        503,
        "SlowDown",
        "Please reduce your request rate for operations involving AWS KMS.",
      );
    default:
      return new S3Error(status, `KMS.${code}`, message);
  }
}
