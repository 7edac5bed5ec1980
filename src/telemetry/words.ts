/** The closed lists of words that counts are kept under, and the word for everything else. */
import type { CacheResult, EnvelopeEvent, RetireReason } from "../body-sealer.ts";
import { OPERATIONS } from "../operations.ts";
import { WHY_DECISION } from "../policy/policy.ts";
import type { DriftKind, Mode, Note, ResponseState, Verdict, Why } from "../policy/policy.ts";

/** Stands for every word outside its list, and for names past a cap. */
export const OTHER = "_OTHER";

export const OPERATION_NAMES: readonly string[] = Object.keys(OPERATIONS);
export const WHYS: readonly Why[] = Object.keys(WHY_DECISION) as Why[];
export const MODES: readonly Mode[] = wordsOf<Mode>({ enforce: 1, audit: 1, off: 1 });
export const STATES: readonly ResponseState[] = wordsOf<ResponseState>({
  enabled: 1,
  disabled: 1,
  "not-applicable": 1,
  unknown: 1,
});
export const ALGORITHMS: readonly string[] = ["aws:kms", "aws:kms:dsse", "AES256", "SSE-C", "none"];
export const VERDICTS: readonly Verdict[] = wordsOf<Verdict>({
  honoured: 1,
  drift: 1,
  unverified: 1,
  compliant: 1,
  noncompliant: 1,
  "not-applicable": 1,
});
export const DRIFT_KINDS: readonly DriftKind[] = wordsOf<DriftKind>({
  "bucket-key": 1,
  algorithm: 1,
  "kms-key": 1,
});
export const NOTES: readonly Note[] = wordsOf<Note>({
  "kept-key": 1,
  "unknown-key": 1,
  "expired-rule": 1,
  "own-context": 1,
});
/** What client-side encryption asks of KMS. */
export const KMS_OPERATIONS: readonly KmsOperation[] = wordsOf<KmsOperation>({
  GenerateDataKey: 1,
  Decrypt: 1,
});
export const CACHE_RESULTS: readonly CacheResult[] = wordsOf<CacheResult>({
  hit: 1,
  miss: 1,
  expired: 1,
  bypass: 1,
});
export const RETIRE_REASONS: readonly RetireReason[] = wordsOf<RetireReason>({
  ttl: 1,
  uses: 1,
  bytes: 1,
  lru: 1,
  error: 1,
  stale: 1,
});

type KmsOperation = Extract<EnvelopeEvent, { readonly kind: "kms-request" }>["operation"];

/**
 * All words of a union. The keys of a Record are checked for completeness, which a list of literals is not: a
 * new word of the vocabulary fails to compile until it is named.
 */
export function wordsOf<Word extends string>(words: Readonly<Record<Word, 1>>): readonly Word[] {
  return Object.keys(words) as Word[];
}
