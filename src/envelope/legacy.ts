/** The keys of V2 and V1 objects: read only, and every weakness of theirs by an opt-in of its own. */
import type { Suite } from "./cache-key.ts";
import type { Classified, V1Envelope, V2Envelope } from "./classify.ts";
import { v2ContentKey, wipe } from "./content-key.ts";
import { matchesCallers } from "./encryption-context.ts";
import { EnvelopeIntegrityError } from "./errors.ts";
import type { OpenAsk, Sealed } from "./opening.ts";
import { refused } from "./refused.ts";
import { ownCopy, rethrowTold, type Workings } from "./workings.ts";

type Legacy = Extract<Classified, { format: "v2" | "v1" }>;

const AES_256_BYTES = 32;

/** @throws `EnvelopeRefusedError` naming the option that is missing; `EnvelopeIntegrityError`; `KeyringError`. */
export async function openLegacy(workings: Workings, ask: OpenAsk, found: Legacy): Promise<Sealed> {
  const { settings } = workings;
  if (settings.commitmentPolicy === "REQUIRE_ENCRYPT_REQUIRE_DECRYPT") {
    throw refused(
      "commitment-policy",
      `The object is in format ${found.format.toUpperCase()}, whose key is not committed to. To read such objects, ` +
        'give envelope() the option commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT". Nothing was released.',
    );
  }
  const isGcm = found.format === "v2" && found.envelope.content === "AES/GCM/NoPadding";
  if (!isGcm && !settings.legacyUnauthenticatedModes) {
    throw refused(
      "legacy",
      "The object's body is in CBC, which nothing authenticates. To read such objects all the same, give envelope() " +
        "the option legacyUnauthenticatedModes: true. Nothing was released.",
    );
  }
  const dataKey = await dataKeyOf(workings, ask, found.envelope);
  const { iv } = found.envelope;
  return isGcm ? { kind: "gcm", key: v2ContentKey(dataKey, iv) } : { kind: "cbc", dataKey, iv };
}

/** The data key, in memory of its own: it outlives its lease. */
async function dataKeyOf(
  workings: Workings,
  ask: OpenAsk,
  envelope: V2Envelope | V1Envelope,
): Promise<Uint8Array> {
  const { settings } = workings;
  if (envelope.wrap === "kms+context") {
    if (!matchesCallers(envelope.description, ask.context)) throw new EnvelopeIntegrityError();
    return askKms(workings, ask, envelope, "v2");
  }
  // Nothing else binds the context, so an object relabelled would slip past the caller's.
  if (Object.keys(ask.context).length > 0) {
    throw refused(
      "encryption-context",
      "The object's data key is wrapped without an encryption context, but your options give one for this place. " +
        "Read such objects with a sealer that gives none, and without bindBucket. Nothing was released.",
    );
  }
  if (envelope.wrap === "kms") {
    if (settings.legacyWrappingAlgorithms) return askKms(workings, ask, envelope, "legacy");
    throw refused(
      "legacy",
      "The object's data key is wrapped with kms, which binds neither context nor algorithm. To read such objects, " +
        "give envelope() the option legacyWrappingAlgorithms: true. Nothing was released.",
    );
  }
  const { wrap, blob, description } = envelope;
  if (settings.unwrapLegacyKey === undefined) {
    throw refused(
      "unsupported-wrap",
      `The object's data key is wrapped with ${wrap ?? "a raw key"}, not by KMS. To read such objects, give envelope() ` +
        "the option unwrapLegacyKey, a function that unwraps it. Nothing was released.",
    );
  }
  const unwrapped = await settings.unwrapLegacyKey({ wrap, blob, description });
  const dataKey = ownCopy(unwrapped);
  wipe(unwrapped);
  // Another length is no key of these formats, and only tells that something else was unwrapped.
  if (dataKey.length !== AES_256_BYTES) throw new EnvelopeIntegrityError();
  return dataKey;
}

async function askKms(
  { settings, cache }: Workings,
  { place, observe }: OpenAsk,
  { blob, description }: V2Envelope | V1Envelope,
  suite: Suite,
): Promise<Uint8Array> {
  const lease = await cache
    .forOpening({
      keyring: settings.keyring(place),
      context: description,
      blob,
      partition: settings.partition(place),
      policy: settings.commitmentPolicy,
      suite,
      observe,
    })
    .catch(rethrowTold);
  try {
    return lease.use(ownCopy);
  } finally {
    lease.release();
  }
}
