/** A form on the wire (multipart/form-data): its fields, and its file still to come. */
import { Busboy, type BusboyInstance } from "@fastify/busboy";
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { invalidArgument, S3Error } from "./s3-error.ts";

/** Names and values of all fields before the file, together. */
const MAX_FIELD_BYTES = 20 * 1024;

export interface Form {
  /** Of the fields before the file; names in lower case. Those after it are ignored, as in S3. */
  readonly fields: ReadonlyMap<string, string>;
  /** Without folders; empty when the sender gives none. */
  readonly fileName: string;
  readonly file: Readable;
  /** Resolves when the whole form has arrived; rejects when there is something wrong with the rest of it. */
  readonly whole: Promise<void>;
  /** Reads and drops what still comes, so that an answer reaches a sender that is still sending. */
  discard(): void;
}

/** Whether a request is a form; the sender of one says who it is in the form. */
export function isForm({ method, url = "", headers }: IncomingMessage): boolean {
  return method === "POST" && !url.includes("?") && isFormType(headers["content-type"]);
}

function isFormType(contentType: string | undefined): boolean {
  return contentType !== undefined && /^multipart\/form-data\b/i.test(contentType);
}

/**
 * Reads a form up to its file.
 *
 * @throws `S3Error` for a form that is malformed, has no file, or a field twice, or too many bytes of fields.
 */
export function readForm(request: IncomingMessage): Promise<Form> {
  const parser = parserOf(request);
  const fields = new Map<string, string>();
  let fieldBytes = 0;
  const whole = new Promise<void>((resolve, reject) => {
    parser.on("finish", resolve);
    parser.on("error", () => reject(malformedForm()));
    parser.on("filesLimit", () => reject(notOneFile(2)));
    parser.on("file", (_name, file) => {
      file.on("error", () => reject(malformedForm()));
      request.on("close", () => {
        if (!request.complete) file.destroy();
      });
    });
    request.on("close", () => {
      if (!request.complete) reject(new S3Error(400, "RequestTimeout", "The sender went away."));
    });
  });
  return new Promise((resolve, reject) => {
    const discard = (): void => {
      request.unpipe(parser);
      request.resume();
    };
    const refuse = (error: unknown): void => {
      discard();
      reject(error);
    };
    whole.then(() => refuse(notOneFile(0)), refuse);
    let isFileThere = false;
    parser.on("field", (name, value, _nameTruncated, valueTruncated) => {
      if (isFileThere) return;
      const lower = (name ?? "").toLowerCase();
      fieldBytes += lower.length + Buffer.byteLength(value);
      if (valueTruncated || fieldBytes > MAX_FIELD_BYTES) refuse(fieldsTooLarge());
      else if (fields.has(lower)) refuse(givenTwice(name));
      else fields.set(lower, value);
    });
    parser.on("file", (_name, file, fileName: string | undefined) => {
      isFileThere = true;
      resolve({ fields, fileName: fileName ?? "", file, whole, discard });
    });
    request.pipe(parser);
  });
}

function parserOf(request: IncomingMessage): BusboyInstance {
  try {
    return new Busboy({
      headers: { ...request.headers, "content-type": request.headers["content-type"] ?? "" },
      limits: { files: 1, fieldSize: MAX_FIELD_BYTES, headerPairs: 16 },
      // A file is what is called so, whether the sender gives it a name or not.
      isPartAFile: (name) => name?.toLowerCase() === "file",
    });
  } catch {
    throw malformedForm();
  }
}

function malformedForm(): S3Error {
  return new S3Error(
    400,
    "MalformedPOSTRequest",
    "The body of your POST request is not well-formed multipart/form-data.",
  );
}

function notOneFile(count: number): S3Error {
  return invalidArgument("POST requires exactly one file upload per request.", {
    ArgumentName: "file",
    ArgumentValue: String(count),
  });
}

function fieldsTooLarge(): S3Error {
  return new S3Error(
    400,
    "MaxPostPreDataLengthExceededError",
    "Your POST request fields preceding the upload file were too large.",
    { MaxPostPreDataLengthBytes: String(MAX_FIELD_BYTES) },
  );
}

function givenTwice(name: string): S3Error {
  return invalidArgument(`The form has the field '${name}' more than once.`, {
    ArgumentName: name,
    ArgumentValue: "",
  });
}
