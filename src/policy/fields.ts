/**
 * Every field of a policy and what it takes: one table for the validator and for the JSON Schema, so that
 * `definePolicy`, policy files and editors can't disagree.
 */
import { OBJECT_WRITES } from "./match.ts";
import type { Policy, PolicyDefaults, PolicyRule, RuleMatch } from "./policy.ts";

/** What a value must be. */
export type Shape =
  | TextShape
  | OneShape
  | FlagShape
  | ListShape
  | MapShape
  | FieldsShape
  | EitherShape
  | AnyShape;

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

/**
 * These names, each with its shape; `need` has the required ones and what to write there, `elsewhere` the names
 * that other formats give to some of them, and what to write here.
 */
export interface FieldsShape {
  readonly is: "fields";
  readonly of: Readonly<Record<string, Shape>>;
  readonly need?: Readonly<Record<string, string>>;
  readonly elsewhere?: Readonly<Record<string, string>>;
  readonly mayBeEmpty?: boolean;
}

/** An object has the second shape, anything else the first. */
export interface EitherShape {
  readonly is: "either";
  readonly of: readonly [TextShape | OneShape, FieldsShape];
}

/** Anything; somebody else looks at it. */
export interface AnyShape {
  readonly is: "any";
}

/** The fields of a type, none forgotten and none invented. */
export type Table<T> = { readonly [K in keyof Required<T>]: Shape };

export const one = (...of: OneShape["of"]): OneShape => ({ is: "one", of });
export const list = (of: Shape): ListShape => ({ is: "list", of });
export const fields = <T>(
  of: Table<T>,
  need?: FieldsShape["need"],
  elsewhere?: FieldsShape["elsewhere"],
): FieldsShape => ({
  is: "fields",
  of,
  ...(need && { need }),
  ...(elsewhere && { elsewhere }),
});

export const text: TextShape = { is: "text" };
export const flag: FlagShape = { is: "flag" };

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
export const account: TextShape = { is: "text", like: /^\d{12}$/, code: "bad-account", write: "12 digits" };

/** A day beyond its month's end would parse as one of the next month. */
export function isRealDate(written: string): boolean {
  const day = written.slice(0, 10);
  return Date.parse(written) > 0 && new Date(day).toISOString().startsWith(day);
}

export const mode: OneShape = one("enforce", "audit", "off");
export const bucketType: OneShape = one(
  "general-purpose",
  "directory",
  "access-point",
  "outposts",
  "object-lambda",
  "unknown",
);
export const writes: string[] = [...OBJECT_WRITES, "PutBucketEncryption"];
export const operation = (...of: string[]): OneShape => ({ is: "one", of, code: "unknown-operation" });

export const MATCH: FieldsShape = fields<RuleMatch>({
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

/**
 * The whole policy, but for its tests: who runs them looks at them (`test-fields.ts`). `$schema` is for editors
 * of JSON files.
 */
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
    tests: { ...list({ is: "any" }), mayBeEmpty: true },
  },
  { version: "1" },
);
