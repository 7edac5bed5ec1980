import type { BodySealer } from "./body-sealer.ts";
import type { BucketDefaults } from "./bucket-defaults.ts";
import { BucketKeySetupError } from "./errors.ts";
import type { Logger } from "./log.ts";
import { checkOptionNames } from "./option-names.ts";
import type { Mode, Policy } from "./policy/policy.ts";
import type { PolicySource } from "./policy/source.ts";
import type { Telemetry } from "./telemetry/telemetry.ts";

/**
 * Options of `bucketKeys`.
 *
 * @public
 */
export interface BucketKeysOptions {
  /**
   * A policy, or a source that keeps one up to date. Without it every write that names `aws:kms` is to have a
   * bucket key, and `mode` says whether that is enforced.
   */
  readonly policy?: Policy | PolicySource;
  /** The strongest mode allowed. Default `enforce` with a policy, `audit` without one. */
  readonly mode?: Mode;
  /** Exports what the plugin counts, such as `otel()`. */
  readonly telemetry?: Telemetry;
  /**
   * Client-side encryption, such as `envelope({ keyring })` of `s3-bucket-keys/envelope`; needed by rules with
   * `envelope: seal`. Without a policy, everything is sealed.
   */
  readonly envelope?: BodySealer;
  /** Needed by rules with `whenSseUnset: lookup`. */
  readonly bucketDefaults?: BucketDefaults;
  /** Region that rules with `regions` are held against; a middleware can't see it. */
  readonly region?: string;
  /** Account id that rules with `accounts` are held against. */
  readonly account?: string;
  /** Maps the name, ARN or alias of an access point to its bucket. Must be fast; what it throws is counted. */
  readonly resolveBucket?: (bucket: string) => string | undefined;
  /** Default: the client's own logger, or `process.emitWarning` when that is the SDK's silent one. */
  readonly logger?: Logger;
  /** Take the place of another `bucketKeys` plugin on the same client. Default false: that throws. */
  readonly replace?: boolean;
}

const can =
  (method: string) =>
  (value: unknown): boolean =>
    typeof (value as Readonly<Record<string, unknown>> | null)?.[method] === "function";
const isA =
  (type: string) =>
  (value: unknown): boolean =>
    typeof value === type;

/** What each option must be, and what to write when it isn't. */
const OPTIONS: {
  readonly [O in keyof BucketKeysOptions]-?: readonly [fits: (value: unknown) => boolean, write: string];
} = {
  policy: [
    (value) => typeof value === "object" && value !== null && !("then" in value),
    "a policy (definePolicy), or what loadPolicy resolves to: await loadPolicy(path)",
  ],
  mode: [(value) => ["enforce", "audit", "off"].includes(value as string), '"enforce", "audit" or "off"'],
  telemetry: [can("attach"), "telemetry such as otel(), called"],
  envelope: [can("send"), "a sealer such as envelope({ keyring }), called"],
  bucketDefaults: [can("lookup"), "what bucketDefaultsFrom(client) gives"],
  region: [isA("string"), "a region's name"],
  account: [isA("string"), "an account's id, as text"],
  resolveBucket: [isA("function"), "a function"],
  logger: [can("warn"), "an object with a method warn, such as console"],
  replace: [isA("boolean"), "true or false"],
};

/**
 * Holds the options against what they must be: a slip would turn enforcing off in silence.
 *
 * @throws `BucketKeySetupError` that names the option and what to write.
 */
export function checkOptions(options: BucketKeysOptions): void {
  checkOptionNames({ of: "bucketKeys", table: OPTIONS, call: "bucketKeys({ policy })" }, options);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const [fits, write] = OPTIONS[name as keyof BucketKeysOptions];
    if (!fits(value)) {
      throw new BucketKeySetupError(`The option ${name} is ${describe(value)}: give ${write}.`);
    }
  }
}

/** Text as it is, so that a slip shows; of the rest only what kind of thing it is: it may hold secrets. */
function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 80));
  if (typeof value !== "object") return `a ${typeof value}`;
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : value instanceof Promise ? "a Promise" : "an object";
}
