import type { ChunkSignatures } from "../auth/chunk-signatures.ts";
import { S3Error } from "./s3-error.ts";

/** A chunk-size line or a trailer line may not be longer. */
const MAX_LINE_BYTES = 4_096;

type State = "size" | "data" | "data-end" | "trailers" | "done";

/**
 * Takes the `aws-chunked` coding off a body: `SIZE[;chunk-signature=...]\r\n DATA \r\n ... 0\r\n trailers \r\n`.
 */
export class AwsChunkedDecoder {
  /** Trailers that came after the last chunk, names in lower case. */
  readonly trailers: Map<string, string> = new Map();
  readonly #emit: (data: Buffer) => void;
  readonly #signatures: ChunkSignatures | undefined;
  #signedTrailers = "";
  #state: State = "size";
  #line = "";
  #left = 0;

  /**
   * @param emit - Gets the decoded bytes, piece by piece; nothing is copied.
   * @param signatures - Verifies those of chunks and trailers; left out, they are read and not checked.
   */
  constructor(emit: (data: Buffer) => void, signatures?: ChunkSignatures) {
    this.#emit = emit;
    this.#signatures = signatures;
  }

  /** @throws `S3Error` when the coding is broken. */
  push(input: Buffer): void {
    let at = 0;
    while (at < input.length) {
      if (this.#state === "data") {
        const end = Math.min(input.length, at + this.#left);
        const data = input.subarray(at, end);
        this.#signatures?.update(data);
        this.#emit(data);
        this.#left -= end - at;
        at = end;
        if (this.#left === 0) {
          this.#signatures?.end();
          this.#state = "data-end";
        }
      } else {
        at = this.#pushLine(input, at);
      }
    }
  }

  /** @throws `S3Error` when the body ended before its last chunk. */
  end(): void {
    // A body that stops right after the size line of its last chunk is taken: some senders leave the rest out.
    if (this.#state !== "done" && this.#state !== "trailers") throw incomplete();
    if (this.#signatures?.isComplete === false) throw malformedTrailer();
  }

  #pushLine(input: Buffer, from: number): number {
    const feed = input.indexOf(0x0a, from);
    const end = feed === -1 ? input.length : feed + 1;
    this.#line += input.toString("latin1", from, end);
    if (this.#line.length > MAX_LINE_BYTES) throw broken();
    if (feed !== -1) {
      const line = this.#line.replace(/\r?\n$/, "");
      this.#line = "";
      this.#takeLine(line);
    }
    return end;
  }

  #takeLine(line: string): void {
    switch (this.#state) {
      case "size": {
        const [size = "", extension = ""] = line.split(";", 2);
        if (!/^[0-9a-f]{1,12}$/i.test(size)) throw broken();
        this.#left = Number.parseInt(size, 16);
        this.#signatures?.begin(extension);
        if (this.#left === 0) this.#signatures?.end();
        this.#state = this.#left === 0 ? "trailers" : "data";
        return;
      }
      case "data-end":
        if (line !== "") throw broken();
        this.#state = "size";
        return;
      case "trailers": {
        if (line === "") {
          this.#state = "done";
          return;
        }
        const colon = line.indexOf(":");
        if (colon === -1) throw malformedTrailer();
        this.#takeTrailer(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
        return;
      }
      case "done":
        if (line !== "") throw broken();
        return;
      case "data":
        throw new Error("data is not read by lines");
    }
  }

  /** The signature of the trailers is the last of them. */
  #takeTrailer(name: string, value: string): void {
    this.trailers.set(name, value);
    if (name === "x-amz-trailer-signature") this.#signatures?.endTrailers(this.#signedTrailers, value);
    else if (this.#signatures?.isComplete === true) throw malformedTrailer();
    else this.#signedTrailers += `${name}:${value}\n`;
  }
}

export function malformedTrailer(): S3Error {
  return new S3Error(
    400,
    "MalformedTrailerError",
    "The request contained trailing data that was not well-formed or did not conform to our published schema.",
  );
}

export function incomplete(): S3Error {
  return new S3Error(
    400,
    "IncompleteBody",
    "You did not provide the number of bytes specified by the Content-Length HTTP header.",
  );
}

function broken(): S3Error {
  return new S3Error(
    400,
    "InvalidChunkSizeError",
    "The aws-chunked coding of the body is broken: a chunk is not where its size says.",
  );
}
