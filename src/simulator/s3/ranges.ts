import { S3Error } from "./s3-error.ts";

/** Bytes `start` to just before `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The range that a header asks for; undefined sends the whole object, as S3 does for several ranges at once and
 * for what it cannot read.
 *
 * @param range - `bytes=a-b`, `bytes=a-` or `bytes=-n`.
 * @throws `S3Error` 416 `InvalidRange` when it starts beyond the end.
 */
export function parseRange(range: string | undefined, length: number): ByteRange | undefined {
  const found = range === undefined ? null : /^bytes=(\d*)-(\d*)$/.exec(range.trim());
  if (found === null) return undefined;
  const [, first = "", last = ""] = found;
  if (first === "" && last === "") return undefined;
  if (first === "") return suffix(Number(last), length, range as string);
  const start = Number(first);
  const end = last === "" ? length : Math.min(Number(last) + 1, length);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= length) throw invalidRange(range as string, length);
  return { start, end };
}

function suffix(bytes: number, length: number, range: string): ByteRange {
  if (bytes === 0 || length === 0) throw invalidRange(range, length);
  return { start: Math.max(length - bytes, 0), end: length };
}

function invalidRange(range: string, length: number): S3Error {
  return new S3Error(
    416,
    "InvalidRange",
    "The requested range is not satisfiable",
    { RangeRequested: range, ActualObjectSize: String(length) },
    { "content-range": `bytes */${length}` },
  );
}
