/** PutBucketEncryption, GetBucketEncryption, DeleteBucketEncryption. The KMS key is not looked at here (section 5). */
import { receiveBody } from "./body.ts";
import type { Answer, S3Call } from "./call.ts";
import { NEW_BUCKET_ENCRYPTION, type DefaultEncryption } from "./default-encryption.ts";
import { settleUnknown, type UnknownRows } from "./encryption.ts";
import { invalidArgument, malformedXml } from "./s3-error.ts";
import { bucketOf, type S3State } from "./state.ts";
import { parseXml, s3Xml, type XmlElement } from "./xml.ts";

const MAX_XML_BYTES = 64 * 1024;

export async function putBucketEncryption(state: S3State, call: S3Call): Promise<Answer> {
  const bucket = bucketOf(state, call.bucket);
  const { bytes } = await receiveBody(call, { maxBytes: MAX_XML_BYTES });
  const rules = parseXml(bytes, "ServerSideEncryptionConfiguration").children("Rule");
  // E8: exactly one rule.
  if (rules.length !== 1) throw malformedXml();
  bucket.encryption = parseRule(rules[0] as XmlElement, bucket.encryption, state.unknownRows);
  return { status: 200 };
}

function parseRule(rule: XmlElement, before: DefaultEncryption, unknownRows: UnknownRows): DefaultEncryption {
  const byDefault = rule.child("ApplyServerSideEncryptionByDefault");
  const written = {
    ...(byDefault === undefined
      ? { algorithm: before.algorithm, kmsKey: before.kmsKey }
      : {
          algorithm: algorithmOf(byDefault.requiredText("SSEAlgorithm")),
          kmsKey: byDefault.text("KMSMasterKeyID"),
        }),
    bucketKeyEnabled: booleanOf(rule.text("BucketKeyEnabled")),
    blocksCustomerKeys: blocksCustomerKeys(rule.child("BlockedEncryptionTypes")) ?? before.blocksCustomerKeys,
  };
  return checkedDefault(written, unknownRows);
}

/**
 * A default as S3 takes it.
 *
 * @throws `S3Error` E7: a KMS key with SSE-S3; R20: a bucket key with DSSE, which is unknown on AWS.
 */
export function checkedDefault(written: DefaultEncryption, unknownRows: UnknownRows): DefaultEncryption {
  if (written.algorithm === "AES256" && written.kmsKey !== undefined) {
    throw invalidArgument(
      "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
      { ArgumentName: "ApplyServerSideEncryptionByDefault" },
    );
  }
  if (written.algorithm === "aws:kms:dsse" && written.bucketKeyEnabled) {
    settleUnknown("R20", "a bucket default of aws:kms:dsse with BucketKeyEnabled", unknownRows);
  }
  return written;
}

/** E15: only these names. */
function algorithmOf(name: string): DefaultEncryption["algorithm"] {
  if (name === "AES256" || name === "aws:kms" || name === "aws:kms:dsse") return name;
  throw malformedXml();
}

function booleanOf(text: string | undefined): boolean {
  if (text === undefined || text === "false") return false;
  if (text === "true") return true;
  throw malformedXml();
}

/** Undefined when the request leaves it out: what was blocked stays blocked. */
function blocksCustomerKeys(types: XmlElement | undefined): boolean | undefined {
  if (types === undefined) return undefined;
  const names = types.children("EncryptionType").map((type) => type.ownText());
  if (names.some((name) => name !== "SSE-C" && name !== "NONE")) throw malformedXml();
  return names.includes("SSE-C");
}

/** Always answers, also for a bucket that nobody configured, and always says BucketKeyEnabled. */
export function getBucketEncryption(state: S3State, call: S3Call): Answer {
  const {
    algorithm,
    kmsKey,
    bucketKeyEnabled,
    blocksCustomerKeys: blocked,
  } = bucketOf(state, call.bucket).encryption;
  return {
    status: 200,
    body: s3Xml("ServerSideEncryptionConfiguration", {
      Rule: {
        ApplyServerSideEncryptionByDefault: { SSEAlgorithm: algorithm, KMSMasterKeyID: kmsKey },
        BucketKeyEnabled: bucketKeyEnabled,
        BlockedEncryptionTypes: { EncryptionType: blocked ? "SSE-C" : "NONE" },
      },
    }),
  };
}

/** Back to SSE-S3; what is blocked is not touched. */
export function deleteBucketEncryption(state: S3State, call: S3Call): Answer {
  const bucket = bucketOf(state, call.bucket);
  const { blocksCustomerKeys: stays } = bucket.encryption;
  bucket.encryption = { ...NEW_BUCKET_ENCRYPTION, blocksCustomerKeys: stays };
  return { status: 204 };
}
