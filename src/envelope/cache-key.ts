/** What two calls must have in common to share a bucket key. */
import { hash } from "node:crypto";
import type { EncryptionContext } from "./encryption-context.ts";
import { formatBase64 } from "./strict-base64.ts";

/** A key that seals never opens, and the reverse: reading must have been allowed by `kms:Decrypt`. */
export type Direction = "seal" | "open";

/**
 * The suite of an object. Only `v3` keys may be cached: they are used through a key derivation function, so that
 * every object has a key of its own.
 */
export type Suite = "v3" | "v2" | "legacy";

/**
 * Whether objects of suites without key commitment may be read; the names are those of the official clients.
 *
 * @public
 */
export type CommitmentPolicy = "REQUIRE_ENCRYPT_REQUIRE_DECRYPT" | "REQUIRE_ENCRYPT_ALLOW_DECRYPT";

export interface Shared {
  readonly direction: Direction;
  /** Number of the keyring's instance, which stands for its KMS client and credentials. */
  readonly keyring: number;
  /** As requested, never out of an answer: replicas of a multi-Region key are different keys here. */
  readonly keyId: string;
  readonly suite: Suite;
  readonly policy: CommitmentPolicy;
  readonly partition: string;
  readonly context: EncryptionContext;
  /** Of what is opened. */
  readonly blob: Uint8Array | undefined;
}

/** SHA-256, in base64, over an encoding that differs whenever one of the parts does. */
export type CacheKeys = (shared: Shared) => string;

/**
 * Remembers the last answer in each direction: most writers seal under one key, and many readers open what was written
 * together.
 */
export function cacheKeys(): CacheKeys {
  const last = { seal: { text: "", blob: "", key: "" }, open: { text: "", blob: "", key: "" } };
  return (shared) => {
    const text = textOf(shared);
    const blob = shared.blob === undefined ? "" : formatBase64(shared.blob);
    const known = last[shared.direction];
    if (known.text !== text || known.blob !== blob) {
      known.text = text;
      known.blob = blob;
      // As JSON, because hashing takes the text as UTF-8, in which all lone surrogates are the same.
      known.key = hash("sha256", JSON.stringify(text) + blob, "base64");
    }
    return known.key;
  };
}

function textOf({ direction, keyring, keyId, suite, policy, partition, context }: Shared): string {
  let text = `${direction}:${keyring}:${suite}:${policy}:` + counted(keyId) + counted(partition);
  for (const name of Object.keys(context).toSorted())
    text += counted(name) + counted(context[name] as string);
  return text;
}

/** Text that can't be mistaken for the beginning of what follows. */
function counted(text: string): string {
  return `${text.length}:${text}`;
}
