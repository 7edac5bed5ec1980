/** The words between the parts that open objects. */
import type { ContentKey } from "./content-key.ts";
import type { EncryptionContext } from "./encryption-context.ts";
import type { ObjectMetadata } from "./metadata-names.ts";
import type { Place } from "./options.ts";
import type { Observe } from "./workings.ts";

/** What is asked of an envelope. */
export interface OpenAsk {
  readonly place: Place;
  /** The caller's encryption context. */
  readonly context: EncryptionContext;
  readonly metadata: ObjectMetadata | undefined;
  readonly observe: Observe;
}

/** The key of a sealed body. Whoever gets it wipes it. */
export type Sealed =
  | { readonly kind: "gcm"; readonly key: ContentKey }
  /** Authenticated by nothing; by two opt-ins only. */
  | { readonly kind: "cbc"; readonly dataKey: Uint8Array; readonly iv: Uint8Array };

/** What is to be wiped of it. */
export function secretOf(sealed: Sealed): Uint8Array {
  return sealed.kind === "gcm" ? sealed.key.bytes : sealed.dataKey;
}
