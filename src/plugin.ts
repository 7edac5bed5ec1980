import type { ActivePolicy, Runtime } from "./call.ts";
import { Courses } from "./courses.ts";
import { BucketKeySetupError, PolicyError, shownName } from "./errors.ts";
import { Log } from "./log.ts";
import { recorderOf, tellRecorder } from "./metrics-recorder.ts";
import { bucketKeysMiddleware } from "./middleware.ts";
import { effectiveMode, readIncidentSwitch } from "./mode.ts";
import { checkOptions, type BucketKeysOptions } from "./options.ts";
import { compilePolicy, weakerMode } from "./policy/compile.ts";
import { silentSealingChange } from "./policy/sealing-change.ts";
import { checkPolicy } from "./policy/validate.ts";
import type { Policy } from "./policy/policy.ts";
import type { PolicySnapshot, PolicySource } from "./policy/source.ts";
import { Counts } from "./telemetry/stats.ts";
import type { ClientInfo, Stats } from "./telemetry/telemetry.ts";

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
  flush(this: void): Promise<void>;
  /**
   * Ends its part in policy and telemetry; clients that wear it keep their last policy. A policy that `loadPolicy`
   * follows may serve other plugins: it has a `close()` of its own.
   */
  close(this: void): Promise<void>;
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

/** The same with a sealer. */
const SEALING_ALL: Policy = {
  version: 1,
  rules: [
    {
      id: "sealed",
      reason: "Without a policy, the option envelope seals everything.",
      bucketKey: "on",
      mode: "enforce",
      envelope: "seal",
    },
  ],
};

/**
 * A plugin for `S3Client` that gives every write the bucket key its policy wants, and counts what S3 answers.
 *
 * Without options it changes nothing: it observes, counts, and says once what enforcing would do. The
 * environment variable `S3_BUCKET_KEYS_MODE=audit|off`, read here, weakens the mode in an incident.
 *
 * @throws `PolicyError` when the policy can't be used. `BucketKeySetupError` when it needs an option that
 * isn't given, and for an option that isn't what it must be.
 * @example
 * ```ts
 * const s3 = new S3Client({});
 * s3.middlewareStack.use(bucketKeys({ policy: await loadPolicy("bucket-keys.yaml") }));
 * ```
 * @public
 */
export function bucketKeys(options: BucketKeysOptions = {}): BucketKeysPlugin {
  checkOptions(options);
  const log = new Log(options.logger);
  const incident = readIncidentSwitch();
  const sealer = options.envelope;
  const option = options.mode ?? (options.policy === undefined ? "audit" : "enforce");
  const ceiling = incident.mode === undefined ? option : weakerMode(option, incident.mode);
  const source = sourceOf(options.policy ?? (sealer === undefined ? BUILT_IN : SEALING_ALL));

  let state = activate(source.current());
  const courses = new Courses();
  const counts = new Counts(() => state.info);
  if (sealer !== undefined) counts.sealerAdded();
  const unsubscribe = source.subscribe(({ result, snapshot, message }) => {
    if (message !== undefined) log.say(message);
    try {
      if (result === "accepted") {
        requireSealingKept(state.active.compiled?.policy, snapshot.policy);
        state = activate(snapshot);
        courses.clear();
      }
      counts.reloaded(result);
    } catch (error) {
      counts.reloaded("rejected");
      log.say(`The new policy was not taken, the last good one stays: ${(error as Error).message}`);
    }
  });
  const unsealed = sealer === undefined ? sealingRule(state.active.compiled?.policy) : undefined;
  if (unsealed !== undefined) log.say(noSealer(unsealed));
  if (incident.mistake !== undefined) log.say(incident.mistake);
  if (options.mode === "enforce" && incident.mode === undefined && state.info.mode !== "enforce") {
    log.say(
      `The option mode says enforce, but no rule of the policy does (${state.info.mode}): the option can only ` +
        "weaken a policy. Write mode: enforce into its rules or defaults.",
    );
  }
  if (incident.mode !== undefined && incident.mode === ceiling && ceiling !== option) {
    log.say(
      `S3_BUCKET_KEYS_MODE=${incident.mode} is in force: the policy's mode is weakened until it is unset.`,
    );
  }

  function activate(snapshot: PolicySnapshot): { active: ActivePolicy; info: ClientInfo } {
    const { policy, failure } = snapshot;
    if (policy === undefined) {
      if (sealer !== undefined && failure !== "fail-closed") throw new BucketKeySetupError(NO_FAIL_OPEN);
      const info = { mode: ceiling, modeSource: "option", policyDigest: "none" } as const;
      return { active: { failure: failure ?? "fail-open", mode: ceiling }, info };
    }
    const issues = checkPolicy(policy);
    if (issues.length > 0) throw new PolicyError(issues);
    requireOptions(policy, options);
    if (sealer !== undefined && !policy.rules?.some(({ envelope }) => envelope !== undefined)) {
      throw new BucketKeySetupError(NOTHING_SEALED);
    }
    const compiled = compilePolicy(policy, { ceiling, canSeal: sealer !== undefined });
    const info = { ...effectiveMode(policy, option, incident.mode), policyDigest: compiled.digest };
    return { active: { compiled }, info };
  }

  const { region, account, resolveBucket, telemetry } = options;
  const detach = quietly(() => telemetry?.attach(counts));
  let closed = false;
  const runtime: Runtime = {
    policy: () => state.active,
    hasPolicy: options.policy !== undefined,
    courses,
    sealer,
    observeEnvelope(event) {
      try {
        if (!closed) telemetry?.measure?.(event);
      } catch {
        counts.telemetryFailed();
      }
      counts.envelope(event);
    },
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
        `The default encryption of bucket ${shownName(bucket)} could not be looked up (${type}): onLookupFailure decides ` +
          "about its writes that name no algorithm. Looking up needs s3:GetEncryptionConfiguration, and a " +
          "bucket's own name. Further failures of this kind are only counted.",
        context,
      );
      return "lookup-failed";
    },
    record(outcome, context) {
      try {
        // Not after close(): what shares this telemetry goes on without us.
        if (!closed) telemetry?.record?.(outcome);
      } catch {
        counts.telemetryFailed();
      }
      counts.record(outcome, Date.now());
      const recorder = recorderOf(context);
      if (recorder !== undefined) quietly(() => tellRecorder(recorder, outcome));
    },
    sayLimited: (topic, message, context) => log.sayLimited(topic, message, context),
    sayOnce: (topic, message, context) => log.sayOnce(topic, message, context),
    observationFailed: () => counts.telemetryFailed(),
  };
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

  async function flush(): Promise<void> {
    try {
      await telemetry?.flush?.();
    } catch {
      counts.telemetryFailed();
    }
  }

  return {
    applyToStack(stack) {
      // One stack per client, also when another plugin takes our place there.
      const middleware = bucketKeysMiddleware(runtime, stack);
      if (!attach(stack, name, middleware, options.replace ?? false)) return;
      counts.clientAdded();
      TAKE_OFF.get(stack)?.();
      TAKE_OFF.set(stack, () => counts.clientRemoved());
    },
    stats: () => counts.stats(),
    flush,
    async close() {
      unsubscribe();
      await flush();
      if (!closed) quietly(() => detach?.());
      closed = true;
    },
  };
}

const NO_FAIL_OPEN =
  "The policy didn't load, and failing open would send bodies in the clear that it seals. Repair it, or load it " +
  "with onError: fail-closed.";

/** A sealer that no rule asks for would look like encryption, and be none. */
const NOTHING_SEALED =
  "The option envelope is given, but no rule of the policy names envelope, so nothing would be sealed. Write envelope: " +
  "seal into a rule (envelope: leave, if that is what you want), or leave the policy out: then everything is sealed.";

function sealingRule(policy: Policy | undefined): string | undefined {
  return policy?.rules?.find(({ envelope }) => envelope === "seal")?.id;
}

function noSealer(rule: string): string {
  return (
    `Rule ${rule} says envelope: seal, and bucketKeys has no option envelope: every read and write there is refused. ` +
    "Give it envelope({ keyring }) of s3-bucket-keys/envelope."
  );
}

/** Called when another plugin takes the place of the one that this stack wears; plugins of this copy only. */
const TAKE_OFF = new WeakMap<MiddlewareStackView, () => void>();

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

function sourceOf(policy: Policy | PolicySource): PolicySource {
  if ("subscribe" in policy) return policy;
  const snapshot = { policy };
  return { current: () => snapshot, subscribe: () => () => {}, close: () => {} };
}

/** A reload must not end sealing in silence, nor take the policy away, whoever the source is. */
function requireSealingKept(before: Policy | undefined, after: Policy | undefined): void {
  if (before === undefined) return;
  const change = after === undefined ? "It has no policy." : silentSealingChange(before, after);
  if (change !== undefined) throw new BucketKeySetupError(change);
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
