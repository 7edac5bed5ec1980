/** An independent reading of SigV4 for presigned URLs, as S3 would check what an uploader sends. */
import { createHash, createHmac } from "node:crypto";

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** Encoded as SigV4 wants it: only letters, digits and `-_.~` stay. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * Whether the URL's signature holds for a request with these headers.
 *
 * An `x-amz-` header that is sent and not signed makes S3 turn the request down, so it does here.
 */
export function isSignatureValid(
  url: string,
  method: string,
  secretAccessKey: string,
  headers: Readonly<Record<string, string>>,
): boolean {
  const { host, pathname, searchParams } = new URL(url);
  const sent: Record<string, string> = { ...headers, host };
  const signed = searchParams.get("X-Amz-SignedHeaders")?.split(";") ?? [];
  if (signed.some((name) => sent[name] === undefined)) return false;
  if (Object.keys(sent).some((name) => name.startsWith("x-amz-") && !signed.includes(name))) return false;

  const query = [...searchParams]
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .toSorted();
  const canonical = [
    method,
    pathname,
    query.join("&"),
    ...signed.map((name) => `${name}:${sent[name]?.trim().replace(/\s+/g, " ")}`),
    "",
    signed.join(";"),
    "UNSIGNED-PAYLOAD",
  ].join("\n");
  const scope = searchParams.get("X-Amz-Credential")?.split("/").slice(1) ?? [];
  const key = scope.reduce<string | Buffer>((derived, part) => hmac(derived, part), `AWS4${secretAccessKey}`);
  const toSign = [
    "AWS4-HMAC-SHA256",
    searchParams.get("X-Amz-Date"),
    scope.join("/"),
    createHash("sha256").update(canonical).digest("hex"),
  ].join("\n");
  return hmac(key, toSign).toString("hex") === searchParams.get("X-Amz-Signature");
}
