/**
 * Instruction files: an object of its own beside the sealed one, whose content is the envelope as one JSON object.
 * Only read, and only by opt-in: whoever can write the file can exchange the wrapped key without touching the object.
 *
 * Source: specification s3-encryption/data-format/metadata-strategy, instruction file.
 */
import type { Classified } from "./classify.ts";
import { classify } from "./classify.ts";
import { parseFlatJson } from "./encryption-context.ts";
import { envelopeValues, HINT_NAMES, V3_NAMES } from "./metadata-names.ts";
import type { ObjectMetadata } from "./metadata-names.ts";

/** What the official clients append to the key of an object. */
const DEFAULT_SUFFIX = ".instruction";

/** The names of V3 that must stand in the object: in the file they would let it vouch for itself. */
const IN_THE_OBJECT = [V3_NAMES.suite, V3_NAMES.messageId, V3_NAMES.commitment];

const HINTS: ReadonlySet<string> = new Set(Object.values(HINT_NAMES));

/** Key of the instruction file of an object. */
export function instructionFileKey(key: string, suffix: string = DEFAULT_SUFFIX): string {
  return key + suffix;
}

/**
 * Whether an object's envelope may lie in an instruction file: the object holds nothing of one but the three names of
 * V3 that belong there, or nothing at all except notes of the plaintext's length and digest, as old clients left them.
 */
export function mayHaveInstructionFile(metadata: ObjectMetadata | undefined): boolean {
  return classify(metadata).format === "v3-instruction" || holdsOnlyHints(metadata);
}

/**
 * Tells what an object with an instruction file is.
 *
 * @param metadata - The sealed object's own metadata.
 * @param fileText - Content of the instruction file.
 * @returns `v3`, `v2` or `v1`; anything else is `damaged`, an object that has an envelope of its own included.
 */
export function classifyWithInstruction(metadata: ObjectMetadata | undefined, fileText: string): Classified {
  const own = envelopeValues(metadata);
  const file = parseFlatJson(fileText);
  const fromFile = file && envelopeValues(file);
  if (!own || !fromFile || !mayHaveInstructionFile(metadata)) return { format: "damaged" };
  if (IN_THE_OBJECT.some((name) => fromFile.has(name))) return { format: "damaged" };

  const merged = classify(Object.fromEntries([...fromFile, ...own]));
  const complete = merged.format === "v3" || merged.format === "v2" || merged.format === "v1";
  return complete ? merged : { format: "damaged" };
}

function holdsOnlyHints(metadata: ObjectMetadata | undefined): boolean {
  const values = envelopeValues(metadata);
  return values !== undefined && Array.from(values.keys()).every((name) => HINTS.has(name));
}
