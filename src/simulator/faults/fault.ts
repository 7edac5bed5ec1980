/** What can be made to go wrong: the vocabulary of `injectFault`, and what of it is out of range. */
import { validateHeaderName, validateHeaderValue } from "node:http";

/** Errors of S3 that come and go, with the words S3 says them in; any request may meet them. */
export const FAULT_ERRORS = {
  InternalError: { status: 500, message: "We encountered an internal error. Please try again." },
  SlowDown: { status: 503, message: "Please reduce your request rate." },
  ServiceUnavailable: { status: 503, message: "Reduce your request rate." },
  RequestTimeout: {
    status: 400,
    message:
      "Your socket connection to the server was not read from or written to within the timeout period.",
  },
  AccessDenied: { status: 403, message: "Access Denied" },
} as const;

/**
 * What goes wrong. Times are real time, whatever the simulator's clock says.
 *
 * - `latency`: the request waits before anything of it is carried out: 0 to 60,000 milliseconds.
 * - `error`: S3's error in S3's XML; nothing is carried out. 500 `InternalError`, 503 `SlowDown`, 503
 *   `ServiceUnavailable`, 400 `RequestTimeout`, 403 `AccessDenied`.
 * - `reset`: the connection is reset `before-body` (the head has been read), `after-body` (all has been read, nothing
 *   is carried out) or `before-answer` (the request is carried out, and nobody hears of it).
 * - `truncated-body`: the answer's body breaks off after `afterBytes` (half of it, when left out) and the connection
 *   ends. An answer without a body passes.
 * - `slow-body`: the answer's body drips, at one byte a second or more.
 * - `headers`: the answer's headers say something else: a text replaces the header, `null` leaves it out.
 *
 * @public
 */
export type SimulatorFault =
  | { readonly kind: "latency"; readonly milliseconds: number }
  | {
      readonly kind: "error";
      readonly code: "InternalError" | "SlowDown" | "ServiceUnavailable" | "RequestTimeout" | "AccessDenied";
    }
  | { readonly kind: "reset"; readonly moment: "before-body" | "after-body" | "before-answer" }
  | { readonly kind: "truncated-body"; readonly afterBytes?: number }
  | { readonly kind: "slow-body"; readonly bytesPerSecond: number }
  | { readonly kind: "headers"; readonly set: Readonly<Record<string, string | null>> };

/** How a body goes out that doesn't go out as it should. */
export type SpoiledBody = Extract<SimulatorFault, { readonly kind: "truncated-body" | "slow-body" }>;

/**
 * Which requests to S3 meet a fault; a field that is left out matches all.
 *
 * @public
 */
export interface FaultRule {
  /** As S3 names it: `PutObject`, `UploadPart` ... */
  readonly operation?: string;
  /** Glob: `*` and `?`. */
  readonly bucket?: string;
  /** Glob: `*`, which crosses `/`, and `?`. */
  readonly key?: string;
  /** How many requests of those that match pass first. @defaultValue 0 */
  readonly after?: number;
  /** How many meet the fault then. @defaultValue all, until it is removed */
  readonly times?: number;
  /** What they meet. */
  readonly fault: SimulatorFault;
}

/**
 * A fault that was set.
 *
 * @public
 */
export interface InjectedFault {
  /** How many requests met it so far. */
  readonly hits: number;
  /** Ends it; a second time does nothing. */
  remove(): void;
}

const MAX_LATENCY_MS = 60_000;
const MOMENTS: readonly unknown[] = ["before-body", "after-body", "before-answer"];
/** They say how the answer is framed: changed, they would spoil the connection instead of the answer. */
const FRAMING = new Set(["content-length", "transfer-encoding", "connection", "trailer"]);

type Check = (fault: Readonly<Record<string, unknown>>) => void;

/** Each kind: the fields it takes, and what is wrong with them. */
const KINDS: Readonly<
  Record<SimulatorFault["kind"], { readonly fields: readonly string[]; readonly check: Check }>
> = {
  latency: {
    fields: ["milliseconds"],
    check: ({ milliseconds: ms }) =>
      claim(
        typeof ms === "number" && ms >= 0 && ms <= MAX_LATENCY_MS,
        `latency takes milliseconds, 0 to ${MAX_LATENCY_MS}`,
        ms,
      ),
  },
  error: {
    fields: ["code"],
    check: ({ code }) =>
      claim(
        typeof code === "string" && Object.hasOwn(FAULT_ERRORS, code),
        `error takes a code of ${Object.keys(FAULT_ERRORS).join(", ")}`,
        code,
      ),
  },
  reset: {
    fields: ["moment"],
    check: ({ moment }) =>
      claim(MOMENTS.includes(moment), `reset takes a moment of ${MOMENTS.join(", ")}`, moment),
  },
  "truncated-body": {
    fields: ["afterBytes"],
    check: ({ afterBytes: bytes = 0 }) => claim(isCount(bytes), "afterBytes is zero or more", bytes),
  },
  "slow-body": {
    fields: ["bytesPerSecond"],
    check: ({ bytesPerSecond: rate }) =>
      claim(isCount(rate) && rate > 0, "slow-body takes bytesPerSecond, one or more", rate),
  },
  headers: { fields: ["set"], check: ({ set }) => checkHeaders(set) },
};

export const FAULT_KINDS: readonly string[] = Object.keys(KINDS);

const RULE_FIELDS = ["operation", "bucket", "key", "after", "times", "fault"];

/**
 * For callers without types too, such as another language over HTTP: a rule that matches nothing, or a fault that does
 * nothing, makes a test that shows nothing.
 *
 * @param operations - The names that `operation` can have.
 * @throws `RangeError` that says what to write.
 */
export function checkedRule(given: unknown, operations: readonly string[]): FaultRule {
  const rule = recordOf(given, "a fault rule");
  claimFields(rule, RULE_FIELDS, "a fault rule");
  const { operation, bucket = "", key = "", after = 0, times = 1 } = rule;
  // The word itself comes first: the list behind it is long.
  if (operation !== undefined && !operations.some((known) => known === operation)) {
    throw new RangeError(
      `${shown(operation)} isn't an S3 operation; KMS's endpoint has no faults: disable the key, or deny with ` +
        `PutKeyPolicy. S3's are ${operations.join(", ")}`,
    );
  }
  claim(typeof bucket === "string", "bucket is a glob", bucket);
  claim(typeof key === "string", "key is a glob", key);
  claim(isCount(after), "after is zero or more", after);
  claim(times === Infinity || (isCount(times) && times > 0), "times is one or more", times);
  const fault = recordOf(rule["fault"], "a fault");
  const { kind } = fault;
  claim(
    typeof kind === "string" && Object.hasOwn(KINDS, kind),
    `a fault's kind is one of ${FAULT_KINDS.join(", ")}`,
    kind,
  );
  const { fields, check } = KINDS[kind as SimulatorFault["kind"]];
  claimFields(fault, ["kind", ...fields], kind as string);
  check(fault);
  return structuredClone(rule) as unknown as FaultRule;
}

function checkHeaders(set: unknown): void {
  const entries = Object.entries(recordOf(set, "headers.set"));
  claim(entries.length > 0, "headers takes at least one header", set);
  for (const [name, value] of entries) {
    claim(!FRAMING.has(name.toLowerCase()), "framing stays: use truncated-body or reset", name);
    claim(value === null || typeof value === "string", "a header is a text, or null to leave it out", value);
    try {
      validateHeaderName(name);
      if (value !== null) validateHeaderValue(name, value as string);
    } catch {
      throw new RangeError(`HTTP does not allow this header: ${JSON.stringify({ [name]: value })}`);
    }
  }
}

function recordOf(given: unknown, what: string): Readonly<Record<string, unknown>> {
  const isRecord = typeof given === "object" && given !== null && !Array.isArray(given);
  claim(isRecord, `${what} is an object`, given);
  return given as Readonly<Record<string, unknown>>;
}

function claimFields(given: object, known: readonly string[], what: string): void {
  const odd = Object.keys(given).find((name) => !known.includes(name));
  claim(odd === undefined, `${what} has ${known.join(", ")}`, odd);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function claim(holds: boolean, message: string, found: unknown): void {
  if (!holds) throw new RangeError(`${message}: ${shown(found)}`);
}

function shown(found: unknown): string | undefined {
  return typeof found === "string" ? found : JSON.stringify(found);
}
