/** A new envelope: a content key of its own for one object or upload, and the metadata that readers find it by. */
import { MAX_PLAINTEXT_BYTES, v3ContentKey, wipe, type ContentKey } from "./content-key.ts";
import { storedContext, type EncryptionContext } from "./encryption-context.ts";
import { v3Metadata } from "./format-v3.ts";
import { deriveForSeal, newMessageId } from "./key-derivation.ts";
import { checkMetadataBudget, estimateMetadataBytes, metadataBytes } from "./metadata-budget.ts";
import type { KeyLease } from "./key-lease.ts";
import { isEnvelopeName, type ObjectMetadata } from "./metadata-names.ts";
import type { Place } from "./options.ts";
import { refused } from "./refused.ts";
import { rethrowTold, type Observe, type Workings } from "./workings.ts";

export interface FreshEnvelope {
  /** The caller wipes it. */
  readonly content: ContentKey;
  /** The caller's metadata with the envelope's beside it. */
  readonly metadata: Record<string, string>;
  /** Counts plaintext whose length was unknown up front. */
  readonly countBytes: (bytes: number) => void;
}

export interface FreshAsk {
  readonly place: Place;
  /** The caller's encryption context. */
  readonly context: EncryptionContext;
  /** Metadata that the caller gives the object. */
  readonly metadata: ObjectMetadata | undefined;
  /** Length of the plaintext, where it is known. */
  readonly bytes: number | undefined;
  readonly observe: Observe;
}

/**
 * Asks KMS only when no bucket key is at hand, and for nothing that is refused anyway.
 *
 * @throws `EnvelopeRefusedError` (`too-large`, `caller-metadata`, `metadata-budget`, `key-unusable`, `closed`);
 *   `KeyringError`.
 */
export async function freshEnvelope(workings: Workings, ask: FreshAsk): Promise<FreshEnvelope> {
  const { settings, cache } = workings;
  const { place, bytes, metadata: callers, observe } = ask;
  checkLimit(bytes);
  checkCallersMetadata(callers);
  const context = storedContext(ask.context);
  checkMetadataBudget(callers, estimateMetadataBytes(context));

  const lease = await cache
    .forSealing({
      keyring: settings.keyring(place),
      context,
      partition: settings.partition(place),
      policy: settings.commitmentPolicy,
      bytes,
      observe,
    })
    .catch(rethrowTold);
  const messageId = newMessageId();
  const { contentKey, commitment } = derived(lease, messageId);
  const envelope = v3Metadata({ blob: lease.blob, messageId, commitment, context });
  try {
    // The blob's length is known only now.
    checkMetadataBudget(callers, metadataBytes(envelope));
  } catch (error) {
    wipe(contentKey);
    throw error;
  }
  return {
    content: v3ContentKey(contentKey),
    metadata: { ...callers, ...envelope },
    countBytes: (more) => lease.countBytes(more),
  };
}

/** Once the object's own key is derived, the bucket key is given back. */
function derived(lease: KeyLease, messageId: Uint8Array): ReturnType<typeof deriveForSeal> {
  try {
    return lease.use((dataKey) => deriveForSeal(dataKey, messageId));
  } finally {
    lease.release();
  }
}

function checkLimit(bytes: number | undefined): void {
  if (bytes === undefined || bytes <= MAX_PLAINTEXT_BYTES) return;
  throw refused(
    "too-large",
    `A body of ${bytes} bytes can't be sealed: AES-GCM ends at ${MAX_PLAINTEXT_BYTES} bytes (64 GiB - 32). Split it ` +
      "over several objects. Nothing was sent.",
  );
}

/**
 * An envelope's name in the caller's own metadata would make two envelopes of one, and none of them readable. Values
 * are the SDK's to write; what it can't make text of is refused here, before a key is asked for.
 *
 * @throws `EnvelopeRefusedError` (`caller-metadata`).
 */
export function checkCallersMetadata(callers: Readonly<Record<string, unknown>> | undefined): void {
  for (const [name, value] of Object.entries(callers ?? {})) {
    if (isEnvelopeName(name)) {
      throw refused(
        "caller-metadata",
        `Metadata names ${JSON.stringify(name)}, which belongs to the envelope: objects that were opened carry such ` +
          'names in their Metadata. Keep only your own, those that don\'t begin with "x-amz-": the envelope is ' +
          "written for you. To move a sealed object as it is, use CopyObject. Nothing was sent.",
      );
    }
    if (!hasText(value)) {
      throw refused(
        "caller-metadata",
        `Metadata's ${JSON.stringify(name)} can't be made text: give a string. Nothing was sent.`,
      );
    }
  }
}

/** Objects may have no text, or refuse to give it. */
function hasText(value: unknown): boolean {
  try {
    void String(value);
    return true;
  } catch {
    return false;
  }
}
