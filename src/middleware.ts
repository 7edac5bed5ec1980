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
  isPresigning,
  type Arguments,
  type Call,
  type Context,
  type Next,
  type Result,
  type Runtime,
  type SealingCall,
} from "./call.ts";
import type { Course } from "./courses.ts";
import { shownName, type BucketKeyRefusedError } from "./errors.ts";
import { observeAnswer, observeFailure } from "./observation.ts";
import { requestFacts, type Surroundings } from "./observe/request-facts.ts";
import {
  MOVING_BODIES,
  OPERATIONS,
  SEALING_OPERATIONS,
  type Operation,
  type SealingOperation,
} from "./operations.ts";
import type { CompiledPolicy } from "./policy/compile.ts";
import { decideCompiled, decideUnloaded } from "./policy/decide.ts";
import type { Decision, RequestFacts, Seal } from "./policy/policy.ts";
import { sealPlace } from "./policy/seal.ts";
import { refusal } from "./refusal.ts";
import { placeOf, refusedSeal, sendSealed, snapshot } from "./sealing.ts";

/** @param scope - One object per stack, so that uploads of different clients never meet. */
export function bucketKeysMiddleware(
  runtime: Runtime,
  scope: object,
): (next: Next, context: Context) => Next {
  return (next, context) => {
    const operation = operationOf(context);
    if (operation === undefined) {
      const sealing = sealingOperationOf(context);
      if (sealing === undefined) return next;
      const call: SealingCall = { runtime, next, context, operation: sealing, scope };
      return (args) => rejecting(() => moveOtherwise(call, args));
    }
    const call = withCautions({ runtime, next, context, operation, scope });
    const isWrite = OPERATIONS[operation] === "write";
    return (args) => {
      const known = runtime.courses.find(operation, args.input, isPresigning(args));
      if (known !== undefined) return rejecting(() => send(call, args, known));
      return rejecting(() => (isWrite ? write(call, args) : read(call, args)));
    };
  };
}

/** What is thrown before a promise is there rejects all the same. */
function rejecting(step: () => Promise<Result>): Promise<Result> {
  try {
    return step();
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Constants of the SDK's own command builder; they survive minification and subclassing. */
function operationOf({ clientName, commandName }: Context): Operation | undefined {
  if (clientName !== "S3Client" || commandName === undefined) return undefined;
  return OPERATION_OF_COMMAND.get(commandName);
}

const OPERATION_OF_COMMAND: ReadonlyMap<string, Operation> = new Map(
  (Object.keys(OPERATIONS) as Operation[]).map((operation) => [`${operation}Command`, operation]),
);

function sealingOperationOf({ clientName, commandName }: Context): SealingOperation | undefined {
  if (clientName !== "S3Client") return undefined;
  return SEALING_OPERATIONS.find((operation) => commandName === `${operation}Command`);
}

function write(call: Call, args: Arguments): Promise<Result> {
  const active = call.runtime.policy();
  const policy = active.compiled;
  const facts = factsOf(call, args, policy);
  if (policy === undefined) {
    if (mayNotPassUnloaded(call)) return refuse(call, args, UNLOADED, policy);
    return carryOut(call, args, policy, facts, decideUnloaded(active.failure, active.mode, facts));
  }
  if (!policy.needsLookup(facts)) {
    return carryOut(call, args, policy, facts, decideCompiled(policy, facts), "keep");
  }
  // The caller may use the same input for the next call meanwhile.
  const kept: Arguments = { ...args, input: snapshot(args.input) };
  return call.runtime.lookup(facts.bucket, call.context).then((bucketDefault) => {
    // Another policy may hold by now: what waited is decided by it, as if it came now.
    if (call.runtime.policy().compiled !== policy) return write(call, kept);
    const informed: RequestFacts = { ...facts, bucketDefault };
    return carryOut(call, kept, policy, informed, decideCompiled(policy, informed));
  });
}

/** Reads and parts: nothing to decide, but a place that seals can't be read without a sealer. */
function read(call: Call, args: Arguments): Promise<Result> {
  const policy = call.runtime.policy().compiled;
  const facts = factsOf(call, args, policy);
  if (policy === undefined) {
    return mayNotPassUnloaded(call) ? refuse(call, args, UNLOADED, policy) : call.next(args);
  }
  // A session moves no object.
  const mayBeSealed = policy.hasEnvelope && MOVING_BODIES.has(call.operation);
  const seal = mayBeSealed ? sealPlace(policy, facts).seal : "leave";
  if (seal === "seal") {
    const decision = decideCompiled(policy, facts);
    if (decision.why === "refused-seal") return carryOut(call, args, policy, facts, decision);
  } else if (mayBeSealed && seal === "leave") {
    sayIfUnresolved(call, facts);
  }
  const course: Course = { policy, facts, decision: undefined, set: undefined, seal, answers: [] };
  keep(call, args, course);
  return send(call, args, course);
}

/** Operations that say nothing of bucket keys, but move bytes that may be sealed. */
function moveOtherwise(call: SealingCall, args: Arguments): Promise<Result> {
  const policy = call.runtime.policy().compiled;
  const facts = factsOf(call, args, policy);
  // Giving up an upload moves nothing.
  const mustPass = call.operation === "AbortMultipartUpload";
  if (policy === undefined) {
    const isUnknown = call.runtime.sealer !== undefined && !mustPass;
    if (isUnknown) return refuse(call, args, UNLOADED, policy);
    return sendSealed(call, args, "leave", isPresigning(args));
  }
  const { seal, rule } = placeOf(call, policy, facts);
  const nobodySeals = seal === "seal" && call.runtime.sealer === undefined && !mustPass;
  if (nobodySeals) return refuse(call, args, refusedSeal("refused-seal", rule), policy);
  return sendSealed(call, args, seal, isPresigning(args));
}

const UNLOADED: Decision = refusedSeal("refused-policy", "defaults");

/** With a sealer and a policy that never loaded, nobody knows which bodies were to be sealed. */
function mayNotPassUnloaded({ runtime, operation }: Call): boolean {
  return runtime.sealer !== undefined && MOVING_BODIES.has(operation);
}

/** @param keeping - Whether facts and policy alone led to the decision, so that it can be kept. */
function carryOut(
  call: Call,
  args: Arguments,
  policy: CompiledPolicy | undefined,
  facts: RequestFacts,
  decision: Decision,
  keeping?: "keep",
): Promise<Result> {
  const enforced = decision.mode === "enforce" || decision.why === "refused-seal";
  if (enforced && decision.decision === "refuse") return refuse(call, args, decision, policy);
  if (decision.decision !== "pass" && !enforced) sayWhatEnforceWouldDo(call, args, decision);

  const set = enforced ? decision.set : undefined;
  const moves = MOVING_BODIES.has(call.operation);
  const seal: Seal = moves ? decision.seal : "leave";
  if (moves && seal === "leave" && policy?.hasEnvelope === true) sayIfUnresolved(call, facts);
  const course: Course = { policy, facts, decision, set, seal, answers: [] };
  if (keeping === "keep") keep(call, args, course);
  return send(call, args, course);
}

function movesBody(operation: string): boolean {
  return (
    MOVING_BODIES.has(operation as Operation) || SEALING_OPERATIONS.includes(operation as SealingOperation)
  );
}

/** For the next request of its kind; not where the user's `resolveBucket` may name another bucket by then. */
function keep({ runtime, operation }: Call, args: Arguments, course: Course): void {
  if (runtime.surroundings.resolveBucket !== undefined) return;
  runtime.courses.keep(course, operation, args.input, isPresigning(args));
}

function send(call: Call, args: Arguments, course: Course): Promise<Result> {
  // The presigner, too, hands down only an input; nothing further in needs the rest of the arguments.
  const sent: Arguments =
    course.set === undefined
      ? args
      : { input: amendInput(call.operation, args.input, course.set), request: args.request };
  return sendSealed(call, sent, course.seal, isPresigning(args)).then(
    (result) => {
      try {
        observeAnswer(call, args, course, result.response);
      } catch {
        call.runtime.observationFailed();
      }
      return result;
    },
    (error: unknown) => {
      try {
        observeFailure(call, args, error, course.decision);
      } catch {
        call.runtime.observationFailed();
      }
      throw error;
    },
  );
}

function refuse(
  call: Call | SealingCall,
  args: Arguments,
  decision: Decision,
  policy: CompiledPolicy | undefined,
): Promise<never> {
  const reason = policy?.ruleById(decision.rule).reason ?? "The policy was never loaded.";
  return Promise.reject(refused(call, args, decision, reason, policy));
}

/** Counts and says a refusal, and makes its error. */
function refused(
  { runtime, context, operation }: Call | SealingCall,
  args: Arguments,
  decision: Decision,
  reason: string,
  policy: CompiledPolicy | undefined,
): BucketKeyRefusedError {
  const bucket = bucketOf(args);
  const error = refusal(decision, { operation, bucket }, reason, policy?.digest ?? "none", {
    hasSealer: runtime.sealer !== undefined,
    hasPolicy: runtime.hasPolicy,
  });
  runtime.record({ operation, bucket, decision }, context);
  runtime.sayLimited(`refused ${decision.rule} ${operation} ${bucket}`, () => error.message, context);
  return error;
}

/** A call whose place nobody knows, where some places seal. */
function refusedUnplaced(
  call: Call | SealingCall,
  args: Arguments,
  policy: CompiledPolicy,
): BucketKeyRefusedError {
  const decision = refusedSeal("refused-seal", policy.sealing[0]?.rule.id ?? "defaults");
  const reason =
    "The names couldn't be made out (resolveBucket failed or didn't answer with text at once, or a name can't become " +
    "text), so nobody knows whether this place seals.";
  return refused(call, args, decision, reason, policy);
}

/** An access point that no rule matches by its own name may lead to a bucket that seals. */
function sayIfUnresolved({ runtime, context }: Call | SealingCall, facts: RequestFacts): void {
  const { bucket, bucketType } = facts;
  if (runtime.surroundings.resolveBucket !== undefined) return;
  // A directory bucket's own name; its access points end in --xa-s3.
  if (bucketType === "general-purpose" || /^[^:]*--x-s3$/.test(bucket)) return;
  runtime.sayOnce(
    "unresolved",
    `The policy seals some places, and ${shownName(bucket)} stands for a bucket whose name is not known here, so its bodies are ` +
      "not sealed. Name it in a rule's buckets, or give bucketKeys the option resolveBucket. Said once, for all such " +
      "names.",
    context,
  );
}

function sayWhatEnforceWouldDo(
  { runtime, context, operation }: Call,
  args: Arguments,
  decision: Decision,
): void {
  const verb = decision.decision === "amend" ? `write ${JSON.stringify(decision.set)} into` : "refuse";
  runtime.sayOnce(
    "audit",
    `Auditing only: enforcing would ${verb} this ${operation} to bucket ${shownName(bucketOf(args))} (${decision.why}, ` +
      `rule ${decision.rule}). Before you enforce: bucket keys change the KMS encryption context from the ` +
      "object's ARN to the bucket's, which breaks IAM, key policies and grants that name object ARNs. " +
      "Further such requests are only counted: see stats() and the metrics.",
    context,
  );
}

function factsOf(
  call: Call | SealingCall,
  args: Arguments,
  policy: CompiledPolicy | undefined,
): RequestFacts {
  const { runtime, operation, context } = call;
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
    if (policy?.hasEnvelope === true && movesBody(operation)) {
      throw refusedUnplaced(call, args, policy);
    }
    // Only the user's resolveBucket can throw; the request goes on under the name the caller gave.
    const error = { type: "_OTHER", phase: "request" } as const;
    runtime.record({ operation, bucket: bucketOf(args), error }, context);
    return requestFacts(operation, args.input, { ...around, resolveBucket: undefined });
  }
}
