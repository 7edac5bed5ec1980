/** Where data keys come from: AWS KMS, or whatever else an application can generate and unwrap keys with. */
import { BucketKeySetupError } from "../errors.ts";
import { checkOptionNames } from "../option-names.ts";
import type { EncryptionContext } from "./encryption-context.ts";
import { EnvelopeIntegrityError, KeyringError } from "./errors.ts";
import { kmsLoader } from "./kms-commands.ts";
import { errorTypeOf, ofFormerKey } from "./kms-failures.ts";

/**
 * A new data key: in the clear, and wrapped.
 *
 * @public
 */
export interface DataKey {
  /** 32 bytes in an array of their own every time, handed over: whoever receives them fills them with zeros. */
  readonly plaintext: Uint8Array;
  /** The key as KMS wrapped it; it goes into every object that is sealed under the key. */
  readonly blob: Uint8Array;
}

/**
 * Makes and unwraps data keys, in the name of one principal. `kmsKeyring` makes one; your own may stand in its place.
 *
 * One keyring is one domain of trust: bucket keys are cached per instance, so make it once, not once per call, and
 * never share it between tenants.
 *
 * Data keys are handed over: whoever receives one fills it with zeros. A keyring of your own that keeps keys must give
 * a fresh array each time, in memory that nothing else looks into, never the one it keeps.
 *
 * @public
 */
export interface Keyring {
  /** The KMS key as asked for: an id, an ARN or an alias. */
  readonly keyId: string;
  /**
   * Makes a data key that only opens with the same context.
   *
   * @param options - `signal` is aborted when nobody can use the answer any more.
   * @throws `KeyringError` when there is no key to be had.
   */
  generate(context: EncryptionContext, options: { readonly signal: AbortSignal }): Promise<DataKey>;
  /**
   * Unwraps a data key.
   *
   * @returns 32 bytes, in an array of its own every time: the caller fills it with zeros.
   * @throws `EnvelopeIntegrityError` when the blob is not one of this key and context, else `KeyringError`.
   */
  unwrap(
    blob: Uint8Array,
    context: EncryptionContext,
    options: { readonly signal: AbortSignal },
  ): Promise<Uint8Array>;
}

/**
 * The part of a `KMSClient` that a keyring needs.
 *
 * @public
 */
export interface KmsClientLike {
  /** Sends a `GenerateDataKeyCommand` or a `DecryptCommand`. */
  // `any` on purpose: it keeps every copy of the SDK's own types assignable.
  // oxlint-disable-next-line typescript/no-explicit-any
  send(command: any, options?: any): Promise<any>;
}

/**
 * Options of `kmsKeyring`.
 *
 * @public
 */
export interface KmsKeyringOptions {
  /** A `KMSClient`, in the Region of the key. */
  readonly client: KmsClientLike;
  /** Id, ARN or alias of a symmetric KMS key: new data keys come from it, and it is the first to unwrap. */
  readonly keyId: string;
  /** Further keys to unwrap with, in this order, when KMS answers that the key is another one. */
  readonly decryptKeyIds?: readonly string[];
}

/** The names of its options. */
const OPTIONS: { readonly [O in keyof KmsKeyringOptions]-?: true } = {
  client: true,
  keyId: true,
  decryptKeyIds: true,
};

/** What KMS says of a blob that is not one of its own, or not under this key and context. */
const NOT_OURS: ReadonlySet<string> = new Set(["InvalidCiphertextException", "IncorrectKeyException"]);

/**
 * A keyring over AWS KMS: GenerateDataKey for what is written, Decrypt for what is read.
 *
 * Decrypt always names the key, so a blob of any other key is refused, whoever may use that key. An alias that now
 * points elsewhere makes older objects unreadable: name the former key in `decryptKeyIds`. Writers need
 * `kms:GenerateDataKey`, readers `kms:Decrypt`.
 *
 * The package `@aws-sdk/client-kms` is loaded when the first key is needed, unless your `KMSClient` has done so.
 *
 * @throws `BucketKeySetupError` when there is no client of KMS, a key id is empty, no text or the ARN of something
 *   else, or an option has a name that isn't one; later, from the calls that need a key, when `@aws-sdk/client-kms` isn't installed.
 * @example
 * ```ts
 * const keyring = kmsKeyring({ client: new KMSClient({}), keyId: "alias/data-lake" });
 * ```
 * @public
 */
export function kmsKeyring(options: KmsKeyringOptions): Keyring {
  const call = "kmsKeyring({ client: new KMSClient({}), keyId })";
  checkOptionNames({ of: "kmsKeyring", table: OPTIONS, call }, options);
  const { client, keyId, decryptKeyIds = [] } = options;
  requireUsable(client, keyId, decryptKeyIds);
  const unwrapWith = [keyId, ...decryptKeyIds];
  const commands = kmsLoader();
  return {
    keyId,
    async generate(context, { signal }) {
      const { GenerateDataKeyCommand } = await commands();
      // V3 data keys are AES-256 (specification: s3-encryption/encryption, "KMS+Context").
      const command = new GenerateDataKeyCommand({
        KeyId: keyId,
        KeySpec: "AES_256",
        EncryptionContext: { ...context },
      });
      const { Plaintext, CiphertextBlob } = await ask(client, command, "GenerateDataKey", keyId, signal);
      return { plaintext: takeOver(Plaintext), blob: Uint8Array.from(CiphertextBlob ?? []) };
    },
    async unwrap(blob, context, { signal }) {
      const { DecryptCommand } = await commands();
      for (const id of unwrapWith) {
        const command = new DecryptCommand({
          KeyId: id,
          CiphertextBlob: blob,
          EncryptionContext: { ...context },
        });
        try {
          const { Plaintext } = await ask(client, command, "Decrypt", id, signal);
          return takeOver(Plaintext);
        } catch (error) {
          const { kmsError } = error as KeyringError;
          if (!NOT_OURS.has(kmsError)) throw id === keyId ? error : ofFormerKey(error as KeyringError);
          if (kmsError !== "IncorrectKeyException") break;
        }
      }
      throw new EnvelopeIntegrityError();
    },
  };
}

interface Answer {
  readonly Plaintext?: Uint8Array;
  readonly CiphertextBlob?: Uint8Array;
}

async function ask(
  client: KmsClientLike,
  command: unknown,
  operation: "GenerateDataKey" | "Decrypt",
  keyId: string,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    // It may have been aborted before the commands were there.
    signal.throwIfAborted();
    return (await client.send(command, { abortSignal: signal })) as Answer;
  } catch (cause) {
    const name = errorTypeOf(cause);
    throw new KeyringError(
      name,
      `${operation} with the KMS key ${keyId} ended in ${name}: nothing was sealed or opened. ${adviceOn(name, operation)}`,
      { cause },
    );
  }
}

/** By the name of KMS's error. */
const ADVICE: Readonly<Record<string, string>> = {
  DisabledException: "Enable the key, or name another one.",
  KMSInvalidStateException: "The key is pending deletion or import: bring it back, or name another one.",
  NotFoundException: "Check the key id and the Region of the KMS client.",
  ThrottlingException: "Raise the KMS request quota, or make bucket keys live longer (maxAgeSeconds).",
};

function adviceOn(name: string, operation: string): string {
  if (name === "AccessDeniedException") {
    return `The principal of the KMS client needs kms:${operation} on the key, under this encryption context.`;
  }
  return ADVICE[name] ?? "The error of the SDK is the cause.";
}

/**
 * Moves a key out of the SDK's hands. Its array is a view into a pool that others share: the view is filled with
 * zeros, never its buffer. The copy's bytes are outside V8's heap, where no collection can leave a second copy.
 */
function takeOver(plaintext: Uint8Array = new Uint8Array()): Uint8Array {
  const key = new Uint8Array(new ArrayBuffer(plaintext.byteLength));
  key.set(plaintext);
  plaintext.fill(0);
  return key;
}

/** Only KMS can tell whether there is such a key, but an ARN says whose it is, in every partition. */
function mayNameKey(id: unknown): boolean {
  return typeof id === "string" && id !== "" && (!id.startsWith("arn:") || /^arn:[^:]+:kms:/.test(id));
}

function requireUsable(client: KmsClientLike | undefined, keyId: unknown, decryptKeyIds: unknown): void {
  // Clients of the SDK say whose they are; what stands in for one needs no config.
  const { config } = (client ?? {}) as { readonly config?: { readonly serviceId?: string } };
  const service = config?.serviceId ?? "KMS";
  if (typeof client?.send !== "function" || service !== "KMS") {
    throw new BucketKeySetupError(
      "kmsKeyring needs a KMSClient as `client`" +
        (service === "KMS" ? "" : `, and was given a client of ${service}`) +
        ": kmsKeyring({ client: new KMSClient({}), keyId }).",
    );
  }
  if (!Array.isArray(decryptKeyIds)) {
    throw new BucketKeySetupError(
      'decryptKeyIds must be an array of ids, ARNs or aliases of KMS keys, such as ["alias/data-lake"].',
    );
  }
  const bad = [keyId, ...(decryptKeyIds as readonly unknown[])].findIndex((id) => !mayNameKey(id));
  if (bad !== -1) {
    throw new BucketKeySetupError(
      `${bad === 0 ? "keyId" : `decryptKeyIds[${bad - 1}]`} must be the id, ARN or alias of a KMS key, such as alias/data-lake.`,
    );
  }
}
