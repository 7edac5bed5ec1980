import fc from "fast-check";
import { describe, it, expect } from "vitest";
import { decide } from "../../src/policy/decide.ts";
import { WHY_DECISION, type Decision, type Policy, type RequestFacts } from "../../src/policy/policy.ts";

const KEYS = ["a", "b"].map(
  (c) => `arn:aws:kms:eu-west-1:111122223333:key/${c.repeat(8)}-12ab-34cd-56ef-1234567890ab`,
);

const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

/** Drops undefined members, as a caller who leaves a field out. */
function present<T extends object>(record: T): T {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T;
}

const inheritable = {
  bucketKey: optional(fc.constantFrom("on", "off", "leave", true, false)),
  mode: optional(fc.constantFrom("enforce", "audit", "off")),
  whenSseUnset: optional(fc.constantFrom("leave", "lookup", "send")),
  onLookupFailure: optional(fc.constantFrom("leave", "refuse")),
  onUnproven: optional(fc.constantFrom("pass", "strip", "refuse")),
  presigned: optional(fc.constantFrom("skip", "header", "refuse")),
};

/** Matching on `sse` or `kmsKeys` is left out: there an amended request may meet another rule. */
const match = fc
  .record({
    buckets: optional(
      fc.array(fc.constantFrom("acme", "acme-*", "*-lake", "?*"), { minLength: 1, maxLength: 2 }),
    ),
    prefixes: optional(fc.array(fc.constantFrom("a/", "b/", ""), { minLength: 1, maxLength: 2 })),
    keys: optional(fc.array(fc.constantFrom("*.gz", "a/*", "a?b"), { minLength: 1, maxLength: 2 })),
    operations: optional(
      fc.array(fc.constantFrom("PutObject", "CopyObject", "PutBucketEncryption"), { minLength: 1 }),
    ),
  })
  .map(present);

const rule = fc
  .record({
    ...inheritable,
    match: optional(match),
    except: optional(match),
    kmsKey: optional(fc.constantFrom(...KEYS)),
    onConflict: optional(fc.constantFrom("override", "keep-caller", "refuse")),
    onKeyConflict: optional(fc.constantFrom("override", "keep-caller", "refuse")),
    expires: optional(fc.constantFrom("2026-01-31", "2027-01-31")),
    onExpiry: optional(fc.constantFrom("keep", "drop")),
  })
  .map(present);

const policy: fc.Arbitrary<Policy> = fc
  .record({
    defaults: optional(fc.record(inheritable).map(present)),
    rules: fc
      .array(rule, { maxLength: 4 })
      .map((rules) => rules.map((r, i) => ({ id: `r${i}`, reason: "x", ...r }))),
  })
  .map((fields) => ({ version: 1, ...present(fields) }) as unknown as Policy);

const facts: fc.Arbitrary<RequestFacts> = fc
  .record({
    operation: fc.constantFrom(
      "PutObject",
      "CopyObject",
      "CreateMultipartUpload",
      "PostObject",
      "UpdateObjectEncryption",
      "PutBucketEncryption",
      "GetObject",
      "Unheard",
    ),
    bucket: fc.constantFrom(
      "acme",
      "acme-lake",
      "x--use1-az4--x-s3",
      "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap",
      "",
    ),
    key: optional(fc.constantFrom("a/b", "b/c.gz", "", "aXb")),
    sse: optional(fc.constantFrom("aws:kms", "AES256", "aws:kms:dsse", "SSE-C", "aws:new")),
    kmsKey: optional(fc.constantFrom(...KEYS, "alias/x", "not a key")),
    bucketKey: optional(fc.boolean()),
    ownContext: optional(fc.boolean()),
    bucketDefault: optional(
      fc.oneof(
        fc.constant("lookup-failed" as const),
        fc.record({ sse: fc.constantFrom("aws:kms", "AES256"), bucketKey: fc.boolean() }),
      ),
    ),
    presigning: optional(fc.boolean()),
    now: optional(fc.constant(new Date("2026-11-25T00:00:00Z"))),
  })
  .map((record) => present(record) as RequestFacts);

function amended(request: RequestFacts, decision: Decision): RequestFacts {
  const { sse, kmsKey, bucketKey } = decision.set ?? {};
  const next = { ...request, ...present({ sse, kmsKey }), ...(bucketKey !== undefined && { bucketKey }) };
  if (bucketKey === null) delete (next as { bucketKey?: unknown }).bucketKey;
  return next as RequestFacts;
}

describe("decide", () => {
  it("is total, pure and uses each why for its one decision", () => {
    fc.assert(
      fc.property(policy, facts, (p, f) => {
        const decision = decide(p, f);
        expect(decision).toEqual(decide(p, f));
        expect(WHY_DECISION[decision.why]).toBe(decision.decision);
        expect(decision.set !== undefined).toBe(decision.decision === "amend");
      }),
      { numRuns: 1_000 },
    );
  });

  it("reaches a fixed point: an amended request passes", () => {
    let amendments = 0;
    fc.assert(
      fc.property(policy, facts, (p, f) => {
        const first = decide(p, f);
        if (first.decision !== "amend") return;
        amendments++;
        expect(decide(p, amended(f, first)).decision).toBe("pass");
      }),
      { numRuns: 3_000 },
    );
    expect(amendments).toBeGreaterThan(50);
  });
});
