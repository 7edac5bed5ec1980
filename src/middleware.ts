/**
 * The one middleware: step `initialize`, priority `high`, so it runs once per call, outside logging, retries,
 * redirects and checksums.
 *
 * Facts, decision, copied input, `next`, observation. Nothing of a request is kept on the SDK's context, which
 * requests share under `cacheMiddleware`.
 */
import { amendInput } from "./amend.ts";
import { withCautions } from "./cautions.ts";
import {
  bucketOf,
  type Arguments,
  type Call,
  type Context,
  type Next,
  type Result,
  type Runtime,
} from "./call.ts";
import { observeFailure, observeRead, observeWrite } from "./observation.ts";
import { requestFacts, type Surroundings } from "./observe/request-facts.ts";
import { OPERATIONS, type Operation } from "./operations.ts";
import type { CompiledPolicy } from "./policy/compile.ts";
import { decideCompiled, decideUnloaded } from "./policy/decide.ts";
import type { Decision, RequestFacts } from "./policy/policy.ts";
import { sealPlace } from "./policy/seal.ts";
import { refusal } from "./refusal.ts";

/** The middleware of one plugin; the same function for every client that wears it. */
export function bucketKeysMiddleware(runtime: Runtime): (next: Next, context: Context) => Next {
  return (next, context) => {
    const operation = operationOf(context);
    if (operation === undefined) return next;
    const call = withCautions({ runtime, next, context, operation });
    return OPERATIONS[operation] === "write" ? (args) => write(call, args) : (args) => read(call, args);
  };
}

/** Constants of the SDK's own command builder; they survive minification and subclassing. */
function operationOf({ clientName, commandName }: Context): Operation | undefined {
  if (clientName !== "S3Client" || commandName === undefined) return undefined;
  return OPERATION_OF_COMMAND.get(commandName);
}

const OPERATION_OF_COMMAND: ReadonlyMap<string, Operation> = new Map(
  (Object.keys(OPERATIONS) as Operation[]).map((operation) => [`${operation}Command`, operation]),
);

function write(call: Call, args: Arguments): Promise<Result> {
  const { runtime } = call;
  const active = runtime.policy();
  const policy = active.compiled;
  const facts = factsOf(call, args, policy);
  if (policy === undefined) {
    return carryOut(call, args, facts, decideUnloaded(active.failure, active.mode, facts), policy);
  }
  if (!policy.needsLookup(facts)) return carryOut(call, args, facts, decideCompiled(policy, facts), policy);
  return runtime.lookup(facts.bucket, call.context).then((bucketDefault) => {
    const informed: RequestFacts = { ...facts, bucketDefault };
    return carryOut(call, args, informed, decideCompiled(policy, informed), policy);
  });
}

/** Reads and parts: nothing to decide, but a place that seals can't be read without a sealer. */
function read(call: Call, args: Arguments): Promise<Result> {
  const policy = call.runtime.policy().compiled;
  if (policy === undefined) return call.next(args);
  const facts = factsOf(call, args, policy);
  // A session moves no object.
  const mayBeSealed = policy.hasEnvelope && OPERATIONS[call.operation] !== "session";
  if (mayBeSealed && sealPlace(policy, facts).seal === "seal") {
    return carryOut(call, args, facts, decideCompiled(policy, facts), policy);
  }
  return call.next(args).then(
    (result) => {
      quietly(call, () => observeRead(call, args, policy, facts, result.response));
      return result;
    },
    (error: unknown) => {
      quietly(call, () => observeFailure(call, args, error, undefined));
      throw error;
    },
  );
}

function carryOut(
  call: Call,
  args: Arguments,
  facts: RequestFacts,
  decision: Decision,
  policy: CompiledPolicy | undefined,
): Promise<Result> {
  const enforced = decision.mode === "enforce" || decision.why === "refused-seal";
  if (enforced && decision.decision === "refuse") return refuse(call, args, facts, decision, policy);
  if (decision.decision !== "pass" && !enforced) sayWhatEnforceWouldDo(call, args, decision);

  // The presigner, too, hands down only an input; nothing further in needs the rest of the arguments.
  const sent: Arguments =
    enforced && decision.set !== undefined
      ? { input: amendInput(call.operation, args.input, decision.set), request: args.request }
      : args;
  return call.next(sent).then(
    (result) => {
      quietly(call, () => observeWrite(call, args, policy, facts, decision, result.response));
      return result;
    },
    (error: unknown) => {
      quietly(call, () => observeFailure(call, args, error, decision));
      throw error;
    },
  );
}

/** An answer is the caller's, whatever goes wrong while we look at it. */
function quietly({ runtime }: Call, observe: () => void): void {
  try {
    observe();
  } catch {
    runtime.observationFailed();
  }
}

function refuse(
  { runtime, context, operation }: Call,
  args: Arguments,
  facts: RequestFacts,
  decision: Decision,
  policy: CompiledPolicy | undefined,
): Promise<never> {
  const bucket = bucketOf(args);
  const reason = policy?.ruleById(decision.rule).reason ?? "The policy was never loaded.";
  const error = refusal(decision, { ...facts, bucket }, reason, policy?.digest ?? "none");
  runtime.record({ operation, bucket, decision });
  runtime.log(error.message, context);
  return Promise.reject(error);
}

function sayWhatEnforceWouldDo(
  { runtime, context, operation }: Call,
  args: Arguments,
  decision: Decision,
): void {
  const verb = decision.decision === "amend" ? `write ${JSON.stringify(decision.set)} into` : "refuse";
  runtime.sayOnce(
    "audit",
    `Auditing only: enforcing would ${verb} this ${operation} to bucket ${bucketOf(args)} (${decision.why}, ` +
      `rule ${decision.rule}). Before you enforce: bucket keys change the KMS encryption context from the ` +
      "object's ARN to the bucket's, which breaks IAM, key policies and grants that name object ARNs. " +
      "Further such requests are only counted: see stats() and the metrics.",
    context,
  );
}

function factsOf(
  { runtime, operation }: Call,
  args: Arguments,
  policy: CompiledPolicy | undefined,
): RequestFacts {
  const { region, account, resolveBucket } = runtime.surroundings;
  const around: Surroundings = {
    region,
    account,
    resolveBucket,
    presigning: isPresigning(args),
    now: policy?.hasExpiry === true ? new Date() : undefined,
  };
  try {
    return requestFacts(operation, args.input, around);
  } catch {
    // Only the user's resolveBucket can throw; the request goes on under the name the caller gave.
    runtime.record({ operation, bucket: bucketOf(args), error: { type: "_OTHER", phase: "request" } });
    return requestFacts(operation, args.input, { ...around, resolveBucket: undefined });
  }
}

/**
 * Whether the SDK is presigning, a guess: `send` hands the command itself down as the arguments, the
 * presigner only its input. When an answer comes after all, `observeWrite` says so.
 */
function isPresigning(args: Arguments): boolean {
  return !("middlewareStack" in args);
}
