import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contentRange, invalidRange, parseRange, spanOf } from "../../src/envelope/byte-range.ts";

describe("ranges as HTTP writes them", () => {
  it.each<[string, ReturnType<typeof parseRange>]>([
    ["bytes=0-0", { first: 0, last: 0 }],
    ["bytes=5-9", { first: 5, last: 9 }],
    [" bytes=5-9 ", { first: 5, last: 9 }],
    ["bytes=5-", { first: 5, last: Infinity }],
    ["bytes=-5", { suffix: 5 }],
    ["bytes=-0", { suffix: 0 }],
  ])("%s is read", (text, asked) => {
    expect(parseRange(text)).toEqual(asked);
  });

  it.each([
    "bytes=-",
    "bytes=9-5",
    "bytes=0-1,3-4",
    "bytes=a-b",
    "items=0-1",
    "xbytes=0-1",
    "bytes=0-1x",
    "bytes=1.5-2",
    "",
    5,
    {},
  ])("%j is none, so that S3 sends the whole object", (text) => {
    expect(parseRange(text)).toBeUndefined();
  });

  it.each<[string, number, string | undefined]>([
    ["bytes=0-0", 10, "bytes 0-0/10"],
    ["bytes=0-9", 10, "bytes 0-9/10"],
    ["bytes=9-9", 10, "bytes 9-9/10"],
    ["bytes=3-99", 10, "bytes 3-9/10"],
    ["bytes=3-", 10, "bytes 3-9/10"],
    ["bytes=-3", 10, "bytes 7-9/10"],
    ["bytes=-10", 10, "bytes 0-9/10"],
    ["bytes=-99", 10, "bytes 0-9/10"],
    ["bytes=10-", 10, undefined],
    ["bytes=10-12", 10, undefined],
    ["bytes=99999999999999999999-", 10, undefined],
    ["bytes=-0", 10, undefined],
    ["bytes=0-", 0, undefined],
    ["bytes=-5", 0, undefined],
  ])("%s of %i bytes is %s", (text, bytes, said) => {
    const span = spanOf(parseRange(text)!, bytes);
    expect(span && contentRange(span, bytes)).toBe(said);
  });

  it("cut what an array cuts", () => {
    fc.assert(
      fc.property(fc.nat(20), fc.nat(25), fc.nat(25), (length, a, b) => {
        const bytes = Array.from({ length }, (_, at) => at);
        const [first, last] = [Math.min(a, b), Math.max(a, b)];
        const cut = (span: ReturnType<typeof spanOf>): number[] =>
          span ? bytes.slice(span.start, span.end) : [];
        expect(cut(spanOf({ first, last }, length))).toEqual(bytes.slice(first, last + 1));
        expect(cut(spanOf({ suffix: a }, length))).toEqual(a === 0 ? [] : bytes.slice(-a));
      }),
    );
  });

  it("fail as S3 does when nothing lies in them", () => {
    const error = invalidRange("bytes=10-", 10, { requestId: "r", httpStatusCode: 200 });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: "InvalidRange",
      message: "The requested range is not satisfiable",
      Code: "InvalidRange",
      $fault: "client",
      $metadata: { requestId: "r", httpStatusCode: 416 },
      RangeRequested: "bytes=10-",
      ActualObjectSize: "10",
    });
  });
});
