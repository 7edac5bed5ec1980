import type { Principal } from "./principal.ts";

/** What a request says to conditions: values by condition key, keys in lower case. */
export type RequestContext = ReadonlyMap<string, readonly string[]>;

/** Somebody wants to do something to a KMS key, or to KMS as a whole. */
export interface AccessRequest {
  readonly principal: Principal;
  /** `kms:Decrypt`. */
  readonly action: string;
  /** ARN of the KMS key or alias; `*` for actions on no key in particular. */
  readonly resource: string;
  readonly context: RequestContext;
}

/** What a request adds to the keys that every request has. */
export interface RequestFacts {
  readonly encryptionContext?: Readonly<Record<string, string>> | undefined;
  /** S3 asks, on behalf of the principal; otherwise the principal itself. */
  readonly viaS3?: boolean;
  /** Cryptographic operations name the algorithm. */
  readonly cryptographic?: boolean;
  /** What is asked of CreateGrant. */
  readonly grant?: {
    readonly grantee: string;
    readonly retiring: string | undefined;
    readonly operations: readonly string[];
    readonly constraintType: string | undefined;
  };
}

const ENCRYPTION_CONTEXT = "kms:encryptioncontext:";
const PRINCIPAL_TAG = "aws:principaltag/";

/** Condition keys with one value. Keys that KMS requests do not have, or that nobody simulates, are no keys here. */
const SINGLE_VALUED: ReadonlySet<string> = new Set([
  "aws:currenttime",
  "aws:epochtime",
  "aws:principalaccount",
  "aws:principalarn",
  "aws:principalisawsservice",
  "aws:principaltype",
  "aws:requestedregion",
  "aws:resourceaccount",
  "aws:username",
  "aws:viaawsservice",
  "kms:calleraccount",
  "kms:encryptionalgorithm",
  "kms:grantconstrainttype",
  "kms:granteeprincipal",
  "kms:grantisforawsresource",
  "kms:retiringprincipal",
  "kms:viaservice",
]);
const MULTI_VALUED: ReadonlySet<string> = new Set(["kms:encryptioncontextkeys", "kms:grantoperations"]);

/** What a condition key is here; letter case does not matter in their names. */
export function conditionKeyKind(name: string): "single" | "multi" | "unknown" {
  const key = name.toLowerCase();
  if (SINGLE_VALUED.has(key)) return "single";
  if (MULTI_VALUED.has(key)) return "multi";
  const named = [ENCRYPTION_CONTEXT, PRINCIPAL_TAG].some(
    (prefix) => key.startsWith(prefix) && key.length > prefix.length,
  );
  return named ? "single" : "unknown";
}

/** Everything that a condition or a policy variable can ask about one request. */
export function requestContext(
  principal: Principal,
  facts: RequestFacts,
  where: Readonly<{ region: string; accountId: string; nowMs: number }>,
): RequestContext {
  const context = new Map<string, readonly string[]>();
  const set = (key: string, value: string | undefined): void => {
    if (value !== undefined) context.set(key, [value]);
  };
  set("aws:currenttime", new Date(where.nowMs).toISOString());
  set("aws:epochtime", String(Math.floor(where.nowMs / 1_000)));
  set("aws:principalaccount", principal.accountId);
  set("aws:principalarn", principal.identityArn);
  set("aws:principalisawsservice", "false");
  set("aws:principaltype", principal.type);
  set("aws:requestedregion", where.region);
  set("aws:resourceaccount", where.accountId);
  set("aws:username", principal.userName);
  set("aws:viaawsservice", String(facts.viaS3 ?? false));
  for (const [tag, value] of Object.entries(principal.tags)) {
    set(PRINCIPAL_TAG + tag.toLowerCase(), value);
  }
  set("kms:calleraccount", principal.accountId);
  if (facts.viaS3 === true) set("kms:viaservice", `s3.${where.region}.amazonaws.com`);
  if (facts.cryptographic === true) set("kms:encryptionalgorithm", "SYMMETRIC_DEFAULT");
  if (facts.grant !== undefined) {
    set("kms:granteeprincipal", facts.grant.grantee);
    set("kms:retiringprincipal", facts.grant.retiring);
    set("kms:grantconstrainttype", facts.grant.constraintType);
    set("kms:grantisforawsresource", "false");
    context.set("kms:grantoperations", facts.grant.operations);
  }
  addEncryptionContext(context, facts.encryptionContext ?? {});
  return context;
}

/** Names that differ in case only share a condition key: whoever cares uses `kms:EncryptionContextKeys`. */
function addEncryptionContext(
  context: Map<string, readonly string[]>,
  pairs: Readonly<Record<string, string>>,
): void {
  const names = Object.keys(pairs);
  if (names.length > 0) context.set("kms:encryptioncontextkeys", names);
  for (const [name, value] of Object.entries(pairs)) {
    const key = ENCRYPTION_CONTEXT + name.toLowerCase();
    context.set(key, [...(context.get(key) ?? []), value]);
  }
}
