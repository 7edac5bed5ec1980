import { parseAwsPrincipal } from "../iam/principal.ts";
import type { KmsAction } from "./action.ts";
import { GRANT_OPERATIONS, type Grant, type GrantConstraint } from "./grants.ts";
import type { KmsCaller } from "./caller.ts";
import type { KmsInput } from "./input.ts";
import type { KeyStore, KmsKey } from "./key-store.ts";
import { KmsFault } from "./kms-fault.ts";
import { paged } from "./page.ts";
import { refuseDryRun } from "./dry-run.ts";

export const GRANT_ACTIONS: Readonly<Record<string, KmsAction>> = {
  CreateGrant(store, input, caller) {
    const name = input.text("KeyId");
    const grantee = principalArn("GranteePrincipal", input.text("GranteePrincipal"));
    const retiringText = input.optionalText("RetiringPrincipal");
    const retiring = retiringText && principalArn("RetiringPrincipal", retiringText);
    const operations = operationsOf(input);
    const constraint = constraintOf(input);
    const constraintType = constraint && CONSTRAINT_NAMES[constraint.kind];
    const key = caller.key("CreateGrant", name, {
      encryptionContext: constraint?.pairs,
      grant: { grantee, retiring, operations, constraintType },
    });
    store.usable(key.id);
    refuseDryRun(input);
    const { id, token } = store.access.grants.add({
      keyId: key.id,
      name: input.optionalText("Name"),
      grantee,
      retiring,
      issuer: caller.arn,
      operations,
      constraint,
      createdMs: store.nowMs(),
    });
    return { GrantId: id, GrantToken: token };
  },
  ListGrants(store, input, caller) {
    const key = caller.key("ListGrants", input.text("KeyId"));
    const [id, grantee] = [input.optionalText("GrantId"), input.optionalText("GranteePrincipal")];
    const grants = store.access.grants
      .ofKey(key.id)
      .filter((grant) => (id ?? grant.id) === grant.id && (grantee ?? grant.grantee) === grant.grantee);
    const { page, rest } = paged(grants, input, 100, 50);
    return { Grants: page.map((grant) => entry(key, grant)), ...rest };
  },
  RevokeGrant(store, input, caller) {
    const key = caller.key("RevokeGrant", input.text("KeyId"));
    const grant = store.access.grants.byId(key.id, input.text("GrantId"));
    refuseDryRun(input);
    store.access.grants.remove(grant.id);
    return undefined;
  },
  RetireGrant(store, input, caller) {
    const grant = retiredGrant(store, input);
    if (!mayRetire(grant, caller)) caller.key("RetireGrant", grant.keyId);
    refuseDryRun(input);
    store.access.grants.remove(grant.id);
    return undefined;
  },
};

/** Whoever the grant names for it; policies can allow others. */
function mayRetire({ retiring, grantee, operations }: Grant, caller: KmsCaller): boolean {
  return caller.is(retiring) || (operations.includes("RetireGrant") && caller.is(grantee));
}

const CONSTRAINT_NAMES = { subset: "EncryptionContextSubset", equals: "EncryptionContextEquals" } as const;

function constraintOf(input: KmsInput): GrantConstraint | undefined {
  const constraints = input.structure("Constraints");
  if (constraints === undefined) return undefined;
  const [subset, equals] = [
    constraints.optionalContext(CONSTRAINT_NAMES.subset),
    constraints.optionalContext(CONSTRAINT_NAMES.equals),
  ];
  if (subset !== undefined && equals !== undefined) {
    throw new KmsFault(
      "ValidationException",
      "Only one of EncryptionContextSubset and EncryptionContextEquals",
    );
  }
  if (equals !== undefined) return { kind: "equals", pairs: equals };
  return subset && { kind: "subset", pairs: subset };
}

function operationsOf(input: KmsInput): readonly string[] {
  const operations = input.optionalTexts("Operations") ?? [];
  if (operations.length === 0) throw new KmsFault("ValidationException", "Operations must not be empty");
  const odd = operations.find((operation) => !GRANT_OPERATIONS.some((known) => known === operation));
  if (odd !== undefined) {
    throw new KmsFault(
      "UnsupportedOperationException",
      `The simulator knows no grants of ${odd}; it knows ${GRANT_OPERATIONS.join(", ")}`,
    );
  }
  return operations;
}

function principalArn(member: string, arn: string): string {
  const kind = parseAwsPrincipal(arn)?.kind;
  if (kind === "arn" || (kind === "account" && arn.startsWith("arn:"))) return arn;
  throw new KmsFault("InvalidArnException", `${member} is no ARN of a user, a role or an account: ${arn}`);
}

function retiredGrant(store: KeyStore, input: KmsInput): Grant {
  const token = input.optionalText("GrantToken");
  if (token !== undefined) return store.access.grants.byToken(token);
  return store.access.grants.byId(store.resolve(input.text("KeyId")).id, input.text("GrantId"));
}

function entry(key: KmsKey, grant: Grant): Record<string, unknown> {
  const { constraint } = grant;
  return {
    KeyId: key.arn,
    GrantId: grant.id,
    ...(grant.name !== undefined && { Name: grant.name }),
    CreationDate: grant.createdMs / 1_000,
    GranteePrincipal: grant.grantee,
    ...(grant.retiring !== undefined && { RetiringPrincipal: grant.retiring }),
    IssuingAccount: `arn:aws:iam::${grant.issuer.split(":")[4] ?? ""}:root`,
    Operations: grant.operations,
    ...(constraint !== undefined && {
      Constraints: { [CONSTRAINT_NAMES[constraint.kind]]: constraint.pairs },
    }),
  };
}
