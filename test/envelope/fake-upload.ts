/** One multipart upload on an S3 without a network, and what a caller does with it. */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import type { SealedCall, SealedResult } from "../../src/body-sealer.ts";
import { ByteBudget } from "../../src/envelope/byte-budget.ts";
import { v3ContentKey } from "../../src/envelope/content-key.ts";
import { Uploads, type UploadsOptions } from "../../src/envelope/multipart.ts";

type Fields = Readonly<Record<string, unknown>>;

/** How a request ends: as it should; done, but the answer is lost; not done. */
export type Fate = "ok" | "lost" | "failed";

/** An UploadPart as S3 got it. */
export interface SentPart {
  readonly number: number;
  readonly body: Buffer;
  readonly input: Fields;
  /** Through a call's `next` that had sent a part before: nobody asked for this one but the sealer. */
  readonly again: boolean;
}

export interface FakeS3 {
  /** Every part that was sent, whatever became of it. */
  readonly sent: SentPart[];
  /** The input of every Complete that was sent. */
  readonly completes: Fields[];
  readonly aborts: Fields[];
  /** The object, once it's there. */
  readonly object: () => Buffer | undefined;
  /** A `next` as one call has it. */
  readonly next: () => SealedCall["next"];
}

const LIMITS = { maxParts: 10_000, minPartBytes: 32 };

function fakeS3(limits = LIMITS, gate: () => Promise<Fate> | Fate = () => "ok"): FakeS3 {
  const stored = new Map<number, { body: Buffer; output: Fields }>();
  const sent: SentPart[] = [];
  const completes: Fields[] = [];
  const aborts: Fields[] = [];
  let object: Buffer | undefined;

  function perform(input: Fields): Fields {
    if (input["PartNumber"] !== undefined) {
      const body = Buffer.from(input["Body"] as Uint8Array);
      const output = {
        ETag: `"${createHash("md5").update(body).digest("hex")}"`,
        ChecksumCRC32: crc32(body).toString(16),
        ChecksumType: "COMPOSITE",
      };
      stored.set(input["PartNumber"] as number, { body, output });
      return output;
    }
    if (input["MultipartUpload"] === undefined) return {};
    const { Parts } = input["MultipartUpload"] as { Parts: readonly Fields[] };
    const parts = Parts.map((part, i) => {
      const found = stored.get(part["PartNumber"] as number);
      const isSame =
        found !== undefined &&
        String(part["ETag"]).replaceAll('"', "") === String(found.output["ETag"]).replaceAll('"', "");
      if (!isSame) throw new Error("InvalidPart");
      if (part["ChecksumCRC32"] !== undefined && part["ChecksumCRC32"] !== found.output["ChecksumCRC32"]) {
        throw new Error("BadDigest");
      }
      if (i < Parts.length - 1 && found.body.length < limits.minPartBytes) throw new Error("EntityTooSmall");
      return found.body;
    });
    object = Buffer.concat(parts);
    return { ETag: '"object"' };
  }

  function next(): SealedCall["next"] {
    let uses = 0;
    return async (input) => {
      const again = uses++ > 0;
      // As the SDK would serialize it, before it waits for anything.
      if (input["PartNumber"] !== undefined) {
        const body = Buffer.from(input["Body"] as Uint8Array);
        sent.push({ number: input["PartNumber"] as number, body, input, again });
      } else if (input["MultipartUpload"] !== undefined) completes.push(input);
      else aborts.push(input);
      const fate = await gate();
      if (fate === "failed") throw new Error("503");
      const output = perform(input);
      if (fate === "lost") throw new Error("ECONNRESET");
      return { response: {}, output };
    };
  }
  return { sent, completes, aborts, object: () => object, next };
}

export interface Bench {
  readonly uploads: Uploads;
  readonly s3: FakeS3;
  /** The memory that holds the content key; the upload's own. */
  readonly secret: Uint8Array;
  /** What `onBytes` was told. */
  readonly counted: number[];
  readonly scope: object;
  readonly call: (operation: string, input: Fields, more?: Partial<SealedCall>) => SealedCall;
  /** Sends a part; gives it as a Complete lists it. */
  readonly part: (number: number, body: unknown, input?: Fields) => Promise<Fields>;
  readonly complete: (list: readonly unknown[], input?: Fields) => Promise<SealedResult>;
  readonly abort: () => Promise<SealedResult>;
  /** Opens a sealed object with one invocation of GCM, of OpenSSL. */
  readonly open: (sealed: Buffer | undefined) => Buffer;
  /** The object that sealing a plaintext in one go gives. */
  readonly sealed: (plaintext: Uint8Array) => Buffer;
}

export const AT = { Bucket: "lake", Key: "raw/day.parquet", UploadId: "upload-1" };
export const NAME = { bucket: AT.Bucket, key: AT.Key, uploadId: AT.UploadId };

/** A sealer's uploads with one that has just been created. @param place - What calls find there from then on. */
export function bench(
  options: Partial<UploadsOptions> = {},
  gate?: () => Promise<Fate> | Fate,
  place: SealedCall["place"] = "seal",
): Bench {
  const limits = options.s3 ?? LIMITS;
  const s3 = fakeS3(limits, gate);
  const uploads = new Uploads({ budget: new ByteBudget(2 ** 20), s3: limits, ...options });
  const scope = {};
  const secret = new Uint8Array(randomBytes(32));
  const key = Buffer.from(secret);
  const content = v3ContentKey(secret);
  const counted: number[] = [];
  uploads.open(scope, NAME, content, (bytes) => counted.push(bytes));
  const call: Bench["call"] = (operation, input, more) => ({
    operation,
    input: { ...AT, ...input },
    place,
    scope,
    presigning: false,
    next: s3.next(),
    observe: () => undefined,
    ...more,
  });
  return {
    uploads,
    s3,
    secret,
    counted,
    scope,
    call,
    part: async (number, body, input) => {
      const { output } = await uploads.part(call("UploadPart", { PartNumber: number, Body: body, ...input }));
      const { ETag, ChecksumCRC32 } = output as Fields;
      return { PartNumber: number, ETag, ChecksumCRC32 };
    },
    complete: (list, input) =>
      uploads.complete(call("CompleteMultipartUpload", { MultipartUpload: { Parts: list }, ...input })),
    abort: () => uploads.abort(call("AbortMultipartUpload", {})),
    open: (sealed) => {
      if (sealed === undefined) throw new Error("There is no object.");
      const decipher = createDecipheriv("aes-256-gcm", key, content.iv).setAAD(
        content.aad ?? Buffer.alloc(0),
      );
      decipher.setAuthTag(sealed.subarray(-16));
      return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
    },
    sealed: (plaintext) => {
      const cipher = createCipheriv("aes-256-gcm", key, content.iv).setAAD(content.aad ?? Buffer.alloc(0));
      return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    },
  };
}

/** A plaintext cut into parts of one size; the empty one has one part. */
export function cut(plaintext: Buffer, partBytes: number): Buffer[] {
  const count = Math.max(1, Math.ceil(plaintext.length / partBytes));
  return Array.from({ length: count }, (_, i) => plaintext.subarray(i * partBytes, (i + 1) * partBytes));
}

/** What a call is refused with. */
export const refusal = (problem: string): Fields => ({ code: "ERR_BUCKET_KEY_ENVELOPE_REFUSED", problem });

/** A promise to be settled by hand. */
export function hold<T>(): { promise: Promise<T>; release: (value: T) => void } {
  let release!: (value: T) => void;
  const promise = new Promise<T>((resolve) => (release = resolve));
  return { promise, release };
}

/** How a call ended: what it was refused with, another error's message, or `sent`. Handles a rejection at once. */
export async function problemOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "sent";
  } catch (error) {
    const { problem, message } = error as Error & { readonly problem?: string };
    return problem ?? message;
  }
}
