/** HTTP in and out: who asks, KMS or S3, and every outcome as an answer on the wire. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { answerControl, isControl } from "./control.ts";
import { corsHeaders, preflight } from "./cors.ts";
import { NOBODY } from "./credentials.ts";
import { meetFault, sendSpoiled } from "./faults/meet-fault.ts";
import { handleKms, kmsFaultAnswer } from "./kms/handler.ts";
import { kmsFaultOf } from "./kms/refused.ts";
import { receiveBody } from "./s3/body.ts";
import { refuseDirectoryBucket } from "./s3/buckets.ts";
import type { Bytes } from "./s3/bytes.ts";
import type { Answer, S3Call } from "./s3/call.ts";
import { recording } from "./s3/data-events.ts";
import { isForm } from "./s3/form.ts";
import { parseCall } from "./s3/parse-call.ts";
import { routeOf } from "./s3/routes.ts";
import { S3Error } from "./s3/s3-error.ts";
import { versionTwoRefused } from "./s3/signature-version.ts";
import type { S3State } from "./s3/state.ts";
import { plainXml } from "./s3/xml.ts";

const KMS_TARGET = "TrentService.";
const MAX_KMS_BYTES = 256 * 1024;

export function createSimulatorServer(state: S3State): Server {
  const ids = new RequestIds();
  const server = createServer((request, response) => {
    const requestId = ids.next();
    answerTo(state, request)
      .then((answer) => answer && send(response, request, requestId, answer))
      .catch((error: unknown) => sendError(response, request, requestId, error))
      .catch(() => response.destroy());
  });
  // A body that nobody finishes sending is waited for as long as the sender keeps the socket.
  server.requestTimeout = 0;
  // Longer than clients keep an idle socket: they never send into one that is being closed.
  server.keepAliveTimeout = 60_000;
  return server;
}

/** Undefined when the connection is gone. */
async function answerTo(state: S3State, request: IncomingMessage): Promise<Answer | undefined> {
  const target = request.headers["x-amz-target"];
  if (typeof target === "string" && target.startsWith(KMS_TARGET)) {
    return answerKms(state, request, target);
  }
  if (isControl(request)) return answerControl(state, request);
  if (request.method === "OPTIONS") return preflight(request);
  const call = parseCall(
    request,
    isForm(request) ? { requester: NOBODY } : state.authenticator.ofRequest(request),
  );
  if (state.authenticator.verifies && call.requester.signedWith === "v2") {
    throw versionTwoRefused(state, call);
  }
  refuseDirectoryBucket(call.bucket);
  requireOwner(state, call);
  const { operation, handle } = recording(state, routeOf(call));
  const fault = state.faults.isEmpty
    ? undefined
    : state.faults.next({ operation, bucket: call.bucket, key: call.key });
  return fault === undefined ? handle(state, call) : meetFault(fault, call, () => handle(state, call));
}

async function answerKms(state: S3State, request: IncomingMessage, target: string): Promise<Answer> {
  try {
    const unread = parseCall(request, { requester: NOBODY });
    const { bytes } = await receiveBody(unread, { maxBytes: MAX_KMS_BYTES });
    const body = Buffer.concat(bytes.pieces);
    const { principalArn } = state.authenticator.ofKmsRequest(request, body);
    return handleKms(state.keys, { target, body, requester: principalArn });
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    return kmsFaultAnswer(kmsFaultOf(error));
  }
}

function requireOwner(state: S3State, call: S3Call): void {
  const expected = call.headers["x-amz-expected-bucket-owner"];
  if (expected !== undefined && expected !== state.accountId) {
    throw new S3Error(403, "AccessDenied", "Access Denied");
  }
}

async function send(
  response: ServerResponse,
  request: IncomingMessage,
  requestId: string,
  answer: Answer,
): Promise<void> {
  const headers: Record<string, string | number> = {
    "x-amz-request-id": requestId,
    "x-amz-id-2": HOST_ID,
    ...corsHeaders(request),
    ...answer.headers,
  };
  const { body } = answer;
  if (typeof body === "string") {
    headers["content-type"] ??= "application/xml";
    headers["content-length"] = Buffer.byteLength(body);
  } else if (
    body === undefined &&
    request.method !== "HEAD" &&
    answer.status !== 204 &&
    answer.status !== 304
  ) {
    headers["content-length"] = 0;
  }
  if (answer.replacedHeaders !== undefined) replaceHeaders(headers, answer.replacedHeaders);
  response.writeHead(answer.status, headers);
  if (body === undefined || request.method === "HEAD") response.end();
  else if (answer.spoiledBody !== undefined) await sendSpoiled(response, body, answer.spoiledBody);
  else if (typeof body === "string") response.end(body);
  else await sendBytes(response, body);
}

function replaceHeaders(
  headers: Record<string, string | number>,
  replaced: Readonly<Record<string, string | null>>,
): void {
  for (const [name, value] of Object.entries(replaced)) {
    delete headers[name.toLowerCase()];
    if (value !== null) headers[name.toLowerCase()] = value;
  }
}

/** Piece by piece, at the pace of the reader; a reader that goes away ends it. */
async function sendBytes(response: ServerResponse, { pieces }: Bytes): Promise<void> {
  for (let i = 0; i < pieces.length - 1; i++) {
    if (!response.write(pieces[i])) await drained(response);
    if (response.destroyed) return;
  }
  response.end(pieces.at(-1));
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
  });
}

/** An error of HEAD has no body, hence no code (E10); its headers stay. */
async function sendError(
  response: ServerResponse,
  request: IncomingMessage,
  requestId: string,
  thrown: unknown,
): Promise<void> {
  // The answer is on its way already: only its end can still tell the reader.
  if (response.headersSent) throw thrown;
  const error = thrown instanceof S3Error ? thrown : internalError(thrown);
  const { code, message, details, status } = error;
  const answer: Answer =
    request.method === "HEAD"
      ? { status, headers: error.headers }
      : {
          status,
          headers: { "content-type": "application/xml", ...error.headers },
          body: plainXml("Error", {
            Code: code,
            Message: message,
            ...details,
            RequestId: requestId,
            HostId: HOST_ID,
          }),
        };
  await send(response, request, requestId, answer);
}

/** A bug of the simulator: said in the answer, so that it does not look like AWS's. */
function internalError(thrown: unknown): S3Error {
  const what = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return new S3Error(500, "SimulatorBug", `The simulator failed: ${what}`);
}

const HOST_ID = Buffer.from("s3-bucket-keys simulator").toString("base64");

/** Sixteen hex digits, counting up: unique and cheap. */
class RequestIds {
  #count = 0;

  next(): string {
    this.#count += 1;
    return this.#count.toString(16).toUpperCase().padStart(16, "0");
  }
}
