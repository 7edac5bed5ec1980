import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Document,
  type Node,
  type YAMLError,
} from "yaml";

/** Text of this many bytes or more is not read. */
export const MAX_BYTES = 10_000_000;

/** Parsed text: its value, its mistakes of syntax, and where everything stands in it. */
export interface YamlText {
  readonly value: unknown;
  readonly mistakes: readonly SyntaxMistake[];
  /** Where a member stands, or the innermost one around it that the text has. */
  offsetOf(path: readonly (string | number)[], part: "name" | "value"): number;
  /** Line and column, both from 1. */
  position(offset: number): { readonly line: number; readonly column: number };
}

export interface SyntaxMistake {
  readonly code: string;
  readonly message: string;
  readonly offset: number;
}

/** Reads one YAML or JSON document. Never throws. */
export function readYaml(source: string): YamlText {
  const lines = new LineCounter();
  const position: YamlText["position"] = (offset) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const failed = (...mistakes: SyntaxMistake[]): YamlText => ({
    value: undefined,
    mistakes,
    offsetOf: () => 0,
    position,
  });
  // One unit of a string takes at most three bytes, so short texts needn't be counted.
  if (source.length * 3 >= MAX_BYTES && new TextEncoder().encode(source).length >= MAX_BYTES) {
    return failed(mistake("too-large"));
  }
  const text = source.replace(/^\uFEFF/, "");
  let documents: readonly Document.Parsed[];
  try {
    const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, logLevel: "error" });
    documents = "empty" in parsed ? [] : parsed;
  } catch {
    return failed(mistake("too-deep"));
  }
  const [document, second] = documents;
  if (document === undefined || isNothing(document.contents)) return failed(mistake("empty-file"));
  if (document.errors.some(({ code }) => code === "RESOURCE_EXHAUSTION")) return failed(mistake("too-deep"));
  const mistakes = [...document.errors, ...document.warnings].map(fromYaml);
  if (second !== undefined) mistakes.push(mistake("several-documents", second.range[0]));
  if (mistakes.length > 0) return failed(...firstPerLine(mistakes, position));
  try {
    const value: unknown = document.toJS();
    return {
      value,
      mistakes,
      offsetOf: (path, part) => offsetOf(document, path, part),
      position,
    };
  } catch (error) {
    return failed(aliasMistake(error, text));
  }
}

const MESSAGES = {
  "too-large": "The text has 10 MB or more: split the policy, or take the generated part out.",
  "too-deep": "The text is nested too deeply to be a policy: write rules as in the README.",
  "empty-file": "Nothing stands here: write at least version: 1.",
  "several-documents": "A second document begins here: keep one policy per file, without --- between.",
  "alias-bomb": "The aliases (*) here unfold to far too much: write the values out.",
} as const;

function mistake(code: keyof typeof MESSAGES, offset = 0): SyntaxMistake {
  return { code, message: MESSAGES[code], offset };
}

/** Our words for what people get wrong most; the parser's own for the rest. */
const FROM_YAML: Readonly<Record<string, readonly [code: string, message: string]>> = {
  DUPLICATE_KEY: ["duplicate-field", "This field stands twice: keep one of them."],
  TAB_AS_INDENT: ["tab", "Tabs can't indent YAML: write spaces."],
  TAG_RESOLVE_FAILED: ["unknown-tag", "Tags (!...) mean nothing in a policy: write the plain value."],
};

function fromYaml({ code, message, pos }: YAMLError): SyntaxMistake {
  const [ours, text] = FROM_YAML[code] ?? [
    "syntax",
    `This isn't YAML: ${message}. Look at the indentation, brackets and quotes here.`,
  ];
  return { code: ours, message: text, offset: pos[0] };
}

/** One mistake makes a parser stumble several times in the same line; the first says it best. */
function firstPerLine(
  mistakes: readonly SyntaxMistake[],
  position: YamlText["position"],
): readonly SyntaxMistake[] {
  const seen = new Set<number>();
  return mistakes
    .toSorted((a, b) => a.offset - b.offset)
    .filter(({ offset }) => {
      const { line } = position(offset);
      return !seen.has(line) && seen.add(line);
    });
}

function aliasMistake(error: unknown, text: string): SyntaxMistake {
  if (error instanceof RangeError) return mistake("too-deep");
  const message = String(error);
  const unresolved = /Unresolved alias.*: (\S+)$/.exec(message)?.[1];
  if (unresolved === undefined) return mistake("alias-bomb", Math.max(text.indexOf("*"), 0));
  return {
    code: "unknown-alias",
    message: `*${unresolved} stands for nothing: put &${unresolved} before the value it repeats, or quote a pattern that starts with *.`,
    offset: Math.max(text.indexOf(`*${unresolved}`), 0),
  };
}

function isNothing(contents: unknown): boolean {
  return contents === null || (isScalar(contents) && contents.value === null);
}

function offsetOf(
  document: Document.Parsed,
  path: readonly (string | number)[],
  part: "name" | "value",
): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [i, step] of path.entries()) {
    const around: unknown = isAlias(node) ? node.resolve(document) : node;
    if (isMap(around)) {
      const pair = around.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(step));
      const isLast = i === path.length - 1;
      node = isLast && part === "name" ? pair?.key : (pair?.value ?? pair?.key);
    } else {
      node = isSeq(around) && typeof step === "number" ? around.items[step] : undefined;
    }
    const start = startOf(node);
    if (start === undefined) return offset;
    offset = start;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? (node as Node).range?.[0] : undefined;
}
