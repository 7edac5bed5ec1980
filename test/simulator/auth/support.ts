/** Requests as the SDK signs them, held back so that a test can send them changed. */
import type { HttpRequest } from "@smithy/types";
import { rawExchange, type RawAnswer } from "../support.ts";
import type { Simulator } from "../../../src/simulator/index.ts";

export interface SignedRequest {
  readonly method: string;
  /** With the query. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

class HeldBack extends Error {}

/** What a client would send. @param call - Makes the client send one request. */
export async function signedRequest(
  { config }: { readonly config: { requestHandler: unknown } },
  call: () => Promise<unknown>,
): Promise<SignedRequest> {
  const { requestHandler } = config;
  let held: HttpRequest | undefined;
  config.requestHandler = {
    handle: (request: HttpRequest) => {
      held = request;
      return Promise.reject(new HeldBack());
    },
  };
  try {
    await call();
  } catch (error) {
    if (!(error instanceof HeldBack)) throw error;
  } finally {
    config.requestHandler = requestHandler;
  }
  return asSigned(held as HttpRequest);
}

function asSigned({ method, path, query, headers, body }: HttpRequest): SignedRequest {
  const pairs = Object.entries(query ?? {}).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value ?? ""))}`,
  );
  return {
    method,
    target: path + (pairs.length > 0 ? `?${pairs.join("&")}` : ""),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    body: body === undefined ? "" : Buffer.from(body as Uint8Array | string).toString("latin1"),
  };
}

export function send(
  sim: Simulator,
  { method, target, headers, body }: SignedRequest,
  changed: Readonly<Record<string, string | undefined>> = {},
): Promise<RawAnswer> {
  const all = { ...headers, "content-length": String(body.length), ...changed };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}\r\n`],
  );
  const head = `${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`;
  return rawExchange(sim, Buffer.from(head + body, "latin1"));
}

function codeOf({ body }: RawAnswer): string | undefined {
  return /<Code>(.*?)<\/Code>/.exec(body)?.[1];
}

/** Status and code, to compare at a glance. */
export async function outcome(answer: Promise<RawAnswer>): Promise<string> {
  const got = await answer;
  return [String(got.status), codeOf(got)].filter(Boolean).join(" ");
}
