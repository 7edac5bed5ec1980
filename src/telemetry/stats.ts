import { OPERATIONS } from "../operations.ts";
import { WHY_DECISION, type Mode, type Note, type ResponseState, type Why } from "../policy/policy.ts";
import { AvoidedRequests } from "./avoided-requests.ts";
import { Cells } from "./cells.ts";
import type { ClientInfo, CountSource, ErrorPhase, Outcome, Stats } from "./telemetry.ts";

const OTHER = "_OTHER";
const OPERATION_WORDS = [...Object.keys(OPERATIONS), OTHER];
const WHY_WORDS = Object.keys(WHY_DECISION) as Why[];
const MODES: readonly Mode[] = ["enforce", "audit", "off"];
const STATES: readonly ResponseState[] = ["enabled", "disabled", "not-applicable", "unknown"];
const ALGORITHMS = ["aws:kms", "aws:kms:dsse", "AES256", "SSE-C", "none", OTHER];
const VERDICTS = ["honoured", "drift", "unverified", "compliant", "noncompliant", "not-applicable"] as const;
const DRIFTS = ["bucket-key", "algorithm", "kms-key"] as const;
const NOTES: readonly Note[] = ["kept-key", "unknown-key", "expired-rule", "own-context"];

/** Kinds of error remembered one by one. */
const MAX_ERROR_TYPES = 50;

/** Everything one plugin counts, in plain cells; the hot path only adds. */
export class Counts implements CountSource {
  readonly #since = new Date().toISOString();
  readonly #info: () => ClientInfo;
  readonly #requests = new Cells(OPERATION_WORDS, WHY_WORDS, MODES);
  readonly #responses = new Cells(OPERATION_WORDS, STATES, ALGORITHMS, VERDICTS);
  readonly #drifts = new Cells(OPERATION_WORDS, DRIFTS);
  readonly #notes = new Cells(NOTES);
  readonly #rules = new Map<string, Cells<[readonly ResponseState[]]>>();
  readonly #errors = new Map<string, { type: string; phase: ErrorPhase; count: number }>();
  readonly #avoided = new AvoidedRequests();
  readonly #reloads = { accepted: 0, rejected: 0 };
  #clients = 0;

  /** @param info - What the clients wear now; asked whenever the counts are read. */
  constructor(info: () => ClientInfo) {
    this.#info = info;
  }

  /** @param nowMs - Any clock, in milliseconds; only the model of avoided requests looks at it. */
  record({ operation, bucket, decision, response, error }: Outcome, nowMs: number): void {
    if (decision !== undefined) {
      this.#requests.add(operation, decision.why, decision.mode);
      for (const note of decision.notes) this.#notes.add(note);
    }
    if (response !== undefined) {
      const { state, sse, verdict, drifts, rule, kmsKey } = response;
      this.#responses.add(operation, state, sse, verdict);
      for (const kind of drifts) this.#drifts.add(operation, kind);
      this.#rule(rule).add(state);
      if (state === "enabled") this.#avoided.add(operation, bucket, kmsKey, nowMs);
    }
    if (error !== undefined) this.failed(error.type, error.phase);
  }

  failed(type: string, phase: ErrorPhase): void {
    const name = this.#errors.size < MAX_ERROR_TYPES ? type : OTHER;
    const known = this.#errors.get(`${type} ${phase}`) ?? this.#errors.get(`${name} ${phase}`);
    if (known !== undefined) known.count++;
    else this.#errors.set(`${name} ${phase}`, { type: name, phase, count: 1 });
  }

  telemetryFailed(): void {
    this.failed(OTHER, "telemetry");
  }

  reloaded(result: "accepted" | "rejected"): void {
    this.#reloads[result]++;
  }

  /** One more client wears the plugin. */
  clientAdded(): void {
    this.#clients++;
  }

  clients(): { info: ClientInfo; count: number } {
    return { info: this.#info(), count: this.#clients };
  }

  stats(): Stats {
    const { policyDigest, mode } = this.#info();
    return {
      since: this.#since,
      policyDigest,
      mode,
      requests: [...this.#requests.entries()].map(([[operation, why, at], count]) => ({
        operation,
        decision: WHY_DECISION[why],
        why,
        mode: at,
        count,
      })),
      responses: [...this.#responses.entries()].map(([[operation, state, sse, verdict], count]) => ({
        operation,
        state,
        sse,
        verdict,
        count,
      })),
      rules: [...this.#rules].flatMap(([rule, cells]) =>
        [...cells.entries()].map(([[state], count]) => ({ rule, state, count })),
      ),
      drifts: [...this.#drifts.entries()].map(([[operation, kind], count]) => ({ operation, kind, count })),
      notes: [...this.#notes.entries()].map(([[note], count]) => ({ note, count })),
      errors: [...this.#errors.values()].map((error) => ({ ...error })),
      policyReloads: { ...this.#reloads },
      estimatedKmsRequestsAvoided: { ...this.#avoided.totals },
    };
  }

  #rule(id: string): Cells<[readonly ResponseState[]]> {
    const known = this.#rules.get(id);
    if (known !== undefined) return known;
    const fresh = new Cells(STATES);
    this.#rules.set(id, fresh);
    return fresh;
  }
}
