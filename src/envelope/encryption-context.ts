/** Encryption contexts: what a caller may give, what KMS is told, what stands in the metadata, and when they match. */
import { EnvelopeRefusedError } from "./errors.ts";
import { decodeWords, undoLatin1 } from "./metadata-text.ts";

/**
 * Pairs of text that KMS binds to a data key. Not secret: they stand in the object's metadata and in CloudTrail.
 *
 * @public
 */
export type EncryptionContext = Readonly<Record<string, string>>;

/**
 * The pair that binds the content's algorithm to the wrapped key; the client's own.
 *
 * Source: specification s3-encryption/materials/s3-kms-keyring, "reserved" key.
 */
export const ALGORITHM_KEY = "aws:x-amz-cek-alg";

/** The value of that pair in V3: the suite's number, 0x0073. */
export const V3_SUITE = "115";

/** Old clients stored the KMS key's name as a pair of this name; no reader compares it. */
const KMS_KEY_ID = "kms_cmk_id";

/** Halves of surrogate pairs: no UTF-8 exists for them, so KMS would be told something else than is stored. */
const HALF_A_CHARACTER = /\p{Surrogate}/u;

/**
 * A copy of the encryption context that a caller gave, checked.
 *
 * @throws `EnvelopeRefusedError` (`encryption-context`) when it is not a plain object of strings, or holds a reserved
 *   name.
 */
export function checkCallersContext(context: unknown): EncryptionContext {
  if (!isPlainObject(context)) {
    throw refused("The encryption context must be a plain object of strings; {} is the empty one.");
  }
  const copy: Record<string, unknown> = { ...context };
  for (const [key, value] of Object.entries(copy)) {
    const name = JSON.stringify(key);
    if (key === ALGORITHM_KEY || key === KMS_KEY_ID) {
      throw refused(`The encryption context must not hold ${name}: the format reserves it. Remove it.`);
    }
    if (typeof value !== "string") {
      throw refused(`The encryption context's ${name} must be a string.`);
    }
    if (HALF_A_CHARACTER.test(key) || HALF_A_CHARACTER.test(value)) {
      throw refused(`The encryption context's ${name} holds half a character (a lone surrogate).`);
    }
  }
  return copy as EncryptionContext;
}

/**
 * The context that a data key for V3 is generated under, and that is stored.
 *
 * Source: specification s3-encryption/materials/s3-kms-keyring (the client adds the algorithm); V3: `"115"`.
 */
export function storedContext(callers: EncryptionContext): EncryptionContext {
  return { ...callers, [ALGORITHM_KEY]: V3_SUITE };
}

/**
 * Whether a stored context is the one that the reader gave: equal but for the client's own two pairs. A part of it, or
 * more than it, is another context.
 *
 * Source: specification s3-encryption/materials/s3-kms-keyring (comparison on decrypt).
 */
export function matchesCallers(stored: EncryptionContext, callers: EncryptionContext): boolean {
  const theirs = Object.entries(stored).filter(([key]) => key !== ALGORITHM_KEY && key !== KMS_KEY_ID);
  return (
    theirs.length === Object.keys(callers).length &&
    theirs.every(([key, value]) => Object.hasOwn(callers, key) && callers[key] === value)
  );
}

/** What JSON for the metadata holds no more of; other text may be encoded in other ways. */
const ENCODED = /[^ -~]|=\?/;

/**
 * A context as JSON in printable ASCII. Everything else is escaped: the official Java client can't read back the
 * non-ASCII contexts that it writes, but reads `\u00e9`. `=?` is escaped too, because official readers take it for the
 * beginning of an RFC 2047 word.
 */
export function formatAsciiJson(map: EncryptionContext): string {
  const json = JSON.stringify(map);
  // Nearly always: this stands before every seal, and two replacements take longer than all the rest of the metadata.
  if (!ENCODED.test(json)) return json;
  return json
    .replaceAll(/[^ -~]/g, (unit) => String.raw`\u` + unit.charCodeAt(0).toString(16).padStart(4, "0"))
    .replaceAll("=?", String.raw`\u003d?`);
}

/**
 * The flat object of strings that a metadata value holds, in any of the encodings that it may arrive in.
 *
 * RFC 2047 words are decoded first, as the official Java and Go clients do; should that leave no such object, the
 * text is read as it stands.
 *
 * @returns `undefined` for anything else.
 */
export function parseStoredJson(text: string): EncryptionContext | undefined {
  // As this package writes it: this stands before every object that is opened.
  if (!ENCODED.test(text)) return parseFlatJson(text);
  return parseFlatJson(undoLatin1(decodeWords(text))) ?? parseFlatJson(undoLatin1(text));
}

/** A flat object of strings out of JSON; `undefined` for anything else. */
export function parseFlatJson(text: string): EncryptionContext | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isPlainObject(value) && Object.values(value).every((each) => typeof each === "string")
    ? (value as EncryptionContext)
    : undefined;
}

/** An object literal, of whatever realm: not a Map, an array or an instance, whose own keys don't tell what it holds. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function refused(message: string): EnvelopeRefusedError {
  return new EnvelopeRefusedError("encryption-context", message);
}
