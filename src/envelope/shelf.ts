/** What a shelf asks of its items. */
export interface Weighed {
  /** What the item takes in memory, its name and its place included. */
  readonly heapBytes: number;
}

interface Place<Item> {
  readonly item: Item;
  /** The place of what was used before, and after. */
  older: Place<Item>;
  newer: Place<Item>;
}

/**
 * A map that knows what was used longest ago, and whether it holds more bytes than it may.
 *
 * The order is a ring of its own: a `Map` keeps an order too, but to find its first entry it walks over all that
 * were deleted before.
 */
export class Shelf<Item extends Weighed> {
  readonly #maxBytes: number;
  readonly #places = new Map<string | symbol, Place<Item>>();
  /** Between the newest and the oldest. */
  readonly #seam: Place<Item | undefined>;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    const seam = { item: undefined } as Place<undefined>;
    seam.older = seam;
    seam.newer = seam;
    this.#seam = seam;
  }

  get size(): number {
    return this.#places.size;
  }

  /** Whether the `oldest` has to go. */
  get overfull(): boolean {
    return this.#bytes > this.#maxBytes;
  }

  /** The item, as the one used last. */
  use(name: string | symbol): Item | undefined {
    const place = this.#places.get(name);
    if (place === undefined) return undefined;
    unlink(place);
    link(place, this.#seam);
    return place.item;
  }

  peek(name: string | symbol): Item | undefined {
    return this.#places.get(name)?.item;
  }

  /** For a name that is not there. */
  add(name: string | symbol, item: Item): void {
    const place = { item } as Place<Item>;
    link(place, this.#seam);
    this.#places.set(name, place);
    this.#bytes += item.heapBytes;
  }

  /** For a name that is there. */
  remove(name: string | symbol): void {
    const place = this.#places.get(name) as Place<Item>;
    unlink(place);
    this.#places.delete(name);
    this.#bytes -= place.item.heapBytes;
  }

  /** The one unused for longest. */
  oldest(): Item | undefined {
    return this.#seam.newer.item;
  }

  all(): readonly Item[] {
    return Array.from(this.#places.values(), ({ item }) => item);
  }
}

function link<Item>(place: Place<Item | undefined>, seam: Place<Item | undefined>): void {
  place.older = seam.older;
  place.newer = seam;
  seam.older.newer = place;
  seam.older = place;
}

function unlink<Item>({ older, newer }: Place<Item | undefined>): void {
  older.newer = newer;
  newer.older = older;
}
