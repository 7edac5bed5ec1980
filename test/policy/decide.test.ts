import { describe, expect, it } from "vitest";
import { compilePolicy } from "../../src/policy/compile.ts";
import { decide, decideCompiled, decideUnloaded } from "../../src/policy/decide.ts";
import { WHY_DECISION } from "../../src/policy/policy.ts";
import type {
  Decision,
  DecisionSet,
  Note,
  PolicyDefaults,
  PolicyRule,
  RequestFacts,
  Why,
} from "../../src/policy/policy.ts";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER = "arn:aws:kms:eu-west-1:111122223333:key/99999999-12ab-34cd-56ef-1234567890ab";
const MRK = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab";
const REPLICA = "arn:aws:kms:us-east-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab";

type RuleFields = Partial<PolicyRule>;
interface Row {
  readonly id: string;
  readonly path: string;
  readonly rule?: RuleFields;
  readonly defaults?: PolicyDefaults;
  readonly request?: Partial<RequestFacts>;
  readonly why: Why;
  readonly set?: DecisionSet;
  readonly notes?: readonly Note[];
}

const on: RuleFields = { bucketKey: "on" };
const off: RuleFields = { bucketKey: "off" };
const keyed: RuleFields = { bucketKey: "on", kmsKey: KEY };
const kms = { sse: "aws:kms", kmsKey: KEY };

function decideRow(row: Row): Decision {
  const policy = {
    version: 1 as const,
    defaults: { mode: "enforce" as const, ...row.defaults },
    kmsKeys: {
      lake: { arn: KEY, aliases: ["alias/lake"] },
      second: { arn: OTHER, aliases: ["alias/second"] },
    },
    ...(row.rule !== undefined && {
      rules: [{ id: "r", reason: "because", ...row.rule }],
    }),
  };
  return decide(policy, { operation: "PutObject", bucket: "acme", key: "a/b", ...row.request });
}

const completed = { sse: "aws:kms", kmsKey: KEY };

const ROWS: readonly Row[] = [
  // D1
  {
    id: "D1",
    path: "a presigned write under seal",
    rule: { envelope: "seal", mode: "audit" },
    request: { presigning: true },
    why: "refused-seal",
  },
  {
    id: "D1",
    path: "a POST under seal",
    rule: { envelope: "seal" },
    request: { operation: "PostObject" },
    why: "refused-seal",
  },
  {
    id: "D1",
    path: "UploadPartCopy under seal",
    rule: { envelope: "seal" },
    request: { operation: "UploadPartCopy" },
    why: "refused-seal",
  },
  {
    id: "D1",
    path: "the mode off does not weaken sealing",
    rule: { envelope: "seal", mode: "off" },
    request: { presigning: true },
    why: "refused-seal",
  },
  {
    id: "D1",
    path: "a presigned write under unseal is as anywhere",
    rule: { envelope: "unseal", bucketKey: "on" },
    request: { ...kms, presigning: true },
    why: "presigned",
  },
  // D2
  ...["data--use1-az4--x-s3", "ap--use1-az4--xa-s3"].map((bucket): Row => ({
    id: "D2",
    path: `directory bucket ${bucket}`,
    rule: keyed,
    request: { bucket, ...kms },
    why: "not-applicable",
  })),
  {
    id: "D2",
    path: "copy from a directory bucket",
    rule: on,
    request: { operation: "CopyObject", ...kms, copySource: { bucket: "d--use1-az4--x-s3" } },
    why: "not-applicable",
  },
  {
    id: "D2",
    path: "copy from a general purpose bucket is decided",
    rule: on,
    request: { operation: "CopyObject", ...kms, copySource: { bucket: "source" } },
    why: "set",
    set: { bucketKey: true },
  },
  {
    id: "D2",
    path: "Outposts",
    rule: on,
    request: { ...kms, bucketType: "outposts" },
    why: "not-applicable",
  },
  {
    id: "D2",
    path: "Object Lambda ARN",
    rule: on,
    request: { ...kms, bucket: "arn:aws:s3-object-lambda:us-east-1:111122223333:accesspoint/ol" },
    why: "not-applicable",
  },
  {
    id: "D2",
    path: "an operation that is no write",
    rule: on,
    request: { operation: "GetObject" },
    why: "not-applicable",
  },
  {
    id: "D2",
    path: "even when a rule is off",
    rule: { ...on, mode: "off" },
    request: { bucketType: "directory" },
    why: "not-applicable",
  },
  // D4
  { id: "D4", path: "no rule, defaults state nothing", request: kms, why: "no-rule" },
  {
    id: "D4",
    path: "no rule, a flag on aws:kms is the caller's business",
    request: { ...kms, bucketKey: false },
    why: "no-rule",
  },
  {
    id: "D4",
    path: "no rule, a flag without an algorithm",
    request: { bucketKey: true },
    defaults: { onUnproven: "refuse" },
    why: "no-rule",
  },
  {
    id: "D4",
    path: "no rule, another algorithm without a flag",
    request: { sse: "AES256" },
    why: "no-rule",
  },
  {
    id: "D4",
    path: "no rule, a flag on AES256 goes to D17",
    request: { sse: "AES256", bucketKey: true },
    defaults: { onUnproven: "refuse" },
    why: "refused-unproven",
  },
  {
    id: "D4",
    path: "PutBucketEncryption never falls to defaults",
    defaults: { bucketKey: "on" },
    request: { operation: "PutBucketEncryption", ...kms },
    why: "no-rule",
  },
  {
    id: "D4",
    path: "defaults that state a flag decide",
    defaults: { bucketKey: "on" },
    request: kms,
    why: "set",
    set: { bucketKey: true },
  },
  // D5
  { id: "D5", path: "rule mode off", rule: { ...on, mode: "off" }, request: kms, why: "off" },
  {
    id: "D5",
    path: "defaults mode off is inherited",
    rule: on,
    defaults: { mode: "off" },
    request: kms,
    why: "off",
  },
  // D6
  {
    id: "D6",
    path: "skip is the default",
    rule: on,
    request: { ...kms, presigning: true },
    why: "presigned",
  },
  {
    id: "D6",
    path: "refuse",
    rule: { ...on, presigned: "refuse" },
    request: { ...kms, presigning: true },
    why: "refused-presigned",
  },
  {
    id: "D6",
    path: "header goes on as usual",
    rule: { ...on, presigned: "header" },
    request: { ...kms, presigning: true },
    why: "set",
    set: { bucketKey: true },
  },
  // D7
  { id: "D7", path: "silent request", rule: keyed, why: "completed", set: { ...completed, bucketKey: true } },
  {
    id: "D7",
    path: "aws:kms without key",
    rule: keyed,
    request: { sse: "aws:kms" },
    why: "completed",
    set: { ...completed, bucketKey: true },
  },
  {
    id: "D7",
    path: "the rule's key id without SSE (R27)",
    rule: keyed,
    request: { kmsKey: KEY_ID },
    why: "completed",
    set: { ...completed, bucketKey: true },
  },
  {
    id: "D7",
    path: "the flag turned too",
    rule: keyed,
    request: { bucketKey: false },
    why: "overridden",
    set: { ...completed, bucketKey: true },
  },
  {
    id: "D7",
    path: "the flag already right",
    rule: keyed,
    request: { bucketKey: true },
    why: "completed",
    set: completed,
  },
  {
    id: "D7",
    path: "an opposite flag refused",
    rule: { ...keyed, onConflict: "refuse" },
    request: { bucketKey: false },
    why: "refused-flag",
  },
  {
    id: "D7",
    path: "an opposite flag kept",
    rule: { ...keyed, onConflict: "keep-caller" },
    request: { bucketKey: false },
    why: "completed",
    set: completed,
  },
  {
    id: "D7",
    path: "flag leave: stays as written",
    rule: { kmsKey: KEY },
    request: { bucketKey: false },
    why: "completed",
    set: completed,
  },
  {
    id: "D7",
    path: "by @name",
    rule: { ...keyed, kmsKey: "@lake" },
    why: "completed",
    set: { ...completed, bucketKey: true },
  },
  // D8
  ...[KEY, KEY_ID, "alias/lake", "arn:aws:kms:eu-west-1:111122223333:alias/lake"].map((kmsKey): Row => ({
    id: "D8",
    path: `the same key as ${kmsKey}`,
    rule: keyed,
    request: { sse: "aws:kms", kmsKey, bucketKey: true },
    why: "already-set",
  })),
  {
    id: "D8",
    path: "a multi-Region replica",
    rule: { ...keyed, kmsKey: MRK },
    request: { sse: "aws:kms", kmsKey: REPLICA },
    why: "set",
    set: { bucketKey: true },
  },
  { id: "D8", path: "flag leave", rule: { kmsKey: KEY }, request: kms, why: "left" },
  // D9
  {
    id: "D9",
    path: "an unlisted alias, flag absent",
    rule: keyed,
    request: { sse: "aws:kms", kmsKey: "alias/who" },
    why: "set",
    set: { bucketKey: true },
    notes: ["unknown-key"],
  },
  {
    id: "D9",
    path: "an unlisted alias, nothing else to say",
    rule: keyed,
    request: { sse: "aws:kms", kmsKey: "alias/who", bucketKey: true },
    why: "unknown-key",
    notes: ["unknown-key"],
  },
  {
    id: "D9",
    path: "a listed alias of another account",
    rule: { kmsKey: KEY },
    request: { sse: "aws:kms", kmsKey: "arn:aws:kms:eu-west-1:999999999999:alias/lake" },
    why: "unknown-key",
    notes: ["unknown-key"],
  },
  // D10
  {
    id: "D10",
    path: "another key: refuse",
    rule: keyed,
    request: { sse: "aws:kms", kmsKey: OTHER },
    why: "refused-key",
  },
  {
    id: "D10",
    path: "another key by listed alias: refuse",
    rule: keyed,
    request: { sse: "aws:kms", kmsKey: "alias/second" },
    why: "refused-key",
  },
  {
    id: "D10",
    path: "another key id without SSE: refuse",
    rule: keyed,
    request: { kmsKey: OTHER },
    why: "refused-key",
  },
  {
    id: "D10",
    path: "override",
    rule: { ...keyed, onKeyConflict: "override" },
    request: { sse: "aws:kms", kmsKey: OTHER, bucketKey: true },
    why: "overridden",
    set: completed,
  },
  {
    id: "D10",
    path: "override without SSE",
    rule: { ...keyed, onKeyConflict: "override" },
    request: { kmsKey: OTHER },
    why: "overridden",
    set: { ...completed, bucketKey: true },
  },
  {
    id: "D10",
    path: "override, but the flag is refused",
    rule: { ...keyed, onKeyConflict: "override", onConflict: "refuse" },
    request: { sse: "aws:kms", kmsKey: OTHER, bucketKey: false },
    why: "refused-flag",
  },
  {
    id: "D10",
    path: "keep-caller, the flag still set",
    rule: { ...keyed, onKeyConflict: "keep-caller" },
    request: { sse: "aws:kms", kmsKey: OTHER },
    why: "set",
    set: { bucketKey: true },
    notes: ["kept-key"],
  },
  {
    id: "D10",
    path: "keep-caller, nothing else",
    rule: { ...keyed, onKeyConflict: "keep-caller" },
    request: { sse: "aws:kms", kmsKey: OTHER, bucketKey: true },
    why: "kept-caller",
    notes: ["kept-key"],
  },
  // D11
  { id: "D11", path: "AES256: refuse", rule: keyed, request: { sse: "AES256" }, why: "refused-key" },
  {
    id: "D11",
    path: "AES256: override",
    rule: { ...keyed, onKeyConflict: "override" },
    request: { sse: "AES256" },
    why: "overridden",
    set: { ...completed, bucketKey: true },
  },
  {
    id: "D11",
    path: "AES256: keep-caller",
    rule: { ...keyed, onKeyConflict: "keep-caller" },
    request: { sse: "AES256" },
    why: "kept-caller",
  },
  {
    id: "D11",
    path: "AES256 kept, its flag stripped",
    rule: { ...keyed, onKeyConflict: "keep-caller", onUnproven: "strip" },
    request: { sse: "AES256", bucketKey: true },
    why: "stripped",
    set: { bucketKey: null },
  },
  {
    id: "D11",
    path: "AES256 kept with its flag",
    rule: { ...keyed, onKeyConflict: "keep-caller" },
    request: { sse: "AES256", bucketKey: true },
    why: "kept-caller",
  },
  {
    id: "D11",
    path: "AES256 kept, its flag refused",
    rule: { ...keyed, onKeyConflict: "keep-caller", onUnproven: "refuse" },
    request: { sse: "AES256", bucketKey: true },
    why: "refused-unproven",
  },
  // D12
  ...["SSE-C", "aws:kms:dsse", "aws:fsx", "aws:backup"].flatMap((sse): Row[] => [
    { id: "D12", path: `${sse}: refuse`, rule: keyed, request: { sse }, why: "refused-key" },
    {
      id: "D12",
      path: `${sse}: override refuses`,
      rule: { ...keyed, onKeyConflict: "override" },
      request: { sse },
      why: "refused-key",
    },
    {
      id: "D12",
      path: `${sse}: keep-caller`,
      rule: { ...keyed, onKeyConflict: "keep-caller" },
      request: { sse },
      why: "kept-caller",
    },
  ]),
  // D13
  { id: "D13", path: "SSE unset, no key, flag leave", rule: {}, why: "left" },
  { id: "D13", path: "the same with a caller's flag", rule: {}, request: { bucketKey: true }, why: "left" },
  // D14
  { id: "D14", path: "flag absent", rule: on, why: "unenforced" },
  { id: "D14", path: "flag equal", rule: on, request: { bucketKey: true }, why: "already-set" },
  {
    id: "D14",
    path: "flag opposite: override removes it",
    rule: on,
    request: { bucketKey: false },
    why: "overridden",
    set: { bucketKey: null },
  },
  {
    id: "D14",
    path: "flag opposite: refuse",
    rule: { ...on, onConflict: "refuse" },
    request: { bucketKey: false },
    why: "refused-flag",
  },
  {
    id: "D14",
    path: "flag opposite: keep-caller",
    rule: { ...on, onConflict: "keep-caller" },
    request: { bucketKey: false },
    why: "kept-caller",
  },
  {
    id: "D14",
    path: "failed lookup, leave",
    rule: { ...on, whenSseUnset: "lookup" },
    request: { bucketDefault: "lookup-failed" },
    why: "unenforced",
  },
  { id: "D14", path: "no lookup was made", rule: { ...on, whenSseUnset: "lookup" }, why: "unenforced" },
  {
    id: "D14",
    path: "what a lookup found counts for nothing where none is wanted",
    rule: { ...on, onLookupFailure: "refuse" },
    request: { bucketDefault: { sse: "aws:kms", bucketKey: false } },
    why: "unenforced",
  },
  {
    id: "D14",
    path: "nor does its failure",
    rule: { ...on, onLookupFailure: "refuse" },
    request: { bucketDefault: "lookup-failed" },
    why: "unenforced",
  },
  // D15
  {
    id: "D15",
    path: "send, flag absent",
    rule: { ...on, whenSseUnset: "send" },
    why: "set",
    set: { bucketKey: true },
  },
  {
    id: "D15",
    path: "send under off writes false",
    rule: { ...off, whenSseUnset: "send" },
    why: "set",
    set: { bucketKey: false },
  },
  {
    id: "D15",
    path: "send, flag opposite",
    rule: { ...on, whenSseUnset: "send" },
    request: { bucketKey: false },
    why: "overridden",
    set: { bucketKey: true },
  },
  {
    id: "D15",
    path: "lookup found aws:kms without the flag",
    rule: { ...on, whenSseUnset: "lookup" },
    request: { bucketDefault: { sse: "aws:kms", bucketKey: false } },
    why: "set",
    set: { bucketKey: true },
  },
  {
    id: "D15",
    path: "lookup found the wanted flag",
    rule: { ...on, whenSseUnset: "lookup" },
    request: { bucketDefault: { sse: "aws:kms", bucketKey: true } },
    why: "already-set",
  },
  {
    id: "D15",
    path: "lookup found the wanted flag, the caller says the opposite",
    rule: { ...on, whenSseUnset: "lookup" },
    request: { bucketKey: false, bucketDefault: { sse: "aws:kms", bucketKey: true } },
    why: "overridden",
    set: { bucketKey: true },
  },
  {
    id: "D15",
    path: "whenSseUnset is inherited from defaults",
    rule: on,
    defaults: { whenSseUnset: "send" },
    why: "set",
    set: { bucketKey: true },
  },
  // D16
  ...["AES256", "aws:kms:dsse"].flatMap((sse): Row[] => [
    {
      id: "D16",
      path: `lookup found ${sse}`,
      rule: { ...on, whenSseUnset: "lookup" },
      request: { bucketDefault: { sse, bucketKey: true } },
      why: "other-algorithm",
    },
    {
      id: "D16",
      path: `lookup found ${sse}, with a flag`,
      rule: { ...on, whenSseUnset: "lookup", onUnproven: "strip" },
      request: { bucketKey: true, bucketDefault: { sse, bucketKey: true } },
      why: "stripped",
      set: { bucketKey: null },
    },
  ]),
  {
    id: "D16",
    path: "failed lookup, refuse",
    rule: { ...on, whenSseUnset: "lookup", onLookupFailure: "refuse" },
    request: { bucketDefault: "lookup-failed" },
    why: "refused-lookup",
  },
  {
    id: "D16",
    path: "onLookupFailure is inherited",
    rule: { ...on, whenSseUnset: "lookup" },
    defaults: { onLookupFailure: "refuse" },
    why: "refused-lookup",
  },
  // D17, D18
  ...["AES256", "aws:kms:dsse", "SSE-C", "aws:backup"].flatMap((sse): Row[] => [
    {
      id: "D17",
      path: `${sse} with the flag: pass`,
      rule: on,
      request: { sse, bucketKey: true },
      why: "unproven",
    },
    {
      id: "D17",
      path: `${sse} with the flag: strip`,
      rule: { ...on, onUnproven: "strip" },
      request: { sse, bucketKey: false },
      why: "stripped",
      set: { bucketKey: null },
    },
    {
      id: "D17",
      path: `${sse} with the flag: refuse`,
      rule: { ...on, onUnproven: "refuse" },
      request: { sse, bucketKey: true },
      why: "refused-unproven",
    },
    { id: "D18", path: `${sse} without the flag`, rule: on, request: { sse }, why: "other-algorithm" },
  ]),
  {
    id: "D18",
    path: "UpdateObjectEncryption to another target, even with a kmsKey",
    rule: keyed,
    request: { operation: "UpdateObjectEncryption", sse: "AES256" },
    why: "other-algorithm",
  },
  // D19
  { id: "D19", path: "flag absent", rule: on, request: kms, why: "set", set: { bucketKey: true } },
  { id: "D19", path: "off writes false", rule: off, request: kms, why: "set", set: { bucketKey: false } },
  {
    id: "D19",
    path: "true is on",
    rule: { bucketKey: true },
    request: { ...kms, bucketKey: true },
    why: "already-set",
  },
  {
    id: "D19",
    path: "false is off",
    rule: { bucketKey: false },
    request: { ...kms, bucketKey: false },
    why: "already-set",
  },
  { id: "D19", path: "leave", rule: { bucketKey: "leave" }, request: kms, why: "left" },
  {
    id: "D19",
    path: "a rule without bucketKey does not inherit it",
    rule: {},
    defaults: { bucketKey: "on" },
    request: kms,
    why: "left",
  },
  {
    id: "D19",
    path: "CreateMultipartUpload",
    rule: on,
    request: { operation: "CreateMultipartUpload", ...kms },
    why: "set",
    set: { bucketKey: true },
  },
  {
    id: "D19",
    path: "PostObject",
    rule: on,
    request: { operation: "PostObject", ...kms },
    why: "set",
    set: { bucketKey: true },
  },
  {
    id: "D19",
    path: "PutBucketEncryption when listed",
    rule: { ...on, match: { operations: ["PutBucketEncryption"] } },
    request: { operation: "PutBucketEncryption", ...kms },
    why: "set",
    set: { bucketKey: true },
  },
  {
    id: "D19",
    path: "UpdateObjectEncryption under off",
    rule: off,
    request: { operation: "UpdateObjectEncryption", ...kms },
    why: "already-set",
  },
  {
    id: "D19",
    path: "an encryption context of the caller's own",
    rule: on,
    request: { ...kms, ownContext: true },
    why: "set",
    set: { bucketKey: true },
    notes: ["own-context"],
  },
  {
    id: "D19",
    path: "a context under off says nothing",
    rule: off,
    request: { ...kms, ownContext: true },
    why: "set",
    set: { bucketKey: false },
  },
  // D20
  {
    id: "D20",
    path: "override",
    rule: on,
    request: { ...kms, bucketKey: false },
    why: "overridden",
    set: { bucketKey: true },
  },
  {
    id: "D20",
    path: "keep-caller",
    rule: { ...on, onConflict: "keep-caller" },
    request: { ...kms, bucketKey: false },
    why: "kept-caller",
  },
  {
    id: "D20",
    path: "refuse",
    rule: { ...on, onConflict: "refuse" },
    request: { ...kms, bucketKey: false },
    why: "refused-flag",
  },
  {
    id: "D20",
    path: "off against true",
    rule: off,
    request: { ...kms, bucketKey: true },
    why: "overridden",
    set: { bucketKey: false },
  },
  {
    id: "D20",
    path: "UpdateObjectEncryption without the flag is false",
    rule: on,
    request: { operation: "UpdateObjectEncryption", ...kms },
    why: "overridden",
    set: { bucketKey: true },
  },
  {
    id: "D20",
    path: "UpdateObjectEncryption without the flag, refused",
    rule: { ...on, onConflict: "refuse" },
    request: { operation: "UpdateObjectEncryption", ...kms },
    why: "refused-flag",
  },
];

describe("decide, path by path", () => {
  it.each(ROWS)("$id: $path -> $why", (row) => {
    const decision = decideRow(row);
    expect(decision.why).toBe(row.why);
    expect(decision.set).toEqual(row.set);
    expect(decision.notes).toEqual(row.notes ?? []);
  });

  it("shares one empty list of notes in the common case", () => {
    const decisions = ROWS.filter((row) => row.notes === undefined).map(decideRow);
    expect(new Set(decisions.map((decision) => decision.notes)).size).toBe(1);
  });

  it.each(["PutObject", "GetObject", "UploadPart"])(
    "D1: without a sealer a place that seals refuses %s",
    (operation) => {
      const policy = compilePolicy(
        {
          version: 1,
          rules: [{ id: "r", reason: "because", envelope: "seal", match: { buckets: ["vault"] } }],
        },
        { canSeal: false, ceiling: "off" },
      );
      expect(decideCompiled(policy, { operation, bucket: "vault", key: "k" }).why).toBe("refused-seal");
      expect(decideCompiled(policy, { operation, bucket: "other", key: "k" }).why).not.toBe("refused-seal");
    },
  );

  it("seals in a pass of its own, beside the rule that decides about the key", () => {
    const policy = {
      version: 1 as const,
      rules: [
        { id: "flag", reason: "f", bucketKey: "on" as const, mode: "enforce" as const },
        { id: "not-tmp", reason: "n", envelope: "leave" as const, match: { prefixes: ["public/"] } },
        {
          id: "vault",
          reason: "v",
          envelope: "seal" as const,
          match: { buckets: ["v*"] },
          except: { keys: ["*.txt"] },
        },
        { id: "open", reason: "o", envelope: "unseal" as const, match: { prefixes: ["old/"] } },
      ],
    };
    const sealOf = (bucket: string, key: string): string =>
      decide(policy, { operation: "PutObject", bucket, key, sse: "aws:kms" }).seal;
    expect(sealOf("vault", "a")).toBe("seal");
    expect(sealOf("vault", "public/a")).toBe("leave");
    expect(sealOf("vault", "a.txt")).toBe("leave");
    expect(sealOf("lake", "old/a")).toBe("unseal");
    expect(decide(policy, { operation: "PutObject", bucket: "vault", key: "a", sse: "aws:kms" }).why).toBe(
      "set",
    );
  });

  it.each([
    ["fail-open", "enforce", {}, "no-rule"],
    ["fail-closed", "enforce", {}, "refused-policy"],
    ["fail-closed", "audit", {}, "no-rule"],
    ["fail-closed", "enforce", { presigning: true }, "no-rule"],
    ["fail-closed", "enforce", { bucket: "d--use1-az4--x-s3" }, "not-applicable"],
    ["fail-closed", "enforce", { operation: "PutBucketEncryption" }, "no-rule"],
  ] as const)("D3: never loaded, %s, mode %s, %j -> %s", (failure, mode, request, why) => {
    const facts = { operation: "PutObject", bucket: "b", key: "k", ...request };
    expect(decideUnloaded(failure, mode, facts)).toStrictEqual({
      decision: WHY_DECISION[why],
      why,
      rule: "defaults",
      mode,
      seal: "leave",
      notes: [],
    });
  });
});

it("every word belongs to one decision, and no refusal goes by another's name", () => {
  const amending: readonly string[] = ["set", "completed", "overridden", "stripped"];
  for (const [why, decision] of Object.entries(WHY_DECISION)) {
    const expected = why.startsWith("refused-") ? "refuse" : amending.includes(why) ? "amend" : "pass";
    expect(`${why}: ${decision}`).toBe(`${why}: ${expected}`);
  }
});

describe("time", () => {
  const rule = { id: "r", reason: "because", bucketKey: "on" as const, expires: "2026-06-30" };
  const facts = { operation: "PutObject", bucket: "b", key: "k", sse: "aws:kms" };
  const at = (now: string): RequestFacts => ({ ...facts, now: new Date(now) });

  it("a rule holds to the end of its last day in UTC, then still decides with a note", () => {
    const policy = { version: 1 as const, rules: [rule] };
    expect(decide(policy, at("2026-06-30T23:59:59.999Z")).notes).toEqual([]);
    expect(decide(policy, at("2026-07-01T00:00:00Z"))).toMatchObject({ why: "set", notes: ["expired-rule"] });
    expect(decide(policy, facts).notes).toEqual([]);
  });

  it("a rule with onExpiry: drop is skipped afterwards", () => {
    const policy = { version: 1 as const, rules: [{ ...rule, onExpiry: "drop" as const }] };
    expect(decide(policy, at("2026-06-30T12:00:00Z")).rule).toBe("r");
    expect(decide(policy, at("2026-07-01T00:00:00Z"))).toMatchObject({ rule: "defaults", why: "no-rule" });
  });
});

describe("mode", () => {
  it("is audit when nobody names one, and carries the decision that enforce would take", () => {
    const policy = { version: 1 as const, rules: [{ id: "r", reason: "b", bucketKey: "on" as const }] };
    const decision = decide(policy, { operation: "PutObject", bucket: "b", key: "k", sse: "aws:kms" });
    expect(decision).toMatchObject({ mode: "audit", decision: "amend", set: { bucketKey: true } });
  });

  it.each([
    ["enforce", "enforce", "enforce"],
    ["enforce", "audit", "audit"],
    ["off", "enforce", "off"],
    ["audit", "off", "off"],
  ] as const)("ceiling %s and rule %s make %s", (ceiling, mode, effective) => {
    const policy = compilePolicy(
      { version: 1, rules: [{ id: "r", reason: "b", bucketKey: "on", mode }] },
      { ceiling },
    );
    const facts = { operation: "PutObject", bucket: "b", key: "k", sse: "aws:kms" };
    expect(decideCompiled(policy, facts).mode).toBe(effective);
  });
});
