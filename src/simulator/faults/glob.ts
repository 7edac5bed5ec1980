/**
 * Whether `*` (any text) and `?` (one character) of a pattern reach over the whole text.
 *
 * Takes at most pattern x text steps: only the last star is ever tried again.
 */
export function globMatches(pattern: string, text: string): boolean {
  let p = 0;
  let star = -1;
  let retryAt = 0;
  for (let t = 0; t < text.length;) {
    if (pattern[p] === "*") {
      star = p++;
      retryAt = t;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star !== -1) {
      p = star + 1;
      t = ++retryAt;
    } else {
      return false;
    }
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
