import { randomBytes } from "node:crypto";
import { isPrincipal, type Principal } from "../iam/principal.ts";
import type { EncryptionContext } from "./encryption-context.ts";
import { KmsFault } from "./kms-fault.ts";

/** What a grant can allow, of what the simulator answers. */
export const GRANT_OPERATIONS = [
  "Decrypt",
  "Encrypt",
  "GenerateDataKey",
  "GenerateDataKeyWithoutPlaintext",
  "ReEncryptFrom",
  "ReEncryptTo",
  "DescribeKey",
  "RetireGrant",
] as const;

/** Operations that carry no encryption context: constraints do not concern them. */
const WITHOUT_CONTEXT: ReadonlySet<string> = new Set(["DescribeKey", "RetireGrant"]);

/** A grant: it only ever allows, and lasts until it is retired or revoked. */
export interface Grant {
  readonly id: string;
  readonly token: string;
  readonly keyId: string;
  readonly name: string | undefined;
  /** ARN of whom it allows. */
  readonly grantee: string;
  /** ARN of who may retire it. */
  readonly retiring: string | undefined;
  /** ARN of who made it. */
  readonly issuer: string;
  readonly operations: readonly string[];
  readonly constraint: GrantConstraint | undefined;
  readonly createdMs: number;
}

/** Holds for requests whose encryption context has these pairs (subset), or these and no others (equals). */
export interface GrantConstraint {
  readonly kind: "subset" | "equals";
  readonly pairs: EncryptionContext;
}

/** All grants of an account. They work at once; on AWS it can take minutes, or the grant token. */
export class Grants {
  readonly #grants = new Map<string, Grant>();

  add(grant: Omit<Grant, "id" | "token">): Grant {
    const added = {
      ...grant,
      id: randomBytes(32).toString("hex"),
      token: randomBytes(48).toString("base64"),
    };
    this.#grants.set(added.id, added);
    return added;
  }

  /** Of one key, oldest first. */
  ofKey(keyId: string): readonly Grant[] {
    return [...this.#grants.values()].filter((grant) => grant.keyId === keyId);
  }

  /** @throws `KmsFault` with `NotFoundException`. */
  byId(keyId: string, id: string): Grant {
    const grant = this.#grants.get(id);
    if (grant === undefined || grant.keyId !== keyId) throw notFound();
    return grant;
  }

  /** @throws `KmsFault` with `NotFoundException`. */
  byToken(token: string): Grant {
    const grant = [...this.#grants.values()].find((one) => one.token === token);
    if (grant === undefined) throw notFound();
    return grant;
  }

  remove(id: string): void {
    this.#grants.delete(id);
  }

  /** Whether a grant lets that principal do it: names and values of the context are compared as they are. */
  allow(keyId: string, principal: Principal, operation: string, context: EncryptionContext): boolean {
    return this.ofKey(keyId).some(
      (grant) =>
        grant.operations.includes(operation) &&
        isPrincipal(grant.grantee, principal) &&
        (WITHOUT_CONTEXT.has(operation) || satisfies(context, grant.constraint)),
    );
  }
}

function satisfies(context: EncryptionContext, constraint: GrantConstraint | undefined): boolean {
  if (constraint === undefined) return true;
  const pairs = Object.entries(constraint.pairs);
  if (constraint.kind === "equals" && pairs.length !== Object.keys(context).length) return false;
  return pairs.every(([name, value]) => Object.hasOwn(context, name) && context[name] === value);
}

function notFound(): KmsFault {
  return new KmsFault("NotFoundException", "Grant is not found.");
}
