import type { EnvelopeEvent } from "../body-sealer.ts";
import { OPERATIONS, type Operation } from "../operations.ts";
import { WHY_DECISION, type ResponseState } from "../policy/policy.ts";
import { AvoidedRequests } from "./avoided-requests.ts";
import { Cells } from "./cells.ts";
import { EnvelopeCounts } from "./envelope-counts.ts";
import type { ClientInfo, CountSource, ErrorPhase, Outcome, Stats } from "./telemetry.ts";
import {
  ALGORITHMS,
  DRIFT_KINDS,
  MODES,
  NOTES,
  OPERATION_NAMES,
  OTHER,
  STATES,
  VERDICTS,
  WHYS,
} from "./words.ts";

/** Kinds of error remembered one by one. */
const MAX_ERRORS = 50;
/** Rules remembered one by one, over all policies of the plugin's life. */
const MAX_RULES = 1_000;
/** Outcomes counted at a time. */
const BATCH = 32;

/** Sessions are held against no rule. */
function isSession(operation: string): boolean {
  return OPERATIONS[operation as Operation] === "session";
}

const OPERATIONS_OR_OTHER = [...OPERATION_NAMES, OTHER];
const ALGORITHMS_OR_OTHER = [...ALGORITHMS, OTHER];

/**
 * Everything one plugin counts, in plain cells of bounded number.
 *
 * Outcomes wait until a batch of them has come, or a reader: counting each one between two requests, with
 * caches that hold everything but these cells, costs many times as much.
 */
export class Counts implements CountSource {
  readonly #since = new Date().toISOString();
  readonly #info: () => ClientInfo;
  readonly #requests = new Cells(OPERATIONS_OR_OTHER, WHYS, MODES);
  readonly #responses = new Cells(OPERATIONS_OR_OTHER, STATES, ALGORITHMS_OR_OTHER, VERDICTS);
  readonly #drifts = new Cells(OPERATIONS_OR_OTHER, DRIFT_KINDS);
  readonly #notes = new Cells(NOTES);
  readonly #rules = new Map<string, Record<ResponseState, number>>();
  readonly #errors = new Map<string, { type: string; phase: ErrorPhase; count: number }>();
  readonly #avoided = new AvoidedRequests();
  readonly #reloads = { accepted: 0, rejected: 0 };
  readonly #waiting: Outcome[] = [];
  readonly #waitingSinceMs: number[] = [];
  #envelope: EnvelopeCounts | undefined;
  #clients = 0;

  /** @param info - What the clients wear now; asked whenever the counts are read. */
  constructor(info: () => ClientInfo) {
    this.#info = info;
  }

  /** @param nowMs - Any clock, in milliseconds; only the model of avoided requests looks at it. */
  record(outcome: Outcome, nowMs: number): void {
    this.#waiting.push(outcome);
    this.#waitingSinceMs.push(nowMs);
    if (this.#waiting.length >= BATCH) this.#countWaiting();
  }

  #countWaiting(): void {
    const times = this.#waitingSinceMs.splice(0);
    for (const [i, outcome] of this.#waiting.splice(0).entries()) this.#count(outcome, times[i] as number);
  }

  #count({ operation, bucket, decision, response, error }: Outcome, nowMs: number): void {
    if (decision !== undefined) {
      this.#requests.add(operation, decision.why, decision.mode);
      for (const note of decision.notes) this.#notes.add(note);
    }
    if (response !== undefined) {
      const { state, sse, verdict, drifts, rule, kmsKey } = response;
      this.#responses.add(operation, state, sse, verdict);
      for (const kind of drifts) this.#drifts.add(operation, kind);
      if (!isSession(operation)) this.#statesOf(rule)[state]++;
      // An unverified answer may be a failure, for which S3 may have asked KMS nothing.
      if (state === "enabled" && verdict !== "unverified")
        this.#avoided.add(operation, bucket, kmsKey, nowMs);
    }
    if (error !== undefined) this.failed(error.type, error.phase);
  }

  failed(type: string, phase: ErrorPhase): void {
    const isKnown = this.#errors.has(`${phase} ${type}`);
    const name = isKnown || this.#errors.size < MAX_ERRORS ? type : OTHER;
    const error = this.#errors.get(`${phase} ${name}`) ?? { type: name, phase, count: 0 };
    error.count++;
    this.#errors.set(`${phase} ${name}`, error);
  }

  telemetryFailed(): void {
    this.failed(OTHER, "telemetry");
  }

  /** A sealer is there: `stats().envelope` is present from now on, if only with zeros. */
  sealerAdded(): void {
    this.#envelope ??= new EnvelopeCounts();
  }

  /** Whoever also has a `Telemetry` tells its `measure` of the event first. */
  envelope(event: EnvelopeEvent): void {
    this.#envelope ??= new EnvelopeCounts();
    if (event.kind === "failed") this.failed(event.errorType === "" ? OTHER : event.errorType, event.phase);
    else this.#envelope.count(event);
  }

  reloaded(result: "accepted" | "rejected"): void {
    this.#reloads[result]++;
  }

  /** One more client wears the plugin. */
  clientAdded(): void {
    this.#clients++;
  }

  /** Another plugin took its place on a client. */
  clientRemoved(): void {
    this.#clients--;
  }

  clients(): { info: ClientInfo; count: number } {
    return { info: this.#info(), count: this.#clients };
  }

  stats(): Stats {
    this.#countWaiting();
    const { policyDigest, mode } = this.#info();
    return {
      since: this.#since,
      policyDigest,
      mode,
      requests: this.#requests.entries().map(([[operation, why, at], count]) => ({
        operation,
        decision: WHY_DECISION[why],
        why,
        mode: at,
        count,
      })),
      responses: this.#responses.entries().map(([[operation, state, sse, verdict], count]) => ({
        operation,
        state,
        sse,
        verdict,
        count,
      })),
      rules: [...this.#rules].flatMap(([rule, counts]) =>
        STATES.flatMap((state) => (counts[state] > 0 ? [{ rule, state, count: counts[state] }] : [])),
      ),
      drifts: this.#drifts.entries().map(([[operation, kind], count]) => ({ operation, kind, count })),
      notes: this.#notes.entries().map(([[note], count]) => ({ note, count })),
      errors: [...this.#errors.values()].map((error) => ({ ...error })),
      policyReloads: { ...this.#reloads },
      estimatedKmsRequestsAvoided: { ...this.#avoided.totals },
      ...(this.#envelope !== undefined && { envelope: this.#envelope.stats() }),
    };
  }

  #statesOf(rule: string): Record<ResponseState, number> {
    const known = this.#rules.get(rule);
    if (known !== undefined) return known;
    if (this.#rules.size >= MAX_RULES && rule !== OTHER) return this.#statesOf(OTHER);
    const fresh = { enabled: 0, disabled: 0, "not-applicable": 0, unknown: 0 };
    this.#rules.set(rule, fresh);
    return fresh;
  }
}
