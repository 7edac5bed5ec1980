/** Requests that do something else than they look like; said once, and never changed. */
import type { Arguments, Call, Result } from "./call.ts";
import { responseFacts } from "./observe/response-facts.ts";

/** The call, with an eye on operations that are known to go wrong in silence. */
export function withCautions(call: Call): Call {
  switch (call.operation) {
    case "UpdateObjectEncryption":
      return { ...call, next: (args) => watchUpdate(call, args) };
    case "UploadPart":
    case "UploadPartCopy":
    case "CompleteMultipartUpload":
      return { ...call, next: (args) => watchPart(call, args) };
    default:
      return call;
  }
}

/** Domains of AWS's endpoints, in all its partitions. */
const AWS_DOMAINS = [
  "amazonaws.com",
  "amazonaws.com.cn",
  "amazonaws.eu",
  "api.aws",
  "api.amazonwebservices.com.cn",
  "api.amazonwebservices.eu",
  "adc-e.uk",
  "ic.gov",
  "scloud",
  "sgov.gov",
];

/** Whether a host is AWS's own, as far as its name tells. */
export function isAwsHost(hostname: string): boolean {
  return AWS_DOMAINS.some((domain) => hostname.endsWith(`.${domain}`));
}

/**
 * Servers that don't know `?encryption` on a key take UpdateObjectEncryption for PutObject.
 *
 * The SDK names the endpoint on its context while the request is on its way, so this can be said only
 * afterwards; a host is a fact of the client, not of one request, so a context that requests share is no harm.
 */
async function watchUpdate({ next, runtime, context }: Call, args: Arguments): Promise<Result> {
  let result: Result | undefined;
  try {
    result = await next(args);
    return result;
  } finally {
    const hostname = hostnameOf(context);
    const isPresigned = result !== undefined && responseFacts(result.response) === undefined;
    if (hostname !== undefined && !isAwsHost(hostname) && !isPresigned) {
      const overwritten = hasEtag(result?.response);
      runtime.sayOnce(
        `update-elsewhere ${hostname} ${overwritten}`,
        `UpdateObjectEncryption was sent to ${hostname}, which is not AWS's. Some S3-compatible servers (moto, ` +
          "Ceph RGW, MinIO, versitygw) take it for PutObject and overwrite the object with the request's XML. " +
          (overwritten
            ? "This one answered with an ETag, as to a PutObject: the object is lost in all likelihood."
            : "Try it there on an object that may be lost."),
        context,
      );
    }
  }
}

/**
 * The SDK drops the flag of parts and of completion: an upload is decided when it is created.
 *
 * lib-storage hands all its parameters to every part, so only an answer that contradicts the flag is news.
 */
async function watchPart(call: Call, args: Arguments): Promise<Result> {
  const { next, runtime, context, operation } = call;
  const flag = args.input["BucketKeyEnabled"];
  const result = await next(args);
  if (flag === undefined || flag === null) return result;
  const state = responseFacts(result.response)?.state;
  const asked = flag === true || flag === "true";
  if (state !== undefined && state !== "unknown" && asked !== (state === "enabled")) {
    runtime.sayOnce(
      `part-flag ${operation}`,
      `${operation} was called with BucketKeyEnabled: ${asked}, which the SDK drops, and the upload was created ` +
        `${asked ? "without" : "with"} a bucket key. Set it on CreateMultipartUpload.`,
      context,
    );
  }
  return result;
}

function hostnameOf(context: object): string | undefined {
  const { endpointV2 } = context as { endpointV2?: { url?: { hostname?: unknown } } };
  const hostname = endpointV2?.url?.hostname;
  return typeof hostname === "string" ? hostname : undefined;
}

function hasEtag(response: unknown): boolean {
  const { headers } = (response ?? {}) as { headers?: Readonly<Record<string, unknown>> };
  return headers?.["etag"] !== undefined;
}
