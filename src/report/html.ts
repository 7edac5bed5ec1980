/** Markup in which a value can't become markup. */

/** Text that is markup already; only `html` and `trusted` make it. */
export interface Markup {
  readonly markup: string;
}

type Value = string | number | Markup | readonly Markup[];

/** A template of markup: texts in it are escaped, for elements and for attributes in quotes. */
export function html(pieces: TemplateStringsArray, ...values: readonly Value[]): Markup {
  const markup = pieces.reduce((done, piece, i) => done + markupOf(values[i - 1] as Value) + piece);
  return { markup };
}

/** What is markup already: our own styles, and drawings whose texts were escaped when they were drawn. */
export function trusted(markup: string): Markup {
  return { markup };
}

function markupOf(value: Value): string {
  if (typeof value === "string") return escape(visible(value));
  if (typeof value === "number") return String(value);
  return "markup" in value ? value.markup : value.map(({ markup }) => markup).join("");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => ESCAPES[sign] as string);
}

/** Replaces signs that nobody sees and that turn the text around them: controls and directions. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cs}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu, "\uFFFD");
}
