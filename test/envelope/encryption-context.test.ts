import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkCallersContext,
  formatAsciiJson,
  matchesCallers,
  parseFlatJson,
  parseStoredJson,
  storedContext,
} from "../../src/envelope/encryption-context.ts";
import { EnvelopeRefusedError } from "../../src/envelope/errors.ts";

/** Contexts with everything JSON and headers find difficult, `__proto__` included. */
const contexts = fc.dictionary(
  fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("__proto__", "toString", "a=?b", "é")),
  fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("=?UTF-8?Q?a?=", "Ã©", "→", "\u007f")),
  { maxKeys: 5, noNullPrototype: true },
);

const utf8AsLatin1 = (text: string): string => Buffer.from(text).toString("latin1");

const quotedWord = (text: string): string =>
  `=?UTF-8?Q?${Array.from(Buffer.from(text), (byte) => `=${byte.toString(16).padStart(2, "0")}`).join("")}?=`;

const base64Word = (text: string): string => `=?UTF-8?B?${Buffer.from(text).toString("base64")}?=`;

describe("a caller's encryption context", () => {
  it("is copied", () => {
    const context = { tenant: "blue" };
    const checked = checkCallersContext(context);
    expect(checked).toEqual({ tenant: "blue" });
    expect(checked).not.toBe(context);
    expect(checkCallersContext(Object.create(null))).toEqual({});
  });

  it("may hold any whole characters", () => {
    fc.assert(
      fc.property(contexts, (context) => {
        expect(checkCallersContext(context)).toEqual(context);
      }),
    );
  });

  it.each([
    ["nothing at all", undefined, "must be a plain object of strings"],
    ["null", null, "must be a plain object of strings"],
    ["text", "tenant=blue", "must be a plain object of strings"],
    ["a list", ["tenant"], "must be a plain object of strings"],
    ["a Map, whose pairs would be overlooked", new Map([["a", "b"]]), "must be a plain object of strings"],
    ["a Date", new Date(0), "must be a plain object of strings"],
    ["a number among the strings", { tenant: 7 }, '"tenant" must be a string'],
    ["a missing value", { tenant: undefined }, '"tenant" must be a string'],
    ["an object inside", { tenant: {} }, '"tenant" must be a string'],
    ["the client's own pair", { "aws:x-amz-cek-alg": "115" }, '"aws:x-amz-cek-alg": the format reserves'],
    ["the pair that no reader compares", { kms_cmk_id: "k" }, '"kms_cmk_id": the format reserves'],
    ["half a character in a value", { tenant: "\ud83d" }, '"tenant" holds half a character'],
    ["half a character in a name", { "\udc00": "blue" }, '"\\udc00" holds half a character'],
  ])("is refused when it is or holds %s", (_, context, message) => {
    expect(() => checkCallersContext(context)).toThrow(EnvelopeRefusedError);
    expect(() => checkCallersContext(context)).toThrow(
      expect.objectContaining({
        problem: "encryption-context",
        message: expect.stringContaining(message),
      }),
    );
  });

  it("is named in a refusal, but not what it holds", () => {
    expect(() => checkCallersContext({ kms_cmk_id: "told in confidence" })).toThrow(/^(?!.*confidence)/);
  });
});

describe("the context that is stored", () => {
  it("is the caller's and the suite of V3", () => {
    expect(storedContext({ tenant: "blue" })).toEqual({ tenant: "blue", "aws:x-amz-cek-alg": "115" });
    expect(storedContext({})).toEqual({ "aws:x-amz-cek-alg": "115" });
  });

  it("matches the caller's, whatever it is", () => {
    fc.assert(
      fc.property(contexts, (context) => {
        expect(matchesCallers(storedContext(context), context)).toBe(true);
      }),
    );
  });

  it.each<[string, Record<string, string>, Record<string, string>, boolean]>([
    ["nothing but the client's own pairs", { "aws:x-amz-cek-alg": "115", kms_cmk_id: "k" }, {}, true],
    ["the same in another order", { a: "1", b: "2" }, { b: "2", a: "1" }, true],
    ["more than the caller gave", { a: "1", b: "2" }, { a: "1" }, false],
    ["less than the caller gave", { a: "1" }, { a: "1", b: "2" }, false],
    ["something, the caller nothing", { a: "1" }, {}, false],
    ["nothing, the caller something", {}, { a: "1" }, false],
    ["another value", { a: "1" }, { a: "2" }, false],
    ["another name", { a: "1" }, { b: "1" }, false],
    ["a name in another case", { a: "1" }, { A: "1" }, false],
    ["a name that every object has", { toString: "1" }, { a: "1" }, false],
    ["a pair the caller may not give", { kms_cmk_id: "k" }, { kms_cmk_id: "k" }, false],
  ])("that holds %s", (_, stored, callers, matches) => {
    expect(matchesCallers(stored, callers)).toBe(matches);
  });

  it("doesn't match a name that the caller's object only inherits", () => {
    const inherited = Object.create({ a: "1" }) as Record<string, string>;
    inherited["b"] = "1";
    expect(matchesCallers({ a: "1" }, inherited)).toBe(false);
  });
});

describe("a context in metadata", () => {
  it("is written in ASCII without the beginning of an encoded word, and read back", () => {
    fc.assert(
      fc.property(contexts, (context) => {
        const written = formatAsciiJson(context);
        expect(written).toMatch(/^[ -~]*$/);
        expect(written).not.toContain("=?");
        expect(parseStoredJson(written)).toEqual(context);
        // Any reader of JSON reads it.
        expect(JSON.parse(written)).toEqual(context);
      }),
    );
  });

  it.each([
    [{}, "{}"],
    [{ a: "b c" }, '{"a":"b c"}'],
    [{ é: "→" }, String.raw`{"\u00e9":"\u2192"}`],
    [{ a: "🔑" }, String.raw`{"a":"\ud83d\udd11"}`],
    [{ a: "\u007f\t~" }, String.raw`{"a":"\u007f\t~"}`],
    [{ a: "=?=? =" }, String.raw`{"a":"\u003d?\u003d? ="}`],
  ])("%j is written %s", (context, written) => {
    expect(formatAsciiJson(context as Record<string, string>)).toBe(written);
  });

  it("is read in all four encodings, whatever it holds beside its non-ASCII text", () => {
    const values = fc
      .string({ unit: "grapheme", maxLength: 12 })
      .map((value) => `${value}→`)
      .filter((value) => !value.includes("=?"));
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom("a", "ö", "__proto__"), values, { noNullPrototype: true }),
        (context) => {
          const raw = JSON.stringify(context);
          for (const stored of [
            raw,
            utf8AsLatin1(raw),
            formatAsciiJson(context),
            quotedWord(raw),
            base64Word(raw),
            quotedWord(utf8AsLatin1(raw)),
            base64Word(utf8AsLatin1(raw)),
          ]) {
            expect(parseStoredJson(stored)).toEqual(context);
          }
        },
      ),
    );
  });

  it.each([
    ["as Latin-1 bytes, as Java writes it", '{"a":"caf\u00e9"}', { a: "café" }],
    ["as Latin-1 in an encoded word", "=?ISO-8859-1?Q?{=22a=22:=22caf=E9=22}?=", { a: "café" }],
    ["in single UTF-8 within an encoded word", "=?UTF-8?Q?{=22a=22:=22caf=C3=A9=22}?=", { a: "café" }],
    ["in double UTF-8 within an encoded word", "=?UTF-8?Q?{=22a=22:=22caf=C3=83=C2=A9=22}?=", { a: "café" }],
    ["with spaces, as Python writes it", '{"a": "b", "c": "d"}', { a: "b", c: "d" }],
    ["with one word of it encoded", '{"a": "b =?UTF-8?Q?=C3=A9?= c"}', { a: "b é c" }],
    // Decoded, it would be `{"a":"x"y"}`: no JSON, so it means itself.
    ["with what only looks encoded", '{"a":"x=?UTF-8?Q?=22?=y"}', { a: "x=?UTF-8?Q?=22?=y" }],
    ["with escapes that look like double UTF-8", String.raw`{"a":"\u00c3\u00a9"}`, { a: "Ã©" }],
    [
      "with what only looks encoded, in UTF-8",
      utf8AsLatin1('{"a":"é=?UTF-8?Q?=22?="}'),
      { a: "é=?UTF-8?Q?=22?=" },
    ],
  ])("is read %s", (_, stored, context) => {
    expect(parseStoredJson(stored)).toEqual(context);
  });

  it.each([
    "",
    "{",
    "null",
    "7",
    '"a"',
    "[]",
    '["a"]',
    '{"a":1}',
    '{"a":null}',
    '{"a":{"b":"c"}}',
    '{"a":["b"]}',
    "{}x",
  ])("is not what %j holds", (text) => {
    expect(parseStoredJson(text)).toBeUndefined();
    expect(parseFlatJson(text)).toBeUndefined();
  });

  it("is taken as it stands out of JSON that is no header", () => {
    expect(parseFlatJson('{"a":"=?UTF-8?Q?b?= Ã©"}')).toEqual({ a: "=?UTF-8?Q?b?= Ã©" });
  });
});
