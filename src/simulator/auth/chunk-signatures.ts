import { createHash, type Hash } from "node:crypto";
import { signatureDoesNotMatch } from "./refusals.ts";
import { EMPTY_SHA256, isSameSignature, sha256OfLatin1, sign } from "./signing-key.ts";

/** What the first chunk's signature goes on from: the signature of the headers, the seed. */
export interface ChunkChain {
  readonly signingKey: Buffer;
  readonly scope: string;
  readonly timestamp: string;
  readonly seed: string;
}

/**
 * Verifies the signatures of an `aws-chunked` body (`STREAMING-AWS4-HMAC-SHA256-PAYLOAD`, with or without
 * `-TRAILER`): each covers its chunk and the signature before it.
 */
export class ChunkSignatures {
  readonly #chain: ChunkChain;
  readonly #hasTrailer: boolean;
  #previous: string;
  #said = "";
  #hash: Hash = createHash("sha256");
  #isTrailerVerified = false;

  constructor(chain: ChunkChain, hasTrailer: boolean) {
    this.#chain = chain;
    this.#hasTrailer = hasTrailer;
    this.#previous = chain.seed;
  }

  /** @param extension - What stands behind the size of the chunk: `chunk-signature=HEX`. */
  begin(extension: string): void {
    this.#said = /^chunk-signature=([0-9a-f]{64})$/.exec(extension.trim())?.[1] ?? "";
    this.#hash = createHash("sha256");
  }

  update(data: Buffer): void {
    this.#hash.update(data);
  }

  /** @throws `S3Error` 403 `SignatureDoesNotMatch` when the chunk is not what was signed. */
  end(): void {
    this.#check("AWS4-HMAC-SHA256-PAYLOAD", `${EMPTY_SHA256}\n${this.#hash.digest("hex")}`, this.#said);
  }

  /** @param trailers - As they were sent, without their signature: `name:value` and a line feed each. */
  endTrailers(trailers: string, signature: string): void {
    this.#check("AWS4-HMAC-SHA256-TRAILER", sha256OfLatin1(trailers), signature);
    this.#isTrailerVerified = true;
  }

  /** Whether nothing that has to be signed is missing. */
  get isComplete(): boolean {
    return this.#isTrailerVerified || !this.#hasTrailer;
  }

  #check(kind: string, hashes: string, said: string): void {
    const { signingKey, timestamp, scope } = this.#chain;
    const stringToSign = [kind, timestamp, scope, this.#previous, hashes].join("\n");
    const computed = sign(signingKey, stringToSign);
    if (!isSameSignature(computed, said)) {
      throw signatureDoesNotMatch({ signature: said, stringToSign });
    }
    this.#previous = computed;
  }
}
