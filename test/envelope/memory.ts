/** Memory that secrets are put into, watched from outside: whether it's zero again is nothing that an API tells. */
import { vi } from "vitest";

/**
 * Arrays that `isSecret` was true of when something had been `set` into them, until `vi.restoreAllMocks()`.
 *
 * @param isSecret - Asked at once, of every array.
 */
export function watchMemory(isSecret: (memory: Uint8Array) => boolean): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  // oxlint-disable-next-line typescript/unbound-method -- called with its `this` below
  const { set } = Uint8Array.prototype;
  vi.spyOn(Uint8Array.prototype, "set").mockImplementation(function (this: Uint8Array, ...given) {
    set.apply(this, given);
    if (isSecret(this)) found.push(this);
  });
  return found;
}
