/**
 * Counters for a few closed sets of words, in one flat array: counting is one addition.
 *
 * A word outside its set counts under the set's last word.
 */
export class Cells<Axes extends readonly (readonly string[])[]> {
  readonly #axes: Axes;
  readonly #positions: readonly ReadonlyMap<string, number>[];
  readonly #counts: Float64Array;

  constructor(...axes: Axes) {
    this.#axes = axes;
    this.#positions = axes.map((words) => new Map(words.map((word, i) => [word, i])));
    this.#counts = new Float64Array(axes.reduce((cells, words) => cells * words.length, 1));
  }

  add(...words: { [A in keyof Axes]: string }): void {
    let at = 0;
    for (let i = 0; i < words.length; i++) {
      const size = (this.#axes[i] as readonly string[]).length;
      at =
        at * size + ((this.#positions[i] as ReadonlyMap<string, number>).get(words[i] as string) ?? size - 1);
    }
    this.#counts[at] = (this.#counts[at] as number) + 1;
  }

  /** The cells that are not zero, each with its words. */
  *entries(): Generator<[words: { [A in keyof Axes]: Axes[A][number] }, count: number]> {
    for (const [at, count] of this.#counts.entries()) {
      if (count > 0) yield [this.#wordsAt(at), count];
    }
  }

  #wordsAt(at: number): { [A in keyof Axes]: Axes[A][number] } {
    let rest = at;
    const words = this.#axes.map((_, i) => {
      const axis = this.#axes[this.#axes.length - 1 - i] as readonly string[];
      const word = axis[rest % axis.length];
      rest = Math.floor(rest / axis.length);
      return word;
    });
    return words.toReversed() as { [A in keyof Axes]: Axes[A][number] };
  }
}
