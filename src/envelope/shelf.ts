/** A map that forgets what was used longest ago when it holds more bytes than it may. */
export interface Weighed {
  /** What the item takes in memory, its name included. */
  readonly heapBytes: number;
}

export class Shelf<Item extends Weighed> {
  readonly #maxBytes: number;
  /** In the order of their last use. */
  readonly #items = new Map<string | symbol, Item>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#items.size;
  }

  /** Whether `oldest` has to go. */
  get overfull(): boolean {
    return this.#bytes > this.#maxBytes;
  }

  /** The item, as the one used last. */
  use(name: string | symbol): Item | undefined {
    const item = this.#items.get(name);
    if (item !== undefined) {
      this.#items.delete(name);
      this.#items.set(name, item);
    }
    return item;
  }

  peek(name: string | symbol): Item | undefined {
    return this.#items.get(name);
  }

  /** For a name that is not there. */
  add(name: string | symbol, item: Item): void {
    this.#items.set(name, item);
    this.#bytes += item.heapBytes;
  }

  remove(name: string | symbol, item: Item): void {
    this.#items.delete(name);
    this.#bytes -= item.heapBytes;
  }

  /** The one unused for longest. */
  oldest(): Item | undefined {
    const [item] = this.#items.values();
    return item;
  }

  all(): readonly Item[] {
    return [...this.#items.values()];
  }
}
