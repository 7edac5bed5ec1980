/**
 * Uploads that were begun sealed and are gone, by name. S3 may still have such an upload: were it forgotten, then where
 * the policy no longer seals, its parts would pass, plaintext beside ciphertext.
 */

/** What became of an upload, in a word. */
export type UploadFate = "aborted" | "closed" | "completed" | "idle";

/** So many are remembered per client and fate, for as long as the client lives: S3 gives no id a second time. */
const MOST_NAMES = 10_000;

/** @see the first comment of this file. */
export class GoneUploads {
  /** Apart by fate: the many that completed, which S3 no longer has, push out none that it may have. */
  readonly #scopes = new WeakMap<object, Map<UploadFate, Set<string>>>();

  /** The oldest name of the same fate gives way where there are too many. */
  add(scope: object, name: string, fate: UploadFate): void {
    const fates = this.#scopes.get(scope) ?? new Map<UploadFate, Set<string>>();
    this.#scopes.set(scope, fates);
    const names = fates.get(fate) ?? new Set<string>();
    fates.set(fate, names.add(name));
    if (names.size > MOST_NAMES) names.delete(names.values().next().value as string);
  }

  /** `undefined` for an upload that isn't gone, or was never known. */
  find(scope: object, name: string): UploadFate | undefined {
    for (const [fate, names] of this.#scopes.get(scope) ?? []) if (names.has(name)) return fate;
    return undefined;
  }

  /** For a server that gives an id again. */
  forget(scope: object, name: string): void {
    for (const names of this.#scopes.get(scope)?.values() ?? []) names.delete(name);
  }
}
