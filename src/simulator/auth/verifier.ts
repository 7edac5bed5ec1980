import type { NamedCredentials } from "../credentials.ts";
import { invalidArgument, invalidRequest, S3Error } from "../s3/s3-error.ts";
import { canonicalRequest, type WireRequest } from "./canonical-request.ts";
import type { ChunkChain } from "./chunk-signatures.ts";
import { malformed, malformedCredential, type SignatureClaim } from "./claim.ts";
import { payloadMismatch, signatureDoesNotMatch, unknownAccessKey } from "./refusals.ts";
import {
  EMPTY_SHA256,
  isSameSignature,
  scopeText,
  sha256OfLatin1,
  sign,
  SigningKeys,
  type CredentialScope,
} from "./signing-key.ts";

/** What a verified signature says of the body that is still to come. */
export interface SignedPayload {
  /** Hex of its SHA-256, `UNSIGNED-PAYLOAD` or `STREAMING-...`. */
  readonly hash: string;
  /** What the signatures of its chunks, if it has some, go on from. */
  readonly chain: ChunkChain;
}

const MAX_SKEW_MS = 15 * 60_000;

/** Payload hashes that are no hash. */
const PAYLOADS: ReadonlySet<string> = new Set([
  "UNSIGNED-PAYLOAD",
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
]);

/**
 * Verifies signatures of version 4 against the secrets of the known principals.
 *
 * Times are compared with the real time: a signature comes from the caller's clock, which `advance` does not move.
 */
export class SignatureVerifier {
  readonly #region: string;
  readonly #known: ReadonlyMap<string, NamedCredentials>;
  readonly #keys = new SigningKeys();

  constructor(region: string, credentials: readonly NamedCredentials[]) {
    this.#region = region;
    this.#known = new Map(credentials.map((known) => [known.accessKeyId, known]));
  }

  /**
   * @param payloadHash - Of a body that is here already (KMS); left out, the sender's word, to be checked later.
   * @throws `S3Error` for whatever is wrong with the signature.
   */
  verify(
    request: WireRequest,
    claim: SignatureClaim,
    { service, payloadHash }: { readonly service: string; readonly payloadHash?: string },
  ): { readonly known: NamedCredentials; readonly payload: SignedPayload } {
    this.#checkScope(claim.scope, service, claim.kind === "header" ? malformed : malformedCredential);
    const known = this.knownBy(claim.accessKeyId, claim.sessionToken);
    requireSigned(request, claim);
    checkTime(claim);
    const hash = payloadHash ?? payloadHashOf(request, claim);
    const canonical = canonicalRequest(request, claim.signedHeaders, hash);
    const scope = scopeText(claim.scope);
    const stringToSign = `AWS4-HMAC-SHA256\n${claim.timestamp}\n${scope}\n${sha256OfLatin1(canonical)}`;
    const signingKey = this.#keys.keyOf(known.secretAccessKey, claim.scope);
    const computed = sign(signingKey, stringToSign);
    const isComplete = claim.signedHeaders.every((name) => request.headers.has(name));
    if (!isSameSignature(computed, claim.signature) || !isComplete) {
      throw signatureDoesNotMatch({ ...claim, stringToSign, canonical });
    }
    if (payloadHash === undefined) refuseMissingBody(request, hash);
    return {
      known,
      payload: { hash, chain: { signingKey, scope, timestamp: claim.timestamp, seed: computed } },
    };
  }

  /**
   * Checks a signature over a text itself: the policy of a form.
   *
   * @throws `S3Error` for a scope that is not ours, a stranger, or another signature.
   */
  verifyText(
    text: string,
    claim: Pick<SignatureClaim, "accessKeyId" | "scope" | "signature" | "sessionToken">,
  ): NamedCredentials {
    this.#checkScope(claim.scope, "s3", malformedCredential);
    const known = this.knownBy(claim.accessKeyId, claim.sessionToken);
    const computed = sign(this.#keys.keyOf(known.secretAccessKey, claim.scope), text);
    if (!isSameSignature(computed, claim.signature)) {
      throw signatureDoesNotMatch({ ...claim, stringToSign: text });
    }
    return known;
  }

  /** @throws `S3Error` for an access key nobody has, or another session token than its own. */
  knownBy(accessKeyId: string, sessionToken: string | undefined): NamedCredentials {
    const known = this.#known.get(accessKeyId);
    if (known === undefined || (known.sessionToken !== undefined && sessionToken === undefined)) {
      throw unknownAccessKey(accessKeyId);
    }
    if (known.sessionToken !== sessionToken) {
      throw new S3Error(400, "InvalidToken", "The provided token is malformed or otherwise invalid.");
    }
    return known;
  }

  #checkScope(scope: CredentialScope, service: string, refuse: typeof malformed): void {
    if (scope.service !== service) {
      throw refuse(`incorrect service "${scope.service}". This endpoint belongs to "${service}".`);
    }
    if (scope.region !== this.#region) {
      throw refuse(`the region '${scope.region}' is wrong; expecting '${this.#region}'`, {
        Region: this.#region,
      });
    }
  }
}

/** S3 takes no header of its own that the signature does not cover; the payload's hash it covers anyway. */
function requireSigned(request: WireRequest, { signedHeaders }: SignatureClaim): void {
  const unsigned = [...request.headers.keys()].filter(
    (name) =>
      (name === "host" || (name.startsWith("x-amz-") && name !== "x-amz-content-sha256")) &&
      !signedHeaders.includes(name),
  );
  if (unsigned.length === 0) return;
  throw new S3Error(403, "AccessDenied", "There were headers present in the request which were not signed", {
    HeadersNotSigned: unsigned.join(", "),
  });
}

function checkTime({ timeMs, expiresSeconds, timestamp }: SignatureClaim): void {
  const nowMs = Date.now();
  const ServerTime = new Date(nowMs).toISOString();
  if (expiresSeconds === undefined) {
    if (Math.abs(nowMs - timeMs) <= MAX_SKEW_MS) return;
    throw new S3Error(
      403,
      "RequestTimeTooSkewed",
      "The difference between the request time and the current time is too large.",
      { RequestTime: timestamp, ServerTime, MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS) },
    );
  }
  const expiresMs = timeMs + expiresSeconds * 1_000;
  if (timeMs - nowMs > MAX_SKEW_MS) {
    throw new S3Error(403, "AccessDenied", "Request is not yet valid", { ServerTime });
  }
  if (nowMs <= expiresMs) return;
  throw new S3Error(403, "AccessDenied", "Request has expired", {
    "X-Amz-Expires": String(expiresSeconds),
    Expires: new Date(expiresMs).toISOString(),
    ServerTime,
  });
}

function payloadHashOf(request: WireRequest, { kind, payloadHash }: SignatureClaim): string {
  if (payloadHash === undefined) {
    if (kind === "presigned") return "UNSIGNED-PAYLOAD";
    throw invalidRequest("Missing required header for this request: x-amz-content-sha256");
  }
  if (!PAYLOADS.has(payloadHash) && !/^[0-9a-f]{64}$/.test(payloadHash)) {
    throw invalidArgument(
      `x-amz-content-sha256 must be ${[...PAYLOADS].join(", ")}, or a valid sha256 value.`,
      { ArgumentName: "x-amz-content-sha256", ArgumentValue: payloadHash },
    );
  }
  if (payloadHash.startsWith("STREAMING-") && !request.headers.has("x-amz-decoded-content-length")) {
    throw new S3Error(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
  }
  return payloadHash;
}

/** Operations without a body never look at it. */
function refuseMissingBody({ headers }: WireRequest, hash: string): void {
  if (hash.length !== 64 || hash === EMPTY_SHA256) return;
  if (headers.has("transfer-encoding") || Number(headers.get("content-length") ?? 0) > 0) return;
  throw payloadMismatch(hash, EMPTY_SHA256);
}
