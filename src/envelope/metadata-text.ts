/**
 * Text out of a metadata header, in the encodings in which non-ASCII text arrives:
 *
 * - ASCII, as this package writes it: nothing to undo;
 * - raw UTF-8, of which Node's HTTP parser makes one character per byte;
 * - the same, already decoded, as out of an instruction file;
 * - RFC 2047 words, as S3 answers with: of the UTF-8 text, or of the text that is UTF-8 twice, because S3 takes the
 *   bytes of the header for Latin-1.
 */
import { isUtf8 } from "node:buffer";

/** One encoded word (RFC 2047, section 2), spaces tolerated in its text. */
const WORD = String.raw`=\?(utf-8|us-ascii|iso-8859-1)\?([qb])\?([^?]*)\?=`;

/** Words in a row: the white space between them is not part of the text (RFC 2047, section 6.2). */
const WORDS_IN_A_ROW = new RegExp(String.raw`${WORD}(?:[ \t\r\n]*${WORD})*`, "gi");

/** Decodes the RFC 2047 words in a text, wherever they stand; text without any comes back as it is. */
export function decodeWords(text: string): string {
  return text.replace(WORDS_IN_A_ROW, (row) => {
    // The bytes are joined first: some encoders split a character between two words.
    const bytes = Buffer.concat(
      Array.from(row.matchAll(new RegExp(WORD, "gi")), ([, charset, encoding, encoded]) =>
        wordBytes(String(charset), String(encoding), String(encoded)),
      ),
    );
    return isUtf8(bytes) ? bytes.toString("utf8") : row;
  });
}

/** The text that an encoded word stands for, in UTF-8. */
function wordBytes(charset: string, encoding: string, encoded: string): Buffer {
  const bytes =
    encoding.toLowerCase() === "b"
      ? Buffer.from(encoded, "base64")
      : Buffer.from(
          encoded
            .replaceAll("_", " ")
            .replaceAll(/=([0-9a-f]{2})/gi, (_, hex: string) =>
              String.fromCharCode(Number.parseInt(hex, 16)),
            ),
          "latin1",
        );
  return charset.toLowerCase() === "iso-8859-1" ? Buffer.from(bytes.toString("latin1"), "utf8") : bytes;
}

/** Undoes one reading of UTF-8 as Latin-1; a text that isn't one comes back as it is. */
export function undoLatin1(text: string): string {
  if (/[^\0-\u00ff]/.test(text)) return text;
  const bytes = Buffer.from(text, "latin1");
  return isUtf8(bytes) ? bytes.toString("utf8") : text;
}
