import type { IncomingHttpHeaders } from "node:http";
import type { PolicyDocument } from "./iam/policy-document.ts";

/**
 * Somebody who may ask: the access key that signs, and the principal behind it.
 *
 * @public
 */
export interface SimulatorCredentials {
  /** Tells who asks. */
  readonly accessKeyId: string;
  /** Given to the client; signatures are verified with it under `verifySignatures`. */
  readonly secretAccessKey: string;
  /** Of temporary credentials: what the client has to send with its signature. */
  readonly sessionToken?: string;
  /**
   * Who the KMS requests are made for: bucket keys are fetched once per principal. Default: the IAM user that is called
   * like the access key.
   */
  readonly principalArn?: string;
  /**
   * The identity policies of the principal, all of them: decided with them is who may use KMS keys, and nothing
   * else. Left out: the principal is an administrator, except for keys whose policy names more than accounts.
   */
  readonly policies?: readonly PolicyDocument[];
  /** Tags of the user or role, for `aws:PrincipalTag/...` in policies. */
  readonly principalTags?: Readonly<Record<string, string>>;
}

/** The same with the principal in its place. */
export type NamedCredentials = SimulatorCredentials & { readonly principalArn: string };

/** Gives whoever has no principal the user of the access key's name. */
export function namedCredentials(one: SimulatorCredentials, accountId: string): NamedCredentials {
  return { ...one, principalArn: one.principalArn ?? `arn:aws:iam::${accountId}:user/${one.accessKeyId}` };
}

/** Who sent a request. */
export interface Requester {
  readonly principalArn: string;
  readonly signedWith: "v4" | "v2" | "nothing";
}

/** The sender of a request whose signature is not looked at yet. */
export const NOBODY: Requester = { principalArn: "anonymous", signedWith: "nothing" };

/** Maps access keys to principals, where signatures are not verified: the access key alone tells. */
export class CredentialBook {
  readonly #accountId: string;
  readonly #known: ReadonlyMap<string, Requester> | undefined;
  readonly #seen = new Map<string, Requester>();

  /** @param credentials - Left out: every access key is taken, as a user of that name. */
  constructor(accountId: string, credentials: readonly NamedCredentials[] | undefined) {
    this.#accountId = accountId;
    this.#known =
      credentials &&
      new Map(
        credentials.map(({ accessKeyId, principalArn }) => [accessKeyId, { principalArn, signedWith: "v4" }]),
      );
  }

  /** The requester, or what is wrong with the access key. */
  requesterOf(headers: IncomingHttpHeaders, query: string): Requester | "unknown-key" | "anonymous" {
    return this.requester(claimOf(headers.authorization ?? "", query));
  }

  /** The same for an access key that was read elsewhere. */
  requester({ accessKeyId, signedWith }: Claimed): Requester | "unknown-key" | "anonymous" {
    if (accessKeyId === undefined) {
      return this.#known === undefined ? { principalArn: "anonymous", signedWith } : "anonymous";
    }
    const requester = this.#known === undefined ? this.#anyone(accessKeyId) : this.#known.get(accessKeyId);
    if (requester === undefined) return "unknown-key";
    return signedWith === "v4" ? requester : { ...requester, signedWith };
  }

  #anyone(accessKeyId: string): Requester {
    let requester = this.#seen.get(accessKeyId);
    if (requester === undefined) {
      requester = { principalArn: `arn:aws:iam::${this.#accountId}:user/${accessKeyId}`, signedWith: "v4" };
      this.#seen.set(accessKeyId, requester);
    }
    return requester;
  }
}

/** What a request says of its sender. */
export interface Claimed {
  readonly accessKeyId: string | undefined;
  readonly signedWith: Requester["signedWith"];
}

/** Signature version 4 or 2, in the header or, presigned, in the query. */
function claimOf(authorization: string, query: string): Claimed {
  if (authorization.startsWith("AWS4-")) {
    return { accessKeyId: between(authorization, "Credential=", "/"), signedWith: "v4" };
  }
  if (authorization.startsWith("AWS ")) {
    return { accessKeyId: authorization.slice(4).split(":", 1)[0] ?? "", signedWith: "v2" };
  }
  if (query.includes("X-Amz-Credential=")) {
    const credential = new URLSearchParams(query).get("X-Amz-Credential") ?? "";
    return { accessKeyId: credential.split("/", 1)[0] ?? "", signedWith: "v4" };
  }
  if (query.includes("AWSAccessKeyId=")) {
    return { accessKeyId: new URLSearchParams(query).get("AWSAccessKeyId") ?? "", signedWith: "v2" };
  }
  return { accessKeyId: undefined, signedWith: "nothing" };
}

function between(text: string, before: string, after: string): string {
  const start = text.indexOf(before) + before.length;
  const end = text.indexOf(after, start);
  return start < before.length || end === -1 ? "" : text.slice(start, end);
}
