import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { html, trusted, visible } from "../../src/report/html.ts";
import { parseHTML } from "./parse-html.ts";

describe("a template of markup", () => {
  it("lets no value become markup, in elements and in attributes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii" }), (value) => {
        const { markup } = html`<p title="${value}">${value}</p>`;
        const { document } = parseHTML(`<!doctype html><html><body>${markup}</body></html>`);
        const elements = [...document.body.querySelectorAll("*")];
        expect(elements.map(({ localName }) => localName)).toEqual(["p"]);
        expect(elements[0]?.textContent).toBe(value);
        expect(elements[0]?.getAttribute("title")).toBe(value);
      }),
    );
  });

  it("escapes the five signs, and takes markup and numbers as they are", () => {
    const items = ["<a>", "b"].map((text) => html`<i>${text}</i>`);
    const { markup } = html`<p>${items}${1}${trusted("<br>")}${"&<>\"'"}</p>`;
    expect(markup).toBe("<p><i>&lt;a&gt;</i><i>b</i>1<br>&amp;&lt;&gt;&quot;&#39;</p>");
  });

  it.each([
    ["a NUL", "a\0b"],
    ["a line break", "a\nb"],
    ["an escape", "a\u001Bb"],
    ["an override of direction", "a\u202Eb"],
    ["an isolate", "a\u2066b"],
    ["half of a pair", "a\uD800b"],
  ])("shows that there was %s", (_says, text) => {
    expect(visible(text)).toBe("a\uFFFDb");
  });

  it("leaves other languages and pictures alone", () => {
    expect(visible("Kübel-ведро-桶-🪣")).toBe("Kübel-ведро-桶-🪣");
  });
});
