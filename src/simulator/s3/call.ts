import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { SignedPayload } from "../auth/verifier.ts";
import type { Requester } from "../credentials.ts";
import type { SpoiledBody } from "../faults/fault.ts";
import type { Bytes } from "./bytes.ts";

/** One request to S3, taken apart but with its body still on the wire. */
export interface S3Call {
  readonly method: string;
  /** Empty for a request to the service itself. */
  readonly bucket: string;
  /** Empty for a request to a bucket. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly requester: Requester;
  /** What the verified signature says of the body; undefined where signatures are not verified. */
  readonly payload?: SignedPayload | undefined;
  readonly request: IncomingMessage;
}

/** What goes back; `body` as text is XML. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: string | Bytes;
  /** Of an injected fault: headers that say something else than the operation did; `null` leaves one out. */
  readonly replacedHeaders?: Readonly<Record<string, string | null>>;
  /** Of an injected fault: the body goes out in this way. */
  readonly spoiledBody?: SpoiledBody;
}

/** The value of a header that S3 takes once. */
export function header(call: S3Call, name: string): string | undefined {
  const value = call.headers[name];
  return typeof value === "string" ? value : value?.[0];
}
