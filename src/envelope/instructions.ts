/** Looks for an object's envelope: in its metadata, and by opt-in in an instruction file beside it. */
import { readBody } from "./bodies.ts";
import { classify, type Classified } from "./classify.ts";
import { chunksOf, collect } from "./collect.ts";
import { EnvelopeIntegrityError } from "./errors.ts";
import { classifyWithInstruction, instructionFileKey, mayHaveInstructionFile } from "./instruction-file.ts";
import type { ObjectMetadata } from "./metadata-names.ts";
import type { ObjectContent, Place } from "./options.ts";
import type { Settings } from "./settings.ts";

/** An envelope as JSON is under 3 KB; nothing is read far beyond that. */
const MAX_FILE_BYTES = 64 * 1024;

/** What an object is. @throws What the user's `getObject` throws, unless there is no such file. */
export async function findEnvelope(
  { instructionFiles }: Settings,
  { bucket, key }: Place,
  metadata: ObjectMetadata | undefined,
): Promise<Classified> {
  // Without a key, as with open(), there is no file beside it.
  if (instructionFiles === undefined || key === "" || !mayHaveInstructionFile(metadata))
    return classify(metadata);
  const { suffix, getObject } = instructionFiles;
  const file = await getObject({ Bucket: bucket, Key: instructionFileKey(key, suffix) }).catch(missing);
  if (file === undefined) return classify(metadata);
  return classifyWithInstruction(metadata, await textOf(file));
}

/** Only 404 means that there is none: 403 may hide a file that should have been read. */
function missing(error: unknown): undefined {
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
  if ($metadata?.httpStatusCode !== 404) throw error;
}

const tooLong = (): Error => new EnvelopeIntegrityError();

async function textOf(file: ObjectContent): Promise<string> {
  return Buffer.concat(
    await collect(chunksOf(readBody(file.Body, "opened")), MAX_FILE_BYTES, tooLong),
  ).toString("utf8");
}
