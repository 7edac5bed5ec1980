/** What a caller gets of a bucket key: the right to use it until it gives it back. */
import { closed, type KeyCell } from "./key-memory.ts";

/** A bucket key on loan. */
export interface KeyLease {
  /** The wrapped key, as it stands in the object. */
  readonly blob: Uint8Array;
  /**
   * Hands the data key to `derive`, which must be done with it when it returns: it keeps no reference.
   *
   * @throws `EnvelopeRefusedError` with `closed` once the lease was given back or the cache was closed. Never hands
   * out zeroed bytes.
   */
  use<T>(derive: (dataKey: Uint8Array) => T): T;
  /** Counts bytes of a body whose length was unknown up front. */
  countBytes(bytes: number): void;
  /** Gives the key back; the second time nothing happens. */
  release(): void;
}

/** What was used of a key. */
export interface Tally {
  uses: number;
  bytes: number;
}

/** @param onLast - Called when nobody holds the key any more. */
export function lend(
  cell: KeyCell,
  blob: Uint8Array,
  tally: Tally,
  onLast: (cell: KeyCell) => void,
): KeyLease {
  cell.hold();
  let released = false;
  return {
    blob,
    use(derive) {
      if (released) throw closed();
      return cell.use(derive);
    },
    countBytes(bytes) {
      tally.bytes += bytes;
    },
    release() {
      if (released) return;
      released = true;
      if (cell.release()) onLast(cell);
    },
  };
}
