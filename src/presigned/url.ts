import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { BucketKeySetupError } from "../errors.ts";
import { checkOptionNames } from "../option-names.ts";

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
 * @throws (rejects) `BucketKeyRefusedError` when the plugin's policy refuses. `BucketKeySetupError` when the
 * SDK's presigner is one that this package doesn't know, without a client or a command, and for an option that it
 * hasn't. What `getSignedUrl` throws.
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
  requireBoth(client, command);
  checkOptionNames(OPTIONS, options);
  const signing: Signing = { headers: undefined, query: undefined };
  const url = await getSignedUrl(
    watched(client, signing) as Parameters<typeof getSignedUrl>[0],
    command as unknown as Parameters<typeof getSignedUrl>[1],
    signingArguments(options),
  );
  const { headers, query } = signing;
  if (headers === undefined || query === undefined) {
    throw new BucketKeySetupError(
      "The SDK's presigner signs in a way that this version of s3-bucket-keys doesn't know, so the headers " +
        "can't be told. Look for a newer version.",
    );
  }
  return { url, headers: signedHeaders(headers, query), expires: expiryOf(query) };
}

const CALL = "presignedUrl(s3, new PutObjectCommand({ Bucket, Key })";

/** The names of the options. */
const table: { readonly [O in keyof PresignedUrlOptions]-?: true } = {
  expiresIn: true,
  signingDate: true,
  signableHeaders: true,
  unhoistableHeaders: true,
};
const OPTIONS = { of: "presignedUrl", table, call: `${CALL}, { expiresIn: 300 })` };

function requireBoth(
  client: Partial<PresigningClient> | null | undefined,
  command: Partial<PresignedCommand> | null | undefined,
): void {
  if (client?.middlewareStack !== undefined && typeof command?.resolveMiddleware === "function") return;
  throw new BucketKeySetupError(`presignedUrl takes an S3Client and a command: ${CALL}).`);
}

type Texts = Readonly<Record<string, string>>;

/** What goes into the SDK's signer, and what comes out. The URL has all of it, but taking that apart costs more. */
interface Signing {
  headers: Texts | undefined;
  query: Texts | undefined;
}

interface Signed {
  readonly output?: { readonly presigned?: { readonly query?: Texts } };
}
type Handler = (args: { readonly request: { readonly headers: Texts } }) => Promise<Signed>;
type Middleware = (next: Handler, context: unknown) => Handler;

interface Stack {
  addRelativeTo(middleware: Middleware, placement: object): void;
}

/**
 * The client, but with a stack that tells what is signed. The client's own stack stays as it is.
 *
 * `getSignedUrl` clones the stack and adds one middleware, which signs in place of sending. That one is watched:
 * one of our own beside it would add several per cent to the time that presigning takes.
 */
function watched(client: PresigningClient, signing: Signing): unknown {
  const clone = (): Stack => {
    const stack = client.middlewareStack.clone() as Stack;
    const addRelativeTo = stack.addRelativeTo.bind(stack);
    stack.addRelativeTo = (signer, placement) =>
      addRelativeTo((next, context) => {
        const sign = signer(next, context);
        return async (args) => {
          signing.headers = args.request.headers;
          const signed = await sign(args);
          signing.query = signed.output?.presigned?.query;
          return signed;
        };
      }, placement);
    return stack;
  };
  return { config: client.config, middlewareStack: { clone } };
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

/** Named by the signature, valued by the request. The host stands in the URL. */
function signedHeaders(headers: Texts, query: Texts): Record<string, string> {
  const signed: Record<string, string> = {};
  for (const name of query["X-Amz-SignedHeaders"]?.split(";") ?? []) {
    if (name !== "host") signed[name] = headers[name] ?? valueInAnyCase(headers, name);
  }
  return signed;
}

/** The SDK writes names in lower case; others may not. */
function valueInAnyCase(headers: Texts, name: string): string {
  return Object.entries(headers).find(([written]) => written.toLowerCase() === name)?.[1] ?? "";
}

/** `X-Amz-Date` (20261125T142000Z) and so many seconds. */
function expiryOf(query: Texts): Date {
  const { "X-Amz-Date": began = "", "X-Amz-Expires": seconds } = query;
  const part = (start: number, end: number): number => Number(began.slice(start, end));
  const [year, month, day] = [part(0, 4), part(4, 6) - 1, part(6, 8)];
  return new Date(Date.UTC(year, month, day, part(9, 11), part(11, 13), part(13, 15) + Number(seconds)));
}
