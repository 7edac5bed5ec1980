/** The canonical request of SigV4 in S3's dialect: the path is encoded once and never normalized. */

/** A request as it came over the wire. */
export interface WireRequest {
  readonly method: string;
  /** Before the question mark, as sent. */
  readonly path: string;
  /** After the question mark, as sent. */
  readonly query: string;
  /** Names in lower case; values of a header that came more than once are joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
}

/** @param rawHeaders - Names and values in turn, as Node gives them. */
export function wireRequest(method: string, url: string, rawHeaders: readonly string[]): WireRequest {
  const mark = url.indexOf("?");
  const headers = new Map<string, string>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    const value = rawHeaders[i + 1] as string;
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before},${value}`);
  }
  return {
    method,
    path: mark === -1 ? url : url.slice(0, mark),
    query: mark === -1 ? "" : url.slice(mark + 1),
    headers,
  };
}

/** @param signedHeaders - Names in lower case, in the order of the signature. */
export function canonicalRequest(
  request: WireRequest,
  signedHeaders: readonly string[],
  payloadHash: string,
): string {
  let headers = "";
  for (const name of signedHeaders) headers += `${name}:${canonicalValue(request.headers.get(name) ?? "")}\n`;
  return [
    request.method,
    canonicalPath(request.path),
    canonicalQuery(request.query),
    headers,
    signedHeaders.join(";"),
    payloadHash,
  ].join("\n");
}

/** Characters that stay as they are, in a path and in a word of the query. */
const PATH_PLAIN = /^[A-Za-z0-9\-._~/]*$/;
const WORD_PLAIN = /^[A-Za-z0-9\-._~]*$/;

/** Everything but unreserved characters and slashes is escaped, however the sender wrote it. */
function canonicalPath(path: string): string {
  return PATH_PLAIN.test(path) ? path : escapeAll(path, PATH_PLAIN);
}

/** Sorted pairs, without the signature itself. */
function canonicalQuery(query: string): string {
  if (query === "") return "";
  const pairs: (readonly [string, string])[] = [];
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = equals === -1 ? pair : pair.slice(0, equals);
    if (name === "X-Amz-Signature") continue;
    pairs.push([canonicalWord(name), equals === -1 ? "" : canonicalWord(pair.slice(equals + 1))]);
  }
  return pairs
    .toSorted(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

/** A name or value of the query; a plus is a space there. */
function canonicalWord(word: string): string {
  return WORD_PLAIN.test(word) ? word : escapeAll(word.replaceAll("+", "%20"), WORD_PLAIN);
}

/** One escape for each byte that is not plain, whether it was escaped before or not. */
function escapeAll(text: string, plain: RegExp): string {
  return text.replace(/%([0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~]/g, (found, hex: string | undefined) => {
    const byte = hex === undefined ? found.charCodeAt(0) : Number.parseInt(hex, 16);
    const character = String.fromCharCode(byte);
    return plain.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  });
}

function canonicalValue(value: string): string {
  const trimmed = value.trim();
  return /\s\s|\t/.test(trimmed) ? trimmed.replace(/\s+/g, " ") : trimmed;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
