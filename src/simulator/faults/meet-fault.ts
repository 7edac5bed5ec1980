/** A request that meets a fault: before it is carried out, instead of it, or on the way back. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Answer, S3Call } from "../s3/call.ts";
import { sliceBytes, type Bytes } from "../s3/bytes.ts";
import { S3Error } from "../s3/s3-error.ts";
import { FAULT_ERRORS, type SimulatorFault, type SpoiledBody } from "./fault.ts";

/** Pieces of a slow body go out this often. */
const PIECE_EVERY_MS = 50;

/**
 * The answer under a fault, or undefined when there is nobody left to answer.
 *
 * @param carryOut - The operation itself.
 * @throws `S3Error` as the fault says, or as the operation does.
 */
export async function meetFault(
  fault: SimulatorFault,
  { request }: S3Call,
  carryOut: () => Answer | Promise<Answer>,
): Promise<Answer | undefined> {
  switch (fault.kind) {
    case "latency":
      return (await waited(request, fault.milliseconds)) ? carryOut() : undefined;
    case "error": {
      const { status, message } = FAULT_ERRORS[fault.code];
      throw new S3Error(status, fault.code, message);
    }
    case "reset":
      if (fault.moment === "after-body") await dropBody(request);
      if (fault.moment === "before-answer") await carryOut();
      request.socket.resetAndDestroy();
      return undefined;
    case "headers":
      return { ...(await carryOut()), replacedHeaders: fault.set };
    case "truncated-body":
    case "slow-body":
      return { ...(await carryOut()), spoiledBody: fault };
  }
}

/** Sends a body as the fault says; its length has been announced in full. */
export async function sendSpoiled(
  response: ServerResponse,
  body: string | Bytes,
  fault: SpoiledBody,
): Promise<void> {
  const bytes = typeof body === "string" ? bytesOf(body) : body;
  switch (fault.kind) {
    case "truncated-body": {
      const cut = Math.min(fault.afterBytes ?? Math.floor(bytes.length / 2), bytes.length);
      for (const piece of sliceBytes(bytes, 0, cut).pieces) response.write(piece);
      response.flushHeaders();
      response.req.socket.destroySoon();
      return;
    }
    case "slow-body":
      return drip(response, bytes, fault.bytesPerSecond);
  }
}

async function drip(response: ServerResponse, bytes: Bytes, bytesPerSecond: number): Promise<void> {
  response.flushHeaders();
  const start = performance.now();
  for (let sent = 0; sent < bytes.length;) {
    if (!(await waited(response.req, PIECE_EVERY_MS))) return;
    const due = Math.floor(((performance.now() - start) * bytesPerSecond) / 1_000);
    const end = Math.min(due, bytes.length);
    for (const piece of sliceBytes(bytes, sent, end).pieces) response.write(piece);
    sent = Math.max(sent, end);
  }
  response.end();
}

/** Whether the sender is still there after so long. */
function waited({ socket }: IncomingMessage, ms: number): Promise<boolean> {
  if (socket.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const gone = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      socket.off("close", gone);
      resolve(true);
    }, ms);
    socket.once("close", gone);
  });
}

/** Reads a body to its end, or to the end of its sender, and keeps nothing. */
function dropBody(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    request.on("end", resolve);
    request.on("close", resolve);
    request.resume();
  });
}

function bytesOf(text: string): Bytes {
  const piece = Buffer.from(text);
  return { pieces: [piece], length: piece.length };
}
