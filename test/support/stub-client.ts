import { Readable } from "node:stream";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";

/** A request as it would have gone to the wire: signed, with its final headers. */
export interface SentRequest {
  readonly method: string;
  readonly hostname: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface StubAnswer {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export const SSE = "x-amz-server-side-encryption";
export const FLAG = `${SSE}-bucket-key-enabled`;
export const KEY_ID = `${SSE}-aws-kms-key-id`;

/** Echoes the encryption headers of a request, as S3 answers a write that it took. */
export function echo(request: SentRequest): StubAnswer {
  const headers: Record<string, string> = {};
  for (const name of [SSE, KEY_ID]) {
    if (request.headers[name] !== undefined) headers[name] = request.headers[name];
  }
  if (request.headers[FLAG] === "true") headers[FLAG] = "true";
  return { headers };
}

/**
 * A stock client whose requests end at a function instead of a socket: the whole middleware stack runs,
 * signing included.
 */
export function stubClient(
  answer: (request: SentRequest, attempt: number) => StubAnswer = echo,
  config: S3ClientConfig = {},
): { client: S3Client; sent: SentRequest[] } {
  const sent: SentRequest[] = [];
  const client = new S3Client({ ...stubConfig(answer, sent), ...config });
  return { client, sent };
}

/** The configuration of `stubClient`, for clients of other classes. */
export function stubConfig(
  answer: (request: SentRequest, attempt: number) => StubAnswer,
  sent: SentRequest[],
): S3ClientConfig {
  return {
    region: "eu-west-1",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    requestHandler: {
      metadata: { handlerProtocol: "http/1.1" },
      async handle(request: SentRequest, options?: { abortSignal?: AbortSignal }) {
        if (options?.abortSignal?.aborted === true) {
          throw Object.assign(new Error("Request aborted"), { name: "AbortError" });
        }
        sent.push({ ...request, headers: { ...request.headers } });
        const { statusCode = 200, headers = {}, body = "" } = answer(request, sent.length);
        return {
          response: { statusCode, headers: { ...headers }, body: Readable.from([Buffer.from(body)]) },
        };
      },
    },
  };
}
