/** PostObject: the form that a browser sends. Its policy says what may be in it, its signature who allows that. */
import type { IncomingHttpHeaders } from "node:http";
import { missingField } from "../auth/authenticator.ts";
import { receiveStream } from "./body.ts";
import type { Answer, S3Call } from "./call.ts";
import { isForm, readForm, type Form } from "./form.ts";
import { storeObject } from "./objects.ts";
import { requireKeyLength } from "./parse-call.ts";
import { checkPolicy, type SizeRange } from "./post-policy.ts";
import { invalidArgument, preconditionFailed, S3Error } from "./s3-error.ts";
import { versionTwoRefused } from "./signature-version.ts";
import type { S3State } from "./state.ts";
import { plainXml } from "./xml.ts";

const FILE_NAME = "${filename}";

/** Fields that mean the header of the same name. */
const HEADER_FIELDS =
  /^(?:cache-control|content-(?:type|disposition|encoding|language|md5)|expires|x-amz-(?:meta-.+|checksum-.+|server-side-encryption.*|storage-class|website-redirect-location|object-lock-.+))$/;

/** Expiration is held against the real time: a policy is made with the caller's clock. */
export async function postObject(state: S3State, call: S3Call): Promise<Answer> {
  if (!isForm(call.request)) {
    throw preconditionFailed("Bucket POST must be of the enclosure-type multipart/form-data");
  }
  const form = await readForm(call.request);
  try {
    return await storeForm(state, call, form);
  } catch (error) {
    form.discard();
    throw error;
  }
}

async function storeForm(state: S3State, call: S3Call, form: Form): Promise<Answer> {
  const fields = new Map([...form.fields].map(([name, value]) => [name, withFileName(form, name, value)]));
  const key = fields.get("key");
  if (key === undefined) throw missingField("key");
  if (key === "")
    throw invalidArgument("User key must have a length greater than 0.", { ArgumentName: "key" });
  requireKeyLength(key);
  requireBucket(call.bucket, fields.get("bucket"));
  const requester = state.authenticator.ofForm(form.fields);
  const write: S3Call = { ...call, key, headers: headersOf(fields), requester };
  if (state.authenticator.verifies && requester.signedWith === "v2") throw versionTwoRefused(state, write);
  const policy = fields.get("policy");
  const size =
    policy === undefined
      ? undefined
      : checkPolicy(policy, fields, { bucket: call.bucket, nowMs: Date.now() });
  const stored = await storeObject(state, write, async (needs) => {
    const maxBytes = Math.min(size?.max ?? Infinity, needs.maxBytes ?? Infinity);
    const [body] = await Promise.all([
      receiveStream(write, form.file, Number.isFinite(maxBytes) ? { ...needs, maxBytes } : needs),
      form.whole,
    ]);
    if (size !== undefined) refuseSmall(body.bytes.length, size);
    return body;
  });
  return successAnswer(write, fields, stored);
}

/** `${filename}` stands for the file's name, in every field. */
function withFileName({ fileName }: Form, name: string, value: string): string {
  return name === "policy" ? value : value.replaceAll(FILE_NAME, () => fileName);
}

/** A form that names a bucket means the one it is sent to. */
function requireBucket(addressed: string, named: string | undefined): void {
  if (named === undefined || named === addressed) return;
  throw invalidArgument("The field 'bucket' is not the bucket that the form is sent to.", {
    ArgumentName: "bucket",
    ArgumentValue: named,
  });
}

function headersOf(fields: ReadonlyMap<string, string>): IncomingHttpHeaders {
  const headers: Record<string, string> = {};
  for (const [name, value] of fields) {
    if (HEADER_FIELDS.test(name)) headers[name] = headerValue(name, value);
  }
  return headers;
}

/** Readers get a value that no header can carry in the way of RFC 2047, as from S3. */
function headerValue(name: string, value: string): string {
  if (/^[\t\x20-\x7e]*$/.test(value)) return value;
  if (/(?!\t)\p{Cc}/u.test(value)) {
    throw invalidArgument("A field that becomes a header holds a character that no header can hold.", {
      ArgumentName: name,
    });
  }
  return `=?UTF-8?B?${Buffer.from(value).toString("base64")}?=`;
}

function refuseSmall(bytes: number, { min }: SizeRange): void {
  if (bytes >= min) return;
  throw new S3Error(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", {
    ProposedSize: String(bytes),
    MinSizeAllowed: String(min),
  });
}

/** 204 unless the form asks for another status, or for a page to go on to. */
function successAnswer(call: S3Call, fields: ReadonlyMap<string, string>, stored: Answer): Answer {
  const { bucket, key } = call;
  const etag = String(stored.headers?.["etag"]);
  const redirect = parsePage(fields.get("success_action_redirect") ?? fields.get("redirect"));
  if (redirect !== undefined) {
    for (const [name, value] of Object.entries({ bucket, key, etag }))
      redirect.searchParams.append(name, value);
    return { status: 303, headers: { ...stored.headers, location: redirect.href } };
  }
  const location = locationOf(call);
  const headers = { ...stored.headers, location };
  switch (fields.get("success_action_status")) {
    case "200":
      return { status: 200, headers };
    case "201": {
      const body = plainXml("PostResponse", { Location: location, Bucket: bucket, Key: key, ETag: etag });
      return { status: 201, headers, body };
    }
    default:
      return { status: 204, headers };
  }
}

/** A page that is no address counts as none. */
function parsePage(text: string | undefined): URL | undefined {
  return text !== undefined && /^https?:/i.test(text) && URL.canParse(text) ? new URL(text) : undefined;
}

function locationOf({ request, bucket, key }: S3Call): string {
  const isVirtual = request.url === "/" || request.url === "";
  const path = [...(isVirtual ? [] : [bucket]), ...key.split("/")].map(encodeURIComponent).join("/");
  return `http://${request.headers.host ?? ""}/${path}`;
}
