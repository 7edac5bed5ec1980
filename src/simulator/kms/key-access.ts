/** Whether a principal may do something to a KMS key: key policy, identity policies and grants together. */
import type { VirtualClock } from "../clock.ts";
import { askIdentityPolicies, askKeyPolicy, type Answer } from "../iam/evaluate.ts";
import { parsePolicy } from "../iam/parse-policy.ts";
import type { Policy } from "../iam/policy-document.ts";
import { identityOf, principalOf, type Principal } from "../iam/principal.ts";
import { requestContext, type AccessRequest, type RequestFacts } from "../iam/request-context.ts";
import { Grants } from "./grants.ts";
import { KmsFault } from "./kms-fault.ts";

/** What somebody wants to do. */
export interface Wish extends RequestFacts {
  /** ARN of who asks. */
  readonly requester: string;
  /** `Decrypt`. */
  readonly action: string;
}

/** The key it is done to. */
export interface GuardedKey {
  readonly id: string;
  readonly arn: string;
  readonly manager: "AWS" | "CUSTOMER";
}

/** Nothing, or how AWS ends the sentence that begins with who may not do what. */
type Refusal = string | undefined;

const UNKNOWN_IDENTITY =
  " (simulator: nobody gave identity policies for this principal, and the key policy names others, so it has none)";

/**
 * The permissions of one account's KMS keys.
 *
 * As long as nobody gives a policy, everybody may do everything. A principal that nobody gave identity policies
 * for counts as an administrator of its account, except on a key whose policy names more than accounts: such a
 * policy is what a test is about, and an administrator would pass it by.
 */
export class KeyAccess {
  readonly grants: Grants = new Grants();
  readonly #where: Readonly<{ region: string; accountId: string; clock: VirtualClock }>;
  readonly #keyPolicies = new Map<string, Policy>();
  readonly #identityPolicies = new Map<string, readonly Policy[]>();
  readonly #tags = new Map<string, Readonly<Record<string, string>>>();
  readonly #principals = new Map<string, Principal>();

  constructor(where: Readonly<{ region: string; accountId: string; clock: VirtualClock }>) {
    this.#where = where;
  }

  /** What the key's policy says, in JSON: what was put, else what AWS gives a key that comes without one. */
  keyPolicyText(key: GuardedKey): string {
    return this.#keyPolicy(key).text;
  }

  putKeyPolicy(key: GuardedKey, policy: Policy): void {
    this.#keyPolicies.set(key.id, policy);
  }

  /** Instead of those that the principal had; a role's are those of its sessions. */
  putIdentityPolicies(principalArn: string, policies: readonly Policy[]): void {
    this.#identityPolicies.set(identityOf(this.#principal(principalArn)), policies);
  }

  /** Tags of a user or a role, for `aws:PrincipalTag/...`. */
  putTags(principalArn: string, tags: Readonly<Record<string, string>>): void {
    this.#tags.set(identityOf(this.#principal(principalArn)), tags);
    this.#principals.clear();
  }

  /** @throws `KmsFault` with `AccessDeniedException` in AWS's words (E5). */
  require(wish: Wish, key: GuardedKey): void {
    if (this.#isOpen()) return;
    const request = this.#request(wish, key.arn);
    this.#refuse(request, this.#refusal(request, key, wish));
  }

  /** For what is done to no key: identity policies alone decide. @throws As `require`. */
  requireOnAccount(wish: Wish, resource: string): void {
    if (this.#isOpen()) return;
    const request = this.#request(wish, resource);
    const answer = this.#askIdentity(request, true);
    if (answer === "denies") this.#refuse(request, "with an explicit deny in an identity-based policy");
    if (answer === "silent") this.#refuse(request, noIdentityPolicy(request));
  }

  /** Whether a principal could change that policy again: AWS does not take one that locks out who puts it. */
  couldPutAgain(requester: string, key: GuardedKey, policy: Policy): boolean {
    const request = this.#request({ requester, action: "PutKeyPolicy" }, key.arn);
    const byKey = askKeyPolicy(policy, request);
    const byIdentity = this.#askIdentity(request, true);
    if (byKey === "denies" || byIdentity === "denies") return false;
    return byKey === "allows" || (byKey === "delegates" && byIdentity === "allows");
  }

  #isOpen(): boolean {
    return this.#keyPolicies.size === 0 && this.#identityPolicies.size === 0;
  }

  /** In AWS's order: an explicit deny, then whoever allows, then the implicit deny. */
  #refusal(request: AccessRequest, key: GuardedKey, wish: Wish): Refusal {
    const { principal, action } = request;
    const known = this.#identityPolicies.has(identityOf(principal));
    const put = this.#keyPolicies.get(key.id);
    if (!known && put === undefined) return undefined;
    const byKey = askKeyPolicy(this.#keyPolicy(key), request);
    if (byKey === "denies") return "with an explicit deny in a resource-based policy";
    const byIdentity = this.#askIdentity(request, put === undefined || namesOnlyAccounts(put));
    if (byIdentity === "denies") return "with an explicit deny in an identity-based policy";
    const byGrant = this.grants.allow(key.id, principal, wish.action, wish.encryptionContext ?? {});
    if (principal.accountId !== this.#where.accountId) {
      if (byKey === "silent" && !byGrant) {
        return "because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access";
      }
      return byIdentity === "allows" ? undefined : noIdentityPolicy(request);
    }
    if (byKey === "allows" || byGrant || (byKey === "delegates" && byIdentity === "allows")) return undefined;
    if (byKey === "silent") return `because no resource-based policy allows the ${action} action`;
    return noIdentityPolicy(request) + (known ? "" : UNKNOWN_IDENTITY);
  }

  /** @param otherwise - Whether a principal that nobody gave policies for is an administrator. */
  #askIdentity(request: AccessRequest, otherwise: boolean): Answer {
    // An account's root may do everything that its account may; no policy hangs on it.
    if (request.principal.type === "Account") return "allows";
    const policies = this.#identityPolicies.get(identityOf(request.principal));
    if (policies === undefined) return otherwise ? "allows" : "silent";
    return askIdentityPolicies(policies, request);
  }

  #request(wish: Wish, resource: string): AccessRequest {
    const principal = this.#principal(wish.requester);
    const { region, accountId, clock } = this.#where;
    const context = requestContext(principal, wish, { region, accountId, nowMs: clock.nowMs() });
    return { principal, action: `kms:${wish.action}`, resource, context };
  }

  #principal(arn: string): Principal {
    let principal = this.#principals.get(arn);
    if (principal === undefined) {
      principal = principalOf(arn);
      const tags = this.#tags.get(identityOf(principal));
      if (tags !== undefined) principal = { ...principal, tags };
      this.#principals.set(arn, principal);
    }
    return principal;
  }

  #keyPolicy(key: GuardedKey): Policy {
    const put = this.#keyPolicies.get(key.id);
    if (put !== undefined) return put;
    const { region, accountId } = this.#where;
    return key.manager === "AWS" ? managedKeyPolicy(region, accountId) : defaultKeyPolicy(accountId);
  }

  #refuse({ principal, action, resource }: AccessRequest, refusal: Refusal): void {
    if (refusal === undefined) return;
    const on = refusal.startsWith("because the resource") ? "this resource" : `resource: ${resource}`;
    throw new KmsFault(
      "AccessDeniedException",
      `User: ${principal.arn} is not authorized to perform: ${action} on ${on} ${refusal}`,
    );
  }
}

function noIdentityPolicy({ action }: AccessRequest): string {
  return `because no identity-based policy allows the ${action} action`;
}

function namesOnlyAccounts({ statements }: Policy): boolean {
  return statements.every(({ principals }) => principals?.every(({ kind }) => kind === "account") === true);
}

/** What KMS gives a key that is made without a policy: identity policies of the account decide. */
function defaultKeyPolicy(accountId: string): Policy {
  return parsePolicy(
    {
      Version: "2012-10-17",
      Id: "key-default-1",
      Statement: [
        {
          Sid: "Enable IAM User Permissions",
          Effect: "Allow",
          Principal: { AWS: `arn:aws:iam::${accountId}:root` },
          Action: "kms:*",
          Resource: "*",
        },
      ],
    },
    "key",
  );
}

/** The policy of `aws/s3`: whoever of the account comes through S3, nobody directly. */
function managedKeyPolicy(region: string, accountId: string): Policy {
  return parsePolicy(
    {
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { AWS: "*" },
          Action: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
          Resource: "*",
          Condition: {
            StringEquals: {
              "kms:CallerAccount": accountId,
              "kms:ViaService": `s3.${region}.amazonaws.com`,
            },
          },
        },
        {
          Effect: "Allow",
          Principal: { AWS: `arn:aws:iam::${accountId}:root` },
          Action: ["kms:Describe*", "kms:Get*", "kms:List*"],
          Resource: "*",
        },
      ],
    },
    "key",
  );
}
