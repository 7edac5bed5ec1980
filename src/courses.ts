/**
 * What requests of one kind came to, kept for the next of that kind.
 *
 * Working it out takes well under a microsecond in a loop, but many after a call of the SDK, which leaves
 * nothing of ours in the processor's caches. So a request that is like an earlier one is recognised by a few
 * comparisons and touches neither rules nor facts.
 */
import type { EncryptionHeaders } from "./observe/response-facts.ts";
import type { Operation } from "./operations.ts";
import type { CompiledPolicy } from "./policy/compile.ts";
import type { Decision, DecisionSet, RequestFacts, Seal } from "./policy/policy.ts";
import type { Outcome } from "./telemetry/telemetry.ts";

type Input = Readonly<Record<string, unknown>>;

/** What is done about a request, and what answers to it came to. */
export interface Course {
  readonly policy: CompiledPolicy | undefined;
  readonly facts: RequestFacts;
  /** Absent for reads and parts. */
  readonly decision: Decision | undefined;
  /** What is written into the input, if anything. */
  readonly set: DecisionSet | undefined;
  /** What holds for the body: `leave` also where the operation moves none. */
  readonly seal: Seal;
  /** Answers so far, and what they came to. */
  readonly answers: Answered[];
}

interface Answered {
  readonly headers: EncryptionHeaders;
  readonly outcome: Outcome;
}

/** A course, and what tells kinds of requests to one bucket apart: these members as the caller wrote them. */
interface Known {
  readonly operation: Operation;
  readonly presigning: boolean;
  readonly sse: unknown;
  readonly kmsKey: unknown;
  readonly bucketKey: unknown;
  readonly course: Course;
}

const MAX_BUCKETS = 500;
/** Kinds of requests per bucket, and answers per kind. */
const MAX_KINDS = 8;

/** Their encryption stands deeper in the input, where no two are compared. */
const NESTED: ReadonlySet<Operation> = new Set<Operation>(["UpdateObjectEncryption", "PutBucketEncryption"]);

/** The courses of a plugin under its present policy, of bounded number. */
export class Courses {
  readonly #byBucket = new Map<unknown, Known[]>();

  /** The course of an earlier request of this kind. */
  find(operation: Operation, input: Input, presigning: boolean): Course | undefined {
    const kinds = this.#byBucket.get(input["Bucket"]);
    if (kinds === undefined || hasRareMembers(input)) return undefined;
    for (let i = 0; i < kinds.length; i++) {
      const known = kinds[i] as Known;
      if (
        known.operation === operation &&
        known.presigning === presigning &&
        known.sse === input["ServerSideEncryption"] &&
        known.kmsKey === input["SSEKMSKeyId"] &&
        known.bucketKey === input["BucketKeyEnabled"]
      ) {
        return known.course;
      }
    }
    return undefined;
  }

  /** Keeps a course, unless another request of its kind could come to another one: by its key, or by the time. */
  keep(course: Course, operation: Operation, input: Input, presigning: boolean): void {
    const { policy } = course;
    const bucket = input["Bucket"];
    if (typeof bucket !== "string" || NESTED.has(operation) || hasRareMembers(input)) return;
    if (policy === undefined || policy.hasExpiry || policy.testsKey(bucket)) return;
    const { ServerSideEncryption: sse, SSEKMSKeyId: kmsKey, BucketKeyEnabled: bucketKey } = input;
    // What isn't plain can change under the same identity.
    if ([sse, kmsKey, bucketKey].some((member) => typeof member === "object")) return;
    const kinds = this.#byBucket.get(bucket) ?? [];
    push(kinds, { operation, presigning, sse, kmsKey, bucketKey, course });
    this.#byBucket.set(bucket, kinds);
    if (this.#byBucket.size > MAX_BUCKETS) this.#byBucket.delete(this.#byBucket.keys().next().value);
  }

  /** Forgets all: another policy holds. */
  clear(): void {
    this.#byBucket.clear();
  }
}

/** Members that few requests have, of which some are secret or differ each time; such requests are not kept. */
function hasRareMembers(input: Input): boolean {
  return (
    input["SSECustomerAlgorithm"] !== undefined ||
    input["SSECustomerKey"] !== undefined ||
    input["SSEKMSEncryptionContext"] !== undefined ||
    input["CopySource"] !== undefined
  );
}

/** What an equal answer to an earlier request of this kind came to. */
export function knownOutcome(
  { answers }: Course,
  { sse, flag, kmsKey, customer }: EncryptionHeaders,
): Outcome | undefined {
  for (let i = 0; i < answers.length; i++) {
    const { headers, outcome } = answers[i] as Answered;
    const isSame = headers.sse === sse && headers.flag === flag && headers.kmsKey === kmsKey;
    if (isSame && headers.customer === customer) return outcome;
  }
  return undefined;
}

export function keepOutcome({ answers }: Course, headers: EncryptionHeaders, outcome: Outcome): void {
  push(answers, { headers, outcome });
}

/** The newest instead of the oldest, once there are many. */
function push<T>(list: T[], item: T): void {
  if (list.length >= MAX_KINDS) list.shift();
  list.push(item);
}
