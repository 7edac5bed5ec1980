import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { BucketKeySetupError } from "../errors.ts";

/**
 * The part of an `S3Client` that presigning needs; any copy and version of the SDK's fits.
 *
 * @public
 */
export interface PresigningClient {
  /** The client's resolved configuration. */
  readonly config: object;
  /** The client's middleware, this package's plugin included. */
  readonly middlewareStack: { clone(): unknown };
}

/**
 * The part of a command that presigning needs, such as a `PutObjectCommand`.
 *
 * @public
 */
export interface PresignedCommand {
  /** What the command was made of. */
  readonly input: object;
  /** Called by the SDK's presigner. */
  // `any` on purpose: it keeps every copy of the SDK's own types assignable.
  // oxlint-disable-next-line typescript/no-explicit-any
  resolveMiddleware(stack: any, config: any, options: any): any;
}

/**
 * Options of `presignedUrl`: those of the SDK's `getSignedUrl` that can't lose an encryption header.
 *
 * @public
 */
export interface PresignedUrlOptions {
  /** How long the URL holds, in seconds: 1 to 604,800 (a week). Default 900. */
  readonly expiresIn?: number;
  /** When the URL begins to hold. Default: now. */
  readonly signingDate?: Date;
  /** Headers to sign that the SDK would leave unsigned, such as `content-type`; names in lower case. */
  readonly signableHeaders?: ReadonlySet<string>;
  /** Headers to keep as headers that the SDK would move into the query; names in lower case. */
  readonly unhoistableHeaders?: ReadonlySet<string>;
}

/**
 * A URL with all that its user must know.
 *
 * @public
 */
export interface PresignedUrl {
  /** The signed URL. */
  readonly url: string;
  /** Every header that the request must carry beside `host`, with its value; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** When the URL ends, to the second. One signed with temporary credentials ends with them, if that is sooner. */
  readonly expires: Date;
}

/**
 * A presigned URL together with the headers that the SDK signed, which its user must send exactly so.
 *
 * `getSignedUrl` gives the URL alone. A write with encryption headers, the caller's own or those of a policy
 * with `presigned: header`, then fails with `SignatureDoesNotMatch` for whoever doesn't send them.
 *
 * @param client - An `S3Client`; the plugin it wears decides as usual, and can refuse.
 * @param command - What the URL is for: a write or a read.
 * @throws (rejects) `BucketKeyRefusedError` when the plugin's policy refuses. `BucketKeySetupError` when a
 * middleware of the client's own adds a header after the request was built. What `getSignedUrl` throws.
 * @example
 * ```ts
 * const { url, headers } = await presignedUrl(s3, new PutObjectCommand({ Bucket, Key }), { expiresIn: 300 });
 * await fetch(url, { method: "PUT", headers, body });
 * ```
 * @public
 */
export async function presignedUrl(
  client: PresigningClient,
  command: PresignedCommand,
  options: PresignedUrlOptions = {},
): Promise<PresignedUrl> {
  const serialized: SerializedRequest = { headers: {} };
  const url = await getSignedUrl(
    watched(client, serialized) as Parameters<typeof getSignedUrl>[0],
    command as unknown as Parameters<typeof getSignedUrl>[1],
    signingArguments(options),
  );
  const { searchParams } = new URL(url);
  return { url, headers: signedHeaders(searchParams, serialized), expires: expiryOf(searchParams) };
}

/** The request as the SDK has it before signing. */
interface SerializedRequest {
  headers: Readonly<Record<string, string>>;
}

interface Stack {
  clone(): Stack;
  add(middleware: unknown, placement: object): void;
}

/** Last of all that build a request. What comes later is retries and signing, which `getSignedUrl` replaces. */
const PLACEMENT = { name: "s3BucketKeysPresignedHeaders", step: "build", priority: "low" } as const;

/** The client, but with a stack that tells the request it built. The client's own stack stays as it is. */
function watched(client: PresigningClient, serialized: SerializedRequest): unknown {
  const middlewareStack = client.middlewareStack.clone() as Stack;
  const watch =
    (next: (args: { request: SerializedRequest }) => unknown) => (args: { request: SerializedRequest }) => {
      // The presigner goes on with this very object, so headers that are added later are seen as well.
      serialized.headers = args.request.headers;
      return next(args);
    };
  middlewareStack.add(watch, PLACEMENT);
  return { config: client.config, middlewareStack };
}

/** Sets are copied: the SDK adds to those it is given. Nothing else passes, lest a header be moved into the query. */
function signingArguments(options: PresignedUrlOptions): Record<string, unknown> {
  const { expiresIn, signingDate, signableHeaders, unhoistableHeaders } = options;
  return {
    ...(expiresIn !== undefined && { expiresIn }),
    ...(signingDate !== undefined && { signingDate }),
    ...(signableHeaders !== undefined && { signableHeaders: new Set(signableHeaders) }),
    ...(unhoistableHeaders !== undefined && { unhoistableHeaders: new Set(unhoistableHeaders) }),
  };
}

/** Named by the URL, valued by the request. The host stands in the URL. */
function signedHeaders(query: URLSearchParams, { headers }: SerializedRequest): Record<string, string> {
  const values = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const signed: Record<string, string> = {};
  for (const name of (query.get("X-Amz-SignedHeaders") ?? "").split(";")) {
    if (name === "host") continue;
    const value = values.get(name);
    if (value === undefined) {
      throw new BucketKeySetupError(
        `The SDK signed the header ${name}, which a middleware of this client set too late to be told. Let it ` +
          "set the header in step build or before.",
      );
    }
    signed[name] = value;
  }
  return signed;
}

/** `X-Amz-Date` (20261125T142000Z) and so many seconds. */
function expiryOf(query: URLSearchParams): Date {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query.get("X-Amz-Date") ?? "") ?? [];
  const began = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return new Date(began + Number(query.get("X-Amz-Expires")) * 1_000);
}
