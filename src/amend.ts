/** Writes a decision into an input. The caller's object is never touched: every level that changes is copied. */
import { encryptionRules } from "./observe/request-facts.ts";
import type { Operation } from "./operations.ts";
import type { DecisionSet } from "./policy/policy.ts";

type Input = Readonly<Record<string, unknown>>;

/** The input with what `enforce` writes; `bucketKey: null` takes the caller's flag away. */
export function amendInput(operation: Operation, input: Input, set: DecisionSet): Input {
  switch (operation) {
    case "UpdateObjectEncryption": {
      const target = input["ObjectEncryption"] as Input;
      const kms = amended(target["SSEKMS"] as Input, set, {
        kmsKey: "KMSKeyArn",
        bucketKey: "BucketKeyEnabled",
      });
      return { ...input, ObjectEncryption: { ...target, SSEKMS: kms } };
    }
    case "PutBucketEncryption": {
      const configuration = input["ServerSideEncryptionConfiguration"] as Input;
      const rules = encryptionRules(input).map((rule) => amendedRule(rule, set));
      return { ...input, ServerSideEncryptionConfiguration: { ...configuration, Rules: rules } };
    }
    default:
      return amended(input, set, OBJECT_MEMBERS);
  }
}

/** What the members are called, where they stand side by side. */
type Members = Readonly<Partial<Record<keyof DecisionSet, string>>>;

const OBJECT_MEMBERS: Members = {
  sse: "ServerSideEncryption",
  kmsKey: "SSEKMSKeyId",
  bucketKey: "BucketKeyEnabled",
};

/** A rule of a bucket's configuration: `BlockedEncryptionTypes` and all else stay as written. */
function amendedRule(rule: Input, set: DecisionSet): Input {
  const withFlag = amended(rule, set, { bucketKey: "BucketKeyEnabled" });
  if (set.kmsKey === undefined && set.sse === undefined) return withFlag;
  const byDefault = (rule["ApplyServerSideEncryptionByDefault"] ?? {}) as Input;
  const members: Members = { sse: "SSEAlgorithm", kmsKey: "KMSMasterKeyID" };
  return { ...withFlag, ApplyServerSideEncryptionByDefault: amended(byDefault, set, members) };
}

function amended(input: Input, set: DecisionSet, members: Members): Input {
  const copy: Record<string, unknown> = { ...input };
  if (members.sse !== undefined && set.sse !== undefined) copy[members.sse] = set.sse;
  if (members.kmsKey !== undefined && set.kmsKey !== undefined) copy[members.kmsKey] = set.kmsKey;
  if (members.bucketKey !== undefined && set.bucketKey !== undefined) {
    if (set.bucketKey === null) delete copy[members.bucketKey];
    else copy[members.bucketKey] = set.bucketKey;
  }
  return copy;
}
