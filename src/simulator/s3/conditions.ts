/** If-Match and its relatives, for reads, copy sources and writes. */
import { header, type S3Call } from "./call.ts";
import { noSuchKey, preconditionFailed } from "./s3-error.ts";
import type { StoredObject } from "./store.ts";

/**
 * Whether a read may answer with 304 instead of the object.
 *
 * @throws `S3Error` 412 `PreconditionFailed`.
 */
export function checkReadConditions(call: S3Call, object: StoredObject): "send" | "not-modified" {
  return check(call, object, "");
}

/** The same for the source of a copy, where "not modified" fails too. */
export function checkCopySourceConditions(call: S3Call, object: StoredObject): void {
  if (check(call, object, "x-amz-copy-source-") === "not-modified") {
    throw preconditionFailed("x-amz-copy-source-If-None-Match");
  }
}

/**
 * `If-None-Match: *` writes only what does not exist, `If-Match` only over the object of that ETag.
 *
 * @throws `S3Error` 412 `PreconditionFailed`, or 404 when there is nothing to match.
 */
export function checkWriteConditions(call: S3Call, key: string, existing: StoredObject | undefined): void {
  if (call.headers["if-none-match"] === "*" && existing !== undefined) {
    throw preconditionFailed("If-None-Match");
  }
  const ifMatch = call.headers["if-match"];
  if (ifMatch === undefined) return;
  if (existing === undefined) throw noSuchKey(key);
  if (!matchesEtag(ifMatch, existing.etag)) throw preconditionFailed("If-Match");
}

function check(call: S3Call, object: StoredObject, prefix: string): "send" | "not-modified" {
  const ifMatch = header(call, `${prefix}if-match`);
  const ifNoneMatch = header(call, `${prefix}if-none-match`);
  if (ifMatch !== undefined) {
    if (!matchesEtag(ifMatch, object.etag)) throw preconditionFailed("If-Match");
  } else if (modifiedAfter(object, header(call, `${prefix}if-unmodified-since`)) === true) {
    throw preconditionFailed("If-Unmodified-Since");
  }
  if (ifNoneMatch !== undefined) return matchesEtag(ifNoneMatch, object.etag) ? "not-modified" : "send";
  return modifiedAfter(object, header(call, `${prefix}if-modified-since`)) === false
    ? "not-modified"
    : "send";
}

function matchesEtag(list: string, etag: string): boolean {
  return list.split(",").some((item) => {
    const wanted = item.trim();
    return wanted === "*" || wanted.replace(/^W\//, "").replaceAll('"', "") === etag;
  });
}

/** Undefined when there is no date to compare with; dates of HTTP have whole seconds. */
function modifiedAfter(object: StoredObject, date: string | undefined): boolean | undefined {
  const since = date === undefined ? Number.NaN : Date.parse(date);
  return Number.isNaN(since) ? undefined : Math.floor(object.lastModifiedMs / 1_000) * 1_000 > since;
}
