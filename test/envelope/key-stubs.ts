/** A clock that tests move, and a keyring that answers when tests say so. */
import { randomBytes } from "node:crypto";
import type { EnvelopeEvent } from "../../src/body-sealer.ts";
import type { OpeningAsk, SealingAsk } from "../../src/envelope/bucket-key-cache.ts";
import type { Clock } from "../../src/envelope/clock.ts";
import type { EncryptionContext } from "../../src/envelope/encryption-context.ts";
import { EnvelopeIntegrityError, KeyringError } from "../../src/envelope/errors.ts";
import type { DataKey, Keyring } from "../../src/envelope/keyring.ts";

export const SECOND = 1_000;

export class TestClock implements Clock {
  wall = 1_750_000_000_000;
  monotonic = 5_000;
  dice = 0;

  advance(ms: number): void {
    this.wall += ms;
    this.monotonic += ms;
  }

  wallMs(): number {
    return this.wall;
  }

  monotonicMs(): number {
    return this.monotonic;
  }

  random(): number {
    return this.dice;
  }
}

/** One request that the keyring got. */
export interface Asked {
  readonly operation: "generate" | "unwrap";
  readonly context: EncryptionContext;
  readonly blob: Uint8Array | undefined;
  readonly signal: AbortSignal;
  /** Lets a held request end. */
  answer(): void;
  fail(error: unknown): void;
}

export class StubKeyring implements Keyring {
  keyId = "alias/lake";
  /** Requests wait for `answer` or `fail`. */
  held = false;
  /** What requests end in. */
  error: unknown;
  /** Stands in for the next keys. */
  key: Uint8Array | undefined;
  readonly asked: Asked[] = [];
  /** The arrays that were handed out, and what was in them. */
  readonly handedOut: { readonly array: Uint8Array; readonly bytes: Uint8Array }[] = [];
  readonly #wrapped = new Map<string, Uint8Array>();

  count(operation: Asked["operation"]): number {
    return this.asked.filter((asked) => asked.operation === operation).length;
  }

  async generate(context: EncryptionContext, { signal }: { signal: AbortSignal }): Promise<DataKey> {
    await this.#turn({ operation: "generate", context, blob: undefined, signal });
    const bytes = this.key ?? new Uint8Array(randomBytes(32));
    const blob = new Uint8Array(randomBytes(184));
    this.#wrapped.set(Buffer.from(blob).toString("hex"), Uint8Array.from(bytes));
    return { plaintext: this.#handOut(bytes), blob };
  }

  async unwrap(
    blob: Uint8Array,
    context: EncryptionContext,
    { signal }: { signal: AbortSignal },
  ): Promise<Uint8Array> {
    await this.#turn({ operation: "unwrap", context, blob, signal });
    const bytes = this.key ?? this.#wrapped.get(Buffer.from(blob).toString("hex"));
    if (bytes === undefined) throw new EnvelopeIntegrityError();
    return this.#handOut(bytes);
  }

  /** A blob that opens. */
  wrap(): Uint8Array {
    const blob = new Uint8Array(randomBytes(184));
    this.#wrapped.set(Buffer.from(blob).toString("hex"), new Uint8Array(randomBytes(32)));
    return blob;
  }

  #handOut(bytes: Uint8Array): Uint8Array {
    const array = Uint8Array.from(bytes);
    this.handedOut.push({ array, bytes: Uint8Array.from(bytes) });
    return array;
  }

  #turn(asked: Omit<Asked, "answer" | "fail">): Promise<void> {
    const { promise, resolve, reject } = withResolvers();
    this.asked.push({ ...asked, answer: resolve, fail: reject });
    if (!this.held) {
      if (this.error === undefined) resolve();
      else reject(this.error);
    }
    return promise;
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** As `kmsKeyring` makes it of the SDK's error. */
export function kmsError(name: string, status = 400): KeyringError {
  const cause = Object.assign(new Error("as KMS says it"), {
    name,
    $metadata: { httpStatusCode: status },
  });
  return new KeyringError(name, `KMS: ${name}`, { cause });
}

export const CONTEXT: EncryptionContext = { "aws:x-amz-cek-alg": "115" };

/** Calls with one keyring, whose events are kept. */
export class Caller {
  readonly keyring = new StubKeyring();
  readonly events: EnvelopeEvent[] = [];

  sealing(rest: Partial<SealingAsk> = {}): SealingAsk {
    return { ...this.#same(), bytes: 10, ...rest };
  }

  opening(blob: Uint8Array, rest: Partial<OpeningAsk> = {}): OpeningAsk {
    return { ...this.#same(), blob, suite: "v3", ...rest };
  }

  /** The events of one kind since the last look at it. */
  take<Kind extends EnvelopeEvent["kind"]>(kind: Kind): Extract<EnvelopeEvent, { kind: Kind }>[] {
    const taken = this.events.filter((event) => event.kind === kind);
    this.events.splice(0, Infinity, ...this.events.filter((event) => event.kind !== kind));
    return taken as Extract<EnvelopeEvent, { kind: Kind }>[];
  }

  results(): string[] {
    return this.take("cache").map(({ result }) => result);
  }

  reasons(): string[] {
    return this.take("retired").map(({ reason }) => reason);
  }

  #same(): Omit<SealingAsk, "bytes"> {
    return {
      keyring: this.keyring,
      context: CONTEXT,
      partition: "",
      policy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
      observe: (event) => void this.events.push(event),
    };
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}
