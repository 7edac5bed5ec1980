/** A figure with its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** What one arm took, iteration by iteration; a block is a run with freshly made clients. */
export type Blocks = readonly Float64Array[];

const RESAMPLES = 1_000;

/** Median of numbers in any order; NaN when there are none. */
export function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).toSorted();
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/**
 * How many times longer `arm` takes than `floor`: the median of the ratios within each iteration.
 *
 * Both arms ran within milliseconds of each other in every iteration, so whatever slows the machine down for
 * longer cancels out. The interval comes from resampling whole blocks, so what differs from client to client
 * is part of it.
 */
export function medianRatio(arm: Blocks, floor: Blocks): Estimate {
  const ratios = arm.map((block, b) =>
    block.map((time, i) => time / ((floor[b] as Float64Array)[i] as number)),
  );
  return medianOfBlocks(ratios);
}

/** How much longer `arm` takes than `floor`: the median of the differences within each iteration. */
export function medianDifference(arm: Blocks, floor: Blocks): Estimate {
  return medianOfBlocks(
    arm.map((block, b) => block.map((time, i) => time - ((floor[b] as Float64Array)[i] as number))),
  );
}

/** The median with its interval, by resampling whole blocks. */
export function medianOfBlocks(blocks: Blocks): Estimate {
  const random = seededRandom(blocks.length);
  const resampled = Float64Array.from({ length: RESAMPLES }, () =>
    median(concat(blocks.map(() => blocks[Math.floor(random() * blocks.length)] as Float64Array))),
  ).toSorted();
  const at = (share: number): number => resampled[Math.round(share * (RESAMPLES - 1))] as number;
  return { value: median(concat(blocks)), low: at(0.025), high: at(0.975) };
}

function concat(blocks: Blocks): Float64Array {
  const all = new Float64Array(blocks.reduce((length, block) => length + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    all.set(block, at);
    at += block.length;
  }
  return all;
}

/** Mulberry32: the same samples always give the same interval. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
