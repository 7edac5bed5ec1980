import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeWords, undoLatin1 } from "../../src/envelope/metadata-text.ts";

const text = fc.string({ unit: "binary", maxLength: 40 });

/** Every byte as an RFC 2047 Q escape, in one word. */
function quoted(value: string): string {
  const escapes = Array.from(
    Buffer.from(value),
    (byte) => `=${byte.toString(16).padStart(2, "0").toUpperCase()}`,
  );
  return `=?UTF-8?Q?${escapes.join("")}?=`;
}

function base64Word(value: string): string {
  return `=?utf-8?b?${Buffer.from(value).toString("base64")}?=`;
}

describe("RFC 2047 words in metadata", () => {
  it("come back as the text they stand for, Q and B", () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(decodeWords(quoted(value))).toBe(value);
        expect(decodeWords(base64Word(value))).toBe(value);
      }),
    );
  });

  it.each([
    ["nothing to decode", '{"a":"b = ? c"}', '{"a":"b = ? c"}'],
    ["underscores for spaces", "=?UTF-8?Q?a_b?=", "a b"],
    ["spaces as they are", "=?UTF-8?Q?a b?=", "a b"],
    ["hexadecimal digits of both cases", "=?UTF-8?q?=c3=A9?=", "é"],
    ["an equals sign that escapes nothing", "=?UTF-8?Q?a=zz?=", "a=zz"],
    ["Latin-1", "=?ISO-8859-1?Q?caf=E9?=", "café"],
    ["Latin-1 in base64", "=?iso-8859-1?B?6Q==?=", "é"],
    ["ASCII", "=?US-ASCII?Q?abc?=", "abc"],
    ["words among text", "a =?UTF-8?Q?=C3=A9?= b =?UTF-8?Q?=C3=A9?= c", "a é b é c"],
    ["white space between words, which is none", "=?UTF-8?Q?a?= \t\r\n=?UTF-8?Q?b?=", "ab"],
    ["words without anything in between", "=?UTF-8?Q?a?==?UTF-8?Q?b?=", "ab"],
    ["a character split between two words", "=?UTF-8?Q?=C3?= =?UTF-8?Q?=A9?=", "é"],
    ["a character split between two words with nothing in between", "=?UTF-8?Q?=C3?==?UTF-8?Q?=A9?=", "é"],
    ["words of two charsets", "=?ISO-8859-1?Q?=E9?= =?UTF-8?Q?=C3=A9?=", "éé"],
    ["an empty word", "a=?UTF-8?Q??=b", "ab"],
    ["bytes that aren't UTF-8", "=?UTF-8?Q?=C3?=", "=?UTF-8?Q?=C3?="],
    ["a charset nobody uses", "=?EBCDIC?Q?a?=", "=?EBCDIC?Q?a?="],
    ["an encoding there isn't", "=?UTF-8?X?a?=", "=?UTF-8?X?a?="],
  ])("%s", (_, stored, read) => {
    expect(decodeWords(stored)).toBe(read);
  });
});

describe("UTF-8 that was taken for Latin-1", () => {
  it("is undone once, for every text", () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(undoLatin1(Buffer.from(value).toString("latin1"))).toBe(value);
      }),
    );
  });

  it.each([
    ["ASCII", "plain"],
    ["Latin-1 that isn't UTF-8", "caf\u00e9"],
    ["text beyond Latin-1", "\u00c3\u00a9 \u2192"],
    ["text beyond Latin-1 whose lower bytes are ASCII", "\u0141 \u2141"],
  ])("%s stays as it is", (_, value) => {
    expect(undoLatin1(value)).toBe(value);
  });
});
