/** XML as other senders and readers write it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseXml, plainXml } from "../../src/simulator/s3/xml.ts";
import { newBucket, withSimulator } from "./support.ts";

const fixture = withSimulator();

function parse(xml: string): ReturnType<typeof parseXml> {
  const piece = Buffer.from(xml);
  return parseXml({ pieces: [piece], length: piece.length }, "Root");
}

describe("the XML of a request", () => {
  it.each([
    ["decimal references, as Go writes quotes", "&#34;a&#34;", '"a"'],
    ["hexadecimal references", "&#x22;a&#x22;", '"a"'],
    ["named references", "&quot;&amp;&lt;&gt;&apos;", "\"&<>'"],
    ["a reference that is not decoded twice", "&amp;#34;&amp;lt;", "&#34;&lt;"],
    ["CDATA", "<![CDATA[a & b]]>", "a & b"],
    ["a comment within", "a<!-- c -->b", "ab"],
    ["spaces around", "  a ", "  a "],
    ["nothing", "", ""],
  ])("may have %s", (_says, written, read) => {
    expect(parse(`<Root><Key>${written}</Key></Root>`).text("Key")).toBe(read);
  });

  it("may have a declaration, a namespace and a prefix", () => {
    const xml =
      '<?xml version="1.0" encoding="UTF-8"?>\n<s3:Root xmlns:s3="x">\n  <s3:Key>a</s3:Key>\n</s3:Root>\n';
    expect(parse(xml).text("Key")).toBe("a");
  });

  it("may list 10,000 parts with quoted ETags", () => {
    const part = "<Part><PartNumber>1</PartNumber><ETag>&quot;0&quot;</ETag></Part>";
    const parts = parse(`<Root>${part.repeat(10_000)}</Root>`).children("Part");
    expect(parts).toHaveLength(10_000);
    expect(parts.at(-1)?.text("ETag")).toBe('"0"');
  });

  it("has one answer for two elements where one belongs", () => {
    expect(() => parse("<Root><Key>a</Key><Key>b</Key></Root>").text("Key")).toThrow("not well-formed");
  });

  it("reads back whatever an answer says", () => {
    // Characters that XML 1.0 can hold, plain or as a reference.
    const text = fc.string({ unit: "binary" }).filter((value) => !/[\p{Cc}\p{Cs}\ufffe\uffff]/u.test(value));
    fc.assert(
      fc.property(text, (Key) => {
        expect(parse(plainXml("Root", { Key })).text("Key")).toBe(Key);
      }),
    );
  });
});

describe("the XML of an answer", () => {
  it("carries keys that XML has no character for, as references", async () => {
    const { sim, s3 } = fixture;
    const Bucket = await newBucket(s3);
    await s3.putObject({ Bucket, Key: "a\u0001\u001fb\nc", Body: "x" });
    const answer = await (await fetch(`${sim.endpoint}/${Bucket}?list-type=2`)).text();
    expect(answer).toContain("<Key>a&#x1;&#x1f;b&#xa;c</Key>");
  });

  it("carries every key when it is asked to encode them", async () => {
    const { s3 } = fixture;
    const Bucket = await newBucket(s3);
    const keys = fc
      .sample(fc.string({ unit: "binary", minLength: 1, maxLength: 60 }), { numRuns: 40, seed: 1 })
      // The client itself takes these two for steps of a path.
      .filter((key) => key !== "." && key !== "..");
    const names = [...new Set(keys)];
    for (const Key of names) await s3.putObject({ Bucket, Key, Body: "x" });
    const list = await s3.listObjectsV2({ Bucket, EncodingType: "url" });
    const listed = (list.Contents ?? []).map(({ Key = "" }) => decodeURIComponent(Key));
    expect(listed.toSorted()).toEqual(names.toSorted());
  });
});
