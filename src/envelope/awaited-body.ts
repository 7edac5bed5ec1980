/** Bodies that come from a connection: it may break while they wait, or fall silent while they're read. */
import { finished, Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";
import type { ByteBudget, Release } from "./byte-budget.ts";

/** After so long without a chunk, a body takes no room from others for what hasn't come of it. */
const SILENT_MS = 1000;

/**
 * What something comes to, unless `body` breaks meanwhile: when a call is aborted, the SDK destroys its body, and that
 * is all that can be seen of the abort here.
 *
 * @param wait - Is to end with the signal's reason, which is the body's error.
 */
export async function unlessBroken<T>(body: unknown, wait: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const broken = new AbortController();
  const isStream = body instanceof Readable || body instanceof ReadableStream;
  if (!isStream) return wait(broken.signal);
  const stop = finished(body as Readable, { writable: false }, (error) => {
    if (error) broken.abort(error);
  });
  try {
    return await wait(broken.signal);
  } finally {
    stop();
  }
}

/**
 * The chunks of a body that was granted `bytes` of a budget, given back when they end. While none comes, only what has
 * come is counted: a connection that fell silent, behind whatever Content-Length, would keep all other bodies waiting
 * for good. When it wakes up, all of it is counted again, without waiting. So what has come is always counted. Beyond the
 * budget go those that wake up after others got their room, and one other body per second while all stall half-read.
 *
 * To charge bytes as they arrive would need no clock, but bodies that are half read would wait for each other then.
 *
 * @param tooLong - Makes the error for a body of more than `bytes`, which is read no further.
 */
export async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  budget: ByteBudget,
  bytes: number,
  granted: Release,
  tooLong: () => Error,
): AsyncGenerator<Uint8Array> {
  let giveBack = granted;
  let received = 0;
  let isSilent = false;
  /** Before the former count is given back: what is in memory is nobody else's for a moment. */
  const count = (now: number): void => {
    const former = giveBack;
    giveBack = budget.keep(now);
    former();
  };
  const timer = setTimeout(() => {
    isSilent = true;
    count(received);
  }, SILENT_MS).unref();
  try {
    for await (const chunk of chunks) {
      received += chunk.length;
      if (received > bytes) throw tooLong();
      if (isSilent) count(bytes);
      isSilent = false;
      timer.refresh();
      yield chunk;
    }
  } finally {
    clearTimeout(timer);
    giveBack();
  }
}
