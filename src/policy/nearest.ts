/** The name that was probably meant: few letters away, or undefined. */
export function nearest(written: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = 4;
  for (const name of names) {
    const distance = editDistance(written.slice(0, 64).toLowerCase(), name.toLowerCase());
    if (distance < bestDistance && distance <= Math.ceil(name.length / 3)) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** Letters to add and to take away, one row at a time: "of" is nearer to "off" than to "on". */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    let left = i + 1;
    row = row.map((above, j) => {
      if (j === 0) return left;
      const change = (row[j - 1] as number) + (a[i] === b[j - 1] ? 0 : 2);
      left = Math.min(above + 1, left + 1, change);
      return left;
    });
  }
  return row[b.length] as number;
}
