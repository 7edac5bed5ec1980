/**
 * Tells from an object's metadata what it is: plain, sealed in one of the formats, or damaged. Pure, and it never
 * throws.
 *
 * Stricter than the published rule (specification s3-encryption/data-format/content-metadata, "determining the
 * format"), because whoever can write the metadata can add names to it: a V2 object with the suite of V3 put beside
 * would pass a check of the commitment policy. What the answer is worth is decided by the place that was asked for,
 * never here: metadata can also be stripped.
 */
import type { V1Envelope } from "./format-legacy.ts";
import { readV1 } from "./format-legacy.ts";
import type { V2Envelope } from "./format-v2.ts";
import { readV2 } from "./format-v2.ts";
import type { V3Commitment, V3Envelope } from "./format-v3.ts";
import { readV3, readV3Commitment } from "./format-v3.ts";
import type { ObjectMetadata } from "./metadata-names.ts";
import { envelopeValues, V1_V2_NAMES, V3_NAMES } from "./metadata-names.ts";

export type { V1Envelope } from "./format-legacy.ts";
export type { V2Envelope } from "./format-v2.ts";
export type { V3Envelope } from "./format-v3.ts";

/** What an object is, by its metadata. */
export type Classified =
  /** No name of any format has a value. */
  | { readonly format: "plain" }
  | { readonly format: "v3"; readonly envelope: V3Envelope }
  /** V3 whose wrapped key lies in an instruction file. */
  | ({ readonly format: "v3-instruction" } & V3Commitment)
  | { readonly format: "v2"; readonly envelope: V2Envelope }
  | { readonly format: "v1"; readonly envelope: V1Envelope }
  /** Some name of a format, but no format complete and unambiguous: never to be handed out as plaintext. */
  | { readonly format: "damaged" };

/** Tells what an object is. Names are compared in lower case; an empty value is none. */
export function classify(metadata: ObjectMetadata | undefined): Classified {
  const values = envelopeValues(metadata);
  if (values?.size === 0) return { format: "plain" };
  return (values && classifySealed(values)) ?? { format: "damaged" };
}

function classifySealed(values: ReadonlyMap<string, string>): Classified | undefined {
  if (Object.values(V3_NAMES).some((name) => values.has(name))) {
    // A name of V1 or V2 beside one of V3: headers were added (spoofing), or two formats mixed.
    if (Object.values(V1_V2_NAMES).some((name) => values.has(name))) return undefined;
    return values.has(V3_NAMES.blob) ? found("v3", readV3(values)) : classifyWithoutBlob(values);
  }
  if (values.has(V1_V2_NAMES.blobV2)) {
    // Two wrapped keys: which of them counts would be the attacker's choice.
    return values.has(V1_V2_NAMES.blobV1) ? undefined : found("v2", readV2(values));
  }
  return found("v1", readV1(values));
}

/** With an instruction file only suite, message id and commitment stand in the object. */
function classifyWithoutBlob(values: ReadonlyMap<string, string>): Classified | undefined {
  const elsewhere = [V3_NAMES.wrap, V3_NAMES.context, V3_NAMES.description];
  const commitment = readV3Commitment(values);
  return commitment && !elsewhere.some((name) => values.has(name))
    ? { format: "v3-instruction", ...commitment }
    : undefined;
}

function found<Format extends string, Envelope>(
  format: Format,
  envelope: Envelope | undefined,
): { readonly format: Format; readonly envelope: Envelope } | undefined {
  return envelope && { format, envelope };
}
