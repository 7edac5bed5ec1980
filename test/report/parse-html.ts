/** linkedom by name only: its types need the DOM's, which nothing here has. */
const name: string = "linkedom";

/** As much of an element as tests look at. */
export interface ParsedElement {
  readonly textContent: string;
  readonly localName: string;
  readonly attributes: Iterable<{ readonly name: string; readonly value: string }>;
  getAttribute(name: string): string | null;
  querySelectorAll(selector: string): Iterable<ParsedElement>;
}

export type Selectable = Pick<ParsedElement, "querySelectorAll">;

export type ParsedDocument = Selectable & { readonly body: ParsedElement };

interface Linkedom {
  readonly parseHTML: (html: string) => { readonly document: ParsedDocument };
}

export const { parseHTML } = (await import(name)) as Linkedom;
