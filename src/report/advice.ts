import type { Increment, Reading } from "./read.ts";
import {
  attribute,
  numeral,
  coverageOf,
  of,
  percent,
  plural,
  roleOf,
  sum,
  tally,
  type Tally,
} from "./tally.ts";

/** What a reader should do, in plain words. */
export interface Advice {
  /** `act`: now. `look`: soon. `good`: nothing to do. */
  readonly level: "act" | "look" | "good";
  readonly text: string;
}

/** A cache that answers less often than this saves little. */
const POOR_HIT_SHARE = 0.8;
/** Look-ups and answers below which a share says nothing. */
const ENOUGH = 20;

/** The most urgent first; at least one. */
export function adviceOn(reading: Reading): Advice[] {
  const found = [
    ...onDrifts(reading.increments),
    ...onErrors(reading.increments),
    ...onRefusals(reading.increments),
    ...onCoverage(reading),
    ...onNotes(reading.increments),
    ...onEnvelope(reading.increments),
    ...onSwitches(reading),
  ];
  const urgent = [
    ...found.filter(({ level }) => level === "act"),
    ...found.filter(({ level }) => level === "look"),
  ];
  return urgent.length > 0 ? urgent : [{ level: "good", text: "Nothing needs doing." }];
}

function onDrifts(increments: readonly Increment[]): Advice[] {
  const drifts = sum(of(increments, "drifts"));
  if (drifts === 0) return [];
  const text = `S3 answered with something else than the policy had enforced (${plural(drifts, "drift")}). The log lines name bucket and rule. Look for another middleware or a proxy that changes headers after the plugin, or a server that isn't AWS.`;
  return [{ level: "act", text }];
}

function onErrors(increments: readonly Increment[]): Advice[] {
  const errors = of(increments, "errors");
  const seen = (phase: string, type?: string): number =>
    sum(
      errors.filter(
        (one) =>
          attribute(one, "phase") === phase && (type === undefined || attribute(one, "errorType") === type),
      ),
    );
  const advice: Advice[] = [];
  if (seen("crypto", "EnvelopeIntegrityError") > 0) {
    const text = `${plural(seen("crypto", "EnvelopeIntegrityError"), "sealed object")} could not be opened. First check keyId, decryptKeyIds and encryptionContext against the writer's; where they agree, take the objects for damaged or tampered with, and restore versions you trust.`;
    advice.push({ level: "act", text });
  }
  if (seen("amended") > 0) {
    const text = `S3 or KMS denied ${plural(seen("amended"), "request")} that the plugin had changed. Check that key policies allow the bucket's ARN as encryption context: those written for the object's ARN break with bucket keys.`;
    advice.push({ level: "act", text });
  }
  if (seen("kms") > 0) {
    const text = `Client-side encryption could not get a data key ${plural(seen("kms"), "time")}: see the error types below.`;
    advice.push({ level: "act", text });
  }
  if (seen("telemetry") > 0) {
    const text = `Telemetry itself failed ${plural(seen("telemetry"), "time")}: exported metrics may miss something.`;
    advice.push({ level: "look", text });
  }
  return advice;
}

function onRefusals(increments: readonly Increment[]): Advice[] {
  const refused = of(increments, "requests").filter((one) => attribute(one, "decision") === "refuse");
  const inMode = (mode: string): Increment[] => refused.filter((one) => attribute(one, "mode") === mode);
  const advice: Advice[] = [];
  if (inMode("enforce").length > 0) {
    const text = `${plural(sum(inMode("enforce")), "write")} refused (${wordsOf(inMode("enforce"), "why")}): change the callers or the policy. Each error names rule and reason.`;
    advice.push({ level: "act", text });
  }
  if (inMode("audit").length > 0) {
    const text = `${plural(sum(inMode("audit")), "write")} will be refused when you enforce (${wordsOf(inMode("audit"), "why")}): change those callers before.`;
    advice.push({ level: "look", text });
  }
  return advice;
}

function onCoverage({ increments }: Reading): Advice[] {
  const responses = of(increments, "responses");
  const coverage = (role: string): ReturnType<typeof coverageOf> =>
    coverageOf(responses.filter((one) => roleOf(one) === role));
  const [writes, reads] = [coverage("write"), coverage("read")];
  const advice: Advice[] = [];
  if (writes.covered < writes.all) {
    const missing = responses.filter(
      (one) =>
        roleOf(one) === "write" &&
        attribute(one, "sse") === "aws:kms" &&
        attribute(one, "state") !== "enabled",
    );
    const buckets = wordsOf(missing, "bucket");
    const into = buckets === "" ? "" : ` (${buckets})`;
    const text = `${plural(writes.all - writes.covered, "write")} with a KMS key had no bucket key${into}. The rules below show where: turn the bucket key on there, or ask why it is off.`;
    advice.push({ level: "look", text });
  }
  const unenforced = sum(of(increments, "requests").filter((one) => attribute(one, "why") === "unenforced"));
  if (unenforced > 0 && !onlySeals(increments)) {
    const unless = seals(increments) ? ", unless it seals" : "";
    const text = `${plural(unenforced, "write")} named no encryption, and neither did the rule: give the rule a kmsKey${unless}.`;
    advice.push({ level: "look", text });
  }
  if (reads.covered < reads.all && reads.all >= ENOUGH) {
    const text = `${percent(reads)} of the objects read with a KMS key have a bucket key. The others were mostly written before the policy: copy them over themselves, or let them expire.`;
    advice.push({ level: "look", text });
  }
  return advice;
}

/** Whether anything is sealed or opened by client-side encryption. */
function seals(increments: readonly Increment[]): boolean {
  return of(increments, "cacheRequests").length > 0;
}

/** Whether all of it falls under the rule that stands in for a policy: it has no kmsKey, and needs none. */
function onlySeals(increments: readonly Increment[]): boolean {
  const rules = of(increments, "ruleResponses");
  return seals(increments) && rules.length > 0 && rules.every((one) => attribute(one, "rule") === "sealed");
}

const NOTES: Readonly<Record<string, string>> = {
  "unknown-key": "named an alias that the policy doesn't list: list it under kmsKeys.",
  "expired-rule": "fell under a rule past its date: renew or remove it.",
  "own-context":
    "brought an encryption context: one bucket key for each, so little is saved. Do they need it?",
};

function onNotes(increments: readonly Increment[]): Advice[] {
  const notes = tally(of(increments, "notes"), (one) => attribute(one, "note"));
  return [...notes].flatMap(([note, times]): Advice[] => {
    const what = Object.hasOwn(NOTES, note) ? NOTES[note] : undefined;
    return what === undefined ? [] : [{ level: "look", text: `${plural(times, "write")} ${what}` }];
  });
}

function onEnvelope(increments: readonly Increment[]): Advice[] {
  const cache = tally(of(increments, "cacheRequests"), (one) => attribute(one, "cacheResult"));
  const asked = [...cache.values()].reduce((a, b) => a + b, 0);
  const hits = cache.get("hit") ?? 0;
  const advice: Advice[] = [];
  if (asked >= ENOUGH && hits / asked < POOR_HIT_SHARE) {
    const text = `Only ${percent({ covered: hits, all: asked })} of the look-ups of bucket keys were hits: a longer maxAgeSeconds and fewer different encryption contexts make fewer KMS requests.`;
    advice.push({ level: "look", text });
  }
  const stale =
    tally(of(increments, "dataKeyAge"), (one) => attribute(one, "retireReason")).get("stale") ?? 0;
  if (stale > 0) {
    const text = `${plural(stale, "bucket key")} lived past maxAgeSeconds because KMS failed (staleIfErrorSeconds): look at KMS.`;
    advice.push({ level: "act", text });
  }
  const plain = sum(of(increments, "plainReads"));
  if (plain > 0) {
    const text = `${plural(plain, "plain object")} read where sealed ones are expected: what is left to migrate.`;
    advice.push({ level: "look", text });
  }
  return advice;
}

function onSwitches({ wears, increments }: Reading): Advice[] {
  const modes = new Set(wears.map(({ mode }) => mode));
  const digests = new Set(wears.map(({ policyDigest }) => policyDigest));
  const rejected = sum(
    of(increments, "policyReloads").filter((one) => attribute(one, "reload") === "rejected"),
  );
  return [
    ...(rejected > 0
      ? [
          saying(
            "act",
            `${plural(rejected, "policy reload")} rejected: the last good policy stays. Run s3-bucket-keys check.`,
          ),
        ]
      : []),
    ...(modes.has("off") ? [saying("act", "A process ended in mode off: nothing is decided there.")] : []),
    ...(modes.has("audit")
      ? [
          saying(
            "look",
            `A process is in mode audit: ${seals(increments) ? "sealing goes on, all else is" : "writes are"} only watched. ${whenToEnforce(increments)}`,
          ),
        ]
      : []),
    ...(digests.size > 1
      ? [
          saying(
            "look",
            `Processes ended with ${numeral(digests.size)} different policies: a roll-out is under way, or stuck.`,
          ),
        ]
      : []),
  ];
}

function whenToEnforce(increments: readonly Increment[]): string {
  const watched = of(increments, "requests").filter((one) => attribute(one, "mode") === "audit");
  if (watched.length === 0) return "Enforce when you have seen its writes.";
  return watched.some((one) => attribute(one, "decision") === "refuse")
    ? "Enforce when the refusals are settled."
    : "Nothing would have been refused: enforce.";
}

function saying(level: Advice["level"], text: string): Advice {
  return { level, text };
}

/** The three most frequent words, with their counts. */
function wordsOf(increments: readonly Increment[], key: "why" | "bucket"): string {
  const top = ranked(tally(increments, (one) => attribute(one, key))).slice(0, 3);
  return top.map(([word, times]) => `${word}: ${numeral(times)}`).join(", ");
}

/** The largest first. */
export function ranked(counts: Tally): [name: string, count: number][] {
  return [...counts].toSorted(([, a], [, b]) => b - a);
}
