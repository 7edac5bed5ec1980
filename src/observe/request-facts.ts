/**
 * The observe room turns SDK shapes into plain facts; it decides nothing and changes nothing.
 *
 * Inputs come from anywhere, typed or not, so every member is looked at as unknown.
 */
import { bucketTypeOf } from "../arn.ts";
import type { Operation, SealingOperation } from "../operations.ts";
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
/** Where the operations keep what they say about encryption. */
interface Named {
  readonly sse: unknown;
  readonly kmsKey: unknown;
  readonly bucketKey: unknown;
}

/** What the caller wrote, as facts. Never throws, unless `resolveBucket` does, or a name that can't become text. */
export function requestFacts(
  operation: Operation | SealingOperation | "PostObject",
  input: Input,
  around: Surroundings,
): RequestFacts {
  const bucket = nameIn(input, "Bucket") ?? "";
  const copySource = text(input["CopySource"]);
  const { sse, kmsKey, bucketKey } = namedBy(operation, input);
  // Every member always, so that all facts have one shape: this is the path of every request.
  return {
    operation,
    bucket: resolved(bucket, around.resolveBucket),
    bucketType: bucketTypeOf(bucket),
    key: nameIn(input, "Key"),
    sse: text(sse),
    kmsKey: text(kmsKey),
    bucketKey: flagOf(bucketKey),
    ownContext: text(input["SSEKMSEncryptionContext"]) === undefined ? undefined : true,
    copySource: copySource === undefined ? undefined : copySourceOf(copySource),
    bucketDefault: undefined,
    presigning: around.presigning ? true : undefined,
    region: around.region,
    account: around.account,
    now: around.now,
  };
}

/** A name as the SDK will write it: text of whatever was given, be it a number or an object. */
export function nameIn(input: Input, member: "Bucket" | "Key" | (string & {})): string | undefined {
  const value = input[member];
  // oxlint-disable-next-line typescript/no-base-to-string
  return value === undefined || value === null ? undefined : text(String(value));
}

function resolved(bucket: string, resolve: Surroundings["resolveBucket"]): string {
  const name: unknown = resolve?.(bucket);
  if (name === undefined || name === null) return bucket;
  if (typeof name !== "string")
    throw new TypeError("resolveBucket must return a string or undefined, at once.");
  return name;
}

function namedBy(operation: string, input: Input): Named {
  switch (operation) {
    case "UpdateObjectEncryption": {
      const kms = record(record(input["ObjectEncryption"])?.["SSEKMS"]);
      const sse = kms === undefined ? "AES256" : "aws:kms";
      return { sse, kmsKey: kms?.["KMSKeyArn"], bucketKey: kms?.["BucketKeyEnabled"] };
    }
    case "PutBucketEncryption": {
      const rule = encryptionRules(input)[0];
      const byDefault = record(rule?.["ApplyServerSideEncryptionByDefault"]);
      const sse = byDefault?.["SSEAlgorithm"];
      return { sse, kmsKey: byDefault?.["KMSMasterKeyID"], bucketKey: rule?.["BucketKeyEnabled"] };
    }
    default: {
      // `null` is not sent, as `undefined` isn't.
      const customerKey = text(input["SSECustomerAlgorithm"]) ?? input["SSECustomerKey"] ?? undefined;
      const sse = customerKey === undefined ? input["ServerSideEncryption"] : "SSE-C";
      return { sse, kmsKey: input["SSEKMSKeyId"], bucketKey: input["BucketKeyEnabled"] };
    }
  }
}

/** The rules of a PutBucketEncryption input; S3 takes exactly one. */
export function encryptionRules(input: Input): readonly Input[] {
  const rules = record(input["ServerSideEncryptionConfiguration"])?.["Rules"];
  return Array.isArray(rules) ? rules.filter((rule) => record(rule) !== undefined) : [];
}

/** `bucket/key`, `/bucket/key`, or an access point ARN followed by `/object/key`; encoded as a whole or not. */
function copySourceOf(source: string): { bucket: string } {
  const decoded = decode(source);
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
