/** What a program is asked, and what it answers: a line of JSON each. `client.ts` says how they go on. */

/**
 * How an object is written:
 *
 * - `put`: in one piece;
 * - `multipart`: in parts of 5 MiB, call by call;
 * - `uploader`: in parts of 5 MiB, by what does so by itself: the client's own, or that of its SDK around the client;
 * - `instruction`: in one piece, with its envelope in an instruction file;
 * - `stream`: in one piece, from a stream that can't be read twice.
 */
export type Road = "put" | "multipart" | "uploader" | "instruction" | "stream";

export type Format = "V3" | "V2";

export type Context = Readonly<Record<string, string>>;

/** A body that both sides make. */
export interface SeededBody {
  readonly seed: string;
  readonly bytes: number;
}

export type Job = PutJob | GetJob | HeadJob | TimeJob;

export interface PutJob {
  readonly do: "put";
  readonly key: string;
  readonly body: SeededBody;
  readonly road: Road;
  readonly format: Format;
  readonly context?: Context;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface GetJob {
  readonly do: "get";
  readonly key: string;
  /** What is opened: `V3` alone, which is every client's default, or V2 as well. */
  readonly format: Format;
  readonly context?: Context;
  /** A value of the `Range` header. */
  readonly range?: string;
  /** Turns on old ways of wrapping, and CBC. */
  readonly legacy?: true;
  /** For an object over 64 MiB - 16 bytes, which the client for Java opens only with this: room for so many bytes. */
  readonly bufferBytes?: number;
}

/** The length that the client gives for an object. */
export interface HeadJob {
  readonly do: "head";
  readonly key: string;
}

/**
 * Puts or gets one object several times, one after the other. `plain`: with the same SDK's own client, without any
 * encryption; the object of a `get` must be there. A get ends when the last byte is read.
 */
export interface TimeJob {
  readonly do: "time";
  readonly what: "put" | "get";
  readonly client: "official" | "plain";
  readonly key: string;
  readonly body: SeededBody;
  readonly calls: number;
  /** As in `GetJob`. */
  readonly bufferBytes?: number;
}

export type Answer =
  | {
      /** What is there to say, by the kind of job. */
      readonly ok: Done;
    }
  | {
      /** The error's own name, and what it says, its causes included. */
      readonly error: string;
      readonly message: string;
    };

export interface Done {
  /** Get: the body that came out. */
  readonly bytes?: number;
  /** Get: its digest, in hex. */
  readonly sha256?: string;
  /** Get and head: what the client says of the length. */
  readonly contentLength?: number;
  /** Get: what the client says of the range. */
  readonly contentRange?: string | null;
  /** Get: the user's metadata as the client gives them. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Time: seconds of each call. */
  readonly seconds?: readonly number[];
}
