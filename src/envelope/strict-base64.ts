/**
 * Base64 as the formats write it: the standard alphabet, padded, nothing else in between, unused bits zero, and not
 * empty. Node's own reading skips what it doesn't know, so two texts could mean the same bytes.
 *
 * Source: RFC 4648, sections 3.3, 3.5 and 4.
 *
 * @returns `undefined` for any other text, and for bytes of another number than asked for.
 */
export function parseBase64(text: string | undefined, length?: number): Uint8Array | undefined {
  if (text === undefined) return undefined;
  const bytes = Buffer.from(text, "base64");
  if (bytes.length === 0 || bytes.toString("base64") !== text) return undefined;
  if (length !== undefined && bytes.length !== length) return undefined;
  // A copy: a Buffer this small shares its memory with others.
  return new Uint8Array(bytes);
}

/** Bytes in base64. */
export function formatBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
