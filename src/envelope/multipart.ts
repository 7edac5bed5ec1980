/**
 * Sealed multipart uploads: parts in any order, in parallel, again after a failure, and one GCM tag at the end.
 *
 * An upload is known from the answer to its Create. It's `open` for parts; a Complete whose list is what was sealed
 * makes it final before anything is awaited; it's gone after Abort, idleness or `close()`, and refused from then on,
 * wherever it is. Two ciphertexts for one part, or two tags for one upload, would give the key's secrets away: no order
 * of calls leads there.
 */
import type { SealedCall, SealedResult } from "../body-sealer.ts";
import { readBody, type PlainBody } from "./bodies.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { type ContentKey, wipe } from "./content-key.ts";
import { EnvelopeRefusedError, type EnvelopeProblem } from "./errors.ts";
import { GoneUploads, type UploadFate } from "./gone-uploads.ts";
import { checkPartBytes, readPart } from "./part-body.ts";
import { Upload, type UploadLimits } from "./upload.ts";
import {
  declaredLength,
  listedParts,
  partNumberOf,
  type PartLimits,
  refuseCallerChecksums,
  S3_LIMITS,
  uploadName,
} from "./upload-input.ts";

/** How uploads are sealed. */
export interface UploadsOptions {
  /** Size of every part but the last. Default: that of part 1, for which the others wait. */
  readonly partBytes?: number | undefined;
  /** After so long without a call an upload is given up, its secrets wiped. Default: an hour. */
  readonly idleSeconds?: number | undefined;
  /** So long a part waits for part 1. Default: a minute. */
  readonly waitSeconds?: number;
  /** So many bytes of parts may wait for part 1, per upload. Default: 256 MiB. */
  readonly waitingBytes?: number;
  /** What the server allows, if it isn't Amazon's. */
  readonly s3?: PartLimits;
  /** For the ciphertext of parts that are being sent, and of last parts that wait for the tag. */
  readonly budget: ByteBudget;
}

/** An upload as calls name it. */
export interface UploadAt {
  readonly bucket: unknown;
  readonly key: unknown;
  readonly uploadId: unknown;
}

/** The longest time a timer of Node can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The sealed uploads of one sealer. */
export class Uploads {
  readonly #budget: ByteBudget;
  readonly #limits: UploadLimits;
  readonly #scopes = new WeakMap<object, Map<string, Upload>>();
  /** How each live upload is moved to those that are gone. */
  readonly #live = new Map<Upload, (fate: UploadFate) => void>();
  readonly #gone = new GoneUploads();
  #closed = false;

  constructor(options: UploadsOptions) {
    this.#budget = options.budget;
    this.#limits = {
      partBytes: options.partBytes,
      idleMs: Math.min((options.idleSeconds ?? 3600) * 1000, MAX_TIMER_MS),
      waitMs: (options.waitSeconds ?? 60) * 1000,
      waitingBytes: options.waitingBytes ?? 256 * 2 ** 20,
      budget: options.budget,
      s3: options.s3 ?? S3_LIMITS,
    };
  }

  /** How many uploads are known: open ones, and those whose Complete may be repeated. */
  get size(): number {
    return this.#live.size;
  }

  /**
   * Begins an upload, once S3 has answered its Create.
   *
   * @param content - Owned by the upload from here on: its key is wiped at the end, also when this throws.
   * @param onBytes - Told of the plaintext bytes of every part that is sealed, once per part.
   * @throws `EnvelopeRefusedError`: `closed`; `upload-state` when an upload of this name is live, as two keys for one
   *   name can't both be right.
   */
  open(
    scope: object,
    at: { readonly bucket: string; readonly key: string; readonly uploadId: string },
    content: ContentKey,
    onBytes: (bytes: number) => void,
  ): void {
    const name = uploadName(at) as string;
    const uploads = this.#scopes.get(scope) ?? new Map<string, Upload>();
    if (this.#closed || uploads.has(name)) {
      wipe(content.bytes);
      throw this.#closed
        ? closed()
        : refused("upload-state", "S3 answered with the id of an upload that is under way.");
    }
    const upload = new Upload(content, this.#limits, onBytes, () => {
      this.#end(upload, upload.isCompleted ? "completed" : "idle");
    });
    this.#gone.forget(scope, name);
    uploads.set(name, upload);
    this.#scopes.set(scope, uploads);
    this.#live.set(upload, (fate) => {
      uploads.delete(name);
      this.#gone.add(scope, name, fate);
    });
  }

  /** Whether a call belongs to an upload that was begun sealed, also when it's gone: its parts may not pass plain. */
  owns(scope: object, at: UploadAt): boolean {
    return this.#find(scope, at) !== undefined || this.#fateOf(scope, at) !== undefined;
  }

  /**
   * UploadPart.
   *
   * @throws `EnvelopeRefusedError`: `unknown-upload`, `upload-state`, `part-number`, `part-size`, `caller-checksum`,
   *   `body`, `buffer-limit`, `too-large`, `unsupported-operation` (presigned), `closed`. Nothing was sent then,
   *   except where the upload was ended while its part was on the way.
   */
  async part(call: SealedCall): Promise<SealedResult> {
    const upload = this.#ofCall(call);
    if (upload === undefined) return call.next(call.input);
    return upload.during(() => this.#sendPart(upload, call));
  }

  /** CompleteMultipartUpload. @throws As `part` does. The list becomes final before the first await. */
  async complete(call: SealedCall): Promise<SealedResult> {
    const upload = this.#ofCall(call);
    if (upload === undefined) return call.next(call.input);
    refuseCallerChecksums(call.input);
    upload.seal(listedParts(call.input));
    return upload.during(async () => {
      const parts = await upload.completeList();
      upload.signal.throwIfAborted();
      const result = await call.next({ ...call.input, MultipartUpload: { Parts: parts } });
      upload.completed();
      return result;
    });
  }

  /** AbortMultipartUpload: the upload is gone at once, its secrets are wiped, its parts under way fail. */
  async abort(call: SealedCall): Promise<SealedResult> {
    const upload = this.#find(call.scope, atOf(call));
    if (upload !== undefined && !call.presigning) {
      this.#end(upload, "aborted");
    }
    return call.next(call.input);
  }

  /** Ends every upload: what is under way fails, what is secret is wiped. */
  close(): void {
    this.#closed = true;
    for (const upload of this.#live.keys()) this.#end(upload, "closed");
  }

  async #sendPart(upload: Upload, call: SealedCall): Promise<SealedResult> {
    upload.assertOpen();
    const number = partNumberOf(call.input, this.#limits.s3);
    refuseCallerChecksums(call.input);
    const body = readBody(call.input["Body"]);
    const bytes = declaredLength(call.input, body);
    checkPartBytes(bytes);
    const known = upload.parts.partBytes ?? (await partBytesFor(upload, number, body));
    checkEarly(upload, number, bytes, known);
    const { signal } = upload;
    // The first part of an unknown length counts as the least that S3 takes.
    const release = await this.#budget.take(bytes ?? known ?? this.#limits.s3.minPartBytes, signal);
    let ciphertext: Uint8Array;
    try {
      const plaintext = await upload.orGone(() => readPart(body, { declared: bytes, atMost: known, signal }));
      ciphertext = sealPart(upload, number, plaintext, known);
      // What was gathered from a stream is ours.
      if (body.kind === "stream") wipe(plaintext);
    } catch (error) {
      release();
      throw error;
    }
    // Nothing may be awaited since the part was sealed: a Complete must find it under way.
    return upload.send(number, call, ciphertext, release);
  }

  #find(scope: object, at: UploadAt): Upload | undefined {
    const name = uploadName(at);
    return name === undefined ? undefined : this.#scopes.get(scope)?.get(name);
  }

  #fateOf(scope: object, at: UploadAt): UploadFate | undefined {
    const name = uploadName(at);
    return name === undefined ? undefined : this.#gone.find(scope, name);
  }

  /** The upload of a call; none where a call may pass as it is. */
  #ofCall(call: SealedCall): Upload | undefined {
    const at = atOf(call);
    const upload = this.#find(call.scope, at);
    if (upload === undefined) {
      const fate = this.#fateOf(call.scope, at);
      if (fate !== undefined) throw gone(fate);
      if (call.place === "unseal") return undefined;
      if (this.#closed) throw closed();
      throw refused(
        "unknown-upload",
        `${call.operation}: this upload wasn't begun sealed through this client. Parts of a sealed upload go through ` +
          "the client, and the sealer, that created it.",
      );
    }
    if (!call.presigning) return upload;
    throw refused(
      "unsupported-operation",
      `${call.operation} of a sealed upload can't be presigned: nobody would seal.`,
    );
  }

  #end(upload: Upload, fate: UploadFate): void {
    this.#live.get(upload)?.(fate);
    this.#live.delete(upload);
    upload.end(gone(fate));
  }
}

/** Waits for part 1, unless this is it. Its length is known here only when its body is bytes. */
async function partBytesFor(upload: Upload, number: number, body: PlainBody): Promise<number | undefined> {
  const held = body.kind === "bytes" ? body.bytes.length : 0;
  if (number !== 1) return upload.untilPartBytesKnown(held);
  return body.kind === "bytes" ? upload.fixPartBytes(held) : undefined;
}

/** What can be refused before a part is read, is. */
function checkEarly(
  upload: Upload,
  number: number,
  bytes: number | undefined,
  known: number | undefined,
): void {
  if (bytes !== undefined && known !== undefined) upload.parts.check(number, bytes, known);
}

function sealPart(
  upload: Upload,
  number: number,
  plaintext: Uint8Array,
  known: number | undefined,
): Uint8Array {
  upload.assertOpen();
  const partBytes = known ?? upload.fixPartBytes(plaintext.length);
  const { ciphertext, isNew } = upload.parts.seal(number, plaintext, partBytes);
  upload.countKept();
  if (isNew) upload.onBytes(plaintext.length);
  return ciphertext;
}

function atOf({ input }: SealedCall): UploadAt {
  return { bucket: input["Bucket"], key: input["Key"], uploadId: input["UploadId"] };
}

const FATES: Readonly<Record<Exclude<UploadFate, "closed">, string>> = {
  aborted: "was aborted",
  completed: "was completed",
  idle: "was given up, as no call came for as long as the option uploadIdleSeconds says",
};

function gone(fate: UploadFate): EnvelopeRefusedError {
  if (fate === "closed") return closed();
  return refused(
    "upload-state",
    `The sealed upload ${FATES[fate]}: its key is gone, and nothing may be added to it. Begin a new one; if S3 still ` +
      "has this one, abort it.",
  );
}

function closed(): EnvelopeRefusedError {
  return refused("closed", "The sealer was closed.");
}

function refused(problem: EnvelopeProblem, message: string): EnvelopeRefusedError {
  return new EnvelopeRefusedError(problem, message);
}
