import { isPrincipal, principalOf } from "../iam/principal.ts";
import type { RequestFacts } from "../iam/request-context.ts";
import type { EncryptionContext } from "./encryption-context.ts";
import type { KeyStore, KmsKey } from "./key-store.ts";

/**
 * Whoever sent a request to KMS, with the keys as far as it may have them.
 *
 * In KMS's order: the key of that name, then whether the caller may, then whether the key can.
 */
export class KmsCaller {
  /** ARN of the caller. */
  readonly arn: string;
  readonly #store: KeyStore;

  constructor(store: KeyStore, arn: string) {
    this.#store = store;
    this.arn = arn;
  }

  /** Whether an ARN stands for the caller; undefined stands for nobody. */
  is(arn: string | undefined): boolean {
    return arn !== undefined && isPrincipal(arn, principalOf(this.arn));
  }

  /** The key of that name. @throws `KmsFault` when there is none, or the caller may not do that to it. */
  key(action: string, name: string, facts: RequestFacts = {}): KmsKey {
    return this.allowed(action, this.#store.resolve(name), facts);
  }

  /** The same for what only the owner of a key can do; aliases do not name it. @throws As `key`. */
  changeable(action: string, name: string): KmsKey {
    return this.allowed(action, this.#store.changeable(name));
  }

  /** A key that encrypts and decrypts. @throws As `key`; for a key that cannot now. */
  usable(action: string, name: string, encryptionContext: EncryptionContext): KmsKey {
    const key = this.#store.resolve(name);
    const requester = this.arn;
    return requireUsable(this.#store, { requester, action, encryptionContext, viaS3: false }, key);
  }

  /** The same key. @throws `KmsFault` with `AccessDeniedException`. */
  allowed(action: string, key: KmsKey, facts: RequestFacts = {}): KmsKey {
    this.#store.access.require({ ...facts, requester: this.arn, action }, key);
    return key;
  }

  /** For actions on no key in particular, and on aliases. @throws `KmsFault` with `AccessDeniedException`. */
  allowedOnAccount(action: string, resource = "*"): void {
    this.#store.access.requireOnAccount({ requester: this.arn, action }, resource);
  }
}

/** A cryptographic request, of a client or of S3 on somebody's behalf. */
export interface KeyUse {
  readonly requester: string;
  readonly action: string;
  readonly encryptionContext: EncryptionContext;
  readonly viaS3: boolean;
}

/** @throws `KmsFault`: `AccessDeniedException` (E5), or why the key cannot be used (E3, E4). */
export function requireUsable(store: KeyStore, use: KeyUse, key: KmsKey): KmsKey {
  store.access.require({ ...use, cryptographic: true }, key);
  return store.usable(key.arn);
}
