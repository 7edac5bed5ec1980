import type { IncomingMessage } from "node:http";
import type { Authenticated } from "../auth/authenticator.ts";
import type { S3Call } from "./call.ts";
import { S3Error } from "./s3-error.ts";

const MAX_KEY_BYTES = 1_024;
const NO_QUERY: ReadonlyMap<string, string> = new Map();

/**
 * Takes a request apart: bucket and key from a path (`/bucket/key`) or from a virtual host.
 *
 * @throws `S3Error` for an address that is no valid URL, or a key that is too long.
 */
export function parseCall(request: IncomingMessage, { requester, payload }: Authenticated): S3Call {
  const url = request.url ?? "/";
  const mark = url.indexOf("?");
  const path = mark === -1 ? url : url.slice(0, mark);
  const { bucket, rest } = bucketAndRest(path, request.headers.host ?? "");
  const key = decode(rest);
  requireKeyLength(key);
  return {
    method: request.method ?? "",
    bucket: decode(bucket),
    key,
    query: mark === -1 ? NO_QUERY : parseQuery(url.slice(mark + 1)),
    headers: request.headers,
    requester,
    payload,
    request,
  };
}

/** @throws `S3Error` 400 `KeyTooLongError`. */
export function requireKeyLength(key: string): void {
  if (key.length * 3 <= MAX_KEY_BYTES || Buffer.byteLength(key) <= MAX_KEY_BYTES) return;
  throw new S3Error(400, "KeyTooLongError", "Your key is too long", {
    Size: String(Buffer.byteLength(key)),
    MaxSizeAllowed: String(MAX_KEY_BYTES),
  });
}

function bucketAndRest(path: string, host: string): { bucket: string; rest: string } {
  const virtual = virtualHostBucket(host.replace(/:\d+$/, ""));
  if (virtual !== undefined) return { bucket: virtual, rest: path.slice(1) };
  const slash = path.indexOf("/", 1);
  return slash === -1
    ? { bucket: path.slice(1), rest: "" }
    : { bucket: path.slice(1, slash), rest: path.slice(slash + 1) };
}

/** The bucket of `bucket.localhost` and `bucket.s3.localhost`; none for `localhost` and `s3.localhost`. */
function virtualHostBucket(host: string): string | undefined {
  if (!host.endsWith(".localhost") || host === "s3.localhost") return undefined;
  return host.slice(0, -".localhost".length).replace(/\.s3$/, "");
}

function parseQuery(query: string): ReadonlyMap<string, string> {
  const parsed = new Map<string, string>();
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = equals === -1 ? pair : pair.slice(0, equals);
    const value = equals === -1 ? "" : pair.slice(equals + 1);
    parsed.set(decode(name.replaceAll("+", " ")), decode(value.replaceAll("+", " ")));
  }
  return parsed;
}

function decode(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error(400, "InvalidURI", "Couldn't parse the specified URI.", { URI: text });
  }
}
