/** What a request says of its own signature: taken apart here, believed nowhere. */
import { invalidArgument, notImplemented, S3Error } from "../s3/s3-error.ts";
import type { WireRequest } from "./canonical-request.ts";
import type { CredentialScope } from "./signing-key.ts";

/** A signature of version 4, in the header or, presigned, in the query. */
export interface SignatureClaim {
  readonly kind: "header" | "presigned";
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  /** Names in lower case, in the order of the signature. */
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `YYYYMMDDTHHMMSSZ`, and the same in milliseconds since 1970. */
  readonly timestamp: string;
  readonly timeMs: number;
  /** How long a presigned URL is good for, in seconds. */
  readonly expiresSeconds: number | undefined;
  readonly sessionToken: string | undefined;
  /** As the sender says it; undefined when it says nothing. */
  readonly payloadHash: string | undefined;
}

const ALGORITHM = "AWS4-HMAC-SHA256";
const ASYMMETRIC = "AWS4-ECDSA-P256-SHA256";
const WEEK_SECONDS = 604_800;
export const CREDENTIAL =
  'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".';

/** Anonymous, signed with version 2 (of which only the sender's name is read), or with version 4. */
export type Claim = "anonymous" | "v2" | SignatureClaim;

/** @throws `S3Error` for a signature that is malformed, of an unknown kind, or one of two. */
export function claimOf(request: WireRequest): Claim {
  const authorization = request.headers.get("authorization");
  const query = signatureParameters(request.query);
  const isPresigned = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"].some((name) =>
    query.has(name),
  );
  const isPresignedV2 = query.has("AWSAccessKeyId") && query.has("Signature");
  if (authorization === undefined) {
    return isPresigned ? presignedClaim(request, query) : isPresignedV2 ? "v2" : "anonymous";
  }
  if (isPresigned || isPresignedV2) {
    throw invalidArgument(
      "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
      { ArgumentName: "Authorization" },
    );
  }
  if (authorization.startsWith("AWS ")) return "v2";
  return headerClaim(request, authorization);
}

/** Parameters of the query that a signature may be in; of one that is there twice, the first. */
function signatureParameters(query: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (query === "") return found;
  for (const pair of query.split("&")) {
    if (!/^(?:X-Amz-|AWSAccessKeyId=|Signature=)/.test(pair)) continue;
    const equals = pair.indexOf("=");
    const name = equals === -1 ? pair : pair.slice(0, equals);
    if (!found.has(name)) found.set(name, equals === -1 ? "" : decoded(pair.slice(equals + 1)));
  }
  return found;
}

/** What cannot be decoded is no value of a signature. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value.replaceAll("+", " "));
  } catch {
    return "";
  }
}

function headerClaim({ headers }: WireRequest, authorization: string): SignatureClaim {
  const space = authorization.indexOf(" ");
  const algorithm = space === -1 ? authorization : authorization.slice(0, space);
  if (algorithm === ASYMMETRIC) throw asymmetric();
  if (algorithm !== ALGORITHM) {
    throw invalidArgument("Unsupported Authorization Type", { ArgumentName: "Authorization" });
  }
  const parts = new Map<string, string>();
  for (const part of authorization.slice(algorithm.length).split(",")) {
    const equals = part.indexOf("=");
    if (equals !== -1) parts.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim());
  }
  const [credential, signed, signature] = ["Credential", "SignedHeaders", "Signature"].map((name) =>
    parts.get(name),
  );
  if (!credential || !signed || !signature) {
    throw malformed(
      "the authorization header requires three components: Credential, SignedHeaders, and Signature.",
    );
  }
  const { accessKeyId, scope } = parseCredential(credential) ?? malformedNow(CREDENTIAL);
  const time = parseTime(headers.get("x-amz-date") ?? headers.get("date") ?? "");
  if (time === undefined) {
    throw new S3Error(403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header");
  }
  if (scope.date !== time.timestamp.slice(0, 8)) {
    throw malformed(
      `Invalid credential date "${scope.date}". This date is not the same as X-Amz-Date: "${time.timestamp.slice(0, 8)}".`,
    );
  }
  return {
    kind: "header",
    accessKeyId,
    scope,
    signedHeaders: signed.split(";"),
    signature,
    ...time,
    expiresSeconds: undefined,
    sessionToken: headers.get("x-amz-security-token"),
    payloadHash: headers.get("x-amz-content-sha256"),
  };
}

function presignedClaim({ headers }: WireRequest, query: ReadonlyMap<string, string>): SignatureClaim {
  const algorithm = query.get("X-Amz-Algorithm");
  if (algorithm === ASYMMETRIC) throw asymmetric();
  if (algorithm !== undefined && algorithm !== ALGORITHM) {
    throw malformedQuery(`X-Amz-Algorithm only supports "${ALGORITHM}"`);
  }
  const credential = query.get("X-Amz-Credential");
  const signature = query.get("X-Amz-Signature");
  const date = query.get("X-Amz-Date");
  const signed = query.get("X-Amz-SignedHeaders");
  const expires = query.get("X-Amz-Expires");
  if (!algorithm || !credential || !signature || !date || !signed || !expires) {
    throw malformedQuery(
      "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    );
  }
  const parsed = parseCredential(credential);
  if (parsed === undefined) {
    throw malformedCredential(CREDENTIAL);
  }
  const time = parseTime(date);
  if (time === undefined || !date.endsWith("Z")) {
    throw malformedQuery("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  }
  if (parsed.scope.date !== time.timestamp.slice(0, 8)) {
    throw malformedQuery(
      `Invalid credential date "${parsed.scope.date}". This date is not the same as X-Amz-Date: "${time.timestamp.slice(0, 8)}".`,
    );
  }
  return {
    kind: "presigned",
    ...parsed,
    signedHeaders: signed.split(";"),
    signature,
    ...time,
    expiresSeconds: parseExpires(expires),
    sessionToken: query.get("X-Amz-Security-Token") ?? headers.get("x-amz-security-token"),
    payloadHash: headers.get("x-amz-content-sha256") ?? query.get("X-Amz-Content-Sha256"),
  };
}

function parseExpires(text: string): number {
  if (!/^-?\d+$/.test(text)) throw malformedQuery("X-Amz-Expires should be a number");
  const seconds = Number(text);
  if (seconds < 0) throw malformedQuery("X-Amz-Expires must be non-negative");
  if (seconds > WEEK_SECONDS) {
    throw malformedQuery(
      `X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than ${WEEK_SECONDS} seconds`,
    );
  }
  return seconds;
}

/** `AKID/YYYYMMDD/REGION/SERVICE/aws4_request`, or undefined. */
export function parseCredential(
  text: string,
): { readonly accessKeyId: string; readonly scope: CredentialScope } | undefined {
  const found = /^([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request$/.exec(text);
  if (found === null) return undefined;
  const [, accessKeyId, date, region, service] = found as unknown as [string, string, string, string, string];
  return { accessKeyId, scope: { date, region, service } };
}

/** `YYYYMMDDTHHMMSSZ`, or the form of the Date header. */
function parseTime(text: string): { readonly timestamp: string; readonly timeMs: number } | undefined {
  const basic = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  const iso = basic && `${basic[1]}-${basic[2]}-${basic[3]}T${basic[4]}:${basic[5]}:${basic[6]}Z`;
  const timeMs = Date.parse(iso ?? (/^[A-Z][a-z]{2}, /.test(text) ? text : ""));
  if (Number.isNaN(timeMs)) return undefined;
  return { timestamp: basic === null ? basicTime(timeMs) : text, timeMs };
}

function basicTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.\d{3}|[-:]/g, "");
}

function asymmetric(): S3Error {
  return notImplemented(`Not simulated: ${ASYMMETRIC} (SigV4A). Please use ${ALGORITHM}.`);
}

function malformedNow(what: string): never {
  throw malformed(what);
}

export function malformed(what: string, details: Readonly<Record<string, string>> = {}): S3Error {
  return new S3Error(
    400,
    "AuthorizationHeaderMalformed",
    `The authorization header is malformed; ${what}`,
    details,
  );
}

/** The same for the credential of a presigned URL or a form. */
export function malformedCredential(what: string, details: Readonly<Record<string, string>> = {}): S3Error {
  return malformedQuery(`Error parsing the X-Amz-Credential parameter; ${what}`, details);
}

export function malformedQuery(what: string, details: Readonly<Record<string, string>> = {}): S3Error {
  return new S3Error(400, "AuthorizationQueryParametersError", what, details);
}
