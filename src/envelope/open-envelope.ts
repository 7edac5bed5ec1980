/** From an object's envelope to the key of its content; asks KMS only when no bucket key is at hand. */
import { v3ContentKey, type ContentKey } from "./content-key.ts";
import { matchesCallers } from "./encryption-context.ts";
import { EnvelopeIntegrityError } from "./errors.ts";
import type { V3Envelope } from "./format-v3.ts";
import { findEnvelope } from "./instructions.ts";
import { deriveForOpen } from "./key-derivation.ts";
import { openLegacy } from "./legacy.ts";
import type { OpenAsk, Sealed } from "./opening.ts";
import { refused } from "./refused.ts";
import { rethrowTold, type Workings } from "./workings.ts";

/**
 * How the body of an object is opened; `undefined` for a plain object.
 *
 * Order: format, policy, encryption context, and only then a key: what can't be read anyway costs no KMS request.
 *
 * @throws `EnvelopeIntegrityError`, `EnvelopeRefusedError`, `KeyringError`.
 */
export async function openEnvelope(workings: Workings, ask: OpenAsk): Promise<Sealed | undefined> {
  const found = await findEnvelope(workings.settings, ask.place, ask.metadata);
  switch (found.format) {
    case "plain":
      return undefined;
    case "damaged":
      throw new EnvelopeIntegrityError();
    case "v3-instruction":
      throw refused(
        "instruction-file",
        "The object's wrapped key lies in an instruction file, which was not found or is not looked for: give the " +
          "options instructionFiles and getObject to envelope(). Nothing was released.",
      );
    case "v3":
      return { kind: "gcm", key: await openV3(workings, ask, found.envelope) };
    case "v2":
    case "v1":
      return openLegacy(workings, ask, found);
  }
}

async function openV3(workings: Workings, ask: OpenAsk, envelope: V3Envelope): Promise<ContentKey> {
  const { wrap, blob, context, messageId, commitment } = envelope;
  if (wrap !== "kms+context") {
    throw refused(
      "unsupported-wrap",
      `The object's data key is wrapped with ${wrap} under a raw key, which only the official clients open. Nothing ` +
        "was released.",
    );
  }
  // Specification s3-encryption/materials/s3-kms-keyring: compared before KMS is asked, and exactly.
  if (!matchesCallers(context, ask.context)) throw new EnvelopeIntegrityError();
  const { settings, cache } = workings;
  const lease = await cache
    .forOpening({
      keyring: settings.keyring(ask.place),
      context,
      blob,
      partition: settings.partition(ask.place),
      policy: settings.commitmentPolicy,
      suite: "v3",
      observe: ask.observe,
    })
    .catch(rethrowTold);
  try {
    const contentKey = lease.use((dataKey) => deriveForOpen(dataKey, messageId, commitment));
    if (contentKey === undefined) throw new EnvelopeIntegrityError();
    return v3ContentKey(contentKey);
  } finally {
    lease.release();
  }
}
