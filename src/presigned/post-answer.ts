import { responseFacts } from "../observe/response-facts.ts";
import type { ResponseState } from "../policy/policy.ts";

/**
 * What S3 says about an object that a form uploaded.
 *
 * @public
 */
export interface PostAnswer {
  /** Whether the object has a bucket key; `unknown` when the answer doesn't tell. */
  readonly state: ResponseState;
  /** Algorithm: `aws:kms`, `AES256`, ...; `SSE-C` for customer keys, `none` when the answer names none. */
  readonly sse: string;
  /** ARN of the KMS key, when the answer names one. */
  readonly kmsKey?: string;
}

/**
 * Headers as `fetch` or `node:http` give them: anything with `get(name)`, or a plain record.
 *
 * @public
 */
export type AnsweredHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * The encryption of an uploaded object, read from the headers that answer the form (or a presigned PUT).
 *
 * In a browser the headers are hidden unless the bucket's CORS rules expose them (`ExposeHeaders`); then the
 * state is `unknown`.
 *
 * @param headers - Names in any case.
 * @example
 * ```ts
 * const response = await fetch(url, { method: "POST", body: form });
 * if (readPostAnswer(response.headers).state !== "enabled") console.warn("no bucket key");
 * ```
 * @public
 */
export function readPostAnswer(headers: AnsweredHeaders): PostAnswer {
  const { state, sse, kmsKey } = responseFacts({ statusCode: 200, headers: plain(headers) }) ?? UNKNOWN;
  return kmsKey === undefined ? { state, sse } : { state, sse, kmsKey };
}

const UNKNOWN = { state: "unknown", sse: "none", kmsKey: undefined } as const;

const SSE = "x-amz-server-side-encryption";
const NAMES = [SSE, `${SSE}-bucket-key-enabled`, `${SSE}-aws-kms-key-id`, `${SSE}-customer-algorithm`];

function plain(headers: AnsweredHeaders): Record<string, string | undefined> {
  if (typeof headers.get === "function") {
    const given = headers as { get(name: string): string | null };
    return Object.fromEntries(NAMES.map((name) => [name, given.get(name) ?? undefined]));
  }
  const found: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(headers)) {
    found[name.toLowerCase()] = typeof value === "string" ? value : value?.[0];
  }
  return found;
}
