/**
 * Every field of a policy and what it takes: one table for the validator and for the JSON Schema, so that
 * `definePolicy`, policy files and editors can't disagree.
 */
import { OBJECT_WRITES } from "./match.ts";
import {
  WHY_DECISION,
  type BucketDefault,
  type DecisionSet,
  type Policy,
  type PolicyDefaults,
  type PolicyRule,
  type PolicyTest,
  type PolicyTestRequest,
  type RuleMatch,
} from "./policy.ts";

/** What a value must be. */
export type Shape = TextShape | OneShape | FlagShape | ListShape | MapShape | FieldsShape | EitherShape;

/** Text, never empty. */
export interface TextShape {
  readonly is: "text";
  readonly like?: RegExp;
  readonly ok?: (text: string) => boolean;
  /** The code and what to write, when the text isn't like that. */
  readonly code?: string;
  readonly write?: string;
}

/** One of these values. */
export interface OneShape {
  readonly is: "one";
  readonly of: readonly (string | number | boolean | null)[];
  readonly code?: string;
}

export interface FlagShape {
  readonly is: "flag";
}

export interface ListShape {
  readonly is: "list";
  readonly of: Shape;
  readonly mayBeEmpty?: boolean;
}

/** Any names, one shape. */
export interface MapShape {
  readonly is: "map";
  readonly of: Shape;
}

/** These names, each with its shape; `need` has the required ones and what to write there. */
export interface FieldsShape {
  readonly is: "fields";
  readonly of: Readonly<Record<string, Shape>>;
  readonly need?: Readonly<Record<string, string>>;
  readonly mayBeEmpty?: boolean;
}

/** An object has the second shape, anything else the first. */
export interface EitherShape {
  readonly is: "either";
  readonly of: readonly [TextShape | OneShape, FieldsShape];
}

/** The fields of a type, none forgotten and none invented. */
type Table<T> = { readonly [K in keyof Required<T>]: Shape };

const one = (...of: OneShape["of"]): OneShape => ({ is: "one", of });
const list = (of: Shape): ListShape => ({ is: "list", of });
const fields = <T>(of: Table<T>, need?: FieldsShape["need"]): FieldsShape => ({
  is: "fields",
  of,
  ...(need && { need }),
});

const text: TextShape = { is: "text" };
const flag: FlagShape = { is: "flag" };

const keyArn: TextShape = {
  is: "text",
  like: /^arn:[a-z0-9-]+:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/,
  code: "bad-key-arn",
  write: "a key ARN, arn:aws:kms:REGION:ACCOUNT:key/ID (no alias)",
};
const keyArnOrName: TextShape = {
  is: "text",
  like: /^@.|^arn:[a-z0-9-]+:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/,
  code: "bad-key-arn",
  write: "@name of a key in kmsKeys, or a key ARN, arn:aws:kms:REGION:ACCOUNT:key/ID (no alias)",
};
const alias: TextShape = { is: "text", like: /^alias\/./, code: "bad-alias", write: "alias/NAME (no ARN)" };
const date: TextShape = {
  is: "text",
  like: /^\d{4}-\d\d-\d\d$/,
  ok: isRealDate,
  code: "bad-date",
  write: "a day that exists, as YYYY-MM-DD",
};
const instant: TextShape = {
  is: "text",
  like: /^\d{4}-\d\d-\d\d(T.+)?$/,
  ok: isRealDate,
  code: "bad-date",
  write: "a date or time in ISO 8601, as 2027-06-30T12:00:00Z",
};
const account: TextShape = { is: "text", like: /^\d{12}$/, code: "bad-account", write: "12 digits" };

/** A day beyond its month's end would parse as one of the next month. */
function isRealDate(written: string): boolean {
  const day = written.slice(0, 10);
  return Date.parse(written) > 0 && new Date(day).toISOString().startsWith(day);
}

const mode = one("enforce", "audit", "off");
const bucketType = one(
  "general-purpose",
  "directory",
  "access-point",
  "outposts",
  "object-lambda",
  "unknown",
);
const writes = [...OBJECT_WRITES, "PutBucketEncryption"];
const observed = ["UploadPart", "UploadPartCopy", "CompleteMultipartUpload", "GetObject", "HeadObject"];
const operation = (...of: string[]): OneShape => ({ is: "one", of, code: "unknown-operation" });

const MATCH = fields<RuleMatch>({
  buckets: list(text),
  keys: list(text),
  prefixes: list(text),
  operations: list(operation(...writes)),
  sse: list(one("unset", "aws:kms", "AES256", "aws:kms:dsse", "SSE-C", "aws:fsx", "aws:backup")),
  kmsKeys: list(text),
  bucketType: list(bucketType),
  regions: list(text),
  accounts: list(account),
});

const inherited: Table<PolicyDefaults> = {
  bucketKey: one("on", "off", "leave", true, false),
  mode,
  whenSseUnset: one("leave", "lookup", "send"),
  onLookupFailure: one("leave", "refuse"),
  onUnproven: one("pass", "strip", "refuse"),
  presigned: one("skip", "header", "refuse"),
};

export const DEFAULTS: FieldsShape = { ...fields<PolicyDefaults>(inherited), mayBeEmpty: true };

export const RULE: FieldsShape = fields<PolicyRule>(
  {
    id: text,
    reason: text,
    match: { ...MATCH, mayBeEmpty: true },
    except: MATCH,
    kmsKey: keyArnOrName,
    ...inherited,
    onConflict: one("override", "keep-caller", "refuse"),
    onKeyConflict: one("refuse", "keep-caller", "override"),
    envelope: one("leave", "seal", "unseal"),
    expires: date,
    onExpiry: one("keep", "drop"),
  },
  { id: "a name no other rule has", reason: "why the rule exists" },
);

const NEED_BUCKET = { bucket: "the bucket's name" };

const REQUEST = fields<PolicyTestRequest>(
  {
    operation: operation(...writes, ...observed),
    bucket: text,
    key: text,
    bucketType,
    sse: text,
    kmsKey: text,
    bucketKey: flag,
    ownContext: flag,
    copySource: fields<PolicyTestRequest["copySource"] & {}>({ bucket: text, bucketType }, NEED_BUCKET),
    bucketDefault: {
      is: "either",
      of: [
        one("lookup-failed"),
        fields<BucketDefault>(
          { sse: text, kmsKey: text, bucketKey: flag },
          { sse: "the bucket's default algorithm", bucketKey: "true or false" },
        ),
      ],
    },
    presigning: flag,
    region: text,
    account,
    now: instant,
  },
  { operation: "an operation such as PutObject", ...NEED_BUCKET },
);

const TEST = fields<PolicyTest>(
  {
    name: text,
    request: REQUEST,
    expect: fields<PolicyTest["expect"]>({
      rule: text,
      decision: one("pass", "amend", "refuse"),
      why: one(...Object.keys(WHY_DECISION)),
      mode,
      seal: one("seal", "unseal", "leave"),
      set: fields<DecisionSet>({ sse: text, kmsKey: text, bucketKey: one(true, false, null) }),
      notes: { ...list(one("kept-key", "unknown-key", "expired-rule", "own-context")), mayBeEmpty: true },
    }),
  },
  { name: "what is tested", request: "the request", expect: "what must be decided" },
);

/** The whole policy. `$schema` is for editors of JSON files. */
export const POLICY: FieldsShape = fields<Policy & { $schema: string }>(
  {
    $schema: text,
    version: { ...one(1), code: "wrong-version" },
    defaults: DEFAULTS,
    kmsKeys: {
      is: "map",
      of: {
        is: "either",
        of: [
          keyArn,
          fields<{ arn: string; aliases: string[] }>(
            { arn: keyArn, aliases: list(alias) },
            { arn: "the key ARN" },
          ),
        ],
      },
    },
    rules: { ...list(RULE), mayBeEmpty: true },
    tests: { ...list(TEST), mayBeEmpty: true },
  },
  { version: "1" },
);
