/** Told of work as it is done: so many characters were compared, or would be at worst. */
export type OnSteps = (steps: number) => void;

/**
 * Whether the whole text fits the pattern; `*` is any run of characters, `/` included, and `?` any one.
 *
 * Nothing else is special, as in S3 keys and IAM ARNs. The parts between stars are looked for one after the
 * other, each where it fits first, so none is tried at more places than the text has, and the work never
 * exceeds pattern length x text length steps.
 *
 * @param onSteps - Lets a test hold the bound.
 */
export function globMatches(pattern: string, text: string, onSteps?: OnSteps): boolean {
  const parts = pattern.split("*");
  const head = parts[0] as string;
  if (parts.length === 1) {
    return head.length === text.length && placeOf(head, text, 0, text.length, onSteps) === 0;
  }
  const tail = parts.at(-1) as string;
  const end = text.length - tail.length;
  if (head.length > end || placeOf(head, text, 0, head.length, onSteps) < 0) return false;
  if (placeOf(tail, text, end, text.length, onSteps) < 0) return false;
  let at = head.length;
  for (let i = 1; i < parts.length - 1; i++) {
    const part = parts[i] as string;
    const found = placeOf(part, text, at, end, onSteps);
    if (found < 0) return false;
    at = found + part.length;
  }
  return true;
}

/** The first place from `start` on where a part without stars fits and doesn't reach past `end`; or -1. */
function placeOf(part: string, text: string, start: number, end: number, onSteps?: OnSteps): number {
  const last = end - part.length;
  if (last < start) return -1;
  if (!part.includes("?")) {
    const found = last === start && !text.startsWith(part, start) ? -1 : text.indexOf(part, start);
    onSteps?.(part.length * ((found < 0 ? last : found) - start + 1));
    return found > last ? -1 : found;
  }
  // In arrays a character is read several times as fast as in strings.
  const wanted = codesOf(part);
  const codes = codesOf(text);
  for (let at = start; at <= last; at++) if (fitsAt(wanted, codes, at, onSteps)) return at;
  return -1;
}

/** Whether a part without stars fits here; the text goes on long enough. */
function fitsAt(part: Uint16Array, text: Uint16Array, at: number, onSteps?: OnSteps): boolean {
  let i = 0;
  while (i < part.length && (part[i] === text[at + i] || part[i] === QUESTION)) i++;
  onSteps?.(Math.min(i + 1, part.length));
  return i === part.length;
}

function codesOf(text: string): Uint16Array {
  const codes = new Uint16Array(text.length);
  for (let i = 0; i < text.length; i++) codes[i] = text.charCodeAt(i);
  return codes;
}

const QUESTION = 63; // ?

/** The text before the first `*` or `?`: what every match starts with. */
export function literalPrefix(pattern: string): string {
  const special = pattern.search(/[*?]/);
  return special < 0 ? pattern : pattern.slice(0, special);
}

export function isLiteral(pattern: string): boolean {
  return !/[*?]/.test(pattern);
}
