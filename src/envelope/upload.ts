/** One sealed upload from the answer to its Create until it's forgotten: open, then sealed, and gone at the end. */
import { setMaxListeners } from "node:events";
import type { SealedCall, SealedResult } from "../body-sealer.ts";
import type { ByteBudget, Release } from "./byte-budget.ts";
import type { ContentKey } from "./content-key.ts";
import { EnvelopeRefusedError } from "./errors.ts";
import { etagOf, type ListedPart, type PartLimits, withTagPart } from "./upload-input.ts";
import { type TagPart, UploadParts } from "./upload-parts.ts";

type Input = SealedCall["input"];

/** How an upload waits. */
export interface UploadLimits {
  /** The option of that name. */
  readonly partBytes: number | undefined;
  /** After which an upload without a call under way is given up. */
  readonly idleMs: number;
  /** How long a part waits for the length of part 1. */
  readonly waitMs: number;
  /** How many bytes of bodies may wait for it. */
  readonly waitingBytes: number;
  /** For what is in memory of parts. */
  readonly budget: ByteBudget;
  readonly s3: PartLimits;
}

/** What remains of the upload once its list is final: no secret, but the parts may have no second end. */
interface Sealed {
  readonly signature: string;
  /** What it takes to send the tag; dropped when S3 has it. */
  tag:
    | { readonly list: readonly ListedPart[]; readonly part: TagPart; readonly senders: readonly Sender[] }
    | undefined;
  /** The list to complete with, once S3 has the tag; the same for whoever asks meanwhile. */
  parts: Promise<readonly Input[]> | undefined;
}

/** How a part of this upload was sent, for the part that brings the tag. Without a body: it'd be kept alive. */
interface Sender {
  readonly next: SealedCall["next"];
  readonly input: Input;
}

/**
 * So many are kept: the one that S3 answered last sends the tag, unless its caller's signal has ended it by then, as
 * a deadline of that one part may have.
 */
const MAX_SENDERS = 3;

/** A completed upload is remembered for as long as a Complete whose answer got lost may be repeated. */
const COMPLETED_MS = 300_000;

/** @see the first comment of this file. */
export class Upload {
  readonly parts: UploadParts;
  /** Told of the plaintext bytes of every part, once. */
  readonly onBytes: (bytes: number) => void;
  /** Aborted, with the reason, when the upload is gone. */
  readonly signal: AbortSignal;
  readonly #limits: UploadLimits;
  readonly #gone = new AbortController();
  readonly #partBytesKnown: Promise<void>;
  #tellPartBytes!: () => void;
  #waitingBytes = 0;
  /** Calls under way, of any kind. */
  #calls = 0;
  /** UploadParts that S3 has not answered. */
  #sending = 0;
  /** The last one to be answered first. */
  #senders: Sender[] = [];
  #sealed: Sealed | undefined;
  #isCompleted = false;
  #uncountKept: Release = () => undefined;
  #idleMs: number;
  #timer: NodeJS.Timeout | undefined;
  readonly #onIdle: () => void;

  constructor(key: ContentKey, limits: UploadLimits, onBytes: (bytes: number) => void, onIdle: () => void) {
    this.parts = new UploadParts(key, limits.partBytes, limits.s3);
    this.onBytes = onBytes;
    this.signal = this.#gone.signal;
    // As many listeners as parts are under way.
    setMaxListeners(0, this.signal);
    this.#limits = limits;
    this.#idleMs = limits.idleMs;
    this.#onIdle = onIdle;
    this.#partBytesKnown = new Promise((resolve) => (this.#tellPartBytes = resolve));
    this.#rest();
  }

  /** Runs a call of this upload; it isn't idle meanwhile. */
  async during<T>(call: () => Promise<T>): Promise<T> {
    clearTimeout(this.#timer);
    this.#calls++;
    try {
      return await call();
    } finally {
      this.#calls--;
      this.#rest();
    }
  }

  /** @throws The reason why it's gone; `EnvelopeRefusedError` (`upload-state`) once its list is final. */
  assertOpen(): void {
    this.signal.throwIfAborted();
    if (this.#sealed === undefined) return;
    throw refused(
      "This upload is complete, or being completed: a part sent now could undo its tag. Nothing was sent; begin a new " +
        "upload.",
    );
  }

  /** Takes the length of part 1 for that of all, and lets the others go on. */
  fixPartBytes(bytesOfPartOne: number): number {
    this.#tellPartBytes();
    return this.parts.fixPartBytes(bytesOfPartOne);
  }

  /**
   * Waits for the length of part 1: a guess from any other could be wrong, and parts overlap.
   *
   * @param bytes - Of the body that waits in memory.
   * @throws `EnvelopeRefusedError`: `buffer-limit`, `part-size` (part 1 didn't come); the reason why it's gone.
   */
  async untilPartBytesKnown(bytes: number): Promise<number> {
    const { waitingBytes, waitMs } = this.#limits;
    if (this.#waitingBytes + bytes > waitingBytes) {
      throw new EnvelopeRefusedError(
        "buffer-limit",
        `More than ${waitingBytes} bytes of parts would wait for part 1, whose length is that of all parts: send part 1 ` +
          "first, or set the option partBytes.",
      );
    }
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(partOneMissing(waitMs)), waitMs);
    });
    this.#waitingBytes += bytes;
    try {
      await this.orGone(() => Promise.race([this.#partBytesKnown, late]));
    } finally {
      this.#waitingBytes -= bytes;
      clearTimeout(timer);
    }
    return this.parts.partBytes as number;
  }

  /**
   * Sends an encrypted part and remembers what S3 said. Fails at once when the upload is gone meanwhile.
   *
   * @param whenSent - Called when the request has really ended.
   */
  async send(
    number: number,
    call: SealedCall,
    ciphertext: Uint8Array,
    whenSent: () => void,
  ): Promise<SealedResult> {
    // Without `call`, whose input holds the plaintext.
    const { next } = call;
    const { Body: _, ...input } = call.input;
    const request = async (): Promise<SealedResult> => {
      this.#sending++;
      try {
        const result = await next({ ...input, Body: ciphertext, ContentLength: ciphertext.length });
        const etag = etagOf(result.output);
        if (etag !== "") {
          this.parts.stored(number, etag);
          this.#senders = [{ next, input }, ...this.#senders].slice(0, MAX_SENDERS);
        }
        return result;
      } finally {
        this.#sending--;
        whenSent();
      }
    };
    return await this.orGone(request);
  }

  /**
   * Makes a list final, before anything is awaited; from then on there is one tag, and no secret is left. The same
   * list again is fine.
   *
   * @throws `EnvelopeRefusedError` (`upload-state`) for any other list, and for one that isn't what was sealed here.
   */
  seal(list: readonly ListedPart[]): void {
    const signature = JSON.stringify(list.map(({ number, etag }) => [number, etag]));
    if (this.#sealed !== undefined) {
      if (this.#sealed.signature === signature) return;
      throw refused(
        "This upload was completed with another list of parts, or is being so; nothing was sent.",
      );
    }
    if (this.#sending > 0) {
      throw refused(
        "Parts of this upload are still being sent: complete it when all of them have been answered.",
      );
    }
    // Parts that S3 has were sent by somebody.
    if (!this.parts.isWhole(list)) {
      throw refused(
        "A sealed upload is completed with exactly the parts that were sent through this client, 1 to the last, each " +
          "with the ETag that S3 answered: list those, or abort it and begin a new one.",
      );
    }
    this.#sealed = {
      signature,
      tag: { list, part: this.parts.finish(), senders: this.#senders },
      parts: undefined,
    };
    this.#senders = [];
  }

  /** Sends the tag, once; after a failure, the same bytes again. Gives the list to complete with. */
  async completeList(): Promise<readonly Input[]> {
    const sealed = this.#sealed as Sealed;
    return await this.orGone(() => {
      sealed.parts ??= this.#sendTag(sealed).catch((error: unknown) => {
        sealed.parts = undefined;
        throw error;
      });
      return sealed.parts;
    });
  }

  /** Counts what is kept of the last part until the tag has gone out with it, and no longer what was before. */
  countKept(): void {
    const uncountFormer = this.#uncountKept;
    this.#uncountKept = this.#limits.budget.keep(this.parts.keptBytes);
    // Afterwards: what is in memory is nobody else's for a moment.
    uncountFormer();
  }

  /** Whether S3 has said that it made the object. */
  get isCompleted(): boolean {
    return this.#isCompleted;
  }

  /** S3 has made the object. The upload is remembered a little, for a Complete that is repeated. */
  completed(): void {
    this.#isCompleted = true;
    this.#idleMs = Math.min(this.#idleMs, COMPLETED_MS);
  }

  /** Zeroes what is secret and fails whatever is under way, but a Complete that was sent already. */
  end(reason: EnvelopeRefusedError): void {
    clearTimeout(this.#timer);
    this.parts.wipe();
    this.#uncountKept();
    this.#gone.abort(reason);
  }

  /** What something comes to, or the reason why the upload is gone; if it's gone already, nothing is started. */
  async orGone<T>(start: () => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    let stop: (() => void) | undefined;
    const gone = new Promise<never>((_, reject) => {
      stop = () => reject(this.signal.reason as Error);
      this.signal.addEventListener("abort", stop);
    });
    try {
      return await Promise.race([start(), gone]);
    } finally {
      this.signal.removeEventListener("abort", stop as () => void);
    }
  }

  /** The one request that no caller made: through the way of a part that S3 took, as no client is at hand. */
  async #sendTag(sealed: Sealed): Promise<readonly Input[]> {
    const { list, part, senders } = sealed.tag as NonNullable<Sealed["tag"]>;
    const { number, body } = part;
    const tag = { PartNumber: number, Body: body, ContentLength: body.length };
    const result = await firstNotAborted(senders, ({ next, input }) => next({ ...input, ...tag }));
    if (etagOf(result.output) === "") {
      throw refused("S3 answered the part that holds the tag without an ETag: complete the upload again.");
    }
    sealed.tag = undefined;
    this.#uncountKept();
    return withTagPart(list, number, result.output as Input);
  }

  /** Idle from now on, unless a call is under way. The timer holds no process: secrets go with it. */
  #rest(): void {
    if (this.#calls > 0 || this.signal.aborted) return;
    this.#timer = setTimeout(this.#onIdle, this.#idleMs).unref();
  }
}

/** What the first sender comes to that isn't ended by its own caller's signal; else the last one's error. */
async function firstNotAborted(
  senders: readonly Sender[],
  send: (sender: Sender) => Promise<SealedResult>,
): Promise<SealedResult> {
  const [first, ...others] = senders as readonly [Sender, ...Sender[]];
  try {
    return await send(first);
  } catch (error) {
    if (others.length === 0 || (error as Error).name !== "AbortError") throw error;
    return firstNotAborted(others, send);
  }
}

function partOneMissing(waitMs: number): EnvelopeRefusedError {
  return new EnvelopeRefusedError(
    "part-size",
    `The length of part 1, which is that of all parts, wasn't known after ${waitMs / 1000} s: send part 1 first, or set ` +
      "the option partBytes.",
  );
}

function refused(message: string): EnvelopeRefusedError {
  return new EnvelopeRefusedError("upload-state", message);
}
