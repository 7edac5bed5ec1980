import type { ClientInfo, EnvelopeStats, Stats } from "../telemetry/telemetry.ts";
import type { PointAttributes } from "./closed-attributes.ts";
import { ATTRIBUTES } from "./names.ts";
import type { MetricKey } from "./names.ts";

/** One total, with its attributes as they were counted. */
export type Row = readonly [metric: MetricKey, total: number, attributes: PointAttributes];

/** Every total of one plugin's counts. */
export function countRows(stats: Stats): Row[] {
  const { estimatedKmsRequestsAvoided: avoided, policyReloads } = stats;
  return [
    ...stats.requests.map(({ operation, decision, why, mode, count }): Row => {
      const { operation: op, decision: kind, why: word, mode: strength } = ATTRIBUTES;
      return ["requests", count, { [op]: operation, [kind]: decision, [word]: why, [strength]: mode }];
    }),
    ...stats.responses.map((response) => responseRow(response, response.count)),
    ...stats.drifts.map(({ operation, kind, count }): Row => {
      return ["drifts", count, { [ATTRIBUTES.operation]: operation, [ATTRIBUTES.driftKind]: kind }];
    }),
    ...stats.errors.map(({ type, phase, count }): Row => {
      return ["errors", count, { [ATTRIBUTES.errorType]: type, [ATTRIBUTES.phase]: phase }];
    }),
    ...stats.rules.map(({ rule, state, count }): Row => {
      return ["ruleResponses", count, { [ATTRIBUTES.rule]: rule, [ATTRIBUTES.state]: state }];
    }),
    ...stats.notes.map(({ note, count }): Row => ["notes", count, { [ATTRIBUTES.note]: note }]),
    ["policyReloads", policyReloads.accepted, { [ATTRIBUTES.reload]: "accepted" }],
    ["policyReloads", policyReloads.rejected, { [ATTRIBUTES.reload]: "rejected" }],
    ["avoidedRequests", avoided.GenerateDataKey, { [ATTRIBUTES.kmsOperation]: "GenerateDataKey" }],
    ["avoidedRequests", avoided.Decrypt, { [ATTRIBUTES.kmsOperation]: "Decrypt" }],
  ];
}

/** Answers of one kind; `bucket` when they are told apart by it. */
export function responseRow(
  answer: {
    readonly operation: string;
    readonly state: string;
    readonly sse: string;
    readonly verdict: string;
  },
  count: number,
  bucket?: string,
): Row {
  const attributes = {
    [ATTRIBUTES.operation]: answer.operation,
    [ATTRIBUTES.state]: answer.state,
    [ATTRIBUTES.sse]: answer.sse,
    [ATTRIBUTES.verdict]: answer.verdict,
    ...(bucket !== undefined && { [ATTRIBUTES.bucket]: bucket }),
  };
  return ["responses", count, attributes];
}

/** Clients that wear a plugin. */
export function clientRow(info: ClientInfo, count: number): Row {
  const attributes = {
    [ATTRIBUTES.mode]: info.mode,
    [ATTRIBUTES.modeSource]: info.modeSource,
    [ATTRIBUTES.policyDigest]: info.policyDigest,
  };
  return ["clientCount", count, attributes];
}

/** What the requests estimated as avoided would have cost. */
export function costRow(stats: Stats, usdPer10000Requests: number): Row {
  const { GenerateDataKey, Decrypt } = stats.estimatedKmsRequestsAvoided;
  return ["avoidedCost", ((GenerateDataKey + Decrypt) / 10_000) * usdPer10000Requests, {}];
}

/** What sealing and opening did. */
export function envelopeRows({ cacheRequests, sealedBytes, openedBytes }: EnvelopeStats): Row[] {
  return [
    ...cacheRequests.map(({ result, count }): Row => {
      return ["cacheRequests", count, { [ATTRIBUTES.cacheResult]: result }];
    }),
    ["envelopeIo", sealedBytes, { [ATTRIBUTES.ioDirection]: "seal" }],
    ["envelopeIo", openedBytes, { [ATTRIBUTES.ioDirection]: "open" }],
  ];
}
