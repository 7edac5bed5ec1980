/** ListObjectVersions: pages over all versions, newest first within a key. */
import type { Answer, S3Call } from "./call.ts";
import { firstFrom, listedObject, listHead, listQuery, rollUp, type ListQuery } from "./listing.ts";
import { invalidArgument } from "./s3-error.ts";
import { bucketOf, type S3State } from "./state.ts";
import { compareUtf8, isDeleteMarker, versionName, type Bucket, type Version } from "./store.ts";
import { s3Xml, type XmlObject } from "./xml.ts";

/** Versions and delete markers stand in two lists, each in order, where S3 mixes them. */
export function listObjectVersions(state: S3State, call: S3Call): Answer {
  const bucket = bucketOf(state, call.bucket);
  const query = listQuery(call);
  const keyMarker = call.query.get("key-marker") ?? "";
  const versionMarker = call.query.get("version-id-marker") ?? "";
  if (versionMarker !== "" && keyMarker === "") {
    throw invalidArgument("A version-id marker cannot be specified without a key marker.", {
      ArgumentName: "version-id-marker",
      ArgumentValue: versionMarker,
    });
  }
  const page = pageOf(bucket, query, keyMarker, versionMarker);
  const listed = ({ version, isLatest }: Entry): XmlObject => ({
    Key: query.encode(version.key),
    VersionId: versionName(version),
    IsLatest: isLatest,
    ...(isDeleteMarker(version)
      ? { LastModified: new Date(version.lastModifiedMs).toISOString() }
      : listedObject(version)),
    Owner: { ID: state.accountId },
  });
  return {
    status: 200,
    body: s3Xml("ListVersionsResult", {
      Name: bucket.name,
      Prefix: query.encode(query.prefix),
      KeyMarker: query.encode(keyMarker),
      VersionIdMarker: versionMarker,
      NextKeyMarker: page.next && query.encode(page.next.key),
      NextVersionIdMarker: page.next?.version,
      MaxKeys: query.maxKeys,
      ...listHead(query),
      IsTruncated: page.next !== undefined,
      Version: page.entries.filter(({ version }) => !isDeleteMarker(version)).map(listed),
      DeleteMarker: page.entries.filter(({ version }) => isDeleteMarker(version)).map(listed),
      CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: query.encode(prefix) })),
    }),
  };
}

interface Entry {
  readonly version: Version;
  readonly isLatest: boolean;
}

interface Page {
  readonly entries: readonly Entry[];
  readonly prefixes: readonly string[];
  /** The last key or prefix of a page that is not the last one, and the version when it ends at one. */
  readonly next: { readonly key: string; readonly version: string | undefined } | undefined;
}

/** Entries after the markers: after that version of that key, or after all of that key. */
function pageOf(bucket: Bucket, query: ListQuery, keyMarker: string, versionMarker: string): Page {
  const { prefix, delimiter, maxKeys } = query;
  const entries: Entry[] = [];
  const prefixes: string[] = [];
  let last: { key: string; version: string | undefined } | undefined;
  const keys = bucket.sortedKeysWithOlder();
  const isFull = (): boolean => entries.length + prefixes.length === maxKeys;
  if (maxKeys === 0) return { entries, prefixes, next: undefined };
  const from = compareUtf8(keyMarker, prefix) > 0 ? keyMarker : prefix;
  for (let at = firstFrom(keys, from); at < keys.length; at++) {
    const key = keys[at] as string;
    if (!key.startsWith(prefix)) break;
    const rolledUp = rollUp(key, prefix, delimiter);
    if (rolledUp !== undefined) {
      if (rolledUp === last?.key || keyMarker.startsWith(rolledUp)) continue;
      if (isFull()) return { entries, prefixes, next: last };
      prefixes.push(rolledUp);
      last = { key: rolledUp, version: undefined };
      continue;
    }
    if (key === keyMarker && versionMarker === "") continue;
    const versions = bucket.versions(key);
    for (let v = key === keyMarker ? after(versions, versionMarker) : 0; v < versions.length; v++) {
      if (isFull()) return { entries, prefixes, next: last };
      const version = versions[v] as Version;
      entries.push({ version, isLatest: v === 0 });
      last = { key, version: versionName(version) };
    }
  }
  return { entries, prefixes, next: undefined };
}

/** A version that is gone since the page before ends its key. */
function after(versions: readonly Version[], marker: string): number {
  const found = versions.findIndex((version) => versionName(version) === marker);
  return found === -1 ? versions.length : found + 1;
}
