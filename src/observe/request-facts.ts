/**
 * The observe room turns SDK shapes into plain facts; it decides nothing and changes nothing.
 *
 * Inputs come from anywhere, typed or not, so every member is looked at as unknown.
 */
import { bucketTypeOf } from "../arn.ts";
import type { Operation } from "../operations.ts";
import type { RequestFacts } from "../policy/policy.ts";

/** What the input doesn't tell: the surroundings of the request. */
export interface Surroundings {
  readonly presigning: boolean;
  readonly region: string | undefined;
  readonly account: string | undefined;
  readonly now: Date | undefined;
  /** The bucket that the caller's name, ARN or alias stands for, when the user can tell. */
  readonly resolveBucket: ((bucket: string) => string | undefined) | undefined;
}

type Input = Readonly<Record<string, unknown>>;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What the caller wrote, as facts. Never throws, unless `resolveBucket` does. */
export function requestFacts(operation: Operation, input: Input, around: Surroundings): RequestFacts {
  const named = text(input["Bucket"]) ?? "";
  const facts: Mutable<RequestFacts> = {
    operation,
    bucket: around.resolveBucket?.(named) ?? named,
    bucketType: bucketTypeOf(named),
  };
  const key = text(input["Key"]);
  if (key !== undefined) facts.key = key;
  if (around.presigning) facts.presigning = true;
  if (around.region !== undefined) facts.region = around.region;
  if (around.account !== undefined) facts.account = around.account;
  if (around.now !== undefined) facts.now = around.now;
  addEncryption(facts, operation, input);
  return facts;
}

function addEncryption(facts: Mutable<RequestFacts>, operation: Operation, input: Input): void {
  switch (operation) {
    case "UpdateObjectEncryption": {
      const target = record(input["ObjectEncryption"]);
      const kms = record(target?.["SSEKMS"]);
      addNamed(
        facts,
        kms === undefined ? "AES256" : "aws:kms",
        kms?.["KMSKeyArn"],
        kms?.["BucketKeyEnabled"],
      );
      return;
    }
    case "PutBucketEncryption": {
      const rule = encryptionRules(input)[0];
      const byDefault = record(rule?.["ApplyServerSideEncryptionByDefault"]);
      addNamed(facts, byDefault?.["SSEAlgorithm"], byDefault?.["KMSMasterKeyID"], rule?.["BucketKeyEnabled"]);
      return;
    }
    default: {
      const isCustomerKey = text(input["SSECustomerAlgorithm"]) ?? input["SSECustomerKey"];
      const sse = isCustomerKey === undefined ? input["ServerSideEncryption"] : "SSE-C";
      addNamed(facts, sse, input["SSEKMSKeyId"], input["BucketKeyEnabled"]);
      if (text(input["SSEKMSEncryptionContext"]) !== undefined) facts.ownContext = true;
      const source = text(input["CopySource"]);
      if (source !== undefined) facts.copySource = copySourceOf(source);
    }
  }
}

function addNamed(facts: Mutable<RequestFacts>, sse: unknown, kmsKey: unknown, bucketKey: unknown): void {
  const algorithm = text(sse);
  const key = text(kmsKey);
  const flag = flagOf(bucketKey);
  if (algorithm !== undefined) facts.sse = algorithm;
  if (key !== undefined) facts.kmsKey = key;
  if (flag !== undefined) facts.bucketKey = flag;
}

/** The rules of a PutBucketEncryption input; S3 takes exactly one. */
export function encryptionRules(input: Input): readonly Input[] {
  const rules = record(input["ServerSideEncryptionConfiguration"])?.["Rules"];
  return Array.isArray(rules) ? rules.filter((rule) => record(rule) !== undefined) : [];
}

/** `bucket/key`, `/bucket/key`, or an access point ARN followed by `/object/key`. */
function copySourceOf(source: string): { bucket: string } {
  const decoded = /^arn%3a/i.test(source) ? decode(source) : source;
  if (decoded.startsWith("arn:")) return { bucket: decoded.replace(/\/object\/.*$/s, "") };
  return { bucket: decoded.replace(/^\//, "").replace(/[/?].*$/s, "") };
}

/** Text that is no valid encoding stays as it is: S3 will say so, not we. */
function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

/** The SDK sends the strings `true` and `false` as it sends the booleans. */
function flagOf(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (value === "true") return true;
  return value === "false" ? false : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function record(value: unknown): Input | undefined {
  return typeof value === "object" && value !== null ? (value as Input) : undefined;
}
