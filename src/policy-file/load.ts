import { fileURLToPath } from "node:url";
import { PolicyError } from "../errors.ts";
import type { PolicySource } from "../policy/source.ts";
import { PolicyReloader } from "./reloader.ts";
import { fileSource, type PolicyTextSource } from "./text-source.ts";

export type { PolicyText, PolicyTextSource } from "./text-source.ts";

/**
 * Options of `loadPolicy`.
 *
 * @public
 */
export interface LoadPolicyOptions {
  /**
   * What a failed FIRST load means: go on and change nothing (`fail-open`), or refuse the writes that the
   * policy could have changed (`fail-closed`), both until a good policy is there. Default: `loadPolicy` rejects.
   */
  readonly onError?: "fail-open" | "fail-closed";
  /** How often to look for a new text, in seconds, give or take a fifth. Default 30. */
  readonly pollSeconds?: number;
  /** Whether to notice changes of a file at once, too. Default true. */
  readonly watch?: boolean;
}

/**
 * A policy that follows its text.
 *
 * @public
 */
export interface LoadedPolicy extends PolicySource {
  /** Looks for a new text now; resolves when it is in force or turned down. Never rejects. */
  reload(): Promise<void>;
}

/**
 * A policy from a YAML or JSON file, kept up to date while the program runs.
 *
 * The file is watched and polled; neither keeps the process alive. A new text takes over when it is valid, its
 * tests pass and it doesn't end sealing in silence; else the last good policy stays, and subscribers are told
 * once per distinct text.
 *
 * @param pathOrSource - A path, a `file:` URL, or your own source of text.
 * @throws (rejects) `PolicyError` when the first load fails and `onError` isn't given. `RangeError` when
 * `pollSeconds` isn't above 0, `onError` is another word, or an option has an unknown name.
 * @example
 * ```ts
 * const policy = await loadPolicy("bucket-keys.yaml");
 * s3.middlewareStack.use(bucketKeys({ policy }));
 * ```
 * @public
 */
export async function loadPolicy(
  pathOrSource: string | URL | PolicyTextSource,
  options: LoadPolicyOptions = {},
): Promise<LoadedPolicy> {
  requireKnown(options);
  const { pollSeconds = 30, watch = true } = options;
  const source =
    typeof pathOrSource === "string"
      ? fileSource(pathOrSource)
      : pathOrSource instanceof URL
        ? fileSource(fileURLToPath(pathOrSource))
        : pathOrSource;
  const reloader = new PolicyReloader(source, options.onError);
  const error = await reloader.start();
  if (error !== undefined && options.onError === undefined)
    throw new PolicyError(error.issues, { cause: error.cause });
  reloader.follow(pollSeconds * 1_000, watch);
  return reloader;
}

const OPTIONS: Readonly<Record<keyof LoadPolicyOptions, true>> = {
  onError: true,
  pollSeconds: true,
  watch: true,
};
const ON_ERROR: readonly unknown[] = ["fail-open", "fail-closed", undefined];

/** A slip here would show only on the day when a load fails, and then fail open. */
function requireKnown(options: LoadPolicyOptions): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(OPTIONS, name)) continue;
    throw new RangeError(`loadPolicy has no option ${name}; it has ${Object.keys(OPTIONS).join(", ")}.`);
  }
  const { onError, pollSeconds = 30 } = options;
  if (!ON_ERROR.includes(onError)) {
    throw new RangeError(
      `onError is ${JSON.stringify(onError)}; it must be "fail-open" or "fail-closed", or be left out.`,
    );
  }
  if (!(pollSeconds > 0)) throw new RangeError(`pollSeconds is ${pollSeconds}; it must be above 0.`);
}
