/** CORS: a page on loopback may send and read everything. S3 itself wants a configuration of the bucket. */
import type { IncomingMessage } from "node:http";
import type { Answer } from "./s3/call.ts";
import { S3Error } from "./s3/s3-error.ts";

const LOOPBACK = /^(?:127\.0\.0\.1|\[::1\]|(?:[a-z0-9-]+\.)*localhost)$/;

/** What every answer to such a page says; nothing to one from elsewhere, or to a client that names no origin. */
export function corsHeaders({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  const { origin } = headers;
  if (origin === undefined || !isLoopback(origin)) return {};
  return {
    "access-control-allow-origin": origin,
    "access-control-expose-headers": "*",
    vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
  };
}

/**
 * The answer to a browser that asks before it sends.
 *
 * @throws `S3Error` 400 `BadRequest` for one that does not say what it wants to send, 403 `AccessForbidden` for a
 * page that is not on loopback.
 */
export function preflight({ headers }: IncomingMessage): Answer {
  const { origin } = headers;
  if (origin === undefined || headers["access-control-request-method"] === undefined) {
    throw new S3Error(400, "BadRequest", "Insufficient information. Origin request header needed.");
  }
  if (!isLoopback(origin)) {
    throw new S3Error(403, "AccessForbidden", "CORSResponse: This CORS request is not allowed.");
  }
  const asked = headers["access-control-request-headers"];
  return {
    status: 200,
    headers: {
      "access-control-allow-methods": "GET, HEAD, PUT, POST, DELETE",
      ...(asked !== undefined && { "access-control-allow-headers": asked }),
      "access-control-max-age": 600,
    },
  };
}

function isLoopback(origin: string): boolean {
  return URL.canParse(origin) && LOOPBACK.test(new URL(origin).hostname);
}
