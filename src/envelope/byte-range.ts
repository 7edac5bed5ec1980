/** Ranges of bytes as HTTP asks for them (RFC 9110 14.1.2), of the plaintext here. */

/** `bytes=first-last`, `bytes=first-`, or `bytes=-suffix`. */
export type AskedRange = { readonly first: number; readonly last: number } | { readonly suffix: number };

/** Bytes `start` to before `end` of the plaintext. */
export interface ByteSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * The range that a header asks for.
 *
 * @returns `undefined` for several ranges at once and what can't be read: S3 answers both with the whole object.
 */
export function parseRange(text: unknown): AskedRange | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(String(text).trim()) ?? [];
  if (first === undefined || last === undefined || first + last === "") return undefined;
  if (first === "") return { suffix: Number(last) };
  const asked = { first: Number(first), last: last === "" ? Infinity : Number(last) };
  return asked.last < asked.first ? undefined : asked;
}

/** What a range comes to in an object of `bytes`; `undefined` when there is nothing of it. */
export function spanOf(asked: AskedRange, bytes: number): ByteSpan | undefined {
  const span =
    "suffix" in asked
      ? { start: Math.max(0, bytes - asked.suffix), end: bytes }
      : { start: asked.first, end: Math.min(asked.last + 1, bytes) };
  return span.start < span.end ? span : undefined;
}

/** As S3 writes it in `Content-Range`. */
export function contentRange({ start, end }: ByteSpan, bytes: number): string {
  return `bytes ${start}-${end - 1}/${bytes}`;
}

/**
 * S3's answer to a range that begins past the end, with the lengths of the plaintext. It goes by the same name as the
 * SDK's error, so that callers need not know who answers.
 */
export function invalidRange(text: string, bytes: number, metadata: unknown): Error {
  return Object.assign(new Error("The requested range is not satisfiable"), {
    name: "InvalidRange",
    Code: "InvalidRange",
    $fault: "client",
    $metadata: { ...(metadata as object), httpStatusCode: 416 },
    RangeRequested: text,
    ActualObjectSize: String(bytes),
  });
}
