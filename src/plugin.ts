import type { BucketDefaults } from "./bucket-defaults.ts";
import type { ActivePolicy, Runtime } from "./call.ts";
import { Courses } from "./courses.ts";
import { BucketKeySetupError, PolicyError } from "./errors.ts";
import { Log, type Logger } from "./log.ts";
import { bucketKeysMiddleware } from "./middleware.ts";
import { effectiveMode, readIncidentSwitch } from "./mode.ts";
import { compilePolicy, weakerMode } from "./policy/compile.ts";
import { checkPolicy } from "./policy/validate.ts";
import type { Mode, Policy } from "./policy/policy.ts";
import type { PolicySnapshot, PolicySource } from "./policy/source.ts";
import { Counts } from "./telemetry/stats.ts";
import type { ClientInfo, Stats, Telemetry } from "./telemetry/telemetry.ts";

/**
 * Options of `bucketKeys`.
 *
 * @public
 */
export interface BucketKeysOptions {
  /** A policy, or a source that keeps one up to date. Without it the plugin only audits. */
  readonly policy?: Policy | PolicySource;
  /** The strongest mode allowed. Default `enforce` with a policy, `audit` without one. */
  readonly mode?: Mode;
  /** Exports what the plugin counts, such as `otel()`. */
  readonly telemetry?: Telemetry;
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

/**
 * The part of an SDK middleware stack that the plugin touches.
 *
 * @public
 */
export interface MiddlewareStackView {
  /** Puts a middleware on; throws when its name is taken and `placement.override` isn't set. */
  // `any` on purpose: it keeps every copy of the SDK's own types assignable.
  // oxlint-disable-next-line typescript/no-explicit-any
  add(middleware: (next: any, context: any) => any, placement: any): void;
  /** Takes a middleware off by its name; whether it was there. */
  remove(name: string): boolean;
  /** The middleware that stand here, each as its name and step: `loggerMiddleware - initialize`. */
  identify(): string[];
}

/**
 * What `bucketKeys` makes; hand it to `client.middlewareStack.use()`. One plugin can serve many clients.
 *
 * @public
 */
export interface BucketKeysPlugin {
  /**
   * Called by `use()`. Using the same plugin twice changes nothing.
   *
   * @throws `BucketKeySetupError` when the client wears another `bucketKeys` plugin and `replace` isn't set.
   */
  applyToStack(stack: MiddlewareStackView): void;
  /** Totals since the plugin was made, as JSON; works without any telemetry. */
  stats(): Stats;
  /** Hands pending counts to the telemetry; call it at the end of a Lambda invocation. */
  flush(): Promise<void>;
  /** Ends policy watching and telemetry. Clients that wear the plugin keep their last policy. */
  close(): Promise<void>;
}

/** What the names of all plugins begin with: so each knows the others, those of other copies of the package too. */
const NAME = "s3BucketKeysMiddleware";

/**
 * Once per call, outside logger, redirects, checksums and retries. `override` lets the stacks of a client and a
 * command be joined that wear the same plugin; a plugin of another name is never replaced by it.
 */
const PLACEMENT = { step: "initialize", priority: "high", tags: ["S3_BUCKET_KEYS"], override: true } as const;

/** What holds without a policy: what a bucket key on every SSE-KMS write would be. */
const BUILT_IN: Policy = { version: 1, defaults: { bucketKey: "on", mode: "enforce" } };

/**
 * A plugin for `S3Client` that gives every write the bucket key its policy wants, and counts what S3 answers.
 *
 * Without options it changes nothing: it observes, counts, and says once what enforcing would do. The
 * environment variable `S3_BUCKET_KEYS_MODE=audit|off`, read here, weakens the mode in an incident.
 *
 * @throws `PolicyError` when the policy can't be used. `BucketKeySetupError` when it needs an option that
 * isn't given.
 * @example
 * ```ts
 * const s3 = new S3Client({});
 * s3.middlewareStack.use(bucketKeys({ policy: await loadPolicy("bucket-keys.yaml") }));
 * ```
 * @public
 */
export function bucketKeys(options: BucketKeysOptions = {}): BucketKeysPlugin {
  const log = new Log(options.logger);
  const incident = readIncidentSwitch();
  const option = options.mode ?? (options.policy === undefined ? "audit" : "enforce");
  const ceiling = incident.mode === undefined ? option : weakerMode(option, incident.mode);
  const source = sourceOf(options.policy);

  let state = activate(source.current());
  const courses = new Courses();
  const counts = new Counts(() => state.info);
  const unsubscribe = source.subscribe(({ result, snapshot, message }) => {
    if (message !== undefined) log.say(message);
    try {
      if (result === "accepted") {
        state = activate(snapshot);
        courses.clear();
      }
      counts.reloaded(result);
    } catch (error) {
      counts.reloaded("rejected");
      log.say(`The new policy was not taken, the last good one stays: ${(error as Error).message}`);
    }
  });
  if (incident.mistake !== undefined) log.say(incident.mistake);
  if (incident.mode !== undefined && incident.mode === ceiling && ceiling !== option) {
    log.say(
      `S3_BUCKET_KEYS_MODE=${incident.mode} is in force: the policy's mode is weakened until it is unset.`,
    );
  }

  function activate(snapshot: PolicySnapshot): { active: ActivePolicy; info: ClientInfo } {
    const { policy, failure } = snapshot;
    if (policy === undefined) {
      const info = { mode: ceiling, modeSource: "option", policyDigest: "none" } as const;
      return { active: { failure: failure ?? "fail-open", mode: ceiling }, info };
    }
    const issues = checkPolicy(policy);
    if (issues.length > 0) throw new PolicyError(issues);
    requireOptions(policy, options);
    const compiled = compilePolicy(policy, { ceiling, canSeal: false });
    const info = { ...effectiveMode(policy, option, incident.mode), policyDigest: compiled.digest };
    return { active: { compiled }, info };
  }

  const { region, account, resolveBucket, telemetry } = options;
  let detach = quietly(() => telemetry?.attach(counts));
  const runtime: Runtime = {
    policy: () => state.active,
    courses,
    surroundings: { region, account, resolveBucket },
    async lookup(bucket, context) {
      let failure: string | undefined;
      try {
        const found = await options.bucketDefaults?.lookup(bucket);
        if (found !== undefined && found !== "lookup-failed") return found;
        failure = options.bucketDefaults?.lastFailure?.(bucket);
      } catch (error) {
        failure = (error as Error | undefined)?.name;
      }
      const type = failure ?? "_OTHER";
      counts.failed(type, "policy");
      log.sayOnce(
        `lookup ${bucket} ${type}`,
        `The default encryption of bucket ${bucket} could not be looked up (${type}): onLookupFailure decides ` +
          "about its writes that name no algorithm. Looking up needs s3:GetEncryptionConfiguration, and a " +
          "bucket's own name. Further failures of this kind are only counted.",
        context,
      );
      return "lookup-failed";
    },
    record(outcome) {
      try {
        telemetry?.record?.(outcome);
      } catch {
        counts.telemetryFailed();
      }
      counts.record(outcome, Date.now());
    },
    log: (message, context) => log.say(message, context),
    sayOnce: (topic, message, context) => log.sayOnce(topic, message, context),
    observationFailed: () => counts.telemetryFailed(),
  };
  const middleware = bucketKeysMiddleware(runtime);
  const name = `${NAME}-${Math.random().toString(36).slice(2)}`;

  /** Whatever telemetry throws is counted and goes no further. */
  function quietly<T>(call: () => T): T | undefined {
    try {
      return call();
    } catch {
      counts.telemetryFailed();
      return undefined;
    }
  }

  return {
    applyToStack(stack) {
      if (attach(stack, name, middleware, options.replace ?? false)) counts.clientAdded();
    },
    stats: () => counts.stats(),
    async flush() {
      try {
        await telemetry?.flush?.();
      } catch {
        counts.telemetryFailed();
      }
    },
    async close() {
      unsubscribe();
      source.close();
      await this.flush();
      quietly(() => detach?.());
      detach = undefined;
    },
  };
}

/** @returns Whether the stack is new to this plugin. */
function attach(
  stack: MiddlewareStackView,
  name: string,
  middleware: Parameters<MiddlewareStackView["add"]>[0],
  replace: boolean,
): boolean {
  const worn = stack
    .identify()
    .flatMap((line) => line.split(" ", 1))
    .filter((other) => other.startsWith(NAME));
  if (worn.includes(name)) return false;
  if (worn.length > 0 && !replace) {
    throw new BucketKeySetupError(
      "This client already wears another bucketKeys plugin. Use one plugin per client, or pass replace: true " +
        "to the one that should take its place.",
    );
  }
  for (const other of worn) stack.remove(other);
  stack.add(middleware, { ...PLACEMENT, name });
  return true;
}

function sourceOf(policy: Policy | PolicySource = BUILT_IN): PolicySource {
  if ("subscribe" in policy) return policy;
  const snapshot = { policy };
  return { current: () => snapshot, subscribe: () => () => {}, close: () => {} };
}

/** What a middleware can't see must be told to it, and is asked for before the first request. */
function requireOptions(policy: Policy, options: BucketKeysOptions): void {
  const rules = policy.rules ?? [];
  const settings = [policy.defaults, ...rules];
  const matches = rules.flatMap((rule) => [rule.match, rule.except]);
  const needs: readonly [option: keyof BucketKeysOptions, needed: boolean, why: string][] = [
    ["bucketDefaults", settings.some((s) => s?.whenSseUnset === "lookup"), "uses whenSseUnset: lookup"],
    ["region", matches.some((match) => match?.regions !== undefined), "matches regions"],
    ["account", matches.some((match) => match?.accounts !== undefined), "matches accounts"],
  ];
  for (const [option, needed, why] of needs) {
    if (needed && options[option] === undefined) {
      throw new BucketKeySetupError(`The policy ${why}: give bucketKeys the option ${option}.`);
    }
  }
}
