/** The fields of a browser form that speak of encryption. S3 compares their names without case. */
import type { DecisionSet } from "../policy/policy.ts";

export type Fields = Readonly<Record<string, string>>;

const SSE = "x-amz-server-side-encryption";

/** The field that carries each part of what a decision writes. */
export const FIELD_OF: Readonly<Record<keyof DecisionSet, string>> = {
  sse: SSE,
  kmsKey: `${SSE}-aws-kms-key-id`,
  bucketKey: `${SSE}-bucket-key-enabled`,
};

/** The field that brings a customer's own key. */
export const CUSTOMER_ALGORITHM: string = `${SSE}-customer-algorithm`;

/** What the SDK calls the member that each field stands for. */
const MEMBER_OF: Fields = {
  [FIELD_OF.sse]: "ServerSideEncryption",
  [FIELD_OF.kmsKey]: "SSEKMSKeyId",
  [FIELD_OF.bucketKey]: "BucketKeyEnabled",
  [`${SSE}-context`]: "SSEKMSEncryptionContext",
  [CUSTOMER_ALGORITHM]: "SSECustomerAlgorithm",
  [`${SSE}-customer-key`]: "SSECustomerKey",
};

/** The fields as an input of the SDK would name them. */
export function asMembers(fields: Fields): Fields {
  const members: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields)) {
    const member = MEMBER_OF[name.toLowerCase()];
    if (member !== undefined) members[member] = value;
  }
  return members;
}

/** Two spellings of one encryption field, or undefined: nobody knows which of them S3 would take. */
export function spelledTwice(fields: Fields): readonly [string, string] | undefined {
  const seen = new Map<string, string>();
  for (const name of Object.keys(fields)) {
    const field = name.toLowerCase();
    const earlier = seen.get(field);
    if (earlier !== undefined && field.startsWith(SSE)) return [earlier, name];
    seen.set(field, name);
  }
  return undefined;
}

/** The fields with what `enforce` writes. A field that is there keeps its place and its spelling. */
export function amendFields(fields: Fields, set: DecisionSet): Record<string, string> {
  const amended: Record<string, string> = { ...fields };
  for (const part of ["sse", "kmsKey", "bucketKey"] as const) {
    const value = set[part];
    if (value === undefined) continue;
    const field = FIELD_OF[part];
    const name = Object.keys(amended).find((written) => written.toLowerCase() === field) ?? field;
    if (value === null) delete amended[name];
    else amended[name] = String(value);
  }
  return amended;
}

/** The value of a field, whatever the case its name was written in. */
export function valueOf(fields: Fields, field: string): string | undefined {
  return Object.entries(fields).find(([name]) => name.toLowerCase() === field)?.[1];
}
