/** The policy of a form: what its fields and the size of its file have to be. */
import { S3Error } from "./s3-error.ts";

/** Smallest and largest file, in bytes. */
export interface SizeRange {
  readonly min: number;
  readonly max: number;
}

interface Condition {
  readonly operator: "eq" | "starts-with";
  /** As the policy writes it; compared in lower case. */
  readonly field: string;
  readonly value: string;
}

interface PostPolicy {
  readonly expiresMs: number;
  readonly conditions: readonly Condition[];
  readonly size: SizeRange;
}

const ANY_SIZE: SizeRange = { min: 0, max: Number.POSITIVE_INFINITY };

/** Fields that no condition has to name. */
const EXEMPT = new Set(["policy", "x-amz-signature", "signature", "awsaccesskeyid", "file"]);

/**
 * Holds a form against its policy.
 *
 * @param fields - Names in lower case, `${filename}` replaced; `bucket` is that of the address.
 * @returns What the file's size may be.
 * @throws `S3Error` 403 `AccessDenied` when the form is not what the policy says, 400 `InvalidPolicyDocument`
 * when the policy itself is malformed.
 */
export function checkPolicy(
  document: string,
  fields: ReadonlyMap<string, string>,
  { bucket, nowMs }: { readonly bucket: string; readonly nowMs: number },
): SizeRange {
  const policy = parsePolicy(document);
  if (policy.expiresMs <= nowMs) throw denied("Policy expired.");
  for (const condition of policy.conditions) {
    const name = condition.field.toLowerCase();
    const value = name === "bucket" ? bucket : fields.get(name);
    if (!holds(condition, name, value)) {
      const { operator, field, value: wanted } = condition;
      const [o, f, v] = [operator, `$${field}`, wanted].map((word) => JSON.stringify(word));
      throw denied(`Policy Condition failed: [${o}, ${f}, ${v}]`);
    }
  }
  const named = new Set(policy.conditions.map(({ field }) => field.toLowerCase()));
  const extra = [...fields.keys()].filter(
    (name) => !named.has(name) && !EXEMPT.has(name) && !name.startsWith("x-ignore-"),
  );
  if (extra.length > 0) throw denied(`Extra input fields: ${extra.join(", ")}`);
  return policy.size;
}

function holds({ operator, value: wanted }: Condition, name: string, value: string | undefined): boolean {
  if (value === undefined) return false;
  if (operator === "eq") return value === wanted;
  // A list of content types holds when each of them does.
  const values = name === "content-type" ? value.split(",").map((type) => type.trim()) : [value];
  return values.every((each) => each.startsWith(wanted));
}

function parsePolicy(document: string): PostPolicy {
  const parsed = parseJson(document);
  if (typeof parsed["expiration"] !== "string") throw invalid("Policy missing expiration.");
  if (!Array.isArray(parsed["conditions"])) throw invalid("Policy missing conditions.");
  const expiresMs = parseExpiration(parsed["expiration"]);
  const conditions: Condition[] = [];
  let size = ANY_SIZE;
  for (const entry of parsed["conditions"] as unknown[]) {
    const range = parseRange(entry);
    if (range === undefined) conditions.push(...parseConditions(entry));
    else size = { min: Math.max(size.min, range.min), max: Math.min(size.max, range.max) };
  }
  return { expiresMs, conditions, size };
}

function parseJson(document: string): Readonly<Record<string, unknown>> {
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(document)) throw invalid("Invalid Base64 Encoding.");
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(document, "base64").toString("utf8"));
  } catch {
    throw invalid("Invalid JSON.");
  }
  if (!isRecord(parsed)) throw invalid("Invalid JSON.");
  return parsed;
}

/** `2026-12-01T12:00:00.000Z`: S3 takes no other zone. */
function parseExpiration(text: string): number {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw invalid(`Invalid 'expiration' value: '${text}'`);
  return time;
}

function parseRange(entry: unknown): SizeRange | undefined {
  if (!Array.isArray(entry) || wordOf(entry[0]).toLowerCase() !== "content-length-range") return undefined;
  const [min, max] = entry.slice(1).map((word) => (/^\d+$/.test(wordOf(word)) ? Number(word) : Number.NaN));
  if (entry.length !== 3 || min === undefined || max === undefined || !(min >= 0) || !(max >= min)) {
    throw invalidCondition(entry);
  }
  return { min, max };
}

/** `["eq", "$field", "value"]`, `["starts-with", ...]`, or `{ "field": "value" }`. */
function parseConditions(entry: unknown): readonly Condition[] {
  if (Array.isArray(entry)) {
    const [operator, field, value] = entry.map(wordOf);
    const known = operator?.toLowerCase();
    if (
      entry.length !== 3 ||
      (known !== "eq" && known !== "starts-with") ||
      field === undefined ||
      !/^\$./.test(field) ||
      value === undefined
    ) {
      throw invalidCondition(entry);
    }
    return [{ operator: known, field: field.slice(1), value }];
  }
  if (!isRecord(entry) || Object.keys(entry).length !== 1) throw invalidCondition(entry);
  return Object.entries(entry).map(([field, value]) => {
    if (typeof value !== "string" && typeof value !== "number") throw invalidCondition(entry);
    return { operator: "eq", field, value: String(value) };
  });
}

/** Text, or a number as text; anything else is not a word. */
function wordOf(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function denied(why: string): S3Error {
  return new S3Error(403, "AccessDenied", `Invalid according to Policy: ${why}`);
}

function invalid(why: string): S3Error {
  return new S3Error(400, "InvalidPolicyDocument", `Invalid Policy: ${why}`);
}

function invalidCondition(entry: unknown): S3Error {
  return invalid(`Invalid condition: ${JSON.stringify(entry)}`);
}
