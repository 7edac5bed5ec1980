/** What every function with options asks of them first: an object, without a name that says nothing to it. */
import { BucketKeySetupError } from "./errors.ts";
import { nearest } from "./policy/nearest.ts";

/** A function that takes options. */
export interface OptionNames {
  /** Its name. */
  readonly of: string;
  /** What it calls them. Default `option`. */
  readonly noun?: string;
  /** A table by their names. */
  readonly table: Readonly<Record<string, unknown>>;
  /** A call as it should be. */
  readonly call: string;
}

/**
 * Refuses what is no object of options, and a name that isn't one of them: a slip would go unheard, and the default
 * hold in silence. A name whose value is undefined counts as left out.
 *
 * @throws `BucketKeySetupError` that says what the function takes, and what was probably meant.
 */
export function checkOptionNames({ of, noun = "option", table, call }: OptionNames, options: unknown): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new BucketKeySetupError(`${of} takes its ${noun}s as an object: ${call}.`);
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(table, name) || (options as Record<string, unknown>)[name] === undefined) continue;
    const names = Object.keys(table);
    const meant = nearest(name, names);
    throw new BucketKeySetupError(
      `${of} has no ${noun} ${JSON.stringify(name)}: it has ${names.join(", ")}.` +
        (meant === undefined ? "" : ` Did you mean ${meant}?`),
    );
  }
}
