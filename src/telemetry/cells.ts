/**
 * Counters for a few closed sets of words, in one flat array: counting is one addition.
 *
 * A word outside its set counts under the set's last word.
 */
export class Cells<Axes extends readonly (readonly string[])[]> {
  readonly #axes: readonly { readonly words: readonly string[]; readonly positions: Map<string, number> }[];
  readonly #counts: Float64Array;
  /** Cells that are not zero: few of many, and read at every collection. */
  readonly #used: number[] = [];

  constructor(...axes: Axes) {
    this.#axes = axes.map((words) => ({ words, positions: new Map(words.map((word, i) => [word, i])) }));
    this.#counts = new Float64Array(axes.reduce((cells, words) => cells * words.length, 1));
  }

  add(...words: { [A in keyof Axes]: string }): void {
    let cell = 0;
    let axis = 0;
    for (const { words: all, positions } of this.#axes) {
      const last = all.length - 1;
      cell = cell * all.length + (positions.get(words[axis++] as string) ?? last);
    }
    const before = this.#counts[cell] as number;
    if (before === 0) this.#used.push(cell);
    this.#counts[cell] = before + 1;
  }

  /** The cells that are not zero, each with its words. */
  entries(): [words: { [A in keyof Axes]: Axes[A][number] }, count: number][] {
    const entries: [words: { [A in keyof Axes]: Axes[A][number] }, count: number][] = [];
    for (const cell of this.#used.toSorted((a, b) => a - b)) {
      const words = this.#wordsOf(cell) as { [A in keyof Axes]: Axes[A][number] };
      entries.push([words, this.#counts[cell] as number]);
    }
    return entries;
  }

  #wordsOf(cell: number): readonly string[] {
    let rest = cell;
    const backwards = this.#axes.toReversed().map(({ words }) => {
      const word = words[rest % words.length] as string;
      rest = Math.floor(rest / words.length);
      return word;
    });
    return backwards.toReversed();
  }
}
