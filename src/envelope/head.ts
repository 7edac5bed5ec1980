/** HeadObject: the length of the plaintext in place of the stored one. A hint: nothing authenticates it. */
import type { SealedCall, SealedResult } from "../body-sealer.ts";
import { classify } from "./classify.ts";
import { TAG_BYTES } from "./content-key.ts";
import { metadataOf, outputOf } from "./workings.ts";

/** Never throws but what S3 answers, whatever the metadata is. */
export async function head(call: SealedCall): Promise<SealedResult> {
  const result = await call.next(call.input);
  const output = outputOf(result);
  const stored = output["ContentLength"];
  // With a range or part number, or to a presigner, S3 tells no length of the object.
  const part = call.input["Range"] ?? call.input["PartNumber"] ?? undefined;
  if (typeof stored !== "number" || part !== undefined) return result;
  const ContentLength = plaintextBytes(output, stored);
  return { ...result, output: { ...output, ContentLength } };
}

/** As well as the metadata tells. Objects of V1 and V2 with an instruction file can't be told from plain ones. */
function plaintextBytes(output: Readonly<Record<string, unknown>>, stored: number): number {
  const found = classify(metadataOf(output));
  switch (found.format) {
    case "plain":
    case "damaged":
      return stored;
    case "v3":
    case "v3-instruction":
      return withoutTag(stored);
    case "v2":
      return found.envelope.content === "AES/GCM/NoPadding"
        ? withoutTag(stored)
        : withoutPadding(stored, found.envelope.unencryptedBytes);
    case "v1":
      return withoutPadding(stored, found.envelope.unencryptedBytes);
  }
}

/** An object shorter than a tag is damaged. */
function withoutTag(stored: number): number {
  return stored < TAG_BYTES ? stored : stored - TAG_BYTES;
}

/** CBC pads with 1 to 16 bytes, so only the writer's note tells, if it can be true. */
function withoutPadding(stored: number, noted: number | undefined): number {
  return noted !== undefined && noted < stored && noted >= stored - 16 ? noted : stored;
}
