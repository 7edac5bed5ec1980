/** CreateMultipartUpload in a place that seals: all metadata is written now, parts and tag come under its key. */
import type { SealedCall, SealedResult } from "../body-sealer.ts";
import { wipe } from "./content-key.ts";
import { freshEnvelope } from "./fresh-envelope.ts";
import { metadataOf, outputOf, placeOf, type Workings } from "./workings.ts";
import { checkWriteInput } from "./write-input.ts";

export async function createUpload(workings: Workings, call: SealedCall): Promise<SealedResult> {
  const { input, scope, observe } = call;
  checkWriteInput(call);
  const place = placeOf(call);
  const context = workings.settings.context(place);
  const metadata = metadataOf(input);
  const fresh = await freshEnvelope(workings, { place, context, metadata, bytes: undefined, observe });
  const { content, countBytes } = fresh;
  const result = await orWipe(content.bytes, () => call.next({ ...input, Metadata: fresh.metadata }));
  const { UploadId: uploadId } = outputOf(result);
  if (typeof uploadId !== "string") {
    // Without an id there is no upload that parts could belong to.
    wipe(content.bytes);
    return result;
  }
  const { bucket, key } = place;
  workings.uploads.open(scope, { bucket, key, uploadId }, content, (bytes) => {
    countBytes(bytes);
    observe({ kind: "io", direction: "seal", bytes });
  });
  return result;
}

/** Whatever sends may throw instead of rejecting: middlewares further in are anybody's. */
async function orWipe<T>(secret: Uint8Array, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    wipe(secret);
    throw error;
  }
}
