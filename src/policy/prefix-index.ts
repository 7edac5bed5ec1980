/**
 * Finds every stored prefix of a text without trying them all.
 *
 * Prefixes are kept sorted, each with a link to its own longest stored prefix. The last one not after the
 * text, or one of its ancestors, is the longest that fits, and the ancestors of that are all the others:
 * whatever sorts between a prefix of the text and the text itself starts with that prefix.
 */
export class PrefixIndex {
  readonly #prefixes: readonly string[];
  readonly #parents: Int32Array;
  readonly #rules: readonly (readonly number[])[];

  constructor(entries: readonly (readonly [prefix: string, rule: number])[]) {
    const byPrefix = new Map<string, number[]>();
    for (const [prefix, rule] of entries) {
      const rules = byPrefix.get(prefix);
      if (rules === undefined) byPrefix.set(prefix, [rule]);
      else rules.push(rule);
    }
    this.#prefixes = [...byPrefix.keys()].toSorted(byCodeUnit);
    this.#rules = this.#prefixes.map((prefix) => byPrefix.get(prefix) as number[]);
    this.#parents = new Int32Array(this.#prefixes.length);
    for (let i = 0; i < this.#prefixes.length; i++) {
      let parent = i - 1;
      while (parent >= 0 && !this.#at(i).startsWith(this.#at(parent)))
        parent = this.#parents[parent] as number;
      this.#parents[i] = parent;
    }
  }

  /** Calls `visit` with the rules of each stored prefix of `text`, longest prefix first. */
  visit(text: string, visit: (rules: readonly number[]) => void): void {
    let at = this.#lastNotAfter(text);
    while (at >= 0) {
      if (text.startsWith(this.#at(at))) visit(this.#rules[at] as readonly number[]);
      at = this.#parents[at] as number;
    }
  }

  #at(i: number): string {
    return this.#prefixes[i] as string;
  }

  #lastNotAfter(text: string): number {
    let low = 0;
    let high = this.#prefixes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#at(middle) <= text) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : 1;
}
