import type { EnvelopeEvent } from "../../src/body-sealer.ts";

/** A short life of one sealer: every kind of event, in words of the closed lists. */
export const EVENTS: readonly EnvelopeEvent[] = [
  { kind: "cache", result: "miss" },
  { kind: "kms-request", operation: "GenerateDataKey", seconds: 0.03 },
  { kind: "entries", change: 1 },
  { kind: "io", direction: "seal", bytes: 1_000 },
  { kind: "cache", result: "hit" },
  { kind: "io", direction: "seal", bytes: 100 },
  { kind: "cache", result: "hit" },
  { kind: "io", direction: "open", bytes: 1_000 },
  { kind: "cache", result: "expired" },
  { kind: "retired", reason: "ttl", ageSeconds: 301.5, uses: 7 },
  { kind: "entries", change: -1 },
  { kind: "kms-request", operation: "GenerateDataKey", seconds: 0.07 },
  { kind: "entries", change: 1 },
  { kind: "cache", result: "bypass" },
  { kind: "kms-request", operation: "Decrypt", seconds: 2, errorType: "AccessDeniedException" },
  { kind: "failed", phase: "kms", errorType: "AccessDeniedException" },
  { kind: "kms-request", operation: "Decrypt", seconds: 0.004 },
  { kind: "failed", phase: "crypto", errorType: "EnvelopeIntegrityError" },
  { kind: "plain-read" },
];
