/**
 * A sealer between a caller and a small S3 in memory, and a keyring in the place of KMS: what the SDK's middlewares
 * would hand on, without a socket, so that an answer can be anything.
 */
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import type { EnvelopeEvent, SealedCall, SealedResult } from "../../src/body-sealer.ts";
import type { EncryptionContext } from "../../src/envelope/encryption-context.ts";
import { envelope, type Envelope } from "../../src/envelope/envelope.ts";
import { EnvelopeIntegrityError } from "../../src/envelope/errors.ts";
import type { Keyring } from "../../src/envelope/keyring.ts";
import type { EnvelopeOptions } from "../../src/envelope/options.ts";

type Members = Record<string, unknown>;

export interface Stored {
  bytes: Buffer;
  metadata: Record<string, string>;
}

export interface FakeKeyring extends Keyring {
  readonly calls: string[];
  /** A data key as KMS would have wrapped it. */
  wrap(key: Uint8Array, context: EncryptionContext): Uint8Array;
}

const textOf = (context: EncryptionContext): string =>
  JSON.stringify(Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : 1)));

export function fakeKeyring(keyId = "key"): FakeKeyring {
  const keys = new Map<string, { key: Uint8Array; context: string }>();
  const calls: string[] = [];
  const wrap = (key: Uint8Array, context: EncryptionContext): Uint8Array => {
    const blob = new Uint8Array(randomBytes(184));
    keys.set(Buffer.from(blob).toString("hex"), { key: Uint8Array.from(key), context: textOf(context) });
    return blob;
  };
  return {
    keyId,
    calls,
    wrap,
    async generate(context) {
      calls.push("generate");
      const plaintext = new Uint8Array(randomBytes(32));
      return { blob: wrap(plaintext, context), plaintext };
    },
    async unwrap(blob, context) {
      calls.push("unwrap");
      const known = keys.get(Buffer.from(blob).toString("hex"));
      if (known?.context !== textOf(context)) throw new EnvelopeIntegrityError();
      return Uint8Array.from(known.key);
    },
  };
}

/** An answer without one member. */
export function lacking(output: Members, member: string): Members {
  return Object.fromEntries(Object.entries(output).filter(([name]) => name !== member));
}

/** An error as the SDK makes it of an answer of S3. */
export function s3Error(name: string, status: number): Error {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } });
}

export async function bytesOf(body: unknown): Promise<Buffer> {
  if (body === undefined) return Buffer.alloc(0);
  if (typeof body === "string" || body instanceof Uint8Array) return Buffer.from(body as Uint8Array);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Differs wherever tests alter bytes; MD5 would take most of the time of those with large bodies. */
export const etagOf = (bytes: Uint8Array): string => `"${crc32(bytes).toString(16)}-${bytes.length}"`;

export class World {
  readonly keyring: FakeKeyring = fakeKeyring();
  readonly sealer: Envelope;
  readonly objects = new Map<string, Stored>();
  /** What reached S3. */
  readonly requests: { operation: string; input: Members }[] = [];
  /** Bodies that S3 answered with. */
  readonly bodies: Readable[] = [];
  readonly events: EnvelopeEvent[] = [];
  readonly scope = {};
  /** Changes an answer on its way back. */
  spoil: (output: Members, operation: string) => Members = (output) => output;
  /** Bytes per chunk of a body that is answered. */
  chunkBytes = 64 * 1024;

  constructor(options: Partial<EnvelopeOptions> = {}) {
    this.sealer = envelope({ keyring: this.keyring, ...options });
  }

  /** As a client of the caller's would ask. */
  readonly headObject: NonNullable<EnvelopeOptions["headObject"]> = async (input) =>
    this.answer("HeadObject", { ...input });

  send(operation: string, input: Members, call: Partial<SealedCall> = {}): Promise<SealedResult> {
    return this.sealer.send({
      operation,
      input,
      place: "seal",
      scope: this.scope,
      presigning: false,
      observe: (event) => this.events.push(event),
      next: async (sent) => ({
        response: { statusCode: 200 },
        output: await this.answer(operation, { ...sent }),
      }),
      ...call,
    });
  }

  async put(key: string, Body: unknown, input: Members = {}): Promise<void> {
    await this.send("PutObject", { Bucket: "bucket", Key: key, Body, ...input });
  }

  async get(key: string, input: Members = {}, call: Partial<SealedCall> = {}): Promise<Members> {
    const { output } = await this.send("GetObject", { Bucket: "bucket", Key: key, ...input }, call);
    return output as Members;
  }

  /** The whole way: what a caller reads. */
  async read(key: string, input: Members = {}, call: Partial<SealedCall> = {}): Promise<Buffer> {
    return bytesOf((await this.get(key, input, call))["Body"]);
  }

  stored(key: string): Stored {
    const stored = this.objects.get(`bucket/${key}`);
    if (stored === undefined) throw s3Error("NoSuchKey", 404);
    return stored;
  }

  store(key: string, bytes: Uint8Array, metadata: Record<string, string> = {}): void {
    this.objects.set(`bucket/${key}`, { bytes: Buffer.from(bytes), metadata });
  }

  /** What S3 does, as far as sealing needs it. */
  async answer(operation: string, input: Members): Promise<Members> {
    this.requests.push({ operation, input });
    const key = String(input["Key"]);
    if (operation === "PutObject") {
      this.store(key, await bytesOf(input["Body"]), (input["Metadata"] ?? {}) as Record<string, string>);
      return this.spoil({ ETag: etagOf(this.stored(key).bytes) }, operation);
    }
    if (operation === "GetObject") return this.spoil(this.#get(key, input), operation);
    if (operation === "HeadObject") {
      const { bytes, metadata } = this.stored(key);
      return this.spoil({ ContentLength: bytes.length, Metadata: metadata, ETag: etagOf(bytes) }, operation);
    }
    return this.spoil({}, operation);
  }

  #get(key: string, input: Members): Members {
    const { bytes, metadata } = this.stored(key);
    const etag = etagOf(bytes);
    if (input["IfMatch"] !== undefined && input["IfMatch"] !== etag) throw s3Error("PreconditionFailed", 412);
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(String(input["Range"])) ?? [];
    const common = { ETag: etag, Metadata: metadata };
    if (first === undefined) {
      return {
        ...common,
        ContentLength: bytes.length,
        Body: this.body(bytes),
        $metadata: { httpStatusCode: 200 },
      };
    }
    if (Number(first) >= bytes.length) throw s3Error("InvalidRange", 416);
    const end = Math.min(bytes.length, last ? Number(last) + 1 : Infinity);
    return {
      ...common,
      ContentLength: end - Number(first),
      ContentRange: `bytes ${first}-${end - 1}/${bytes.length}`,
      Body: this.body(bytes.subarray(Number(first), end)),
      $metadata: { httpStatusCode: 206 },
    };
  }

  body(bytes: Uint8Array): Readable {
    const { chunkBytes } = this;
    const body = Readable.from(
      (function* () {
        for (let at = 0; at < bytes.length; at += chunkBytes)
          yield Uint8Array.from(bytes.subarray(at, at + chunkBytes));
      })(),
    );
    this.bodies.push(body);
    return body;
  }

  /** Events without the cache's and KMS's. */
  told(): readonly EnvelopeEvent[] {
    return this.events.filter(({ kind }) => kind === "io" || kind === "failed" || kind === "plain-read");
  }
}
