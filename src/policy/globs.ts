const STAR = 42; // *
const QUESTION = 63; // ?

/**
 * Whether the whole text fits the pattern; `*` is any run of characters, `/` included, and `?` any one.
 *
 * Nothing else is special, as in S3 keys and IAM ARNs. Two pointers and one place to go back to, so the work
 * never exceeds pattern length x text length steps.
 *
 * @param onStep - Called once per step; lets a test hold the bound.
 */
export function globMatches(pattern: string, text: string, onStep?: () => void): boolean {
  let p = 0;
  let t = 0;
  let afterStar = -1;
  let resumeAt = 0;
  while (t < text.length) {
    onStep?.();
    const code = p < pattern.length ? pattern.charCodeAt(p) : -1;
    if (code === STAR) {
      while (pattern.charCodeAt(p) === STAR) p++;
      if (p === pattern.length) return true;
      afterStar = p;
      resumeAt = t;
    } else if (code === QUESTION || (code !== -1 && code === text.charCodeAt(t))) {
      p++;
      t++;
    } else if (afterStar >= 0) {
      p = afterStar;
      t = ++resumeAt;
    } else {
      return false;
    }
  }
  while (p < pattern.length && pattern.charCodeAt(p) === STAR) p++;
  return p === pattern.length;
}

/** The text before the first `*` or `?`: what every match starts with. */
export function literalPrefix(pattern: string): string {
  const special = pattern.search(/[*?]/);
  return special < 0 ? pattern : pattern.slice(0, special);
}

export function isLiteral(pattern: string): boolean {
  return !/[*?]/.test(pattern);
}
