/** Who sends a request: taken from its access key on trust, or proven by its signature. */
import { hash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Claimed, CredentialBook, Requester, NamedCredentials } from "../credentials.ts";
import { invalidArgument, S3Error } from "../s3/s3-error.ts";
import { wireRequest, type WireRequest } from "./canonical-request.ts";
import {
  claimOf,
  CREDENTIAL,
  malformedCredential,
  malformedQuery,
  parseCredential,
  type SignatureClaim,
} from "./claim.ts";
import { unknownAccessKey } from "./refusals.ts";
import { SignatureVerifier, type SignedPayload } from "./verifier.ts";

export interface Authenticated {
  readonly requester: Requester;
  /** What the body has to be, where signatures are verified. */
  readonly payload?: SignedPayload;
}

export interface Authenticator {
  /** Whether signatures are verified. */
  readonly verifies: boolean;
  /**
   * Who sends a request to S3. A signature of version 2 is never verified: its requester is `signedWith: "v2"`.
   *
   * @throws `S3Error` for a stranger, or a signature that is wrong.
   */
  ofRequest(request: IncomingMessage): Authenticated;
  /** The same for KMS, whose signatures cover the body. */
  ofKmsRequest(request: IncomingMessage, body: Buffer): Requester;
  /** The same for a form: its signature covers the policy. @param fields - Names in lower case. */
  ofForm(fields: ReadonlyMap<string, string>): Requester;
}

/** Takes the access key at its word. */
export class TrustingAuthenticator implements Authenticator {
  readonly verifies = false;
  readonly #book: CredentialBook;

  constructor(book: CredentialBook) {
    this.#book = book;
  }

  ofRequest(request: IncomingMessage): Authenticated {
    const url = request.url ?? "/";
    const mark = url.indexOf("?");
    return this.#known(this.#book.requesterOf(request.headers, mark === -1 ? "" : url.slice(mark + 1)));
  }

  ofKmsRequest(request: IncomingMessage): Requester {
    return this.ofRequest(request).requester;
  }

  ofForm(fields: ReadonlyMap<string, string>): Requester {
    return this.#known(this.#book.requester(claimOfForm(fields))).requester;
  }

  #known(requester: ReturnType<CredentialBook["requesterOf"]>): Authenticated {
    if (requester === "unknown-key") throw unknownAccessKey("");
    if (requester === "anonymous") throw accessDenied();
    return { requester };
  }
}

/** Believes nothing but a signature of version 4. */
export class VerifyingAuthenticator implements Authenticator {
  readonly verifies = true;
  readonly #verifier: SignatureVerifier;
  readonly #requesters: ReadonlyMap<string, Requester>;

  constructor(region: string, credentials: readonly NamedCredentials[]) {
    this.#verifier = new SignatureVerifier(region, credentials);
    this.#requesters = new Map(
      credentials.map(({ accessKeyId, principalArn }) => [accessKeyId, { principalArn, signedWith: "v4" }]),
    );
  }

  ofRequest(request: IncomingMessage): Authenticated {
    const wire = wireOf(request);
    const claim = claimOf(wire);
    if (claim === "anonymous") throw accessDenied();
    if (claim === "v2") return { requester: { principalArn: "unverified", signedWith: "v2" } };
    const { known, payload } = this.#verifier.verify(wire, claim, { service: "s3" });
    return { requester: this.#requesterOf(known), payload };
  }

  ofKmsRequest(request: IncomingMessage, body: Buffer): Requester {
    const wire = wireOf(request);
    const claim = claimOf(wire);
    if (claim === "anonymous" || claim === "v2") throw accessDenied();
    const payloadHash = hash("sha256", body, "hex");
    return this.#requesterOf(this.#verifier.verify(wire, claim, { service: "kms", payloadHash }).known);
  }

  ofForm(fields: ReadonlyMap<string, string>): Requester {
    if (fields.has("awsaccesskeyid") || fields.has("signature")) {
      return { principalArn: "unverified", signedWith: "v2" };
    }
    if (!fields.has("policy") && !fields.has("x-amz-signature")) throw accessDenied();
    return this.#requesterOf(this.#verifier.verifyText(fields.get("policy") ?? "", formClaim(fields)));
  }

  #requesterOf({ accessKeyId }: NamedCredentials): Requester {
    return this.#requesters.get(accessKeyId) as Requester;
  }
}

function wireOf(request: IncomingMessage): WireRequest {
  return wireRequest(request.method ?? "", request.url ?? "/", request.rawHeaders);
}

/** The access key that a form names, in the way of version 2 or 4. */
function claimOfForm(fields: ReadonlyMap<string, string>): Claimed {
  const v2 = fields.get("awsaccesskeyid");
  if (v2 !== undefined) return { accessKeyId: v2, signedWith: "v2" };
  const v4 = fields.get("x-amz-credential")?.split("/", 1)[0];
  return { accessKeyId: v4, signedWith: v4 === undefined ? "nothing" : "v4" };
}

function formClaim(
  fields: ReadonlyMap<string, string>,
): Pick<SignatureClaim, "accessKeyId" | "scope" | "signature" | "sessionToken"> {
  const required = (name: string): string => {
    const value = fields.get(name.toLowerCase());
    if (value !== undefined && value !== "") return value;
    throw missingField(name);
  };
  required("policy");
  if (required("X-Amz-Algorithm") !== "AWS4-HMAC-SHA256") {
    throw malformedQuery('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"');
  }
  const credential = parseCredential(required("X-Amz-Credential"));
  if (credential === undefined) throw malformedCredential(CREDENTIAL);
  if (!required("X-Amz-Date").startsWith(credential.scope.date)) {
    throw malformedQuery(
      `Invalid credential date "${credential.scope.date}". This date is not the same as X-Amz-Date.`,
    );
  }
  return {
    ...credential,
    signature: required("X-Amz-Signature"),
    sessionToken: fields.get("x-amz-security-token"),
  };
}

/** Two spaces, as S3 writes it. */
export function missingField(name: string): S3Error {
  return invalidArgument(
    `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
    { ArgumentName: name, ArgumentValue: "" },
  );
}

function accessDenied(): S3Error {
  return new S3Error(403, "AccessDenied", "Access Denied");
}
