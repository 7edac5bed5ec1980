/** PutObject in a place that seals: the body becomes ciphertext once, above every retry. */
import type { SealedCall, SealedResult } from "../body-sealer.ts";
import { readBody, type PlainBody } from "./bodies.ts";
import { breakableBody } from "./breakable-body.ts";
import { TAG_BYTES, wipe } from "./content-key.ts";
import { checkUnchanged, exactly } from "./exact-length.ts";
import { freshEnvelope, type FreshEnvelope } from "./fresh-envelope.ts";
import { sealBytes, sealChunks } from "./gcm.ts";
import { checkWriteInput, declaredBytes } from "./write-input.ts";
import { metadataOf, placeOf, type Workings } from "./workings.ts";

/**
 * Seals and sends one object.
 *
 * A body in memory is sealed in memory, so that every retry sends the same ciphertext. A stream stays one: the SDK
 * doesn't retry those.
 */
export async function put(workings: Workings, call: SealedCall): Promise<SealedResult> {
  const { input, observe } = call;
  checkWriteInput(call);
  const body = readBody(input["Body"]);
  const bytes = declaredBytes(input["ContentLength"], body);
  const place = placeOf(call);
  const context = workings.settings.context(place);
  const fresh = await freshEnvelope(workings, {
    place,
    context,
    metadata: metadataOf(input),
    bytes,
    observe,
  });
  // A copy of our own: the body is put into it later, where a second copy would take longer than to derive a key.
  const sealed: Record<string, unknown> = { ...input, Metadata: fresh.metadata };
  if (bytes !== undefined) sealed["ContentLength"] = bytes + TAG_BYTES;
  return body.kind === "bytes"
    ? sendBytes(call, sealed, fresh, body.bytes, bytes)
    : sendStream(call, sealed, fresh, body, bytes);
}

function sendBytes(
  call: SealedCall,
  input: Record<string, unknown>,
  { content }: FreshEnvelope,
  bytes: Uint8Array,
  length: number | undefined,
): Promise<SealedResult> {
  try {
    checkUnchanged(bytes, length);
    input["Body"] = sealBytes(content, bytes);
  } finally {
    wipe(content.bytes);
  }
  call.observe({ kind: "io", direction: "seal", bytes: bytes.length });
  return call.next(input);
}

async function sendStream(
  call: SealedCall,
  input: Record<string, unknown>,
  { content, countBytes }: FreshEnvelope,
  { chunks }: Extract<PlainBody, { kind: "stream" }>,
  bytes: number | undefined,
): Promise<SealedResult> {
  const sealed = sealChunks(content, bytes === undefined ? chunks : exactly(chunks, bytes), (sealedBytes) => {
    if (bytes === undefined) countBytes(sealedBytes);
    call.observe({ kind: "io", direction: "seal", bytes: sealedBytes });
  });
  wipe(content.bytes);
  let fail: (error: unknown) => void;
  const broken = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const { body, breakOff } = breakableBody(
    quietly(sealed, (error) => {
      breakOff();
      fail(error);
    }),
  );
  try {
    input["Body"] = body;
    return await Promise.race([call.next(input), broken]);
  } finally {
    body.destroy();
  }
}

/** A stream that neither ends nor fails where `chunks` fails. */
async function* quietly(
  chunks: AsyncIterable<Uint8Array>,
  onError: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    onError(error);
    await new Promise(() => undefined);
  }
}
