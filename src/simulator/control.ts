/** `/_simulator/...`: what `Simulator` offers in this process, over HTTP, for programs in any language. */
import type { IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import type { Answer } from "./s3/call.ts";
import { replicatePending } from "./s3/replicate.ts";
import type { S3State } from "./s3/state.ts";

/** No bucket has such a name: an underscore is not allowed in one. */
const ROOT = "/_simulator";

interface Asked {
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
}

type Handler = (state: S3State, asked: Asked) => unknown;

/** Method and path below `/_simulator`; what comes out is sent as JSON. */
const ROUTES: Readonly<Record<string, Handler>> = {
  "GET ": ({ region, accountId, clock }) => ({
    simulator: "s3-bucket-keys",
    region,
    accountId,
    time: timeOf(clock.nowMs()),
    routes: CONTROL_ROUTES,
  }),
  "GET /kms-requests": ({ ledger }) => {
    const requests = ledger.requests();
    return { simulated: true, total: requests.reduce((sum, { count }) => sum + count, 0), requests };
  },
  "GET /kms-client-requests": ({ keys }) => ({ requests: keys.calls.list() }),
  "GET /cloudtrail": ({ ledger }) => ({ simulated: true, Records: ledger.events() }),
  "POST /advance": ({ clock }, { query }) => {
    const ms = query.get("ms") ?? "";
    if (!/^\d+$/.test(ms))
      throw new RangeError(`Say how many milliseconds, such as ?ms=60000: ${ms || "none"}`);
    clock.advance(Number(ms));
    return { time: timeOf(clock.nowMs()) };
  },
  "POST /replicate": (state) => ({ outcomes: replicatePending(state) }),
  "POST /reset": ({ ledger, keys, dataTrail }) => {
    ledger.reset();
    keys.calls.reset();
    dataTrail?.clear();
    return { total: 0 };
  },
  "GET /faults": ({ faults }) => ({ faults: faults.list() }),
  "POST /faults": async ({ faults }, { request }) => {
    faults.add(await jsonOf(request));
    return { faults: faults.list() };
  },
  "DELETE /faults": ({ faults }) => {
    faults.clear();
    return { faults: [] };
  },
};

/** Every route, such as `GET /_simulator/kms-requests`. */
export const CONTROL_ROUTES: readonly string[] = Object.keys(ROUTES).map((name) =>
  name.replace(" ", ` ${ROOT}`),
);

/**
 * Whether a request is for the simulator itself. Only by the loopback's own names: with a bucket in the host the path
 * is an object's key, and a name that merely resolves to loopback belongs to somebody else's web page.
 */
export function isControl({ url = "", headers: { host = "" } }: IncomingMessage): boolean {
  if (!url.startsWith(ROOT) || !/^(\/|\?|$)/.test(url.slice(ROOT.length))) return false;
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host);
}

/** A mistake is an answer with an `error` that says what to write. */
export async function answerControl(state: S3State, request: IncomingMessage): Promise<Answer> {
  if (request.headers.origin !== undefined) return failed(403, "Web pages may not ask this.");
  const { pathname, searchParams: query } = new URL(request.url ?? "", "http://127.0.0.1");
  const path = pathname.slice(ROOT.length).replace(/\/$/, "");
  const handle = ROUTES[`${request.method} ${path}`];
  if (handle === undefined) {
    const there = Object.keys(ROUTES).some((name) => name.endsWith(` ${path}`));
    return failed(there ? 405 : 404, `There is ${CONTROL_ROUTES.join(", ")}.`);
  }
  try {
    return json(200, await handle(state, { query, request }));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return failed(400, error.message);
  }
}

async function jsonOf(request: IncomingMessage): Promise<unknown> {
  const text = (await buffer(request)).toString();
  try {
    return JSON.parse(text);
  } catch {
    throw new RangeError(
      'Send a fault rule as JSON, such as {"times":1,"fault":{"kind":"error","code":"SlowDown"}}',
    );
  }
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

function failed(status: number, error: string): Answer {
  return json(status, { error });
}

function json(status: number, value: unknown): Answer {
  return {
    status,
    headers: { "content-type": "application/json" },
    body: `${JSON.stringify(value, undefined, 2)}\n`,
  };
}
