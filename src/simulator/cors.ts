/** CORS: a page of another origin may send and read everything. S3 itself wants a configuration of the bucket. */
import type { IncomingMessage } from "node:http";
import type { Answer } from "./s3/call.ts";
import { S3Error } from "./s3/s3-error.ts";

/** What every answer to a page says; nothing to a client that names no origin. */
export function corsHeaders({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  return headers.origin === undefined
    ? {}
    : { "access-control-allow-origin": "*", "access-control-expose-headers": "*" };
}

/**
 * The answer to a browser that asks before it sends.
 *
 * @throws `S3Error` 400 `BadRequest` for one that does not say what it wants to send.
 */
export function preflight({ headers }: IncomingMessage): Answer {
  if (headers.origin === undefined || headers["access-control-request-method"] === undefined) {
    throw new S3Error(400, "BadRequest", "Insufficient information. Origin request header needed.");
  }
  const asked = headers["access-control-request-headers"];
  return {
    status: 200,
    headers: {
      "access-control-allow-methods": "GET, HEAD, PUT, POST, DELETE",
      ...(asked !== undefined && { "access-control-allow-headers": asked }),
      "access-control-max-age": 600,
      vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
    },
  };
}
