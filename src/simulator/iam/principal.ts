/** Somebody who asks KMS, as policies see them. */
export interface Principal {
  /** As it asked: of a user, of a role's session, of an account's root. */
  readonly arn: string;
  /** What identity policies hang on: of the role, for a session. */
  readonly identityArn: string;
  /** Empty for a requester without an ARN. */
  readonly accountId: string;
  readonly type: "User" | "AssumedRole" | "Account" | "FederatedUser" | "Anonymous";
  readonly userName: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

const NO_TAGS: Readonly<Record<string, string>> = {};

/** @param arn - Of a user, a role, a role's session or an account's root; another text is nobody in particular. */
export function principalOf(arn: string, tags: Readonly<Record<string, string>> = NO_TAGS): Principal {
  const [, partition, service, , accountId = "", ...rest] = arn.split(":");
  const resource = rest.join(":");
  const kind = `${service}:${resource.split("/", 1)[0]}`;
  const common = { arn, identityArn: arn, accountId, userName: undefined, tags };
  switch (kind) {
    case "iam:root":
      return { ...common, type: "Account" };
    case "iam:user":
      return { ...common, type: "User", userName: resource.slice(resource.lastIndexOf("/") + 1) };
    case "iam:role":
      return { ...common, type: "AssumedRole" };
    case "sts:assumed-role": {
      const role = resource.split("/")[1] ?? "";
      return {
        ...common,
        identityArn: `arn:${partition}:iam::${accountId}:role/${role}`,
        type: "AssumedRole",
      };
    }
    case "sts:federated-user":
      return { ...common, type: "FederatedUser" };
    default:
      return { ...common, accountId: "", type: "Anonymous" };
  }
}

/** Whom a statement names. */
export type PrincipalPattern =
  | { readonly kind: "everyone" }
  /** The account: itself, and through its identity policies everybody in it. */
  | { readonly kind: "account"; readonly accountId: string }
  | { readonly kind: "arn"; readonly arn: string }
  /** A service calling for itself. Here S3 only ever asks for whoever asked S3. */
  | { readonly kind: "service" };

/** `account`: named only through the account, so that a key policy leaves the decision to identity policies. */
export function namesPrincipal(
  patterns: readonly PrincipalPattern[],
  principal: Principal,
): "itself" | "account" | "not" {
  const found = new Set(patterns.map((pattern) => namedBy(pattern, principal)));
  if (found.has("itself")) return "itself";
  return found.has("account") ? "account" : "not";
}

function namedBy(pattern: PrincipalPattern, principal: Principal): "itself" | "account" | "not" {
  switch (pattern.kind) {
    case "everyone":
      return "itself";
    case "account":
      if (pattern.accountId !== principal.accountId) return "not";
      return principal.type === "Account" ? "itself" : "account";
    case "arn":
      return isPrincipal(pattern.arn, principal) ? "itself" : "not";
    case "service":
      return "not";
  }
}

/** Whether an ARN stands for that principal: a role's stands for all its sessions. */
export function isPrincipal(arn: string, principal: Principal): boolean {
  if (arn === principal.arn || arn === principal.identityArn) return true;
  // A session's ARN has no path, its role's may have one; in an account each role has a name of its own.
  return principal.type === "AssumedRole" && withoutRolePath(arn) === withoutRolePath(principal.identityArn);
}

/** The name that identity policies of a principal are kept under. */
export function identityOf(principal: Principal): string {
  return withoutRolePath(principal.identityArn);
}

function withoutRolePath(arn: string): string {
  return arn.replace(/(:role\/).*\//, "$1");
}

/** One value of a `Principal` element's `AWS`; undefined for one that is none. */
export function parseAwsPrincipal(text: string): PrincipalPattern | undefined {
  if (text === "*") return { kind: "everyone" };
  const accountId = /^(?:arn:[\w-]+:iam::)?(\d{12})(?::root)?$/.exec(text)?.[1];
  if (accountId !== undefined && (text === accountId || text.endsWith(":root"))) {
    return { kind: "account", accountId };
  }
  return /^arn:[\w-]+:(?:iam|sts)::\d{12}:(?:user|role|assumed-role|federated-user)\/[^*?]+$/.test(text)
    ? { kind: "arn", arn: text }
    : undefined;
}
