/** Takes a body off the wire: decodes `aws-chunked`, checks what the sender said about it, keeps the pieces. */
import { createHash, type Hash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { ChunkSignatures } from "../auth/chunk-signatures.ts";
import { payloadMismatch } from "../auth/refusals.ts";
import { AwsChunkedDecoder, incomplete, malformedTrailer } from "./aws-chunked.ts";
import type { Bytes } from "./bytes.ts";
import { header, type S3Call } from "./call.ts";
import {
  algorithmOfHeader,
  CHECKSUM_ALGORITHMS,
  checksumHeader,
  startDigest,
  type Checksum,
  type ChecksumAlgorithm,
  type Digest,
} from "./checksums.ts";
import { badDigest, invalidRequest, S3Error } from "./s3-error.ts";

/** A single PutObject or UploadPart carries at most 5 GiB. */
const MAX_OBJECT_BYTES = 5 * 1024 ** 3;

/** What the receiver of a body wants besides its bytes. */
export interface BodyNeeds {
  /** The MD5, for an ETag. */
  readonly md5?: boolean;
  /** A checksum that nobody sent. */
  readonly checksum?: ChecksumAlgorithm | undefined;
  /** A smaller limit than that of an object. */
  readonly maxBytes?: number;
}

export interface ReceivedBody {
  readonly bytes: Bytes;
  /** Hex; undefined when nobody needed it. */
  readonly md5: string | undefined;
  readonly checksum: Checksum | undefined;
}

/**
 * The whole body, checked against Content-MD5, `x-amz-content-sha256` and `x-amz-checksum-*` (header or trailer).
 *
 * @throws `S3Error` when a check fails, or the sender went away.
 */
export async function receiveBody(call: S3Call, needs: BodyNeeds = {}): Promise<ReceivedBody> {
  const check = new BodyCheck(call, needs);
  await drain(call.request, check);
  return check.finish();
}

/** The same for a body that is only a part of what is on the wire: the file of a form. */
export async function receiveStream(call: S3Call, stream: Readable, needs: BodyNeeds): Promise<ReceivedBody> {
  const check = new BodyCheck(call, needs);
  for await (const piece of stream) check.push(piece as Buffer);
  return check.finish();
}

function drain(request: IncomingMessage, check: BodyCheck): Promise<void> {
  return new Promise((resolve, reject) => {
    request.on("data", (piece: Buffer) => {
      try {
        check.push(piece);
      } catch (error) {
        // What still comes is read and dropped, so that the answer reaches a sender that is still sending.
        request.removeAllListeners("data");
        request.resume();
        reject(error);
      }
    });
    request.on("end", resolve);
    request.on("error", reject);
    request.on("close", () => {
      if (!request.complete) reject(new S3Error(400, "RequestTimeout", "The sender went away."));
    });
  });
}

/** What is known of a body while it arrives. */
class BodyCheck {
  readonly #call: S3Call;
  readonly #payloadHash: string;
  readonly #pieces: Buffer[] = [];
  readonly #maxBytes: number;
  readonly #expectedBytes: number | undefined;
  readonly #md5: Hash | undefined;
  readonly #sha256: Hash | undefined;
  readonly #checksum: Digest | undefined;
  readonly #checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly #trailer: string | undefined;
  readonly #decoder: AwsChunkedDecoder | undefined;
  #length = 0;

  constructor(call: S3Call, needs: BodyNeeds) {
    this.#call = call;
    this.#maxBytes = needs.maxBytes ?? MAX_OBJECT_BYTES;
    const payloadHash = call.payload?.hash ?? header(call, "x-amz-content-sha256") ?? "UNSIGNED-PAYLOAD";
    this.#payloadHash = payloadHash;
    const chunked = payloadHash.startsWith("STREAMING-") || isAwsChunked(call);
    const said = header(call, chunked ? "x-amz-decoded-content-length" : "content-length");
    this.#expectedBytes = said === undefined ? undefined : Number(said);
    if (this.#expectedBytes !== undefined && !(this.#expectedBytes <= this.#maxBytes)) {
      throw tooLarge(this.#expectedBytes, this.#maxBytes);
    }
    if (chunked) this.#decoder = new AwsChunkedDecoder((data) => this.#take(data), chunkSignatures(call));
    if (payloadHash.length === 64) this.#sha256 = createHash("sha256");
    if (needs.md5 === true || header(call, "content-md5") !== undefined) this.#md5 = createHash("md5");
    this.#trailer = header(call, "x-amz-trailer")?.toLowerCase();
    this.#checksumAlgorithm = announcedChecksum(call, this.#trailer) ?? needs.checksum;
    if (this.#checksumAlgorithm !== undefined) this.#checksum = startDigest(this.#checksumAlgorithm);
  }

  push(piece: Buffer): void {
    if (this.#decoder === undefined) this.#take(piece);
    else this.#decoder.push(piece);
  }

  #take(data: Buffer): void {
    this.#length += data.length;
    if (this.#length > this.#maxBytes) throw tooLarge(this.#length, this.#maxBytes);
    this.#pieces.push(data);
    this.#md5?.update(data);
    this.#sha256?.update(data);
    this.#checksum?.update(data);
  }

  finish(): ReceivedBody {
    this.#decoder?.end();
    if (this.#expectedBytes !== undefined && this.#length !== this.#expectedBytes) throw incomplete();
    if (this.#sha256 !== undefined) this.#checkPayloadHash(this.#sha256.digest("hex"));
    const md5 = this.#md5?.digest("hex");
    this.#checkContentMd5(md5);
    return {
      bytes: { pieces: this.#pieces, length: this.#length },
      md5,
      checksum: this.#checkedChecksum(),
    };
  }

  #checkPayloadHash(computed: string): void {
    const said = this.#payloadHash;
    if (said.toLowerCase() !== computed) throw payloadMismatch(said, computed);
  }

  #checkContentMd5(computed: string | undefined): void {
    const said = header(this.#call, "content-md5");
    if (said === undefined) return;
    const bytes = Buffer.from(said, "base64");
    if (bytes.length !== 16) {
      throw new S3Error(400, "InvalidDigest", "The Content-MD5 you specified was invalid.");
    }
    if (bytes.toString("hex") !== computed) throw badDigest("Content-MD5");
  }

  #checkedChecksum(): Checksum | undefined {
    const algorithm = this.#checksumAlgorithm;
    if (algorithm === undefined || this.#checksum === undefined) return undefined;
    const computed = this.#checksum.digest();
    const said = this.#saidChecksum(algorithm);
    if (said !== undefined && said !== computed) {
      throw new S3Error(
        400,
        "BadDigest",
        `The ${algorithm} you specified did not match the calculated checksum.`,
      );
    }
    return { algorithm, value: computed, type: "FULL_OBJECT" };
  }

  #saidChecksum(algorithm: ChecksumAlgorithm): string | undefined {
    const name = checksumHeader(algorithm);
    if (this.#trailer !== name) return header(this.#call, name);
    const trailing = this.#decoder?.trailers.get(name);
    if (trailing === undefined) throw malformedTrailer();
    return trailing;
  }
}

/** Chunks are signed where the payload says so; without a verified signature there is nothing to check. */
function chunkSignatures({ payload }: S3Call): ChunkSignatures | undefined {
  if (payload?.hash.startsWith("STREAMING-AWS4-HMAC-SHA256-PAYLOAD") !== true) return undefined;
  return new ChunkSignatures(payload.chain, payload.hash.endsWith("-TRAILER"));
}

/** The one checksum that the sender gives, in a header or as a trailer to come. */
function announcedChecksum(call: S3Call, trailer: string | undefined): ChecksumAlgorithm | undefined {
  const given = CHECKSUM_ALGORITHMS.filter((algorithm) => checksumHeader(algorithm) in call.headers);
  const trailing = trailer === undefined ? undefined : algorithmOfHeader(trailer);
  if (trailing !== undefined) given.push(trailing);
  if (given.length > 1) {
    throw invalidRequest(
      "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    );
  }
  return given[0];
}

/** Some senders name the coding only in Content-Encoding. */
function isAwsChunked(call: S3Call): boolean {
  return header(call, "content-encoding")?.includes("aws-chunked") === true;
}

/** @param proposedBytes - Those that arrived so far, when the sender does not say how many there are. */
function tooLarge(proposedBytes: number, maxBytes: number): S3Error {
  return new S3Error(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", {
    ProposedSize: String(proposedBytes),
    MaxSizeAllowed: String(maxBytes),
  });
}

/**
 * Refuses an upload whose length nobody knows, as S3 does.
 *
 * @throws `S3Error` 411 `MissingContentLength`, or 501 for a bare `Transfer-Encoding: chunked`.
 */
export function requireLength(call: S3Call): void {
  if (call.headers["content-length"] !== undefined) return;
  if (call.headers["x-amz-decoded-content-length"] !== undefined) return;
  if (call.headers["transfer-encoding"] !== undefined) {
    throw new S3Error(
      501,
      "NotImplemented",
      "A header you provided implies functionality that is not implemented",
      { Header: "Transfer-Encoding" },
    );
  }
  throw new S3Error(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
}
