/** XML of requests and answers. Requests are read with limits: no document types, little depth, no surprises. */
import { XMLBuilder, XMLParser, XMLValidator } from "fast-xml-parser";
import type { Bytes } from "./bytes.ts";
import { malformedXml } from "./s3-error.ts";

/** A value of an answer; undefined members are left out, lists repeat their element. */
export type XmlValue = string | number | boolean | undefined | XmlObject | readonly XmlObject[];
export interface XmlObject {
  readonly [name: string]: XmlValue;
}

const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  trimValues: false,
  removeNSPrefix: true,
  htmlEntities: true,
  maxNestedTags: 16,
});
const builder = new XMLBuilder({
  ignoreAttributes: false,
  processEntities: false,
  suppressBooleanAttributes: false,
  tagValueProcessor: (_name, value) => escapeXml(String(value)),
});

/** A document with S3's namespace on its root. */
export function s3Xml(root: string, content: XmlObject): string {
  return documentOf({ [root]: { "@_xmlns": NAMESPACE, ...content } });
}

/** A document without a namespace, as errors are. */
export function plainXml(root: string, content: XmlObject): string {
  return documentOf({ [root]: content });
}

function documentOf(content: XmlObject): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${builder.build(content)}`;
}

/** Keys may hold characters that XML 1.0 has no way to write; S3 writes them as references all the same. */
function escapeXml(text: string): string {
  return text.replace(/[&<>"\p{Cc}\ufffe\uffff]/gu, (character) => {
    switch (character) {
      case "&":
        return "&amp;";
      case "<":
        return "&lt;";
      case ">":
        return "&gt;";
      case '"':
        return "&quot;";
      default:
        return `&#x${character.charCodeAt(0).toString(16)};`;
    }
  });
}

/**
 * The content of the root element of a request.
 *
 * @throws `S3Error` 400 `MalformedXML` when it is no XML, or has another root.
 */
export function parseXml(body: Bytes, root: string): XmlElement {
  const text = textOf(body);
  if (text.includes("<!DOCTYPE") || text.includes("<!ENTITY") || XMLValidator.validate(text) !== true) {
    throw malformedXml();
  }
  let parsed: Record<string, unknown>;
  try {
    parsed = parser.parse(text) as Record<string, unknown>;
  } catch {
    throw malformedXml();
  }
  if (!Object.hasOwn(parsed, root)) throw malformedXml();
  return new XmlElement(parsed[root]);
}

/** One element of a request; every reader says what it expects, and anything else is MalformedXML. */
export class XmlElement {
  readonly #content: unknown;

  constructor(content: unknown) {
    this.#content = content;
  }

  /** Child elements of that name, in order. */
  children(name: string): XmlElement[] {
    const content = this.#content;
    if (typeof content !== "object" || content === null || !Object.hasOwn(content, name)) return [];
    const found = (content as Record<string, unknown>)[name];
    return (Array.isArray(found) ? found : [found]).map((child) => new XmlElement(child));
  }

  /** The only child of that name, if there is one. */
  child(name: string): XmlElement | undefined {
    const found = this.children(name);
    if (found.length > 1) throw malformedXml();
    return found[0];
  }

  /** The text of the only child of that name, if there is one. */
  text(name: string): string | undefined {
    return this.child(name)?.ownText();
  }

  requiredText(name: string): string {
    const text = this.text(name);
    if (text === undefined) throw malformedXml();
    return text;
  }

  ownText(): string {
    if (typeof this.#content !== "string") throw malformedXml();
    return this.#content;
  }
}

function textOf(body: Bytes): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(body.pieces));
  } catch {
    throw malformedXml();
  }
}
